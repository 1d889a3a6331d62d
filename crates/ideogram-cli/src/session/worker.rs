//! The second process in which `batch` does its work, so that a SIGKILL of the command loses no response.
//!
//! [`run`] starts the command again as a worker, and waits for it: signals are passed on, and the exit code of the worker
//! is that of the command. When the command is killed, [`supervisor_ended`] returns in the worker, which waits for the
//! responses to what it has sent, stores the ids of jobs, and ends.
//!
//! A kill of both processes at once, as by a container that is removed or by a power failure, is not covered. On
//! Windows there is no worker: the command does the work itself.

#[cfg(unix)]
pub(crate) use unix::{is_running, run, supervisor_ended};

#[cfg(not(unix))]
pub(crate) fn run(_: &[std::ffi::OsString]) -> Option<Result<std::process::ExitCode, crate::failure::Failure>> {
    None
}

#[cfg(not(unix))]
pub(crate) async fn supervisor_ended(_: Option<u32>) {
    std::future::pending().await
}

#[cfg(not(unix))]
pub(crate) fn is_running(_: u32) -> bool {
    true
}

#[cfg(unix)]
mod unix {
    use std::{
        env,
        ffi::OsString,
        io::{self, IsTerminal as _},
        os::unix::process::{ExitStatusExt as _, parent_id},
        process::{self, ExitCode, ExitStatus},
        time::Duration,
    };

    use rustix::process::{Pid, getpid, kill_process, test_kill_process};
    use tokio::{
        process::{Child, Command},
        select,
        signal::unix::{SignalKind, signal},
    };

    use crate::{
        executable::{self, WORKER_ARGUMENT},
        exit::Exit,
        failure::Failure,
        session::signals::Signals,
    };

    /// How many heaps the allocator of glibc uses; others ignore it.
    const MALLOC_ARENAS: &str = "MALLOC_ARENA_MAX";
    /// How often a worker looks whether its supervisor is still there.
    const POLL_INTERVAL: Duration = Duration::from_millis(20);

    /// Runs the command in a worker, and returns its exit code; `None` if no worker can be started.
    pub(crate) fn run(words: &[OsString]) -> Option<Result<ExitCode, Failure>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        runtime.block_on(async {
            let (worker, signals) = start(words).ok()?;
            Some(supervise(worker, signals).await)
        })
    }

    /// Starts the worker. After an error there is none.
    fn start(words: &[OsString]) -> io::Result<(Child, Signals)> {
        let signals = Signals::new()?;
        // Where SIGCHLD is ignored, the exit code of a child is lost.
        drop(signal(SignalKind::child())?);
        let mut command = Command::new(executable::path()?);
        command.arg0(&words[0]).arg(WORKER_ARGUMENT).arg(process::id().to_string()).args(&words[1..]);
        // Images are decoded in many threads. glibc keeps freed memory of each thread: a third of all.
        if env::var_os(MALLOC_ARENAS).is_none() {
            command.env(MALLOC_ARENAS, "1");
        }
        // A kill of the whole process group must not reach it. But it must stay where it may read from the terminal.
        if !io::stdin().is_terminal() {
            command.process_group(0);
        }
        Ok((command.spawn()?, signals))
    }

    /// Waits for the worker, and returns its exit code.
    async fn supervise(mut worker: Child, mut signals: Signals) -> Result<ExitCode, Failure> {
        let id = worker.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let mut suspensions = signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw())).ok();
        loop {
            let suspended = async {
                match &mut suspensions {
                    Some(suspensions) => suspensions.recv().await,
                    None => std::future::pending().await,
                }
            };
            select! {
                status = worker.wait() => return code_of(status),
                // From a terminal the worker has it already, and takes both for one.
                signal = signals.next() => {
                    pass_on(id, signal.as_unix());
                    // A worker that the terminal has stopped must end as well.
                    pass_on(id, rustix::process::Signal::CONT);
                }
                // Ctrl-Z, and later `fg` or `bg`.
                _ = suspended => {
                    pass_on(id, rustix::process::Signal::STOP);
                    // If that is not allowed, only the worker stops for a moment.
                    let _ = kill_process(getpid(), rustix::process::Signal::STOP);
                    pass_on(id, rustix::process::Signal::CONT);
                }
            }
        }
    }

    /// The exit code, or the failure of a worker that did not end by itself.
    fn code_of(status: io::Result<ExitStatus>) -> Result<ExitCode, Failure> {
        let cause = match status {
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => return Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))),
                (None, signal) => format!("signal {} ended its process", signal.unwrap_or_default()),
            },
            Err(error) => error.to_string(),
        };
        let failure = Failure::new(Exit::Unknown, "the process of the batch ended unexpectedly").cause(cause);
        Err(failure.hint(format!("run the same command again; no row is paid twice: {}", executable::command_line())))
    }

    fn pass_on(worker: Option<Pid>, signal: rustix::process::Signal) {
        if let Some(worker) = worker {
            // If it has just ended, there is nobody to tell.
            let _ = kill_process(worker, signal);
        }
    }

    /// Returns when the supervisor of this process has ended; never if it has none.
    pub(crate) async fn supervisor_ended(supervisor: Option<u32>) {
        let Some(supervisor) = supervisor else { return std::future::pending().await };
        while parent_id() == supervisor {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Whether there is a process with this id.
    pub(crate) fn is_running(id: u32) -> bool {
        let id = Pid::from_raw(id.cast_signed());
        id.is_some_and(|id| !matches!(test_kill_process(id), Err(rustix::io::Errno::SRCH)))
    }
}
