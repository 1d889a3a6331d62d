//! The progress and the report of a sync.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{LocalFile, Plan, Rejection, Uncertainty};
use crate::{Error, types::DatasetAssetFailureReason};

/// The progress of a sync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SyncProgress {
    /// The number of files to send.
    pub files_total: u64,
    /// The number of files that the service has accepted.
    pub files_done: u64,
    /// The number of files that the service has refused.
    pub files_failed: u64,
    /// The number of files with an unknown outcome that the service may still be storing. The sync reads the list
    /// for them, which can take minutes.
    pub files_awaited: u64,
    /// The size of all files to send, in bytes.
    pub bytes_total: u64,
    /// The number of bytes that were sent. It decreases if a chunk has to be sent again.
    pub bytes_sent: u64,
}

/// The result of a sync.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct SyncReport {
    /// Every image and caption of the folder, in the order of the plan.
    pub files: Vec<SyncedFile>,
    /// The number of uploads that were started.
    pub uploads: u64,
    /// The folder compared with the dataset after the sync, which verifies the result.
    pub after: Plan,
    /// The error that ended the sync early, if any.
    #[serde(serialize_with = "as_text")]
    pub stopped: Option<Error>,
}

/// A file and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SyncedFile {
    /// The file.
    #[serde(flatten)]
    pub file: LocalFile,
    /// The outcome.
    pub outcome: FileOutcome,
}

/// The outcome of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileOutcome {
    /// The dataset had it before the first upload with this journal.
    AlreadyThere,
    /// It was sent with this journal, now or earlier, and is in the dataset.
    Stored,
    /// The dataset has a file of this name with another size, which was not sent with this journal. (The service may
    /// change the size of an image when it stores it.)
    Different {
        /// The sizes in the dataset, in bytes.
        remote_sizes_bytes: Vec<u64>,
    },
    /// The service refused it.
    Failed {
        /// The reason.
        reason: DatasetAssetFailureReason,
    },
    /// It is not in the dataset. The next sync sends it.
    NotStored {
        /// The reason.
        why: String,
    },
    /// It was sent, and may be in the dataset. While that is uncertain, it is not sent again with this journal.
    Unknown(UnknownReason),
    /// It was not sent, because it may be in the dataset.
    Uncertain(Uncertainty),
    /// It was not sent, because it cannot or must not be.
    Rejected(Rejection),
}

/// The reason why it is uncertain whether a file that was sent is in the dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnknownReason {
    /// The service has accepted it, but does not list it, or not yet.
    NotListed,
    /// No response arrived, and the list of files does not decide: it has new files without names, lists no captions, or
    /// cannot be read. Or the service may still be storing the file
    /// ([`SyncDataset::processing_timeout`](super::SyncDataset::processing_timeout)): start another sync later.
    NoResponse,
}

impl SyncReport {
    /// Whether the whole folder could be read, and every image and caption in it is in the dataset, as far as the service
    /// lists them.
    pub fn is_complete(&self) -> bool {
        self.after.folder.unread().next().is_none() && self.files.iter().all(|file| file.outcome.is_there())
    }

    /// The files that are not certainly in the dataset.
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
            Self::AlreadyThere => formatter.write_str("already in the dataset"),
            Self::Stored => formatter.write_str("stored"),
            Self::Different { .. } => formatter.write_str("the dataset has it with another size"),
            Self::Failed { reason } => write!(formatter, "refused by the service: {reason}"),
            Self::NotStored { why } => write!(formatter, "not stored: {why}"),
            Self::Unknown(UnknownReason::NotListed) => formatter.write_str("sent, but the dataset does not list it"),
            Self::Unknown(UnknownReason::NoResponse) => {
                formatter.write_str("sent, but it is not known whether the dataset has it")
            }
            Self::Uncertain(reason) => write!(formatter, "not sent, because the dataset may have it: {reason}"),
            Self::Rejected(rejection) => write!(formatter, "not sent: {rejection}"),
        }
    }
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn as_text<S: Serializer>(error: &Option<Error>, serializer: S) -> Result<S::Ok, S::Error> {
    error.as_ref().map(Error::to_string).serialize(serializer)
}
