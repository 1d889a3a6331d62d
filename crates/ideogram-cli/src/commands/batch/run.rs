//! Sends the rows that are still to be sent, a few images at a time, and saves what comes back.
//!
//! The client counts the images in flight, and so does this module: a row is noted as begun only when there is a place
//! for it, so that a process that ends leaves as few rows as possible of which nobody knows whether they are paid.
//!
//! A row is begun in three places before it is sent, each on disk: the journal, the ledger, and the folder of its
//! response. If one of them refuses, the row is not sent, and neither is any other.

use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use ideogram_client::{CallOptions, Error, ErrorKind, Outcome, StoredResponse, Timestamp, internal, request::Request};
use serde_json::Value;
use tokio::select;

use super::{
    RESPONSES, THUMBNAILS,
    images::{self, Stored, StoredAt},
    journal::{Begun, Failed, Finished, ImageResult, Journal, Line, RawBody, RowState},
    ledger::{Ledger, input_of},
    plan::Plan,
    report::{Stop, row_json},
    row::Row,
    sheet::thumbnail_name,
    status::Status,
    thumbnail,
};
use crate::{
    exit::Exit, failure::Failure, options::Format, output::ResultStream, output::progress::Counted, output::units,
    session::context::Context,
};

/// How many rows are being saved before no new one is sent.
const MAX_SAVING: usize = 8;

/// What there is to do, and how.
pub(super) struct Work<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) journal: Journal,
    pub(super) ledger: Option<Ledger>,
    pub(super) folder: &'a Path,
    pub(super) rows: &'a [Row],
    /// How many images may be in flight.
    pub(super) places: u32,
    /// How many images may be requested, those of earlier runs included.
    pub(super) max_images: Option<u64>,
    /// How many refusals in a row end it.
    pub(super) patience: u32,
}

/// What became of a row that was sent.
enum Sent {
    /// Nothing was sent.
    No,
    Answered(PathBuf),
    Failed(Failed),
}

/// What something came to, and what went wrong on this machine meanwhile: no more rows are sent then.
type WithTrouble<T> = (T, Option<Failure>);

/// Refusals without anything better in between.
#[derive(Default)]
struct Streak {
    /// The exit code of the refusals that are counted.
    exit: Option<Exit>,
    length: u32,
}

impl Work<'_> {
    /// Works until nothing is left to do or something stops it. Statuses are brought up to date.
    pub(super) async fn run(
        &self,
        plan: &mut Plan,
        mut requested: u64,
        pieces: &mut ResultStream<'_>,
    ) -> Result<Option<Stop>, Failure> {
        let total = plan.send.len() + plan.save.len();
        let progress = self.context.progress("batch", Counted::Things("row"), Some(total as u64));
        let interrupt = self.context.interrupt();
        let mut graceful = Some(interrupt.gracefully());
        let (mut sending, mut saving) = (FuturesUnordered::new(), FuturesUnordered::new());
        let mut making = 0_u32;
        let mut streak = Streak::default();
        let mut stop = None;
        let in_flight = RefCell::new(Vec::<usize>::new());
        let mut tally = Tally::default();
        loop {
            while stop.is_none() && saving.len() < MAX_SAVING {
                if let Some((index, stored)) = plan.save.pop_front() {
                    saving.push(self.save(index, stored));
                    continue;
                }
                let Some(index) = plan.send.front().copied() else { break };
                let row = &self.rows[index];
                let weight = row.images.min(self.places);
                if making + weight > self.places {
                    break;
                }
                if let Some(most) = self.max_images
                    && requested + u64::from(row.images) > most
                {
                    stop = Some(Stop::MaxImages(most));
                    break;
                }
                if let Err(failure) = self.context.output().expect_reader() {
                    stop = Some(worse(stop, failure));
                    break;
                }
                plan.send.pop_front();
                requested += u64::from(row.images);
                making += weight;
                in_flight.borrow_mut().push(index);
                sending.push(self.send(index));
            }
            if sending.is_empty() && saving.is_empty() {
                break;
            }
            let is_interrupted = matches!(stop, Some(Stop::Interrupted));
            let signalled = graceful.as_ref().expect("it is always there but for an instant").signalled();
            select! {
                biased;
                signal = signalled => {
                    if is_interrupted {
                        return Err(self.given_up(&in_flight.borrow()));
                    }
                    // In this order: letting go of the first would undo the second.
                    drop(graceful.take());
                    graceful = Some(interrupt.gracefully());
                    stop = Some(Stop::Interrupted);
                    if !sending.is_empty() {
                        let rows = units::count(sending.len() as u64, "row");
                        let text = format!("no more rows are sent; waiting for {rows} in flight ({signal} again gives them up)");
                        self.context.output().note(&text);
                    }
                }
                Some((index, (sent, trouble))) = sending.next(), if !sending.is_empty() => {
                    in_flight.borrow_mut().retain(|other| *other != index);
                    making -= self.rows[index].images.min(self.places);
                    match sent {
                        Sent::No => requested -= u64::from(self.rows[index].images),
                        Sent::Answered(kept) => saving.push(self.save(index, Stored::file(kept))),
                        Sent::Failed(failed) => {
                            if !failed.state.is_billed() {
                                requested -= u64::from(self.rows[index].images);
                            }
                            let refused = streak.refused(&failed, self.patience);
                            plan.statuses[index] = Status::Failed(failed);
                            // What is in flight is paid: it is waited for although nothing can be printed.
                            if let Err(failure) = self.tell(index, &plan.statuses[index], pieces) {
                                stop = Some(worse(stop, failure));
                            }
                            tally.failed += 1;
                            progress.advance(1);
                            stop = stop.or(refused);
                        }
                    }
                    stop = trouble.map(|failure| worse(stop.take(), failure)).or(stop);
                }
                Some((index, (status, trouble))) = saving.next(), if !saving.is_empty() => {
                    let withheld = streak.answered(&status, self.patience);
                    stop = stop.or(withheld);
                    tally.take(&status);
                    plan.statuses[index] = status;
                    if let Err(failure) = self.tell(index, &plan.statuses[index], pieces) {
                        stop = Some(worse(stop, failure));
                    }
                    progress.advance(1);
                    stop = trouble.map(|failure| worse(stop.take(), failure)).or(stop);
                }
            }
            progress.message(tally.line());
        }
        Ok(stop)
    }

    async fn send(&self, index: usize) -> (usize, WithTrouble<Sent>) {
        let row = &self.rows[index];
        // What is sent is what the key was made from, or nothing is sent, and nothing is begun.
        let request = match row.sealed_request().await {
            Ok(request) => request,
            Err(reason) => {
                let (row, state, kind) = (row.key.clone(), RowState::NotRun, "local_io".to_owned());
                let message = format!("{reason}; run the same command again");
                let failed = Failed { row, state, kind, status: None, message, kept: None, response: None };
                return (index, (Sent::Failed(failed), None));
            }
        };
        if let Err(failure) = self.begin(row).await {
            // For certain it was not sent. What cannot be written down leaves it in doubt, which costs nothing.
            let message = failure.what().to_owned();
            let (row, state, kind) = (row.key.clone(), RowState::NotRun, "local_io".to_owned());
            let failed = Failed { row, state, kind, status: None, message, kept: None, response: None };
            let _ = self.end(&self.rows[index], &failed).await;
            return (index, (Sent::No, Some(failure)));
        }
        (index, self.call(row, request).await)
    }

    /// Notes a row as begun, everywhere.
    async fn begin(&self, row: &Row) -> Result<(), Failure> {
        let begun = Begun {
            row: row.key.clone(),
            input: input_of(row),
            name: row.name.clone(),
            line: row.line,
            time: now(),
            operation: row.request.operation().id.to_owned(),
            prompt: row.prompt.clone(),
            images: row.images,
        };
        let (journal, ledger, row, responses) =
            (self.journal.clone(), self.ledger.clone(), row.clone(), self.responses_of(row));
        on_disk(move || {
            let time = begun.time.clone();
            journal.append(&Line::Begun(begun))?;
            if let Some(ledger) = ledger {
                ledger.begun(&row, &time)?;
            }
            let parent = responses.parent().unwrap_or(Path::new("."));
            // The folder itself is there since before the first row: if it is not, somebody has taken it away.
            let made = match fs::create_dir(&responses) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
                made => made,
            };
            made.and_then(|()| internal::sync_folder(parent)).map_err(|error| {
                let what = format!("cannot make the folder \"{}\" for a response", responses.display());
                Failure::local_io(what).because(&error)
            })
        })
        .await
    }

    /// Sends a row that was begun, and notes what became of it unless there is a response to save.
    async fn call(&self, row: &Row, request: Request) -> WithTrouble<Sent> {
        let operation = request.operation();
        let client = self.context.client().with(CallOptions::new().store_responses_in(self.responses_of(row)));
        let in_flight = self.context.interrupt().call(operation, "");
        let response = client.execute::<Value>(request).await;
        drop(in_flight);
        let failed = match response {
            Ok(response) => match response.stored_at() {
                Some(kept) => return (Sent::Answered(kept.to_owned()), None),
                None => Failed {
                    row: row.key.clone(),
                    state: RowState::Unreadable,
                    kind: "local_io".to_owned(),
                    status: Some(response.status().as_u16()),
                    message: "the response could not be stored".to_owned(),
                    kept: None,
                    response: Some(RawBody::of(response.body())),
                },
            },
            Err(error) => match error.stored_at() {
                Some(kept) if is_usable(kept).await => return (Sent::Answered(kept.to_owned()), None),
                _ => self.failed(row, &error),
            },
        };
        let mut noted = self.end(row, &failed).await;
        if let Some(body) = &failed.response {
            // It may be the only copy of links that are paid for, if the journal cannot be written either.
            let place = if noted.is_ok() { "and stands in the journal" } else { "and here is all of it" };
            let text = format!("the response to line {} could not be stored, {place}: {}", row.line, body.text());
            self.context.output().warning(&text);
            // Nothing more is paid for that the disk has no room for.
            noted =
                noted.and_then(|()| Err(Failure::local_io("responses cannot be stored").cause(failed.message.clone())));
        }
        (Sent::Failed(failed), noted.err())
    }

    /// Notes what became of a row without images. What is not billed is no longer begun, in the order in which a kill
    /// between the steps leaves the row in doubt, and never sends it again unasked.
    async fn end(&self, row: &Row, failed: &Failed) -> Result<(), Failure> {
        let (journal, ledger, line) = (self.journal.clone(), self.ledger.clone(), Line::Failed(failed.clone()));
        let (is_billed, row, responses) = (failed.state.is_billed(), row.clone(), self.responses_of(row));
        on_disk(move || {
            if !is_billed {
                if let Some(ledger) = ledger {
                    ledger.not_billed(&row)?;
                }
                // What an earlier attempt has left in it stays.
                let _ = fs::remove_dir(responses);
            }
            journal.append(&line)
        })
        .await
    }

    fn failed(&self, row: &Row, error: &Error) -> Failed {
        let state = match (error.outcome(), error.kind()) {
            (Outcome::Declined, ErrorKind::Safety | ErrorKind::InvalidRequest | ErrorKind::Forbidden) => {
                RowState::Declined
            }
            (Outcome::NotSent | Outcome::Declined, _) => RowState::NotRun,
            (Outcome::Completed, _) => RowState::Unreadable,
            // Those to come included: who does not know it must not take it for harmless.
            _ => RowState::Unknown,
        };
        let kept = error.stored_at().map(|kept| self.relative(kept));
        let body = error.body().filter(|_| state == RowState::Unreadable && kept.is_none());
        Failed {
            row: row.key.clone(),
            state,
            kind: error.kind().name().to_owned(),
            status: error.status().map(|status| status.as_u16()),
            message: error.to_string(),
            response: body.map(|body| RawBody::of(body)),
            kept,
        }
    }

    /// Saves the images of a stored response, makes their thumbnails, and notes what became of them.
    async fn save(&self, index: usize, stored: Stored) -> (usize, WithTrouble<Status>) {
        let row = &self.rows[index];
        let response = match stored.read(row).await {
            Ok(response) => response,
            Err(failure) => {
                // It was there a moment ago.
                let status = if stored.before.is_empty() { Status::Unknown } else { Status::Finished(stored.before) };
                return (index, (status, Some(failure)));
            }
        };
        let images = images::save(self.context.client(), &response, self.folder, row, &stored.before).await;
        let files: Vec<String> = images.iter().filter_map(|image| image.file.clone()).collect();
        make_thumbnails(self.folder, files).await;
        let kept = match &stored.at {
            StoredAt::File(path) => self.relative(path),
            StoredAt::Journal(..) => String::new(),
        };
        let status = Status::Finished(images.clone());
        let (journal, line) = (self.journal.clone(), Finished { row: row.key.clone(), kept, images });
        let noted = on_disk(move || journal.append(&Line::Finished(line))).await;
        (index, (status, noted.err()))
    }

    /// Prints what became of a row: the paths of its images as text, all of it as JSON.
    fn tell(&self, index: usize, status: &Status, pieces: &mut ResultStream<'_>) -> Result<(), Failure> {
        let row = &self.rows[index];
        let output = self.context.output();
        if output.format() != Format::Text {
            return pieces.push(&row_json(row, status, self.folder), "");
        }
        if let Status::Finished(images) = status {
            for file in images.iter().filter_map(|image| image.file.as_ref()) {
                pieces.push(&(), &self.folder.join(file).display().to_string())?;
            }
        }
        Ok(())
    }

    /// The failure after the second signal.
    fn given_up(&self, in_flight: &[usize]) -> Failure {
        let mut failure = Failure::new(Exit::Interrupted, "interrupted");
        for index in in_flight {
            let row = &self.rows[*index];
            let text =
                format!("line {} ({}) was in flight: it may have run, and then it is billed", row.line, row.name);
            failure = failure.cause(text);
        }
        if !in_flight.is_empty() {
            failure = failure.hint("they are not sent again, as they may be paid; --rerun-unknown does");
        }
        failure.hint("run the same command again to go on: what is paid is not paid again")
    }

    fn responses_of(&self, row: &Row) -> PathBuf {
        self.folder.join(RESPONSES).join(&row.key)
    }

    fn relative(&self, path: &Path) -> String {
        path.strip_prefix(self.folder).unwrap_or(path).display().to_string()
    }
}

/// Makes thumbnails that are not there yet. An image without one is shown without.
pub(super) async fn make_thumbnails(folder: &Path, files: Vec<String>) {
    let folder = folder.to_owned();
    let made = tokio::task::spawn_blocking(move || {
        for file in files {
            let _ = thumbnail::make(&folder.join(&file), &folder.join(THUMBNAILS).join(thumbnail_name(&file)));
        }
    });
    let _ = made.await;
}

pub(super) fn now() -> String {
    Timestamp::from(SystemTime::now()).to_string()
}

async fn is_usable(kept: &Path) -> bool {
    StoredResponse::read(kept).await.is_ok_and(|response| images::is_usable(&response))
}

/// Runs what blocks elsewhere, to its end even if nobody waits for it any more.
pub(super) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Failure::internal("work on the disk broke off").because(&error)))
}

/// What is wrong with this machine matters more than why else nothing is sent.
fn worse(stop: Option<Stop>, failure: Failure) -> Stop {
    match stop {
        Some(Stop::Local(first)) => Stop::Local(first),
        _ => Stop::Local(failure),
    }
}

impl Streak {
    /// Counts a refusal. Enough refusals of one kind, or one that all rows would share, are a reason to stop.
    fn refused(&mut self, failed: &Failed, max_length: u32) -> Option<Stop> {
        let is = |kind: ErrorKind| failed.kind == kind.name();
        let (exit, why, next) = if is(ErrorKind::Authentication) {
            let next = "check the key (`ideogram auth status` says which one is used), then run the command again";
            return Some(Stop::Refused { exit: Exit::Authentication, why: failed.message.clone(), next });
        } else if is(ErrorKind::Payment) {
            let next = "top up the API balance, then run the same command again: what is paid is not paid again";
            (Exit::Payment, "the balance does not cover the rows", next)
        } else if is(ErrorKind::RateLimited) {
            let next = "wait a little, or lower --max-in-flight, then run the same command again";
            (Exit::RateLimited, "the service keeps answering that too many images are in flight", next)
        } else if is(ErrorKind::Safety) {
            (Exit::Safety, SAFETY, SAFETY_NEXT)
        } else if matches!(failed.state, RowState::Unknown | RowState::Unreadable) {
            let next = "see what the service says of your usage before you go on";
            (Exit::Unknown, "too many rows in a row have an unknown outcome", next)
        } else if failed.state == RowState::NotRun {
            let next = "run the same command again when it is back";
            (Exit::Unavailable, "the service cannot be reached, or fails", next)
        } else {
            *self = Self::default();
            return None;
        };
        self.count(exit, max_length).then(|| Stop::Refused { exit, why: self.explained(why), next })
    }

    /// A response ends a streak of refusals, unless all its images were withheld: that is refused too, and billed.
    fn answered(&mut self, status: &Status, patience: u32) -> Option<Stop> {
        let Status::Finished(images) = status else { return None };
        let is_withheld = |image: &super::journal::Image| image.result == ImageResult::Withheld;
        if images.is_empty() || !images.iter().all(is_withheld) {
            *self = Self::default();
            return None;
        }
        let stop = self.count(Exit::Safety, patience);
        stop.then(|| Stop::Refused { exit: Exit::Safety, why: self.explained(SAFETY), next: SAFETY_NEXT })
    }

    fn count(&mut self, exit: Exit, max_length: u32) -> bool {
        if self.exit != Some(exit) {
            *self = Self { exit: Some(exit), length: 0 };
        }
        self.length += 1;
        max_length > 0 && self.length >= max_length
    }

    fn explained(&self, why: &str) -> String {
        format!("{why} ({} in a row)", units::count(u64::from(self.length), "row"))
    }
}

const SAFETY: &str = "the safety check declines the rows, or withholds their images";
const SAFETY_NEXT: &str =
    "look at the prompts before you go on: --stop-after 0 goes on whatever happens, and withheld images are billed";

/// What the progress bar says beside the number of rows.
#[derive(Default)]
struct Tally {
    images: u64,
    withheld: u64,
    failed: u64,
}

impl Tally {
    fn take(&mut self, status: &Status) {
        let Status::Finished(images) = status else { return };
        for image in images {
            match image.result {
                ImageResult::Saved => self.images += 1,
                ImageResult::Withheld => self.withheld += 1,
                ImageResult::Lost | ImageResult::NotSaved => self.failed += 1,
            }
        }
    }

    fn line(&self) -> String {
        let images = units::count(self.images, "image");
        format!("{images}, {} withheld, {} failed", self.withheld, self.failed)
    }
}
