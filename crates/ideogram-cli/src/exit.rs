//! The exit codes of the command.

use std::process::ExitCode;

/// The exit code of the command. The numbers are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Success; also if the reader closed the pipe before the end of the output.
    Success = 0,
    /// An internal error, or a response that the document does not describe.
    Internal = 1,
    /// Wrong usage, or a question without a terminal. Nothing was sent.
    Usage = 2,
    /// No key, or one that the service refuses.
    Authentication = 3,
    /// The service refused the request as invalid or forbidden.
    Invalid = 4,
    /// Not found, or this key has no access.
    NotFound = 5,
    /// The safety check declined the call, or withheld every image.
    Safety = 6,
    /// The balance does not cover the call.
    Payment = 7,
    /// Rate limited: too many images are in flight.
    RateLimited = 8,
    /// The network or the service failed, and nothing is billed: the call was not sent, or is free.
    Unavailable = 9,
    /// It is unknown whether a paid call ran.
    Unknown = 10,
    /// Partly done; the missing part is listed.
    Partial = 11,
    /// A paid call has run, and its response could not be read or stored.
    NotStored = 12,
    /// A file or folder of this machine could not be read or written.
    LocalIo = 13,
    /// A comparison found a difference.
    Difference = 14,
    /// A training failed, or did not end within the time of `--wait`.
    TrainingError = 15,
    /// A model stayed in a state that this version does not know.
    UnknownState = 16,
    /// The service has accepted the call, and its images are not made yet.
    Running = 17,
    /// Stopped by SIGHUP: the terminal is gone.
    HungUp = 129,
    /// Stopped by Ctrl-C, or by a question answered with no.
    Interrupted = 130,
    /// Standard output was closed, so paid calls were not made.
    ReaderGone = 141,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

impl Exit {
    pub(crate) const ALL: [Self; 22] = [
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
        Self::HungUp,
        Self::Interrupted,
        Self::ReaderGone,
        Self::Terminated,
    ];

    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The `kind` of a failure outside of calls, in JSON.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Internal => "internal",
            Self::Usage => "usage",
            Self::Authentication => "authentication",
            Self::Invalid => "invalid_request",
            Self::NotFound => "not_found",
            Self::Safety => "safety",
            Self::Payment => "payment",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown_outcome",
            Self::Partial => "partial",
            Self::NotStored => "not_stored",
            Self::LocalIo => "local_io",
            Self::Difference => "difference",
            Self::TrainingError => "not_trained",
            Self::UnknownState => "unknown_state",
            Self::Running => "still_running",
            Self::ReaderGone => "reader_gone",
            Self::HungUp | Self::Interrupted | Self::Terminated => "interrupted",
        }
    }

    /// The codes and their meanings, for the help text.
    pub(crate) fn table() -> String {
        Self::ALL.iter().map(|exit| format!("  {:>3}  {}\n", exit.code(), exit.meaning())).collect()
    }

    /// The word that makes a mock server provoke it, in the prompt of a paid call.
    pub(crate) fn rehearsal(self) -> Option<&'static str> {
        match self {
            Self::Safety => Some("forbidden"),
            Self::Payment => Some("no balance"),
            Self::RateLimited => Some("rate limited"),
            Self::Unknown => Some("lost response"),
            Self::Partial => Some("some withheld"),
            Self::NotStored => Some("damaged response"),
            _ => None,
        }
    }

    /// The exit codes that can be rehearsed, each with its word, for the help text.
    pub(crate) fn rehearsals() -> String {
        let words = Self::ALL.iter().filter_map(|exit| Some((exit.code(), exit.rehearsal()?, exit.meaning())));
        words.map(|(code, word, meaning)| format!("  {word:<18}{code:>2}  {meaning}\n")).collect()
    }

    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Success => "success; also if the reader of the output stops early, unless paid calls are left (141)",
            Self::Internal => "internal error, or a response that the API's document does not describe",
            Self::Usage => "wrong usage: an argument is missing or refused, or a question had no terminal and no --yes",
            Self::Authentication => "not authenticated: no key, or one that the service refuses",
            Self::Invalid => "the service refused the request as invalid or forbidden",
            Self::NotFound => "not found, or this key has no access",
            Self::Safety => "declined by the safety check, or every image was withheld by it",
            Self::Payment => "the balance does not cover the call",
            Self::RateLimited => "rate limited: too many images are in flight",
            Self::Unavailable => "network or service failure without a bill: not sent, or a free call",
            Self::Unknown => "outcome unknown: a paid call may have run and been billed; check before running it again",
            Self::Partial => "partly done; the missing part is listed",
            Self::NotStored => "ran and was billed, but its response could not be read or stored; see stderr",
            Self::LocalIo => "a local file or disk failed",
            Self::Difference => "`datasets verify` found a difference between the folder and the dataset",
            Self::TrainingError => "the training failed, or the time of --wait passed",
            Self::UnknownState => {
                "a training had a status that this version does not know, for longer than a training takes"
            }
            Self::Running => "accepted, and still running; `ideogram generations save` fetches the images",
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

        assert_eq!(codes, (0..=17).chain([129, 130, 141, 143]).collect::<Vec<_>>());
    }

    #[test]
    fn a_line_of_the_table_fits_the_terminal() {
        for line in Exit::table().lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}
