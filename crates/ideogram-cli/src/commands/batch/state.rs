//! The states of rows and of images: one table for all that programs, people, the contact sheet and the exit code read.

use ideogram_client::{Error, ErrorKind, Outcome};
use serde::{Deserialize, Serialize};

use crate::exit::Exit;

/// The state of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RowState {
    /// Not sent yet.
    NotRun,
    /// Did not run, and may succeed in another run.
    Failed,
    /// Refused for its content; it would be refused again.
    Declined,
    /// The service has accepted it, and it had not ended at the end of the run.
    Running,
    /// May have run.
    Unknown,
    /// Ran, and its response cannot be read.
    Unreadable,
    /// Ran, and its response has no images.
    NoImages,
    /// Every image was withheld by the safety check.
    Withheld,
    /// Some images were not saved.
    Partial,
    Saved,
}

/// What the user reads about a state, and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowInfo {
    /// The state in JSON, and in the names of counts.
    pub(super) name: &'static str,
    /// The class on the contact sheet.
    pub(super) class: &'static str,
    /// Empty if the images show the state.
    pub(super) title: &'static str,
    /// Whether the row is billed; empty if that is clear.
    pub(super) billing: &'static str,
    /// The end of `2 rows ...` in a summary; empty if the images are counted instead.
    pub(super) summary: &'static str,
    /// The exit code of a batch in which every row has this state.
    pub(super) exit: Exit,
}

impl RowState {
    pub(super) const ALL: [Self; 10] = [
        Self::Declined,
        Self::Failed,
        Self::Running,
        Self::Unknown,
        Self::Unreadable,
        Self::NotRun,
        Self::NoImages,
        Self::Withheld,
        Self::Partial,
        Self::Saved,
    ];

    #[rustfmt::skip]
    pub(super) fn info(self) -> RowInfo {
        let row = |name, class, title, billing, summary, exit| RowInfo { name, class, title, billing, summary, exit };
        let maybe = "it may have been billed";
        match self {
            Self::NotRun     => row("not_run",    "waiting", "not run",             "",           "not run",                            Exit::Partial),
            Self::Failed     => row("failed",     "waiting", "failed",              "not billed", "failed without being billed",        Exit::Unavailable),
            Self::Declined   => row("declined",   "bad",     "declined",            "not billed", "declined",                           Exit::Invalid),
            Self::Running    => row("running",    "waiting", "still running",       "billed when it completes", "still running",              Exit::Partial),
            Self::Unknown    => row("unknown",    "bad",     "outcome unknown",     maybe,        "of unknown outcome",                 Exit::Unknown),
            Self::Unreadable => row("unreadable", "bad",     "unreadable response", "billed",     "billed without a readable response", Exit::NotStored),
            Self::NoImages   => row("unreadable", "bad",     "no images",           "billed",     "",                                   Exit::NotStored),
            Self::Withheld   => row("withheld",   "bad",     "",                    "",           "",                                   Exit::Withheld),
            Self::Partial    => row("partial",    "good",    "",                    "",           "",                                   Exit::Partial),
            Self::Saved      => row("saved",      "good",    "",                    "",           "",                                   Exit::Success),
        }
    }

    /// Whether a row in this state may be billed.
    pub(super) fn may_be_billed(self) -> bool {
        !matches!(self, Self::NotRun | Self::Failed | Self::Declined)
    }

    /// The state of a row whose call failed.
    pub(super) fn of_error(error: &Error) -> Self {
        match (error.outcome(), error.kind()) {
            (Outcome::Declined, ErrorKind::Safety | ErrorKind::InvalidRequest | ErrorKind::Forbidden) => Self::Declined,
            (Outcome::NotSent | Outcome::Declined, _) => Self::Failed,
            (Outcome::Completed, _) => Self::Unreadable,
            // Outcomes that this version does not know included: they may be billed.
            _ => Self::Unknown,
        }
    }
}

/// What became of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ImageResult {
    Saved,
    /// By the safety check; billed.
    Withheld,
    /// Its link is missing or has expired: it cannot be fetched any more.
    Lost,
    /// It can still be fetched from its link.
    NotSaved,
}

/// What the user reads about an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ImageInfo {
    /// The result in the names of counts.
    pub(super) name: &'static str,
    /// The class on the contact sheet.
    pub(super) class: &'static str,
    pub(super) title: &'static str,
    /// The end of `2 images ...` in a summary.
    pub(super) summary: &'static str,
    /// The end of `2 images ...` where a row without all its images is explained.
    pub(super) reason: &'static str,
}

impl ImageResult {
    pub(super) const ALL: [Self; 4] = [Self::Saved, Self::Withheld, Self::Lost, Self::NotSaved];

    #[rustfmt::skip]
    pub(super) fn info(self) -> ImageInfo {
        let image = |name, class, title, summary, reason| ImageInfo { name, class, title, summary, reason };
        let billed = "withheld by the safety check, and billed";
        match self {
            Self::Saved    => image("saved",     "good",    "saved",     "saved",         ""),
            Self::Withheld => image("withheld",  "bad",     "withheld",  "withheld",      billed),
            Self::Lost     => image("lost",      "bad",     "lost",      "lost",          "lost"),
            Self::NotSaved => image("not_saved", "waiting", "not saved", "not saved yet", "not saved"),
        }
    }
}
