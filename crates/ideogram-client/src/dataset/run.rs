//! Runs a sync in rounds until no file is left to send.
//!
//! Each round requests the list of files in the dataset, reconciles uploads of unknown outcome with it, and sends the
//! files that are certainly missing. So an error of a round is judged by the dataset, not by the error itself. The
//! service may still be storing files of a recent upload; they are judged only when the time for that has passed.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::IntoFuture,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, sleep};

use super::{
    FileOutcome, FileState, LocalFile, MAX_IMAGES, Plan, SyncDataset, SyncProgress, SyncReport, SyncedFile,
    Uncertainty, UnknownReason, chunk,
    journal::{self, Begin, History, Journal, LastSeen, Line, Sent, UploadOutcome},
    listing::Listing,
    reconcile::{self, Lookup},
    upload_response::{end_of, is_final, is_hopeless, is_refusal},
};
use crate::{
    CallOptions, Error, File,
    types::{DatasetAssetFailureReason, GetDatasetResponse},
};

/// How often one sync sends a file whose uploads fail as a whole.
const MAX_SENDS: u32 = 3;
/// How often one sync sends a file that the service fails with an internal error.
const MAX_SENDS_OF_FAILED: u32 = 2;

/// The longest wait between two rounds. A service that asks for more ends the sync.
const MAX_WAIT: Duration = Duration::from_secs(600);
/// Replaces the count of sends of a file that has changed since the folder was read; it is not sent in this sync.
const CHANGED: u32 = u32::MAX;

/// A sync under way.
struct Run {
    settings: SyncDataset,
    journal: Journal,
    /// When the journal was read, by both clocks.
    opened: (Instant, SystemTime),
    progress: Arc<Mutex<Progress>>,
}

/// What chunks share.
#[derive(Default)]
struct Progress {
    history: History,
    /// How often each file was sent in this sync.
    sends: BTreeMap<String, u32>,
    /// When each file that was sent in this sync was under way for the last time.
    under_way: BTreeMap<String, Instant>,
    /// The files whose chunk was refused as a whole, and cannot be made smaller.
    refused: BTreeSet<String>,
    /// Why files were not stored the last time.
    troubles: BTreeMap<String, String>,
    /// What this sync is to send, with sizes.
    wanted: BTreeMap<String, u64>,
    /// How many bytes of each chunk under way have left.
    leaving: BTreeMap<u64, u64>,
    /// How many files may still be on their way into the dataset.
    awaited: u64,
    uploads: u64,
    /// How long the service asks to wait before the next round.
    asked_for: Option<Duration>,
    stopped: Option<Error>,
    /// Whether the dataset could not be read after the last upload.
    is_blind: bool,
}

/// A look at the dataset.
struct View {
    /// When it was begun.
    at: Instant,
    plan: Plan,
    listing: Listing,
}

impl IntoFuture for SyncDataset {
    type Output = Result<SyncReport, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(Run::sync(self))
    }
}

impl Run {
    async fn sync(settings: SyncDataset) -> Result<SyncReport, Error> {
        let base_url = settings.client.base_url().as_str().to_owned();
        let (journal, history) = Journal::open(settings.journal.clone(), &settings.plan.dataset_id, &base_url).await?;
        let progress = Arc::new(Mutex::new(Progress { history, ..Progress::default() }));
        let run = Self { settings, journal, opened: (Instant::now(), SystemTime::now()), progress };
        run.rounds().await
    }

    async fn rounds(self) -> Result<SyncReport, Error> {
        let mut view = self.look(self.settings.is_patient).await?;
        let mut files = self.to_send(&view);
        check_limit(&view, &files)?;
        self.progress().wanted = files.iter().map(|file| (file.name.clone(), file.size_bytes)).collect();
        self.tell();
        let mut waits = self.settings.waits();
        while !files.is_empty() {
            let nameless = view.listing.nameless.len();
            let chunks = chunk::pack(files, self.settings.limits);
            let sent = chunks.into_iter().map(|files| self.send(files, nameless));
            let () = stream::iter(sent).buffer_unordered(self.settings.concurrency).collect().await;

            let asked_for = self.progress().asked_for.take();
            let is_stopped = self.progress().stopped.is_some();
            if let (Some(asked_for), false) = (asked_for, is_stopped) {
                sleep(asked_for.max(waits.next().unwrap_or_default())).await;
            }
            match self.look(self.settings.is_patient && !is_stopped).await {
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

    /// Asks the dataset what it holds: several times, if files without a certain end do not show. Who is patient waits
    /// until they have had their time.
    async fn look(&self, is_patient: bool) -> Result<View, Error> {
        let mut at = Instant::now();
        let mut dataset = self.dataset().await?;
        let mut waits = self.settings.waits();
        let mut longest = None;
        let mut has_grown = false;
        loop {
            let listing = Listing::of(&dataset);
            if reconcile::is_reconciled(&self.progress().history, &listing) {
                break;
            }
            let left = self.await_files(&listing, at);
            let next = waits.next();
            longest = next.or(longest);
            let wait = match (next, left, longest) {
                (Some(wait), ..) => wait,
                // Somebody is still storing files.
                (None, Some(_), Some(longest)) if has_grown => longest,
                (None, Some(left), Some(longest)) if is_patient && !left.is_zero() => longest.min(left),
                _ => break,
            };
            sleep(wait).await;
            at = Instant::now();
            let newer = self.dataset().await?;
            has_grown = newer.files.len() > dataset.files.len() || newer.file_count > dataset.file_count;
            dataset = newer;
        }
        if std::mem::take(&mut self.progress().awaited) > 0 {
            self.tell();
        }
        Ok(View { at, plan: self.settings.plan.again(&dataset), listing: Listing::of(&dataset) })
    }

    /// Tells how many files of the folder may still be on their way into the dataset; how long that may go on for any
    /// of them is given back, and nothing if there are none.
    fn await_files(&self, listing: &Listing, at: Instant) -> Option<Duration> {
        let (left, has_changed) = {
            let mut progress = self.progress();
            let names = self.settings.plan.files.iter().map(|file| &file.file.name);
            let open = names.filter_map(|name| progress.history.files.get_key_value(name)).filter(|(name, known)| {
                known.outcome == UploadOutcome::InFlight && reconcile::find(name, known, listing) == Lookup::Absent
            });
            let left: Vec<_> = open.map(|(name, known)| self.time_left(&progress, name, known, at)).collect();
            let awaited = left.len() as u64;
            (left.into_iter().max(), std::mem::replace(&mut progress.awaited, awaited) != awaited)
        };
        if has_changed {
            self.tell();
        }
        left
    }

    /// How long the service may still be storing a file that was under way.
    fn time_left(&self, progress: &Progress, name: &str, known: &LastSeen, at: Instant) -> Duration {
        let processing_timeout = self.settings.processing_timeout;
        if let Some(under_way) = progress.under_way.get(name) {
            return processing_timeout.saturating_sub(at.saturating_duration_since(*under_way));
        }
        let (opened, clock) = self.opened;
        // Where the clock says nothing, the waits of this sync have to do.
        let left = reconcile::time_left(known.time, clock, processing_timeout).unwrap_or_else(|| {
            if self.settings.is_patient {
                processing_timeout
            } else {
                processing_timeout.min(total(self.settings.waits()))
            }
        });
        left.saturating_sub(at.saturating_duration_since(opened))
    }

    async fn dataset(&self) -> Result<GetDatasetResponse, Error> {
        self.settings.client.get_dataset().dataset_id(&self.settings.plan.dataset_id).send().await
    }

    /// The files that are certainly not in the dataset, and not known to be unfit for it.
    fn to_send(&self, view: &View) -> Vec<LocalFile> {
        let progress = self.progress();
        let is_to_send = |file: &LocalFile| {
            if progress.refused.contains(&file.name) || progress.history.lacks_lines && !self.settings.sends_uncertain {
                return false;
            }
            let sends = progress.sends.get(&file.name).copied().unwrap_or_default();
            let Some(known) = progress.history.files.get(&file.name) else { return sends == 0 };
            match &known.outcome {
                UploadOutcome::NotStored => sends < MAX_SENDS,
                UploadOutcome::Failed(DatasetAssetFailureReason::InternalError) => sends < MAX_SENDS_OF_FAILED,
                UploadOutcome::Failed(reason) => {
                    let would_fail_again = is_final(reason) && known.size_bytes == file.size_bytes;
                    sends == 0 && (!would_fail_again || self.settings.sends_failed)
                }
                UploadOutcome::Accepted | UploadOutcome::Confirmed => {
                    progress.may_send_again(&file.name, known, &view.listing)
                }
                UploadOutcome::InFlight => {
                    sends < MAX_SENDS
                        && reconcile::find(&file.name, known, &view.listing) == Lookup::Absent
                        && self.time_left(&progress, &file.name, known, view.at).is_zero()
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

    /// Sends one chunk; in parts, if the service refuses it as a whole, since one file may be to blame.
    async fn send(&self, files: Vec<LocalFile>, nameless: usize) {
        let mut waiting = vec![files];
        while let Some(files) = waiting.pop() {
            let files = self.unchanged(files).await;
            if files.is_empty() || !self.send_chunk(&files, nameless).await {
                continue;
            }
            match chunk::halves(&files) {
                Some([first, second]) => waiting.extend([second, first]),
                None => self.progress().refused.extend(files.into_iter().map(|file| file.name)),
            }
        }
    }

    /// Sends one chunk, between two lines of the journal. Says whether the service refused it as a whole.
    async fn send_chunk(&self, files: &[LocalFile], nameless: usize) -> bool {
        if self.progress().stopped.is_some() {
            return false;
        }
        let sent = files.iter().map(|file| Sent { name: file.name.clone(), size_bytes: file.size_bytes });
        let chunk = self.take_number(files);
        let begin = Line::Begin(Begin { chunk, time: journal::now(), nameless, files: sent.collect() });
        if let Err(error) = self.journal.write(&begin).await {
            self.progress().stopped.get_or_insert(error);
            return false;
        }
        {
            let mut progress = self.progress();
            progress.history.take(&begin);
            progress.uploads += 1;
            for file in files {
                *progress.sends.entry(file.name.clone()).or_default() += 1;
            }
            progress.leaving.insert(chunk, 0);
        }
        self.tell();

        let client = self.settings.client.with(self.watch(chunk, files));
        let response = self.settings.upload(&client, files).send().await;

        let is_refused = response.as_ref().is_err_and(is_refusal);
        let end = Line::End(end_of(chunk, files, &response));
        let written = self.journal.write(&end).await;
        self.progress().take_end(files, &end, response.err(), written);
        self.tell();
        is_refused
    }

    /// Tells how much of a chunk has left.
    fn watch(&self, chunk: u64, files: &[LocalFile]) -> CallOptions {
        let options = CallOptions::new();
        let Some(tell) = self.settings.on_progress.clone() else { return options };
        let size_bytes = super::size_of(files);
        let shared = Arc::clone(&self.progress);
        options.on_upload(move |sent, _| {
            let shown = {
                let mut progress = lock(&shared);
                // What stands around the files on their way is not theirs.
                match progress.leaving.get_mut(&chunk) {
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

    /// A number for a chunk, before its line is written.
    fn take_number(&self, files: &[LocalFile]) -> u64 {
        let mut progress = self.progress();
        for file in files {
            progress.troubles.remove(&file.name);
        }
        progress.history.take_number()
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
        let outcome = |file: &super::PlannedFile| {
            let name = &file.file.name;
            let known = progress.history.files.get(name);
            let is_awaited = known.is_some_and(|known| !self.time_left(&progress, name, known, view.at).is_zero());
            progress.outcome(file, &view.listing, is_awaited)
        };
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
    fn take_end(&mut self, files: &[LocalFile], end: &Line, error: Option<Error>, written: Result<(), Error>) {
        self.history.take(end);
        if let Line::End(end) = end {
            self.leaving.remove(&end.chunk);
        }
        let now = Instant::now();
        self.under_way.extend(files.iter().map(|file| (file.name.clone(), now)));
        if let Some(error) = error {
            let text = error.to_string();
            self.troubles.extend(files.iter().map(|file| (file.name.clone(), text.clone())));
            if is_refusal(&error) {
                // The parts are sent at once, and are other requests.
                for file in files {
                    self.sends.entry(file.name.clone()).and_modify(|sends| *sends = sends.saturating_sub(1));
                }
            } else {
                let wait = error.retry_after().unwrap_or_default();
                self.asked_for = Some(self.asked_for.unwrap_or_default().max(wait));
                if is_hopeless(&error) || wait > MAX_WAIT {
                    self.stopped.get_or_insert(error);
                }
            }
        }
        if let Err(error) = written {
            self.stopped.get_or_insert(error);
        }
    }

    fn shown(&self) -> SyncProgress {
        let mut shown = SyncProgress {
            files_total: self.wanted.len() as u64,
            files_awaited: self.awaited,
            ..SyncProgress::default()
        };
        for (name, size_bytes) in &self.wanted {
            shown.bytes_total = shown.bytes_total.saturating_add(*size_bytes);
            let was_sent = self.sends.contains_key(name);
            match self.history.files.get(name).map(|known| &known.outcome) {
                Some(UploadOutcome::Accepted | UploadOutcome::Confirmed) if was_sent => {
                    shown.files_done += 1;
                    shown.bytes_sent = shown.bytes_sent.saturating_add(*size_bytes);
                }
                Some(UploadOutcome::Failed(_)) if was_sent => {
                    shown.files_failed += 1;
                    shown.bytes_sent = shown.bytes_sent.saturating_add(*size_bytes);
                }
                _ => {}
            }
        }
        shown.bytes_sent = self.leaving.values().copied().fold(shown.bytes_sent, u64::saturating_add);
        shown
    }

    /// Whether a file that an earlier sync has sent, and that the dataset does not show, is to be sent again: only if
    /// no response calls it stored. What this sync has sent may show later.
    fn may_send_again(&self, name: &str, known: &LastSeen, listing: &Listing) -> bool {
        self.sends.get(name).is_none_or(|sends| *sends == 0)
            && !reconcile::is_taken(name, known, &self.history, listing)
            && reconcile::find(name, known, listing) == Lookup::Absent
    }

    /// What became of a file; one that is awaited may still be on its way into the dataset.
    fn outcome(&self, planned: &super::PlannedFile, listing: &Listing, is_awaited: bool) -> FileOutcome {
        let name = &planned.file.name;
        let known = self.history.files.get(name);
        let is_open = matches!(&planned.state, FileState::Missing | FileState::Uncertain(_));
        match (&planned.state, known) {
            (FileState::Rejected(rejection), _) => FileOutcome::Rejected(rejection.clone()),
            // The service stores images in its own way: what it has taken is there, whatever its size.
            (FileState::Different { .. }, Some(known))
                if matches!(known.outcome, UploadOutcome::Accepted | UploadOutcome::Confirmed)
                    && known.size_bytes == planned.file.size_bytes =>
            {
                FileOutcome::Stored
            }
            (FileState::Different { remote_sizes_bytes }, _) => {
                FileOutcome::Different { remote_sizes_bytes: remote_sizes_bytes.clone() }
            }
            (FileState::Present | FileState::PresentUnverified, Some(known))
                if matches!(
                    known.outcome,
                    UploadOutcome::Accepted | UploadOutcome::Confirmed | UploadOutcome::InFlight
                ) =>
            {
                FileOutcome::Stored
            }
            (FileState::Present | FileState::PresentUnverified, _) => FileOutcome::AlreadyThere,
            _ if is_open && self.sends.get(name) == Some(&CHANGED) => self.not_stored(name),
            _ if is_open && self.history.lacks_lines && !self.sends.contains_key(name) => {
                FileOutcome::Uncertain(Uncertainty::Journal)
            }
            (_, Some(known)) if is_open => match (&known.outcome, reconcile::find(name, known, listing)) {
                (UploadOutcome::Failed(reason), _) => FileOutcome::Failed { reason: reason.clone() },
                // Where the dataset cannot tell, its response counts.
                (UploadOutcome::Confirmed, finding) if self.is_blind || finding == Lookup::Uncertain => {
                    FileOutcome::Stored
                }
                (UploadOutcome::Accepted, _) if self.may_send_again(name, known, listing) => self.not_stored(name),
                (UploadOutcome::Accepted | UploadOutcome::Confirmed, _) => {
                    FileOutcome::Unknown(UnknownReason::NotShown)
                }
                (UploadOutcome::InFlight, finding) if self.is_blind || is_awaited || finding == Lookup::Uncertain => {
                    FileOutcome::Unknown(UnknownReason::NotTold)
                }
                (UploadOutcome::InFlight | UploadOutcome::NotStored, _) => self.not_stored(name),
            },
            (FileState::Uncertain(reason), _) if !self.troubles.contains_key(name) => {
                FileOutcome::Uncertain(reason.clone())
            }
            _ => self.not_stored(name),
        }
    }

    fn not_stored(&self, name: &str) -> FileOutcome {
        let why = self.troubles.get(name).cloned();
        FileOutcome::NotStored { why: why.unwrap_or_else(|| "the sync ended before it was sent".to_owned()) }
    }
}

/// The sum of waits, which may be of any length.
fn total(waits: impl Iterator<Item = Duration>) -> Duration {
    waits.fold(Duration::ZERO, Duration::saturating_add)
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().expect("nothing panics while it holds this lock")
}

/// A dataset that would hold too many images is not begun to be filled: which of them find room would be chance.
fn check_limit(view: &View, files: &[LocalFile]) -> Result<(), Error> {
    let there = view.plan.trainable_now.images;
    let new = files.iter().filter(|file| file.kind.is_image()).count() as u64;
    if new > 0 && there + new > MAX_IMAGES {
        return Err(Error::invalid_argument(format!(
            "the dataset holds {there} images, and {new} more are {} too many: a dataset holds at most {MAX_IMAGES}",
            there + new - MAX_IMAGES
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_of_any_length_add_up() {
        let seconds = Duration::from_secs;

        assert_eq!(total([seconds(2), seconds(5)].into_iter()), seconds(7));
        assert_eq!(total([Duration::MAX, seconds(1)].into_iter()), Duration::MAX);
    }
}
