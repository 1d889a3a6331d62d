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
    images::{self, Stored, StoredAt},
    journal::{Finished, Line},
    plan::Plan,
    report::{CONTINUE, RERUN_UNKNOWN, Stop, row_json},
    send::{Sent, WithFailure, Work},
    status::Status,
    streak::{Streak, Tally},
    thumbnail,
};
use crate::{
    exit::Exit, failure::Failure, options::Format, output::ResultStream, output::progress::Counted, output::units,
    session::interrupt::Signal,
};

/// How many rows may be waiting for their images to be saved before no more rows are sent.
const MAX_SAVING: usize = 8;

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
        let rows_in_flight = RefCell::new(Vec::<usize>::new());
        let mut tally = Tally::default();
        loop {
            while stop.is_none() && saving.len() < MAX_SAVING {
                if let Some((index, stored)) = plan.save.pop_front() {
                    saving.push(self.save(index, stored));
                    continue;
                }
                let waits = plan.wait.front().map(|(index, _)| *index);
                let Some(index) = waits.or(plan.send.front().copied()) else { break };
                let row = &self.rows[index];
                let weight = row.images.min(self.max_in_flight);
                if images_in_flight + weight > self.max_in_flight {
                    break;
                }
                if let Some((index, job)) = plan.wait.pop_front() {
                    images_in_flight += weight;
                    rows_in_flight.borrow_mut().push(index);
                    sending.push(Either::Left(self.resume(index, job)));
                    continue;
                }
                if let Err(failure) = self.context.output().expect_reader() {
                    stop = Some(worse(stop, failure));
                    break;
                }
                let price = match budget.add(index, row) {
                    Ok(price) => price,
                    Err(limit) => {
                        stop = Some(limit);
                        break;
                    }
                };
                plan.send.pop_front();
                images_in_flight += weight;
                rows_in_flight.borrow_mut().push(index);
                sending.push(Either::Right(self.send(index, price)));
            }
            if sending.is_empty() && saving.is_empty() {
                break;
            }
            let is_interrupted = matches!(stop, Some(Stop::Interrupted));
            let signalled = graceful.as_ref().expect("it is replaced at once when it is dropped").signalled();
            select! {
                biased;
                signal = signalled => {
                    if is_interrupted {
                        return Err(self.abandoned(&rows_in_flight.borrow()));
                    }
                    // In this order: dropping the first would undo the second.
                    drop(graceful.take());
                    graceful = Some(interrupt.gracefully());
                    stop = Some(Stop::Interrupted);
                    self.note_waiting(sending.len(), signal);
                }
                Some((index, (sent, failure))) = sending.next(), if !sending.is_empty() => {
                    rows_in_flight.borrow_mut().retain(|other| *other != index);
                    images_in_flight -= self.rows[index].images.min(self.max_in_flight);
                    match sent {
                        Sent::No => budget.subtract(index, &self.rows[index]),
                        Sent::Stored(path) => saving.push(self.save(index, Stored::file(path))),
                        Sent::Failed(failed) => {
                            if !failed.state.is_billed() {
                                budget.subtract(index, &self.rows[index]);
                            }
                            let refused = streak.failed(&failed, self.stop_after);
                            plan.statuses[index] = Status::Failed(failed);
                            tally.add(&plan.statuses[index]);
                            // Rows in flight may be billed: they are waited for even if nothing can be printed.
                            if let Err(failure) = self.print(index, &plan.statuses[index], results) {
                                stop = Some(worse(stop, failure));
                            }
                            progress.advance(1);
                            stop = stop.or(refused);
                        }
                    }
                    stop = failure.map(|failure| worse(stop.take(), failure)).or(stop);
                }
                Some((index, (status, failure))) = saving.next(), if !saving.is_empty() => {
                    let withheld = streak.finished(&status, self.stop_after);
                    stop = stop.or(withheld);
                    tally.add(&status);
                    plan.statuses[index] = status;
                    if let Err(failure) = self.print(index, &plan.statuses[index], results) {
                        stop = Some(worse(stop, failure));
                    }
                    progress.advance(1);
                    stop = failure.map(|failure| worse(stop.take(), failure)).or(stop);
                }
            }
            progress.message(tally.line());
        }
        Ok(stop)
    }

    fn note_waiting(&self, in_flight: usize, signal: Signal) {
        if in_flight > 0 {
            let rows = units::count(in_flight as u64, "row");
            let text = format!("no more rows are sent; waiting for {rows} in flight ({signal} again abandons them)");
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
            failure = failure.cause(format!("line {} ({}) {state}", row.line, row.name));
        }
        if rows_in_flight.iter().any(|index| !jobs.contains_key(index)) {
            failure = failure.hint(RERUN_UNKNOWN);
        }
        failure.hint(CONTINUE)
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
