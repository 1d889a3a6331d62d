//! The settings of a sync.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use super::{
    LocalFile, Plan, SyncProgress,
    chunk::{self, Limits},
};
use crate::{Client, Error, File, builder::UploadDatasetAssets, request::Request};

/// Few enough to lose little when one fails.
const CHUNK_FILES: usize = 20;
/// Small enough to be through in a few minutes on a slow line.
const CHUNK_BYTES: u64 = 32 * 1024 * 1024;
/// One chunk is stored while the next one is sent.
const CONCURRENCY: usize = 2;
/// Longer than storing a chunk takes as a rule.
const POLL_INTERVALS: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];

/// How long storing a chunk may take: as long as a client waits for a response by default.
const PROCESSING_TIMEOUT: Duration = Duration::from_secs(300);

/// How often to look within that time.
const MIN_POLL_INTERVAL: u32 = 30;

/// The observer of the progress of a sync.
pub(super) type OnProgress = Arc<dyn Fn(&SyncProgress) + Send + Sync>;

impl Client {
    /// Sends the files of a plan that are missing in the dataset, in chunks.
    ///
    /// The dataset is read again first, so the plan may be old; the folder is not read again, and a file that has
    /// changed since is not sent. Awaiting it gives a report that tells of every file of the folder.
    ///
    /// `journal` is a file that remembers what was sent; it is made if it does not exist. Use the same journal for a
    /// dataset as long as you sync a folder into it. When a sync is interrupted, by an error, by dropping it, by a
    /// power failure, start it again with the same journal: files whose upload has no certain end are looked for in the
    /// dataset, for minutes if need be, because the service may still be storing them, and sent again only if they are
    /// not there ([`SyncDataset::processing_timeout`]). If the dataset cannot tell, they are reported and never sent
    /// twice.
    ///
    /// The journal is locked and checked: one that is damaged is refused, and a sync ends before the next upload if its
    /// journal is deleted, replaced or changed meanwhile. The number of the last chunk also stands in a file beside it
    /// (`.last`). If the journal does not know that chunk, since it was deleted, cut or replaced by an older copy,
    /// files that the dataset does not show are uncertain ([`Uncertainty::Journal`](super::Uncertainty::Journal)), and
    /// not sent unless requested ([`SyncDataset::send_uncertain`]).
    ///
    /// A chunk that the service refuses as a whole (400, 413, 422) is sent again in halves, down to a single image
    /// with its caption, so that one bad file does not keep the others out.
    ///
    /// # Errors
    ///
    /// What keeps a sync from beginning: the journal is damaged, of another dataset or in use by another sync; the
    /// dataset cannot be read; it would hold more than [`MAX_IMAGES`](super::MAX_IMAGES). Nothing has been sent
    /// then. What ends a sync later is in the report.
    pub fn sync_dataset(&self, plan: Plan, journal: impl Into<PathBuf>) -> SyncDataset {
        SyncDataset {
            client: self.clone(),
            plan,
            journal: journal.into(),
            limits: Limits { files: CHUNK_FILES, bytes: CHUNK_BYTES },
            concurrency: CONCURRENCY,
            poll_intervals: POLL_INTERVALS.to_vec(),
            processing_timeout: PROCESSING_TIMEOUT,
            is_patient: true,
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
    /// Whether it waits until files without a certain end have had their time.
    pub(super) is_patient: bool,
    pub(super) sends_uncertain: bool,
    pub(super) sends_failed: bool,
    pub(super) on_progress: Option<OnProgress>,
}

impl SyncDataset {
    /// How many files a chunk may hold: 20 by default. An image and its caption stay together in any case.
    pub fn chunk_files(mut self, files: usize) -> Self {
        self.limits.files = files;
        self
    }

    /// How large a chunk may be in bytes: 32 MiB by default. A larger file is a chunk of its own.
    pub fn chunk_bytes(mut self, bytes: u64) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// How many chunks may be under way at a time: 2 by default, and 1 at least.
    pub fn concurrency(mut self, chunks: usize) -> Self {
        self.concurrency = chunks.max(1);
        self
    }

    /// How long the service may go on storing a chunk that has no certain end, since it was under way for the last
    /// time: 5 minutes by default. What is not in the dataset then, and while no more files appear in it, counts as not
    /// stored and is sent again. The sync waits for that, and tells of it ([`SyncProgress::files_awaited`]).
    ///
    /// The journal tells when a file was under way. Where that is further in the future than this, since the clock was
    /// set back, the waits of the sync itself count.
    pub fn processing_timeout(mut self, time: Duration) -> Self {
        self.processing_timeout = time;
        self
    }

    /// How long to wait before each further look for files that have no certain end or do not show: 2, 5 and 10 seconds
    /// by default, none longer than a thirtieth of [`processing_timeout`](Self::processing_timeout), and then on and on
    /// with the last one until files without a certain end have had their time.
    ///
    /// With waits of your own, the sync waits no longer than they say, unless more and more files appear. What could
    /// still be on its way into the dataset then is reported as unknown and not sent; a later sync looks again.
    ///
    /// The same waits lie between a failed chunk and the next try, unless the service asks for longer ones.
    pub fn poll_intervals(mut self, waits: impl IntoIterator<Item = Duration>) -> Self {
        self.poll_intervals = waits.into_iter().collect();
        self.is_patient = false;
        self
    }

    /// Also sends files of which it is uncertain whether they are in the dataset
    /// ([`FileState::Uncertain`](super::FileState::Uncertain)). Some may then be there twice.
    pub fn send_uncertain(mut self) -> Self {
        self.sends_uncertain = true;
        self
    }

    /// Also sends files that an earlier sync with this journal learned to be unfit, unchanged in size. Otherwise they
    /// are not sent again: the safety check, and those for formats, would say the same.
    pub fn send_failed(mut self) -> Self {
        self.sends_failed = true;
        self
    }

    /// Tells how far the sync has come: when it begins, and whenever something changes. Must be quick.
    pub fn on_progress(mut self, tell: impl Fn(&SyncProgress) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Arc::new(tell));
        self
    }

    /// The same as awaiting it, for programs without `async`.
    ///
    /// # Errors
    ///
    /// Those of awaiting it ([`Client::sync_dataset`]).
    #[cfg(feature = "blocking")]
    pub fn sync_blocking(self) -> Result<super::SyncReport, Error> {
        let client = self.client.clone();
        client.block_on(self.into_future())?
    }

    /// The uploads that the plan alone leads to, in order: what is missing by it, in chunks. Nothing is read or sent,
    /// and the journal is not read, so a sync that goes on where another one ended may send less.
    pub fn requests(&self) -> Result<Vec<Request>, Error> {
        let missing = self.plan.missing().map(|file| file.file.clone()).collect();
        let chunks = chunk::pack(missing, self.limits);
        chunks.iter().map(|files| self.upload(&self.client, files).prepare()).collect()
    }

    /// The waits between looks.
    pub(super) fn waits(&self) -> impl Iterator<Item = Duration> {
        let longest = if self.is_patient { self.processing_timeout / MIN_POLL_INTERVAL } else { Duration::MAX };
        self.poll_intervals.iter().map(move |wait| (*wait).min(longest))
    }

    /// The call that sends one chunk.
    pub(super) fn upload<'c>(&self, client: &'c Client, files: &[LocalFile]) -> UploadDatasetAssets<'c> {
        let parts = files.iter().map(|file| File::from_path(&file.path).with_name(&file.name));
        client.upload_dataset_assets().dataset_id(&self.plan.dataset_id).files(parts)
    }
}

impl fmt::Debug for SyncDataset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("SyncDataset");
        shown.field("dataset_id", &self.plan.dataset_id).field("journal", &self.journal).finish_non_exhaustive()
    }
}
