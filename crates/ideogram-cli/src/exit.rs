//! What the exit codes of the command mean.

use std::process::ExitCode;

/// How the command ended, for scripts. The numbers are a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// All was done that was asked for. A closed pipe behind the command counts as success.
    Success = 0,
    /// The command was understood and could not be carried out, or only in part.
    Failure = 1,
    /// An argument was refused. Nothing was sent.
    Usage = 2,
}

impl Exit {
    const ALL: [Self; 3] = [Self::Success, Self::Failure, Self::Usage];

    /// The codes and their meanings, for the help text.
    pub(crate) fn table() -> String {
        Self::ALL.iter().map(|exit| format!("  {}  {}\n", *exit as u8, exit.meaning())).collect()
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => {
                "anything else: no key, declined by the service, no answer, a file not readable or not stored"
            }
            Self::Usage => "wrong usage: a missing, unknown or refused argument; nothing was sent",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
