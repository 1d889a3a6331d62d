//! The loop of a batch: sends rows while there are permits for their images, and saves the images of each response.
//!
//! The client limits the images in flight, and so does this module: a row is recorded as sent only when its call need
//! not wait, so that a process that is killed leaves as few rows of unknown outcome as possible.

use std::{cell::RefCell, path::Path};

use futures_util::{StreamExt as _, future::Either, stream::FuturesUnordered};
use tokio::select;

use super::{
    budget::Budget,
    disk::blocking,
    images::{self, SentJob, Stored, StoredAt},
    journal::{Finished, Line},
    plan::Plan,
    report::{Counts, RERUN_UNKNOWN, Stop, continue_hint, row_json},
    send::{Sent, WithFailure, Work},
    status::Status,
    streak::Streak,
    thumbnail,
};
use crate::{
    exit::Exit, failure::Failure, options::Format, output::ResultStream, output::progress::Counted, output::units,
};

/// How many rows may be waiting for their images to be saved before no more rows are sent.
const MAX_SAVING: usize = 8;

/// The next step of a row.
enum Next {
    /// Its images are saved.
    Save(Stored),
    /// Its job is waited for.
    Wait(SentJob),
    /// It is sent; the price is its quote.
    Send(Option<u64>),
}

impl Work<'_> {
    /// Works until nothing is left to do or something stops it, and updates the statuses of the plan.
    pub(super) async fn run(
        &self,
        plan: &mut Plan,
        budget: &mut Budget,
        results: &mut ResultStream<'_>,
    ) -> Result<Option<Stop>, Failure> {
        let total = plan.send.len() + plan.save.len() + plan.wait.len();
        let progress = self.context.progress("batch", Counted::Things("row"), Some(total as u64));
        let interrupt = self.context.interrupt();
        let mut graceful = Some(interrupt.gracefully());
        let (mut sending, mut saving) = (FuturesUnordered::new(), FuturesUnordered::new());
        let mut images_in_flight = 0_u32;
        let mut streak = Streak::default();
        let mut stop = None;
        let mut is_killed = false;
        let rows_in_flight = RefCell::new(Vec::<usize>::new());
        let mut counts = Counts::default();
        self.print_kept(plan, results)?;
        loop {
            while stop.is_none() && saving.len() < MAX_SAVING {
                let (index, next) = match self.next(plan, budget, images_in_flight) {
                    Ok(Some(next)) => next,
                    Ok(None) => break,
                    Err(limit) => {
                        stop = Some(limit);
                        break;
                    }
                };
                let sent = match next {
                    Next::Save(stored) => {
                        saving.push(self.save(index, stored));
                        continue;
                    }
                    Next::Wait(job) => Either::Left(self.resume(index, job)),
                    Next::Send(price) => Either::Right(self.send(index, price)),
                };
                images_in_flight += self.weight(index);
                rows_in_flight.borrow_mut().push(index);
                sending.push(sent);
            }
            if sending.is_empty() && saving.is_empty() {
                break;
            }
            let is_interrupted = matches!(stop, Some(Stop::Interrupted));
            let signalled = graceful.as_ref().expect("it is replaced at once when it is dropped").signalled();
            let ended = select! {
                biased;
                () = interrupt.killed(), if !is_killed => {
                    is_killed = true;
                    stop = Some(Stop::Interrupted);
                    self.note_waiting(sending.len(), "the command was killed");
                    None
                }
                signal = signalled => {
                    if is_interrupted {
                        return Err(self.abandoned(&rows_in_flight.borrow()));
                    }
                    // In this order: dropping the first would undo the second.
                    drop(graceful.take());
                    graceful = Some(interrupt.gracefully());
                    stop = Some(Stop::Interrupted);
                    self.signalled.send_replace(true);
                    let in_flight = sending.len() + saving.len();
                    self.note_waiting(in_flight, &format!("{signal} again abandons them"));
                    None
                }
                Some((index, (sent, failure))) = sending.next(), if !sending.is_empty() => {
                    rows_in_flight.borrow_mut().retain(|other| *other != index);
                    images_in_flight -= self.weight(index);
                    stop = failure.map(|failure| worse(stop.take(), failure)).or(stop);
                    match sent {
                        Sent::Nothing => {
                            budget.subtract(index);
                            None
                        }
                        Sent::Stored(path) => {
                            saving.push(self.save(index, Stored::file(path)));
                            None
                        }
                        Sent::Failed(failed) => {
                            if !failed.state.may_be_billed() {
                                budget.subtract(index);
                            }
                            stop = stop.or(streak.failed(&failed, self.stop_after));
                            Some((index, Status::Failed(Box::new(failed))))
                        }
                    }
                }
                Some((index, (status, failure))) = saving.next(), if !saving.is_empty() => {
                    stop = failure.map(|failure| worse(stop.take(), failure)).or(stop);
                    stop = stop.or(streak.finished(&status, self.stop_after));
                    Some((index, status))
                }
            };
            if let Some((index, status)) = ended {
                counts.add(&status);
                // Rows in flight may be billed: they are waited for even if nothing can be printed.
                if let Err(failure) = self.print(index, &status, results) {
                    stop = Some(worse(stop, failure));
                }
                plan.statuses[index] = status;
                progress.advance(1);
            }
            progress.message(counts.progress());
        }
        Ok(stop)
    }

    /// Returns the next row to work on; `None` if there are no permits for it.
    fn next(&self, plan: &mut Plan, budget: &mut Budget, images_in_flight: u32) -> Result<Option<(usize, Next)>, Stop> {
        if let Some((index, stored)) = plan.save.pop_front() {
            return Ok(Some((index, Next::Save(stored))));
        }
        let has_permits = |index: usize| images_in_flight + self.weight(index) <= self.max_in_flight;
        let waits = plan.wait.front().map(|(index, _)| *index);
        let Some(index) = waits.or(plan.send.front().copied()).filter(|index| has_permits(*index)) else {
            return Ok(None);
        };
        if let Some((index, job)) = plan.wait.pop_front() {
            return Ok(Some((index, Next::Wait(job))));
        }
        self.context.output().expect_reader().map_err(Stop::Local)?;
        let price = budget.add(index, &self.rows[index])?;
        plan.send.pop_front();
        Ok(Some((index, Next::Send(price))))
    }

    /// How many permits a row needs.
    fn weight(&self, index: usize) -> u32 {
        self.rows[index].images.min(self.max_in_flight)
    }

    fn note_waiting(&self, in_flight: usize, reason: &str) {
        if in_flight > 0 {
            let rows = units::count(in_flight as u64, "row");
            let text = format!("no more rows are sent; waiting for {rows} in flight ({reason})");
            self.context.output().note(&text);
        }
    }

    /// Saves the images of a stored response with their thumbnails, and records the result.
    async fn save(&self, index: usize, stored: Stored) -> (usize, WithFailure<Status>) {
        let row = &self.rows[index];
        let response = match stored.read(row).await {
            Ok(response) => response,
            Err(failure) => {
                // The file was there when the plan was made.
                let status = if stored.before.is_empty() { Status::Unknown } else { Status::Finished(stored.before) };
                return (index, (status, Some(failure)));
            }
        };
        let images = images::save(self.context.client(), &response, self.folder, row, &stored.before).await;
        thumbnail::make_all(self.folder, images.iter().filter_map(|image| image.file.clone()).collect()).await;
        let stored = match &stored.at {
            StoredAt::File(path) => self.relative(path),
            StoredAt::Journal(..) => String::new(),
        };
        let status = Status::Finished(images.clone());
        let (journal, line) = (self.journal.clone(), Finished { row: row.key.clone(), stored, images });
        let recorded = blocking(move || journal.append(&Line::Finished(line))).await;
        (index, (status, recorded.err()))
    }

    /// Prints the rows that need no work, as JSON: the result of a batch has all rows.
    fn print_kept(&self, plan: &Plan, results: &mut ResultStream<'_>) -> Result<(), Failure> {
        if self.context.output().format() == Format::Text {
            return Ok(());
        }
        let mut kept = plan.statuses.iter().enumerate().filter(|(_, status)| !matches!(status, Status::NotRun));
        kept.try_for_each(|(index, status)| self.print(index, status, results))
    }

    /// Prints the result of a row: the paths of its images as text, or all of it as JSON.
    fn print(&self, index: usize, status: &Status, results: &mut ResultStream<'_>) -> Result<(), Failure> {
        if self.context.output().format() != Format::Text {
            return results.push(&row_json(&self.rows[index], status, self.folder), "");
        }
        let mut files = status.images().iter().filter_map(|image| image.file.as_ref());
        files.try_for_each(|file| results.push(&(), &self.folder.join(file).display().to_string()))
    }

    /// The failure after the second signal.
    fn abandoned(&self, rows_in_flight: &[usize]) -> Failure {
        let jobs = self.jobs.borrow();
        let mut failure = Failure::new(Exit::Interrupted, "interrupted");
        for index in rows_in_flight {
            let row = &self.rows[*index];
            let state = match jobs.get(index) {
                Some(id) => format!("runs on as the generation {id}, and is billed when it completes"),
                None => "was in flight: it may be billed".to_owned(),
            };
            failure = failure.fact(format!("line {} ({}) {state}", row.line, row.name));
        }
        if rows_in_flight.iter().any(|index| !jobs.contains_key(index)) {
            failure = failure.hint(RERUN_UNKNOWN);
        }
        failure.hint(continue_hint())
    }

    /// A path as the journal has it.
    pub(super) fn relative(&self, path: &Path) -> String {
        path.strip_prefix(self.folder).unwrap_or(path).display().to_string()
    }
}

/// A failure of this machine is reported first, whatever else stops the batch.
fn worse(stop: Option<Stop>, failure: Failure) -> Stop {
    match stop {
        Some(Stop::Local(first)) => Stop::Local(first),
        _ => Stop::Local(failure),
    }
}
