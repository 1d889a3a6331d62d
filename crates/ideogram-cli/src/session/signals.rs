//! The signals that end a command.

use std::{fmt, io};

use tokio::select;

use crate::exit::Exit;

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
    pub(super) fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Terminated,
            Self::HangUp => Exit::HungUp,
        }
    }

    #[cfg(unix)]
    pub(crate) fn as_unix(self) -> rustix::process::Signal {
        match self {
            Self::Interrupt => rustix::process::Signal::INT,
            Self::Terminate => rustix::process::Signal::TERM,
            Self::HangUp => rustix::process::Signal::HUP,
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

/// The signals that end a command.
#[cfg(unix)]
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// `None` if the command was started to outlive its terminal, as `nohup` does.
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: if ignores_hang_up() { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    pub(crate) async fn next(&mut self) -> Signal {
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

/// Whether SIGHUP was ignored when the command began; a handler would undo that. `sigaction` would need unsafe code, so
/// this reads a file on Linux, and calls `ps` elsewhere.
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

/// Whether a hexadecimal mask contains SIGHUP, the first of all signals.
#[cfg(unix)]
fn has_hang_up(mask: &str) -> bool {
    u64::from_str_radix(mask.trim_start_matches("0x"), 16).is_ok_and(|mask| mask & 1 == 1)
}

/// The events that end a command.
#[cfg(windows)]
pub(crate) struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    interrupt_all: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Self {
            interrupt: ctrl_c()?,
            interrupt_all: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    pub(crate) async fn next(&mut self) -> Signal {
        select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.interrupt_all.recv() => Signal::Interrupt,
            _ = self.close.recv() => Signal::HangUp,
            _ = self.shutdown.recv() => Signal::Terminate,
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_mask_shows_whether_sighup_is_ignored() {
        for mask in ["0000000000000001", "0000000000001001", "1", "0x1", "ffffffffffffffff"] {
            assert!(has_hang_up(mask), "{mask}");
        }
        for mask in ["0000000000000000", "0000000000001000", "2", "", "nothing", "-1"] {
            assert!(!has_hang_up(mask), "{mask}");
        }
    }
}
