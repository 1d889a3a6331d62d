//! What a sync tells: how far it has come, and in the end what became of every file.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{LocalFile, Plan, Rejection, Uncertainty};
use crate::{Error, types::DatasetAssetFailureReason};

/// How far a sync has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SyncProgress {
    /// How many files are to be sent.
    pub files_total: u64,
    /// How many of them the service has taken.
    pub files_done: u64,
    /// How many of them the service has refused, so far.
    pub files_failed: u64,
    /// How many files that were sent have no certain end, and may still be on their way into the dataset: the sync
    /// looks for them, which can take minutes.
    pub files_awaited: u64,
    /// The size of all files to be sent, in bytes.
    pub bytes_total: u64,
    /// How much of that has left this machine. A chunk that has to be sent again takes its share back.
    pub bytes_sent: u64,
}

/// What a sync has done, and how the dataset looks now.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct SyncReport {
    /// Every image and caption of the folder, in the order of the plan.
    pub files: Vec<SyncedFile>,
    /// How many uploads were begun.
    pub uploads: u64,
    /// The folder compared with the dataset as it was seen last: the verification.
    pub after: Plan,
    /// What ended the sync before all was sent, if anything did.
    #[serde(serialize_with = "as_text")]
    pub stopped: Option<Error>,
}

/// A file, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SyncedFile {
    /// The file.
    #[serde(flatten)]
    pub file: LocalFile,
    /// What became of it.
    pub outcome: FileOutcome,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileOutcome {
    /// It was in the dataset before this journal's first upload of it.
    AlreadyThere,
    /// It was sent, now or earlier with this journal, and is in the dataset.
    Stored,
    /// The dataset has a file of this name with other sizes, in bytes, and it is not the one that was sent with this
    /// journal. A service that stores an image in its own way changes its size.
    Different {
        /// The sizes in the dataset.
        remote_sizes_bytes: Vec<u64>,
    },
    /// The service refused it.
    Failed {
        /// Why.
        reason: DatasetAssetFailureReason,
    },
    /// It is not in the dataset. The next sync sends it.
    NotStored {
        /// Why not.
        why: String,
    },
    /// It was sent, and whether it is in the dataset is uncertain. It is not sent again with this journal as long as
    /// that is so.
    Unknown(UnknownReason),
    /// It was not sent, because it may be in the dataset.
    Uncertain(Uncertainty),
    /// It was not sent, because it cannot or must not be.
    Rejected(Rejection),
}

/// Why it is uncertain whether a file that was sent is in the dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnknownReason {
    /// The service has taken it, but the dataset does not show it, or not yet.
    NotShown,
    /// No response came, and the dataset does not tell: it has new files without names, lists no captions, or cannot be
    /// read. Or the service may still be storing it
    /// ([`SyncDataset::processing_timeout`](super::SyncDataset::processing_timeout)); a later sync knows more.
    NotTold,
}

impl SyncReport {
    /// Whether the folder could be read whole, and every image and caption of it is in the dataset, as far as the
    /// service tells.
    pub fn is_complete(&self) -> bool {
        self.after.folder.unread().next().is_none() && self.files.iter().all(|file| file.outcome.is_there())
    }

    /// The files that are not in the dataset for sure.
    pub fn not_stored(&self) -> impl Iterator<Item = &SyncedFile> {
        self.files.iter().filter(|file| !file.outcome.is_there())
    }
}

impl FileOutcome {
    /// Whether the file is in the dataset.
    pub fn is_there(&self) -> bool {
        matches!(self, Self::AlreadyThere | Self::Stored)
    }
}

impl fmt::Display for FileOutcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyThere => formatter.write_str("was there"),
            Self::Stored => formatter.write_str("stored"),
            Self::Different { .. } => formatter.write_str("the dataset has it with another size"),
            Self::Failed { reason } => write!(formatter, "refused by the service: {reason}"),
            Self::NotStored { why } => write!(formatter, "not stored: {why}"),
            Self::Unknown(UnknownReason::NotShown) => formatter.write_str("sent, but the dataset does not show it"),
            Self::Unknown(UnknownReason::NotTold) => formatter.write_str("sent, but the dataset does not tell of it"),
            Self::Uncertain(reason) => write!(formatter, "not sent, perhaps there: {reason}"),
            Self::Rejected(rejection) => write!(formatter, "not sent: {rejection}"),
        }
    }
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the member")]
fn as_text<S: Serializer>(error: &Option<Error>, serializer: S) -> Result<S::Ok, S::Error> {
    error.as_ref().map(Error::to_string).serialize(serializer)
}
