//! The exit codes of the command.

use std::process::ExitCode;

use serde::Serialize;

/// The exit code of the command. The numbers are stable. What each means: [`Exit::meaning`]; in JSON, a failure outside
/// of calls has the name as its `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub(crate) enum Exit {
    Success = 0,
    Internal = 1,
    Usage = 2,
    Authentication = 3,
    #[serde(rename = "invalid_request")]
    Invalid = 4,
    NotFound = 5,
    Safety = 6,
    Payment = 7,
    RateLimited = 8,
    Unavailable = 9,
    #[serde(rename = "unknown_outcome")]
    Unknown = 10,
    Partial = 11,
    NotStored = 12,
    LocalIo = 13,
    Difference = 14,
    #[serde(rename = "not_trained")]
    TrainingError = 15,
    UnknownState = 16,
    #[serde(rename = "still_running")]
    Running = 17,
    Withheld = 18,
    #[serde(rename = "interrupted")]
    HungUp = 129,
    Interrupted = 130,
    ReaderGone = 141,
    #[serde(rename = "interrupted")]
    Terminated = 143,
}

impl Exit {
    pub(crate) const ALL: [Self; 23] = [
        Self::Success,
        Self::Internal,
        Self::Usage,
        Self::Authentication,
        Self::Invalid,
        Self::NotFound,
        Self::Safety,
        Self::Payment,
        Self::RateLimited,
        Self::Unavailable,
        Self::Unknown,
        Self::Partial,
        Self::NotStored,
        Self::LocalIo,
        Self::Difference,
        Self::TrainingError,
        Self::UnknownState,
        Self::Running,
        Self::Withheld,
        Self::HungUp,
        Self::Interrupted,
        Self::ReaderGone,
        Self::Terminated,
    ];

    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The codes and their meanings, for the help text.
    pub(crate) fn table() -> String {
        Self::ALL.iter().map(|exit| format!("  {:>3}  {}\n", exit.code(), exit.meaning())).collect()
    }

    /// The exit codes that a mock server provokes, each with the word in the prompt of a paid call, for the help text.
    pub(crate) fn rehearsals() -> String {
        let words = [
            (Self::Safety, "forbidden"),
            (Self::Payment, "no balance"),
            (Self::RateLimited, "rate limited"),
            (Self::Unknown, "lost response"),
            (Self::Partial, "some withheld"),
            (Self::NotStored, "damaged response"),
            (Self::Withheld, "withheld"),
        ];
        words.map(|(exit, word)| format!("  {word:<18}{:>2}  {}\n", exit.code(), exit.meaning())).concat()
    }

    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Success => "success; also if the reader of the output stops early, unless paid calls are left (141)",
            Self::Internal => "internal error, or a response that the API's document does not describe",
            Self::Usage => "wrong usage: an argument is missing or refused, or a question had no terminal and no --yes",
            Self::Authentication => "not authenticated: no key, or one that the service refuses",
            Self::Invalid => "the service refused the request as invalid or forbidden",
            Self::NotFound => "not found, or this key has no access",
            Self::Safety => "declined by the safety check, without a bill",
            Self::Payment => "the balance does not cover the call",
            Self::RateLimited => "rate limited: too many images are in flight",
            Self::Unavailable => "network or service failure without a bill: not sent, or a free call",
            Self::Unknown => "outcome unknown: a paid call may have run and been billed; check before running it again",
            Self::Partial => "partly done; the missing part is listed",
            Self::NotStored => "ran and was billed, but its response could not be read or stored; see stderr",
            Self::LocalIo => "a local file or disk failed",
            Self::Difference => "`datasets verify` found a difference between the folder and the dataset",
            Self::TrainingError => "the training failed, or the --deadline of its wait passed",
            Self::UnknownState => {
                "a training had a status that this version does not know, for longer than a training takes"
            }
            Self::Running => "accepted, and still running; `ideogram generations save` fetches the images",
            Self::Withheld => "billed, and every image was withheld by the safety check",
            Self::HungUp => "interrupted by SIGHUP: the terminal was closed",
            Self::Interrupted => "interrupted: Ctrl-C, or a question answered with no",
            Self::ReaderGone => "the reader of the output stopped, so the paid calls that were left were not made",
            Self::Terminated => "interrupted by SIGTERM",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_stable() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();

        assert_eq!(codes, (0..=18).chain([129, 130, 141, 143]).collect::<Vec<_>>());
    }

    #[test]
    fn a_line_of_the_table_fits_the_terminal() {
        for line in Exit::table().lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}
