//! A sync under way: rounds of looking and sending, until nothing is left to send.
//!
//! Each round asks the dataset what it holds, settles what has no certain end, and sends what is certainly not there.
//! Whatever went wrong in a round is thereby judged by the dataset, not by the error.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use futures_util::{StreamExt as _, stream};
use tokio::time::sleep;

use super::{
    FileOutcome, FileState, LocalFile, MOST_PICTURES, Plan, SyncDataset, SyncProgress, SyncReport, SyncedFile, Unknown,
    batch,
    journal::{BatchResult, Begin, End, Fate, Journal, Line, Past, Sent},
    listing::Listing,
    name,
    settle::{self, Finding},
};
use crate::{
    CallOptions, Error, ErrorKind, File, Outcome,
    types::{DatasetAssetFailureReason, GetDatasetResponse, UploadDatasetAssetsResponse},
};

/// How often a file is sent whose uploads fail as a whole, in one sync.
const SENDS_AT_MOST: u32 = 3;
/// How often a file is sent that the service fails with an error of its own.
const SENDS_OF_FAILED_AT_MOST: u32 = 2;

/// The longest wait between two rounds. A service that asks for more ends the sync.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// In place of a count of sends, for a file that is no longer what was read of it.
const CHANGED: u32 = u32::MAX;

/// A sync under way.
pub(super) struct Run {
    settings: SyncDataset,
    journal: Journal,
    progress: Arc<Mutex<Progress>>,
}

/// What batches share.
#[derive(Default)]
struct Progress {
    past: Past,
    /// How often each file was sent in this sync.
    sends: BTreeMap<String, u32>,
    /// The files that an answer of this sync calls stored.
    confirmed: BTreeSet<String>,
    /// Why files were not stored the last time.
    troubles: BTreeMap<String, String>,
    /// What this sync is to send, with sizes.
    wanted: BTreeMap<String, u64>,
    /// How many bytes of each batch under way have left.
    leaving: BTreeMap<u64, u64>,
    uploads: u64,
    /// How long the service asks to wait before the next round.
    asked_for: Option<Duration>,
    stopped: Option<Error>,
    /// Whether the dataset could not be asked after the last upload.
    is_blind: bool,
}

/// A look at the dataset.
struct View {
    plan: Plan,
    listing: Listing,
}

impl Run {
    pub(super) async fn sync(settings: SyncDataset) -> Result<SyncReport, Error> {
        let base_url = settings.client.base_url().as_str().to_owned();
        let (journal, past) = Journal::open(settings.journal.clone(), &settings.plan.dataset_id, &base_url).await?;
        let progress = Arc::new(Mutex::new(Progress { past, ..Progress::default() }));
        let run = Self { settings, journal, progress };
        run.rounds().await
    }

    async fn rounds(self) -> Result<SyncReport, Error> {
        let mut view = self.look().await?;
        let mut files = self.to_send(&view);
        check_limit(&view, &files)?;
        self.progress().wanted = files.iter().map(|file| (file.name.clone(), file.size_bytes)).collect();
        self.tell();
        let mut waits = self.settings.settle_waits.iter();
        while !files.is_empty() {
            let nameless = view.listing.nameless.len();
            let batches = batch::pack(files, self.settings.limits);
            let sent = batches.into_iter().map(|files| self.send(files, nameless));
            let () = stream::iter(sent).buffer_unordered(self.settings.concurrency).collect().await;

            let asked_for = self.progress().asked_for.take();
            let is_stopped = self.progress().stopped.is_some();
            if let (Some(asked_for), false) = (asked_for, is_stopped) {
                sleep(asked_for.max(waits.next().copied().unwrap_or_default())).await;
            }
            match self.look().await {
                Ok(newer) => view = newer,
                Err(error) => {
                    let mut progress = self.progress();
                    progress.is_blind = true;
                    progress.stopped.get_or_insert(error);
                    break;
                }
            }
            if is_stopped {
                break;
            }
            files = self.to_send(&view);
        }
        Ok(self.report(view))
    }

    /// Asks the dataset what it holds: several times, if files without a certain end do not show.
    async fn look(&self) -> Result<View, Error> {
        let mut dataset = self.dataset().await?;
        for wait in &self.settings.settle_waits {
            if settle::is_settled(&self.progress().past, &Listing::of(&dataset)) {
                break;
            }
            sleep(*wait).await;
            dataset = self.dataset().await?;
        }
        Ok(View { plan: self.settings.plan.again(&dataset), listing: Listing::of(&dataset) })
    }

    async fn dataset(&self) -> Result<GetDatasetResponse, Error> {
        self.settings.client.get_dataset().dataset_id(&self.settings.plan.dataset_id).send().await
    }

    /// The files that are certainly not in the dataset, and not known to be unfit for it.
    fn to_send(&self, view: &View) -> Vec<LocalFile> {
        let progress = self.progress();
        let is_to_send = |file: &LocalFile| {
            let sends = progress.sends.get(&file.name).copied().unwrap_or_default();
            let Some(known) = progress.past.files.get(&file.name) else { return sends == 0 };
            match &known.fate {
                Fate::NotStored => sends < SENDS_AT_MOST,
                Fate::Failed(DatasetAssetFailureReason::InternalError) => sends < SENDS_OF_FAILED_AT_MOST,
                Fate::Failed(reason) => {
                    let would_fail_again = is_final(reason) && known.size_bytes == file.size_bytes;
                    sends == 0 && (!would_fail_again || self.settings.sends_failed)
                }
                // The service has taken it: a dataset that does not show it yet is no reason to send it again.
                Fate::Accepted if sends > 0 => false,
                Fate::Accepted | Fate::InFlight => {
                    sends < SENDS_AT_MOST && settle::find(&file.name, known, &view.listing) == Finding::Absent
                }
            }
        };
        let files = view.plan.files.iter().filter(|file| match file.state {
            FileState::Missing => true,
            FileState::Uncertain(_) => self.settings.sends_uncertain,
            _ => false,
        });
        files.map(|file| &file.file).filter(|file| is_to_send(file)).cloned().collect()
    }

    /// Sends one batch, between two lines of the journal.
    async fn send(&self, files: Vec<LocalFile>, nameless: usize) {
        if self.progress().stopped.is_some() {
            return;
        }
        let files = self.unchanged(files).await;
        if files.is_empty() {
            return;
        }
        let sent = files.iter().map(|file| Sent { name: file.name.clone(), size_bytes: file.size_bytes });
        let batch = self.take_number(&files);
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let begin = Line::Begin(Begin { batch, time, nameless, files: sent.collect() });
        if let Err(error) = self.journal.write(&begin).await {
            self.progress().stopped.get_or_insert(error);
            return;
        }
        {
            let mut progress = self.progress();
            progress.past.take(&begin);
            progress.uploads += 1;
            for file in &files {
                *progress.sends.entry(file.name.clone()).or_default() += 1;
            }
            progress.leaving.insert(batch, 0);
        }
        self.tell();

        let client = self.settings.client.with(self.watch(batch, &files));
        let answer = self.settings.upload(&client, &files).send().await;

        let end = match &answer {
            Ok(answer) => End { batch, result: BatchResult::Answered, failed: failed(&files, answer), error: None },
            Err(error) => {
                let result = match error.outcome() {
                    Outcome::NotSent | Outcome::Declined => BatchResult::NotStored,
                    // Unknown, Completed, and whatever may come: the dataset tells.
                    _ => BatchResult::Unknown,
                };
                End { batch, result, failed: BTreeMap::new(), error: Some(error.to_string()) }
            }
        };
        let end = Line::End(end);
        let written = self.journal.write(&end).await;
        self.progress().take_end(batch, &files, &end, answer, written);
        self.tell();
    }

    /// Tells how much of a batch has left.
    fn watch(&self, batch: u64, files: &[LocalFile]) -> CallOptions {
        let options = CallOptions::new();
        let Some(tell) = self.settings.on_progress.clone() else { return options };
        let size_bytes = files.iter().map(|file| file.size_bytes).sum::<u64>();
        let shared = Arc::clone(&self.progress);
        options.on_upload(move |sent, _| {
            let shown = {
                let mut progress = lock(&shared);
                // What stands around the files on their way is not theirs.
                match progress.leaving.get_mut(&batch) {
                    Some(leaving) => *leaving = sent.min(size_bytes),
                    None => return,
                }
                progress.shown()
            };
            tell(&shown);
        })
    }

    /// The files that are as they were when the folder was read.
    async fn unchanged(&self, files: Vec<LocalFile>) -> Vec<LocalFile> {
        let mut unchanged = Vec::new();
        for file in files {
            let why = match File::from_path(&file.path).with_name(&file.name).inspect().await {
                Ok(info) if info.size_bytes == Some(file.size_bytes) => {
                    unchanged.push(file);
                    continue;
                }
                Ok(_) => "it has changed since the folder was read".to_owned(),
                Err(error) => format!("it cannot be read any more: {error}"),
            };
            let mut progress = self.progress();
            // Not in this sync: what was read of it is no longer true.
            progress.sends.insert(file.name.clone(), CHANGED);
            progress.troubles.insert(file.name, why);
        }
        unchanged
    }

    /// A number for a batch, before its line is written.
    fn take_number(&self, files: &[LocalFile]) -> u64 {
        let mut progress = self.progress();
        for file in files {
            progress.troubles.remove(&file.name);
        }
        progress.past.take_number()
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }

    fn tell(&self) {
        if let Some(tell) = &self.settings.on_progress {
            let progress = self.progress().shown();
            tell(&progress);
        }
    }

    fn report(&self, view: View) -> SyncReport {
        let mut progress = self.progress();
        let stopped = progress.stopped.take();
        let outcome = |file: &super::PlannedFile| progress.outcome(file, &view.listing);
        let synced = |file: &super::PlannedFile| SyncedFile { file: file.file.clone(), outcome: outcome(file) };
        SyncReport {
            files: view.plan.files.iter().map(synced).collect(),
            uploads: progress.uploads,
            stopped,
            after: view.plan,
        }
    }
}

impl Progress {
    fn take_end(
        &mut self,
        batch: u64,
        files: &[LocalFile],
        end: &Line,
        answer: Result<UploadDatasetAssetsResponse, Error>,
        written: Result<(), Error>,
    ) {
        self.past.take(end);
        self.leaving.remove(&batch);
        match answer {
            Ok(answer) => {
                let stored = answer.successful_assets.iter().filter_map(|asset| asset.file_name.as_deref());
                self.confirmed.extend(stored.map(name::base_name));
            }
            Err(error) => {
                let text = error.to_string();
                self.troubles.extend(files.iter().map(|file| (file.name.clone(), text.clone())));
                let wait = error.retry_after().unwrap_or_default();
                self.asked_for = Some(self.asked_for.unwrap_or_default().max(wait));
                if is_hopeless(&error) || wait > LONGEST_WAIT {
                    self.stopped.get_or_insert(error);
                }
            }
        }
        if let Err(error) = written {
            self.stopped.get_or_insert(error);
        }
    }

    fn shown(&self) -> SyncProgress {
        let mut shown = SyncProgress { files_total: self.wanted.len() as u64, ..SyncProgress::default() };
        for (name, size_bytes) in &self.wanted {
            shown.bytes_total += size_bytes;
            let was_sent = self.sends.contains_key(name);
            match self.past.files.get(name).map(|known| &known.fate) {
                Some(Fate::Accepted) if was_sent => {
                    shown.files_done += 1;
                    shown.bytes_sent += size_bytes;
                }
                Some(Fate::Failed(_)) if was_sent => {
                    shown.files_failed += 1;
                    shown.bytes_sent += size_bytes;
                }
                _ => {}
            }
        }
        shown.bytes_sent += self.leaving.values().sum::<u64>();
        shown
    }

    fn outcome(&self, planned: &super::PlannedFile, listing: &Listing) -> FileOutcome {
        let name = &planned.file.name;
        let known = self.past.files.get(name);
        let is_open = matches!(&planned.state, FileState::Missing | FileState::Uncertain(_));
        match (&planned.state, known) {
            (FileState::Refused(refusal), _) => FileOutcome::Refused(refusal.clone()),
            (FileState::Different { remote_sizes_bytes }, _) => {
                FileOutcome::Different { remote_sizes_bytes: remote_sizes_bytes.clone() }
            }
            (FileState::Present | FileState::PresentUnverified, Some(known))
                if matches!(known.fate, Fate::Accepted | Fate::InFlight) =>
            {
                FileOutcome::Stored
            }
            (FileState::Present | FileState::PresentUnverified, _) => FileOutcome::AlreadyThere,
            _ if is_open && self.sends.get(name) == Some(&CHANGED) => self.not_stored(name),
            (_, Some(known)) if is_open => match (&known.fate, settle::find(name, known, listing)) {
                (Fate::Failed(reason), _) => FileOutcome::Failed { reason: reason.clone() },
                // Where the dataset cannot tell, its answer counts.
                (Fate::Accepted, finding)
                    if self.confirmed.contains(name) && (self.is_blind || finding == Finding::Unknowable) =>
                {
                    FileOutcome::Stored
                }
                (Fate::Accepted, Finding::Absent) if !self.sends.contains_key(name) => self.not_stored(name),
                (Fate::Accepted, _) => FileOutcome::Unknown(Unknown::NotShown),
                (Fate::InFlight, Finding::Unknowable) => FileOutcome::Unknown(Unknown::NotTold),
                (Fate::InFlight | Fate::NotStored, _) => self.not_stored(name),
            },
            (FileState::Uncertain(doubt), _) if !self.troubles.contains_key(name) => {
                FileOutcome::Uncertain(doubt.clone())
            }
            _ => self.not_stored(name),
        }
    }

    fn not_stored(&self, name: &str) -> FileOutcome {
        let why = self.troubles.get(name).cloned();
        FileOutcome::NotStored { why: why.unwrap_or_else(|| "the sync ended before it was sent".to_owned()) }
    }
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().expect("nothing panics while it holds this lock")
}

/// A dataset that would hold too many pictures is not begun to be filled: which of them find room would be chance.
fn check_limit(view: &View, files: &[LocalFile]) -> Result<(), Error> {
    let there = view.plan.trainable_now.pictures;
    let new = files.iter().filter(|file| file.kind.is_picture()).count() as u64;
    if new > 0 && there + new > MOST_PICTURES {
        return Err(Error::invalid_argument(format!(
            "the dataset holds {there} pictures, and {new} more are {} too many: a dataset holds at most {MOST_PICTURES}",
            there + new - MOST_PICTURES
        )));
    }
    Ok(())
}

/// The files of a batch that the service refused. Failures without a name cannot be told to belong to a file; whether a
/// file is stored, the dataset tells.
fn failed(files: &[LocalFile], answer: &UploadDatasetAssetsResponse) -> BTreeMap<String, DatasetAssetFailureReason> {
    let sent: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let named = answer.failed_assets.iter().filter_map(|asset| {
        let name = name::base_name(asset.file_name.as_deref()?);
        sent.contains(name.as_str()).then(|| (name, asset.failure_reason.clone()))
    });
    named.collect()
}

/// Whether the service would say the same of the same file.
fn is_final(reason: &DatasetAssetFailureReason) -> bool {
    use DatasetAssetFailureReason as Reason;
    matches!(
        reason,
        Reason::FailedSafetyCheck
            | Reason::FileTooLarge
            | Reason::InvalidCaption
            | Reason::InvalidCaptionJson
            | Reason::InvalidImage
            | Reason::InvalidZip
    )
}

/// Whether the next batch would meet the same error.
fn is_hopeless(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Authentication
            | ErrorKind::Payment
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::InvalidArgument
    )
}
