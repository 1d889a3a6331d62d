//! Ctrl-C, SIGTERM and SIGHUP: end the command cleanly, and know which calls are under way.
//!
//! [`Interrupt::guard`] runs the command. On a signal it drops it, and with it whatever it was waiting for;
//! half-written files are removed by their owners. A command that has something to bring to an end asks for
//! [`Interrupt::gracefully`] first: then it only learns of the first signal, and the second one ends it.

use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use ideogram_client::operation::{Billing, Operation, Retry};
use tokio::{select, sync::Notify};

use crate::{exit::Exit, failure::Failure};

/// Signals that follow the first one this fast are the same request to end: `timeout` signals its child and then the
/// whole group, and when a terminal closes, the kernel and the shell both send SIGHUP.
const SAME_REQUEST: Duration = Duration::from_millis(500);

/// A signal that ends the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C; on Windows also Ctrl-Break.
    Interrupt,
    /// SIGTERM; on Windows the system shuts down.
    Terminate,
    /// SIGHUP; on Windows the console was closed.
    HangUp,
}

impl Signal {
    fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Terminated,
            Self::HangUp => Exit::HungUp,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Interrupt => "Ctrl-C",
            Self::Terminate if cfg!(windows) => "a shutdown of the system",
            Self::Terminate => "SIGTERM",
            Self::HangUp if cfg!(windows) => "closing the console",
            Self::HangUp => "SIGHUP",
        })
    }
}

/// What a signal needs to know. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    is_graceful: AtomicBool,
    first: Notify,
    under_way: Mutex<UnderWay>,
}

#[derive(Debug, Default)]
struct UnderWay {
    /// The last signal that has arrived.
    signal: Option<Signal>,
    next: u64,
    calls: BTreeMap<u64, (&'static Operation, String)>,
}

/// A call that is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct CallUnderWay(Interrupt, u64);

/// Tells a command that it is to end. Kept by the command for as long as it can end gracefully.
#[derive(Debug)]
pub(crate) struct Graceful(Interrupt);

impl Interrupt {
    /// Runs a command to its end or to a signal.
    pub(crate) async fn guard<T>(&self, command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        // Heard before the command begins: whoever starts it may stop it at once.
        let mut signals =
            Signals::new().map_err(|error| Failure::internal("cannot wait for signals").because(&error))?;
        let interrupted = async {
            let mut first: Option<Instant> = None;
            loop {
                let signal = signals.next().await;
                if first.is_some_and(|first| first.elapsed() < SAME_REQUEST) {
                    continue;
                }
                self.under_way().signal = Some(signal);
                if !self.0.is_graceful.swap(false, Ordering::Relaxed) {
                    return self.failure();
                }
                first = Some(Instant::now());
                self.0.first.notify_one();
            }
        };
        let result = select! {
            biased;
            failure = interrupted => Err(failure),
            result = command => result,
        };
        result.map_err(|failure| self.naming_the_signal(failure))
    }

    /// An interrupted command exits with the code of its signal, and names it unless it was Ctrl-C.
    fn naming_the_signal(&self, failure: Failure) -> Failure {
        match self.under_way().signal {
            Some(signal @ (Signal::Terminate | Signal::HangUp)) if failure.exit() == Exit::Interrupted => {
                failure.cause(format!("{signal} ended the command")).exiting(signal.exit())
            }
            _ => failure,
        }
    }

    /// Notes a call that is about to be sent; `look` is the command that shows whether it has changed anything.
    pub(crate) fn call(&self, operation: &'static Operation, look: &str) -> CallUnderWay {
        let mut under_way = self.under_way();
        let number = under_way.next;
        under_way.next += 1;
        under_way.calls.insert(number, (operation, look.to_owned()));
        CallUnderWay(self.clone(), number)
    }

    /// Takes over the first signal: it ends [`Graceful::signalled`] instead of the command.
    pub(crate) fn gracefully(&self) -> Graceful {
        self.0.is_graceful.store(true, Ordering::Relaxed);
        Graceful(self.clone())
    }

    /// How an interrupted command ends: with what may still happen.
    pub(crate) fn failure(&self) -> Failure {
        let under_way = self.under_way();
        let mut failure = Failure::new(Exit::Interrupted, "interrupted");
        let mut hints = Vec::new();
        for (operation, look) in under_way.calls.values() {
            if operation.billing != Billing::Free {
                failure = failure.cause(format!("{operation} was under way: it may have run, and then it is billed"));
            } else if operation.retry != Retry::Safe {
                failure = failure.cause(format!("{operation} was under way: it may have been done all the same"));
            } else {
                continue;
            }
            let hint = format!("see `{look}` before running the command again");
            if !look.is_empty() && !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        hints.into_iter().fold(failure, Failure::hint)
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        // A list of calls stays one, whatever became of another thread.
        self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Graceful {
    /// Waits for the first signal.
    pub(crate) async fn signalled(&self) -> Signal {
        self.0.0.first.notified().await;
        self.0.under_way().signal.unwrap_or(Signal::Interrupt)
    }
}

impl Drop for Graceful {
    fn drop(&mut self) {
        self.0.0.is_graceful.store(false, Ordering::Relaxed);
    }
}

impl Drop for CallUnderWay {
    fn drop(&mut self) {
        self.0.under_way().calls.remove(&self.1);
    }
}

/// The signals that end a command.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// `None` if the command was started to outlive its terminal, as `nohup` does.
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: if ignores_hang_up() { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    async fn next(&mut self) -> Signal {
        let hang_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
            _ = hang_up => Signal::HangUp,
        }
    }
}

/// Whether SIGHUP was ignored when the command began; listening to it would undo that. Only `sigaction` itself could
/// say so everywhere, and it is unsafe to call: Linux has a file for it, other systems have `ps`.
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    let ignored = if cfg!(any(target_os = "linux", target_os = "android")) {
        std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
            status.lines().find_map(|line| line.strip_prefix("SigIgn:").map(|mask| mask.trim().to_owned()))
        })
    } else {
        let id = std::process::id().to_string();
        let ps = std::process::Command::new("ps").args(["-o", "sigignore=", "-p", &id]).output();
        ps.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    ignored.is_some_and(|mask| has_hang_up(&mask))
}

/// Whether a hexadecimal mask holds SIGHUP, the first of all signals.
#[cfg(unix)]
fn has_hang_up(mask: &str) -> bool {
    u64::from_str_radix(mask.trim_start_matches("0x"), 16).is_ok_and(|mask| mask & 1 == 1)
}

/// The events that end a command.
#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    interrupt_all: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Self {
            interrupt: ctrl_c()?,
            interrupt_all: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    async fn next(&mut self) -> Signal {
        select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.interrupt_all.recv() => Signal::Interrupt,
            _ = self.close.recv() => Signal::HangUp,
            _ = self.shutdown.recv() => Signal::Terminate,
        }
    }
}

#[cfg(test)]
mod tests {
    use ideogram_client::operations;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_mask_tells_whether_hanging_up_is_ignored() {
        for mask in ["0000000000000001", "0000000000001001", "1", "0x1", "ffffffffffffffff"] {
            assert!(has_hang_up(mask), "{mask}");
        }
        for mask in ["0000000000000000", "0000000000001000", "2", "", "nothing", "-1"] {
            assert!(!has_hang_up(mask), "{mask}");
        }
    }

    #[test]
    fn what_is_under_way_and_may_cost_is_told() {
        let interrupt = Interrupt::default();
        let done = interrupt.call(&operations::POST_GENERATE_IMAGE_V3, "");
        let _training = interrupt.call(&operations::TRAIN_MODEL_V3, "ideogram models list");
        let _creation = interrupt.call(&operations::CREATE_DATASET, "ideogram datasets list");
        let _look = interrupt.call(&operations::GET_DATASET, "ideogram datasets list");
        drop(done);

        let failure = interrupt.failure();

        assert_eq!(
            failure.causes(),
            [
                "train_model_v3 was under way: it may have run, and then it is billed",
                "create_dataset was under way: it may have been done all the same",
            ]
        );
        assert_eq!(
            failure.hints(),
            [
                "see `ideogram models list` before running the command again",
                "see `ideogram datasets list` before running the command again",
            ]
        );
    }
}
