//! The progress of a running sync, and what it says about each file.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    FileOutcome, FileState, LocalFile, PlannedFile, SyncProgress, Uncertainty, UnknownReason,
    journal::{History, LastSeen, Line, UploadOutcome},
    listing::Listing,
    reconcile::{self, Lookup},
    upload_response::{is_hopeless, is_refusal},
};
use crate::Error;

/// The maximum `Retry-After` between two rounds; a longer one ends the sync.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);

/// The state that chunks share.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) history: History,
    /// How often each file was sent in this sync.
    pub(super) sends: BTreeMap<String, u32>,
    /// When each file that was sent in this sync was last in flight.
    pub(super) last_in_flight: BTreeMap<String, Instant>,
    /// The files that this sync does not send any more: they have changed since the folder was read, or their chunk was
    /// refused as a whole and cannot be split.
    pub(super) given_up: BTreeSet<String>,
    /// Why files were not stored the last time.
    pub(super) failures: BTreeMap<String, String>,
    /// The files to send, with their sizes.
    pub(super) wanted: BTreeMap<String, u64>,
    /// How many bytes of each chunk in flight were sent.
    pub(super) in_flight: BTreeMap<u64, u64>,
    /// The number of files that the service may still be storing.
    pub(super) awaited: u64,
    pub(super) uploads: u64,
    /// The maximum `Retry-After` of this round.
    pub(super) retry_after: Option<Duration>,
    pub(super) stopped: Option<Error>,
    /// Whether the dataset could not be read after the last upload.
    pub(super) is_blind: bool,
}

impl Progress {
    pub(super) fn take_end(
        &mut self,
        files: &[LocalFile],
        end: &Line,
        error: Option<Error>,
        written: Result<(), Error>,
    ) {
        self.history.take(end);
        if let Line::End(end) = end {
            self.in_flight.remove(&end.chunk);
        }
        let now = Instant::now();
        self.last_in_flight.extend(files.iter().map(|file| (file.name.clone(), now)));
        if let Some(error) = error {
            let text = error.to_string();
            self.failures.extend(files.iter().map(|file| (file.name.clone(), text.clone())));
            if is_refusal(&error) {
                // The halves are other requests.
                for file in files {
                    self.sends.entry(file.name.clone()).and_modify(|sends| *sends = sends.saturating_sub(1));
                }
            } else {
                let wait = error.retry_after().unwrap_or_default();
                self.retry_after = Some(self.retry_after.unwrap_or_default().max(wait));
                if is_hopeless(&error) || wait > MAX_RETRY_AFTER {
                    self.stopped.get_or_insert(error);
                }
            }
        }
        if let Err(error) = written {
            self.stopped.get_or_insert(error);
        }
    }

    pub(super) fn report(&self) -> SyncProgress {
        let mut report = SyncProgress {
            files_total: self.wanted.len() as u64,
            files_awaited: self.awaited,
            ..SyncProgress::default()
        };
        for (name, size_bytes) in &self.wanted {
            report.bytes_total = report.bytes_total.saturating_add(*size_bytes);
            let was_sent = self.sends.contains_key(name);
            match self.history.files.get(name).map(|known| &known.outcome) {
                Some(UploadOutcome::Accepted | UploadOutcome::Confirmed) if was_sent => {
                    report.files_done += 1;
                    report.bytes_sent = report.bytes_sent.saturating_add(*size_bytes);
                }
                Some(UploadOutcome::Failed(_)) if was_sent => {
                    report.files_failed += 1;
                    report.bytes_sent = report.bytes_sent.saturating_add(*size_bytes);
                }
                _ => {}
            }
        }
        report.bytes_sent = self.in_flight.values().copied().fold(report.bytes_sent, u64::saturating_add);
        report
    }

    /// Returns whether to send a file again that an earlier sync has sent and that the dataset does not list: only if no
    /// response reports it as stored. Files of this sync may be listed later.
    pub(super) fn may_send_again(&self, name: &str, known: &LastSeen, listing: &Listing) -> bool {
        self.sends.get(name).is_none_or(|sends| *sends == 0)
            && !reconcile::is_taken(name, known, &self.history, listing)
            && reconcile::find(name, known, listing) == Lookup::Absent
    }

    /// Returns the outcome of a file; the service may still be storing one that is awaited.
    pub(super) fn outcome(&self, planned: &PlannedFile, listing: &Listing, is_awaited: bool) -> FileOutcome {
        let name = &planned.file.name;
        let known = self.history.files.get(name);
        let is_open = matches!(&planned.state, FileState::Missing | FileState::Uncertain(_));
        match (&planned.state, known) {
            (FileState::Rejected(rejection), _) => FileOutcome::Rejected(rejection.clone()),
            // The service may change the size of an image when it stores it.
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
            _ if is_open && self.given_up.contains(name) => self.not_stored(name),
            _ if is_open && self.history.lacks_lines && !self.sends.contains_key(name) => {
                FileOutcome::Uncertain(Uncertainty::Journal)
            }
            (_, Some(known)) if is_open => match (&known.outcome, reconcile::find(name, known, listing)) {
                (UploadOutcome::Failed(reason), _) => FileOutcome::Failed { reason: reason.clone() },
                // If the list does not decide, the response counts.
                (UploadOutcome::Confirmed, lookup) if self.is_blind || lookup == Lookup::Uncertain => {
                    FileOutcome::Stored
                }
                (UploadOutcome::Accepted, _) if self.may_send_again(name, known, listing) => self.not_stored(name),
                (UploadOutcome::Accepted | UploadOutcome::Confirmed, _) => {
                    FileOutcome::Unknown(UnknownReason::NotListed)
                }
                (UploadOutcome::InFlight, lookup) if self.is_blind || is_awaited || lookup == Lookup::Uncertain => {
                    FileOutcome::Unknown(UnknownReason::NoResponse)
                }
                (UploadOutcome::InFlight | UploadOutcome::NotStored, _) => self.not_stored(name),
            },
            (FileState::Uncertain(reason), _) if !self.failures.contains_key(name) => {
                FileOutcome::Uncertain(reason.clone())
            }
            _ => self.not_stored(name),
        }
    }

    fn not_stored(&self, name: &str) -> FileOutcome {
        let why = self.failures.get(name).cloned();
        FileOutcome::NotStored { why: why.unwrap_or_else(|| "the sync ended before it was sent".to_owned()) }
    }
}
