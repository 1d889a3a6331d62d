//! Runs a sync in rounds until no file is left to send.
//!
//! Each round requests the list of files in the dataset, reconciles uploads of unknown outcome with it, and sends the
//! files that are certainly missing. So an error of a round is judged by the dataset, not by the error itself. The
//! service may still be storing files of a recent upload; they are judged only when the time for that has passed.

use std::{
    future::IntoFuture,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, sleep};

use super::{
    FileState, LocalFile, MAX_IMAGES, Plan, PlannedFile, SyncDataset, SyncReport, SyncedFile, chunk,
    journal::{self, Begin, Journal, LastSeen, Line, Sent, UploadOutcome},
    listing::Listing,
    progress::Progress,
    reconcile::{self, Lookup},
    upload_response::{end_of, is_final, is_refusal},
};
use crate::{
    CallOptions, Error, File,
    types::{DatasetAssetFailureReason, GetDatasetResponse},
};

/// The maximum number of times that a sync sends a file whose uploads fail as a whole.
const MAX_SENDS: u32 = 3;
/// The maximum number of times that a sync sends a file for which the service reports an internal error.
const MAX_SENDS_OF_FAILED: u32 = 2;

/// A running sync.
struct Run {
    settings: SyncDataset,
    journal: Journal,
    /// When the journal was read, by both clocks.
    opened: (Instant, SystemTime),
    progress: Arc<Mutex<Progress>>,
}

/// The state of the dataset at a time.
struct DatasetState {
    /// When it was requested.
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
        let mut state = self.read_state(self.settings.waits_for_unknown).await?;
        let mut files = self.to_send(&state);
        check_limit(&state, &files)?;
        self.progress().wanted = files.iter().map(|file| (file.name.clone(), file.size_bytes)).collect();
        self.notify();
        let mut waits = self.settings.waits();
        while !files.is_empty() {
            let nameless = state.listing.nameless.len();
            let chunks = chunk::pack(files, self.settings.limits);
            let sent = chunks.into_iter().map(|files| self.send(files, nameless));
            let () = stream::iter(sent).buffer_unordered(self.settings.concurrency).collect().await;

            let retry_after = self.progress().retry_after.take();
            let is_stopped = self.progress().stopped.is_some();
            if let (Some(retry_after), false) = (retry_after, is_stopped) {
                sleep(retry_after.max(waits.next().unwrap_or_default())).await;
            }
            match self.read_state(self.settings.waits_for_unknown && !is_stopped).await {
                Ok(newer) => state = newer,
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
            files = self.to_send(&state);
        }
        Ok(self.report(state))
    }

    /// Requests the list of files, repeatedly if uploads with an unknown outcome are not listed.
    async fn read_state(&self, waits_for_unknown: bool) -> Result<DatasetState, Error> {
        let mut at = Instant::now();
        let mut dataset = self.dataset().await?;
        let mut waits = self.settings.waits();
        let mut last_wait = None;
        let mut has_grown = false;
        loop {
            let listing = Listing::of(&dataset);
            if reconcile::is_reconciled(&self.progress().history, &listing) {
                break;
            }
            let left = self.await_files(&listing, at);
            let next = waits.next();
            last_wait = next.or(last_wait);
            let wait = match (next, left, last_wait) {
                (Some(wait), ..) => wait,
                // The service is still storing files.
                (None, Some(_), Some(wait)) if has_grown => wait,
                (None, Some(left), Some(wait)) if waits_for_unknown && !left.is_zero() => wait.min(left),
                _ => break,
            };
            sleep(wait).await;
            at = Instant::now();
            let newer = self.dataset().await?;
            has_grown = newer.files.len() > dataset.files.len() || newer.file_count > dataset.file_count;
            dataset = newer;
        }
        if std::mem::take(&mut self.progress().awaited) > 0 {
            self.notify();
        }
        Ok(DatasetState { at, plan: self.settings.plan.again(&dataset), listing: Listing::of(&dataset) })
    }

    /// Reports how many files the service may still be storing, and returns the maximum time left for one of them; `None`
    /// if there are none.
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
            self.notify();
        }
        left
    }

    /// Returns how much longer the service may take to store a file.
    fn time_left(&self, progress: &Progress, name: &str, known: &LastSeen, at: Instant) -> Duration {
        let processing_timeout = self.settings.processing_timeout;
        if let Some(last_in_flight) = progress.last_in_flight.get(name) {
            return processing_timeout.saturating_sub(at.saturating_duration_since(*last_in_flight));
        }
        let (opened, clock) = self.opened;
        // If the clock was set back, the intervals of this sync count.
        let left = reconcile::time_left(known.time, clock, processing_timeout).unwrap_or_else(|| {
            if self.settings.waits_for_unknown {
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

    /// Returns the files that are certainly not in the dataset, and that the service has not refused.
    fn to_send(&self, state: &DatasetState) -> Vec<LocalFile> {
        let progress = self.progress();
        let is_to_send = |file: &LocalFile| {
            if progress.given_up.contains(&file.name) || progress.history.lacks_lines && !self.settings.sends_uncertain
            {
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
                    progress.may_send_again(&file.name, known, &state.listing)
                }
                UploadOutcome::InFlight => {
                    sends < MAX_SENDS
                        && reconcile::find(&file.name, known, &state.listing) == Lookup::Absent
                        && self.time_left(&progress, &file.name, known, state.at).is_zero()
                }
            }
        };
        let files = state.plan.files.iter().filter(|file| match file.state {
            FileState::Missing => true,
            FileState::Uncertain(_) => self.settings.sends_uncertain,
            _ => false,
        });
        files.map(|file| &file.file).filter(|file| is_to_send(file)).cloned().collect()
    }

    /// Sends a chunk; in halves, if the service refuses it as a whole, since the reason may be a single file.
    async fn send(&self, files: Vec<LocalFile>, nameless: usize) {
        let mut waiting = vec![files];
        while let Some(files) = waiting.pop() {
            let files = self.unchanged(files).await;
            if files.is_empty() || !self.send_chunk(&files, nameless).await {
                continue;
            }
            match chunk::halves(&files) {
                Some([first, second]) => waiting.extend([second, first]),
                None => self.progress().given_up.extend(files.into_iter().map(|file| file.name)),
            }
        }
    }

    /// Sends a chunk between two lines of the journal, and returns whether the service refused it as a whole.
    async fn send_chunk(&self, files: &[LocalFile], nameless: usize) -> bool {
        let chunk = {
            let mut progress = self.progress();
            if progress.stopped.is_some() {
                return false;
            }
            for file in files {
                progress.failures.remove(&file.name);
            }
            progress.history.take_number()
        };
        let sent = files.iter().map(|file| Sent { name: file.name.clone(), size_bytes: file.size_bytes });
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
            progress.in_flight.insert(chunk, 0);
        }
        self.notify();

        let client = self.settings.client.with(self.watch(chunk, files));
        let response = self.settings.upload(&client, files).send().await;

        let is_refused = response.as_ref().is_err_and(is_refusal);
        let end = Line::End(end_of(chunk, files, &response));
        let written = self.journal.write(&end).await;
        self.progress().take_end(files, &end, response.err(), written);
        self.notify();
        is_refused
    }

    /// Returns options that report the progress of a chunk.
    fn watch(&self, chunk: u64, files: &[LocalFile]) -> CallOptions {
        let options = CallOptions::new();
        let Some(observer) = self.settings.on_progress.clone() else { return options };
        let size_bytes = super::size_of(files);
        let shared = Arc::clone(&self.progress);
        options.on_upload(move |sent, _| {
            let report = {
                let mut progress = lock(&shared);
                // The body is larger than its files.
                match progress.in_flight.get_mut(&chunk) {
                    Some(bytes) => *bytes = sent.min(size_bytes),
                    None => return,
                }
                progress.report()
            };
            observer(&report);
        })
    }

    /// Returns the files that have not changed since the folder was read.
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
            progress.given_up.insert(file.name.clone());
            progress.failures.insert(file.name, why);
        }
        unchanged
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }

    fn notify(&self) {
        if let Some(observer) = &self.settings.on_progress {
            let progress = self.progress().report();
            observer(&progress);
        }
    }

    fn report(&self, state: DatasetState) -> SyncReport {
        let mut progress = self.progress();
        let stopped = progress.stopped.take();
        let outcome = |file: &PlannedFile| {
            let name = &file.file.name;
            let known = progress.history.files.get(name);
            let is_awaited = known.is_some_and(|known| !self.time_left(&progress, name, known, state.at).is_zero());
            progress.outcome(file, &state.listing, is_awaited)
        };
        let synced = |file: &PlannedFile| SyncedFile { file: file.file.clone(), outcome: outcome(file) };
        SyncReport {
            files: state.plan.files.iter().map(synced).collect(),
            uploads: progress.uploads,
            stopped,
            after: state.plan,
        }
    }
}

/// The sum of waits, which may be of any length.
fn total(waits: impl Iterator<Item = Duration>) -> Duration {
    waits.fold(Duration::ZERO, Duration::saturating_add)
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().expect("nothing panics while it holds this lock")
}

/// Refuses a sync that would add too many images: it would be random which of them are stored.
fn check_limit(state: &DatasetState, files: &[LocalFile]) -> Result<(), Error> {
    let present = state.plan.trainable_now.images;
    let new = files.iter().filter(|file| file.kind.is_image()).count() as u64;
    if new > 0 && present + new > MAX_IMAGES {
        return Err(Error::invalid_argument(format!(
            "the dataset has {present} images, and {new} more are {} too many: a dataset has at most {MAX_IMAGES}",
            present + new - MAX_IMAGES
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_of_any_length_add_up() {
        let seconds = Duration::from_secs;

        assert_eq!(total([seconds(2), seconds(5)].into_iter()), seconds(7));
        assert_eq!(total([Duration::MAX, seconds(1)].into_iter()), Duration::MAX);
    }
}
