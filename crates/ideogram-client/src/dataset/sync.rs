//! The settings of a sync.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use super::{
    LocalFile, Plan, SyncProgress,
    chunk::{self, Limits},
};
use crate::{Client, Error, File, builder::UploadDatasetAssets, request::Request};

/// Few, because a failed chunk is sent again.
const CHUNK_FILES: usize = 20;
/// Small enough for a few minutes on a slow line.
const CHUNK_BYTES: u64 = 32 * 1024 * 1024;
/// The service stores one chunk while the next one is sent.
const CONCURRENCY: usize = 2;
/// Longer than the service usually takes to store a chunk.
const POLL_INTERVALS: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];

/// How long storing a chunk may take: the default response timeout of a client.
const PROCESSING_TIMEOUT: Duration = Duration::from_secs(300);

/// The minimum number of polls within the processing timeout.
const MIN_POLLS: u32 = 30;

/// The observer of the progress of a sync.
pub(super) type OnProgress = Arc<dyn Fn(&SyncProgress) + Send + Sync>;

impl Client {
    /// Uploads the files of a plan that are missing in the dataset, in chunks.
    ///
    /// The dataset is read again first, so the plan may be old. The folder is not read again, and a file that has
    /// changed since is not sent. Awaiting the sync returns a report with the outcome of every file.
    ///
    /// `journal` is the path of a file that records uploads; it is created if it does not exist. Use the same journal for
    /// every sync of a folder into a dataset. If a sync is interrupted by an error, by dropping it or by a power failure,
    /// start it again with the same journal. Files whose upload has an unknown outcome are looked up in the dataset, for
    /// minutes if necessary, because the service may still be storing them ([`SyncDataset::processing_timeout`]); they
    /// are sent again only if the dataset does not have them. If that remains uncertain, they are reported, and not sent.
    ///
    /// The journal is locked and verified. A damaged journal is refused, and a sync ends before the next upload if its
    /// journal is deleted, replaced or changed. A second file (`.last`) contains the number of the last chunk. If the
    /// journal does not contain that chunk, because it was deleted, cut or replaced by an earlier copy, files that the
    /// dataset does not list are uncertain ([`Uncertainty::Journal`](super::Uncertainty::Journal)), and not sent unless
    /// requested ([`SyncDataset::send_uncertain`]).
    ///
    /// A chunk that the service refuses as a whole (400, 413, 422) is sent again in halves, down to a single image with
    /// its caption, so that the other files are stored.
    ///
    /// # Errors
    ///
    /// Errors before the first upload: the journal is damaged, of another dataset or in use by another sync; the dataset
    /// cannot be read, or would have more than [`MAX_IMAGES`](super::MAX_IMAGES). The report contains any later error.
    pub fn sync_dataset(&self, plan: Plan, journal: impl Into<PathBuf>) -> SyncDataset {
        SyncDataset {
            client: self.clone(),
            plan,
            journal: journal.into(),
            limits: Limits { files: CHUNK_FILES, bytes: CHUNK_BYTES },
            concurrency: CONCURRENCY,
            poll_intervals: POLL_INTERVALS.to_vec(),
            processing_timeout: PROCESSING_TIMEOUT,
            waits_for_unknown: true,
            sends_uncertain: false,
            sends_failed: false,
            on_progress: None,
        }
    }
}

/// A sync of a folder into a dataset; see [`Client::sync_dataset`].
#[derive(Clone)]
#[must_use = "it sends nothing until it is awaited"]
pub struct SyncDataset {
    pub(super) client: Client,
    pub(super) plan: Plan,
    pub(super) journal: PathBuf,
    pub(super) limits: Limits,
    pub(super) concurrency: usize,
    pub(super) poll_intervals: Vec<Duration>,
    pub(super) processing_timeout: Duration,
    /// Whether the sync waits for the processing timeout of uploads with an unknown outcome.
    pub(super) waits_for_unknown: bool,
    pub(super) sends_uncertain: bool,
    pub(super) sends_failed: bool,
    pub(super) on_progress: Option<OnProgress>,
}

impl SyncDataset {
    /// Sets the maximum number of files in a chunk: 20 by default. An image and its caption are always in one chunk.
    pub fn chunk_files(mut self, files: usize) -> Self {
        self.limits.files = files;
        self
    }

    /// Sets the maximum size of a chunk in bytes: 32 MiB by default. A larger file is a chunk of its own.
    pub fn chunk_bytes(mut self, bytes: u64) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// Sets how many chunks are sent concurrently: 2 by default, at least 1.
    pub fn concurrency(mut self, chunks: usize) -> Self {
        self.concurrency = chunks.max(1);
        self
    }

    /// Sets how long the service may take to store a chunk whose upload has an unknown outcome: 5 minutes by default,
    /// from the time when it was last in flight. A file that is not in the dataset after that, while no other files
    /// appear in it, is not stored, and is sent again. The sync waits for that, and reports it
    /// ([`SyncProgress::files_awaited`]).
    ///
    /// The journal records when a file was in flight. If that is further in the future than this timeout, because the
    /// clock was set back, the sync measures the time itself.
    pub fn processing_timeout(mut self, time: Duration) -> Self {
        self.processing_timeout = time;
        self
    }

    /// Sets the intervals between requests for the list of files while uploads are not listed: 2, 5 and 10 seconds by
    /// default, and none longer than a thirtieth of [`processing_timeout`](Self::processing_timeout). The last interval
    /// is repeated until the processing timeout has passed.
    ///
    /// With intervals of your own, the sync does not wait longer than their sum, unless more files appear. Files that
    /// the service could still be storing are then reported as unknown and not sent; a later sync reads the list again.
    ///
    /// The same intervals apply between a failed chunk and its retry, unless `Retry-After` is longer.
    pub fn poll_intervals(mut self, waits: impl IntoIterator<Item = Duration>) -> Self {
        self.poll_intervals = waits.into_iter().collect();
        self.waits_for_unknown = false;
        self
    }

    /// Also sends files that may be in the dataset ([`FileState::Uncertain`](super::FileState::Uncertain)). The dataset may
    /// then have some of them twice.
    pub fn send_uncertain(mut self) -> Self {
        self.sends_uncertain = true;
        self
    }

    /// Also sends files that the service refused in an earlier sync with this journal, and whose size has not changed. By
    /// default they are not sent again, because the service would refuse them again.
    pub fn send_failed(mut self) -> Self {
        self.sends_failed = true;
        self
    }

    /// Calls `observer` with the progress at the beginning and after every change. It should be quick.
    pub fn on_progress(mut self, observer: impl Fn(&SyncProgress) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Arc::new(observer));
        self
    }

    /// Like awaiting the sync, for programs without `async`.
    ///
    /// # Errors
    ///
    /// Those of awaiting it ([`Client::sync_dataset`]).
    #[cfg(feature = "blocking")]
    pub fn sync_blocking(self) -> Result<super::SyncReport, Error> {
        let client = self.client.clone();
        client.block_on(self.into_future())?
    }

    /// Returns the uploads for the missing files of the plan, in order. Nothing is read or sent. The journal is not read
    /// either, so a sync that continues another one may send fewer files.
    pub fn requests(&self) -> Result<Vec<Request>, Error> {
        let missing = self.plan.missing().map(|file| file.file.clone()).collect();
        let chunks = chunk::pack(missing, self.limits);
        chunks.iter().map(|files| self.upload(&self.client, files).prepare()).collect()
    }

    /// The intervals between requests for the list of files.
    pub(super) fn waits(&self) -> impl Iterator<Item = Duration> {
        let max = if self.waits_for_unknown { self.processing_timeout / MIN_POLLS } else { Duration::MAX };
        self.poll_intervals.iter().map(move |wait| (*wait).min(max))
    }

    /// Returns the call that uploads a chunk.
    pub(super) fn upload(&self, client: &Client, files: &[LocalFile]) -> UploadDatasetAssets {
        let parts = files.iter().map(|file| File::from_path(&file.path).with_name(&file.name));
        client.upload_dataset_assets().dataset_id(&self.plan.dataset_id).files(parts)
    }
}

impl fmt::Debug for SyncDataset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("SyncDataset");
        debug.field("dataset_id", &self.plan.dataset_id).field("journal", &self.journal).finish_non_exhaustive()
    }
}
