//! Sends the rows that are still to be sent, a few pictures at a time, and saves what comes back.
//!
//! The client counts the pictures in the making, and so does this module: a row is noted as begun only when there is a
//! place for it, so that a process that ends leaves as few rows as possible of which nobody knows whether they are paid.

use std::{
    cell::RefCell,
    collections::VecDeque,
    path::{Path, PathBuf},
    time::SystemTime,
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use ideogram_client::{CallOptions, Error, ErrorKind, KeptAnswer, Outcome, Timestamp};
use serde_json::Value;
use tokio::select;

use super::{
    ANSWERS, THUMBNAILS,
    journal::{Begun, Failed, Fate, Finished, Journal, Line, PictureResult},
    pictures,
    report::{Stop, row_json},
    row::Row,
    sheet::{Status, thumbnail_name},
    thumbnail,
};
use crate::{
    arguments::Format, context::Context, exit::Exit, failure::Failure, output::Pieces, progress::Counted, units,
};

/// How many rows are being saved before no new one is sent.
const MOST_SAVING: usize = 8;

/// What there is to do, and how.
pub(super) struct Work<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) journal: Journal,
    pub(super) folder: &'a Path,
    pub(super) rows: &'a [Row],
    /// How many pictures may be in the making at a time.
    pub(super) places: u32,
    /// How many pictures may be asked for, those of earlier runs included.
    pub(super) most_pictures: Option<u64>,
    /// How many refusals in a row end it.
    pub(super) patience: u32,
}

/// What is to be done with rows, by their index.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// To be sent: this costs.
    pub(super) send: VecDeque<usize>,
    /// Answered, and not all saved: this is free.
    pub(super) save: VecDeque<(usize, PathBuf)>,
}

/// What became of a row that was sent.
enum Sent {
    Answered(PathBuf),
    Failed(Failed),
}

/// Refusals without anything better in between.
#[derive(Default)]
struct Streak {
    kind: Option<&'static str>,
    length: u32,
}

impl Work<'_> {
    /// Works until nothing is left to do or something stops it. Statuses are brought up to date.
    pub(super) async fn run(
        &self,
        mut queue: Queue,
        mut asked: u64,
        statuses: &mut [Status],
        pieces: &mut Pieces<'_>,
    ) -> Result<Option<Stop>, Failure> {
        let total = queue.send.len() + queue.save.len();
        let progress = self.context.progress("batch", Counted::Things("row"), Some(total as u64));
        let interrupt = self.context.interrupt();
        let mut graceful = Some(interrupt.gracefully());
        let (mut sending, mut saving) = (FuturesUnordered::new(), FuturesUnordered::new());
        let mut making = 0_u32;
        let mut streak = Streak::default();
        let mut stop = None;
        let under_way = RefCell::new(Vec::<usize>::new());
        let mut tally = Tally::default();
        loop {
            while stop.is_none() && saving.len() < MOST_SAVING {
                if let Some((index, kept)) = queue.save.pop_front() {
                    saving.push(self.save(index, kept));
                    continue;
                }
                let Some(index) = queue.send.front().copied() else { break };
                let row = &self.rows[index];
                let weight = row.pictures.min(self.places);
                if making + weight > self.places {
                    break;
                }
                if let Some(most) = self.most_pictures
                    && asked + u64::from(row.pictures) > most
                {
                    stop = Some(Stop::MaxPictures(most));
                    break;
                }
                if let Err(failure) = self.context.output().expect_reader() {
                    stop = Some(worse(stop, failure));
                    break;
                }
                queue.send.pop_front();
                asked += u64::from(row.pictures);
                making += weight;
                under_way.borrow_mut().push(index);
                sending.push(self.send(index));
            }
            if sending.is_empty() && saving.is_empty() {
                break;
            }
            let is_interrupted = matches!(stop, Some(Stop::Interrupted));
            let asked_to_end = graceful.as_ref().expect("it is always there but for an instant").asked();
            select! {
                biased;
                signal = asked_to_end => {
                    if is_interrupted {
                        return Err(self.given_up(&under_way.borrow()));
                    }
                    // In this order: letting go of the first would undo the second.
                    drop(graceful.take());
                    graceful = Some(interrupt.gracefully());
                    stop = Some(Stop::Interrupted);
                    if !sending.is_empty() {
                        let rows = units::count(sending.len() as u64, "row");
                        let text = format!("no more rows are sent; waiting for {rows} under way ({signal} again gives them up)");
                        self.context.output().note(&text);
                    }
                }
                Some((index, sent)) = sending.next(), if !sending.is_empty() => {
                    under_way.borrow_mut().retain(|other| *other != index);
                    making -= self.rows[index].pictures.min(self.places);
                    match sent {
                        Ok(Sent::Answered(kept)) => saving.push(self.save(index, kept)),
                        Ok(Sent::Failed(failed)) => {
                            if matches!(failed.fate, Fate::NotRun | Fate::Declined) {
                                asked -= u64::from(self.rows[index].pictures);
                            }
                            let refused = streak.refused(&failed, self.patience);
                            statuses[index] = Status::Failed(failed);
                            // What is under way is paid: it is waited for although nothing can be printed.
                            if let Err(failure) = self.tell(index, &statuses[index], pieces) {
                                stop = Some(worse(stop, failure));
                            }
                            tally.failed += 1;
                            progress.advance(1);
                            stop = stop.or(refused);
                        }
                        Err(failure) => stop = Some(worse(stop, failure)),
                    }
                }
                Some((index, saved)) = saving.next(), if !saving.is_empty() => {
                    match saved {
                        Ok(status) => {
                            let withheld = streak.answered(&status, self.patience);
                            stop = stop.or(withheld);
                            tally.take(&status);
                            statuses[index] = status;
                            if let Err(failure) = self.tell(index, &statuses[index], pieces) {
                                stop = Some(worse(stop, failure));
                            }
                            progress.advance(1);
                        }
                        Err(failure) => stop = Some(worse(stop, failure)),
                    }
                }
            }
            progress.message(tally.line());
        }
        Ok(stop)
    }

    /// Notes a row as begun, sends it, and notes what became of it unless there is an answer to save.
    async fn send(&self, index: usize) -> (usize, Result<Sent, Failure>) {
        (index, self.try_send(&self.rows[index]).await)
    }

    async fn try_send(&self, row: &Row) -> Result<Sent, Failure> {
        let operation = row.request.operation();
        let begun = Begun {
            row: row.key.clone(),
            name: row.name.clone(),
            line: row.line,
            time: now(),
            operation: operation.id.to_owned(),
            prompt: row.prompt.clone(),
            pictures: row.pictures,
        };
        self.journal.write(&Line::Begun(begun)).await?;

        let client = self.context.client().with(CallOptions::new().keep_answers_in(self.answers_of(row)));
        let under_way = self.context.interrupt().call(operation, "");
        let answer = client.execute::<Value>(row.request.clone()).await;
        drop(under_way);
        let failed = match answer {
            Ok(response) => match response.kept_at() {
                Some(kept) => return Ok(Sent::Answered(kept.to_owned())),
                None => Failed {
                    row: row.key.clone(),
                    fate: Fate::Unreadable,
                    kind: "local_io".to_owned(),
                    status: Some(response.status().as_u16()),
                    message: "the answer was not kept".to_owned(),
                    kept: None,
                    answer: Some(String::from_utf8_lossy(response.body()).into_owned()),
                },
            },
            Err(error) => match error.kept_at() {
                Some(kept) if is_readable(kept).await => return Ok(Sent::Answered(kept.to_owned())),
                _ => self.failed(row, &error),
            },
        };
        if let Some(answer) = &failed.answer {
            // It may be the only copy of links that are paid for, if the journal cannot be written either.
            self.context.output().warning(&format!("the answer to line {} could not be kept: {answer}", row.line));
        }
        self.journal.write(&Line::Failed(failed.clone())).await?;
        Ok(Sent::Failed(failed))
    }

    fn failed(&self, row: &Row, error: &Error) -> Failed {
        let fate = match (error.outcome(), error.kind()) {
            (Outcome::Declined, ErrorKind::Safety | ErrorKind::InvalidRequest | ErrorKind::Forbidden) => Fate::Declined,
            (Outcome::NotSent | Outcome::Declined, _) => Fate::NotRun,
            (Outcome::Completed, _) => Fate::Unreadable,
            // Those to come included: who does not know it must not take it for harmless.
            _ => Fate::Unknown,
        };
        let kept = error.kept_at().map(|kept| self.relative(kept));
        let body = error.body().filter(|_| fate == Fate::Unreadable && kept.is_none());
        Failed {
            row: row.key.clone(),
            fate,
            kind: error.kind().name().to_owned(),
            status: error.status().map(|status| status.as_u16()),
            message: error.to_string(),
            answer: body.map(|body| String::from_utf8_lossy(body).into_owned()),
            kept,
        }
    }

    /// Saves the pictures of a kept answer, makes their thumbnails, and notes what became of them.
    async fn save(&self, index: usize, kept: PathBuf) -> (usize, Result<Status, Failure>) {
        (index, self.try_save(&self.rows[index], &kept).await)
    }

    async fn try_save(&self, row: &Row, kept: &Path) -> Result<Status, Failure> {
        let answer = KeptAnswer::read(kept)
            .await
            .map_err(|error| Failure::local_io("a kept answer cannot be read").because(&error))?;
        let client = self.context.client();
        let pictures = pictures::save(client, &answer, self.folder, &row.name, &row.prompt).await;
        let files: Vec<String> = pictures.iter().filter_map(|picture| picture.file.clone()).collect();
        make_thumbnails(self.folder, files).await;
        let line = Finished { row: row.key.clone(), kept: self.relative(kept), pictures: pictures.clone() };
        self.journal.write(&Line::Finished(line)).await?;
        Ok(Status::Finished(pictures))
    }

    /// Prints what became of a row: the paths of its pictures as text, all of it as JSON.
    fn tell(&self, index: usize, status: &Status, pieces: &mut Pieces<'_>) -> Result<(), Failure> {
        let row = &self.rows[index];
        let output = self.context.output();
        if output.format() != Format::Text {
            return pieces.push(&row_json(row, status, self.folder), "");
        }
        if let Status::Finished(pictures) = status {
            for file in pictures.iter().filter_map(|picture| picture.file.as_ref()) {
                pieces.push(&(), &self.folder.join(file).display().to_string())?;
            }
        }
        Ok(())
    }

    /// The failure after the second signal.
    fn given_up(&self, under_way: &[usize]) -> Failure {
        let mut failure = Failure::new(Exit::Interrupted, "interrupted");
        for index in under_way {
            let row = &self.rows[*index];
            let text =
                format!("line {} ({}) was under way: it may have run, and then it is billed", row.line, row.name);
            failure = failure.cause(text);
        }
        if !under_way.is_empty() {
            failure = failure.hint("they are not sent again, as they may be paid; --rerun-unknown does");
        }
        failure.hint("run the same command again to go on: what is paid is not paid again")
    }

    fn answers_of(&self, row: &Row) -> PathBuf {
        self.folder.join(ANSWERS).join(&row.key)
    }

    fn relative(&self, path: &Path) -> String {
        path.strip_prefix(self.folder).unwrap_or(path).display().to_string()
    }
}

/// Makes thumbnails that are not there yet. A picture without one is shown without.
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

async fn is_readable(kept: &Path) -> bool {
    KeptAnswer::read(kept).await.is_ok_and(|answer| answer.answer().is_some())
}

/// What is wrong with this machine matters more than why else nothing is sent.
fn worse(stop: Option<Stop>, failure: Failure) -> Stop {
    match stop {
        Some(Stop::Local(first)) => Stop::Local(first),
        _ => Stop::Local(failure),
    }
}

impl Streak {
    /// Counts a refusal; enough of them, or one that all rows would share, is a reason to stop.
    fn refused(&mut self, failed: &Failed, patience: u32) -> Option<Stop> {
        let (kind, exit, why, next) = match (failed.kind.as_str(), failed.fate) {
            ("authentication", _) => {
                let next = "check the key (`ideogram auth status` says which one is used), then run the command again";
                return Some(Stop::Refused { exit: Exit::Authentication, why: failed.message.clone(), next });
            }
            ("payment", _) => (
                "payment",
                Exit::Payment,
                "the balance does not cover the rows",
                "top up the API balance, then run the same command again: what is paid is not paid again",
            ),
            ("rate_limited", _) => (
                "rate_limited",
                Exit::RateLimited,
                "the service keeps saying that too much is in the making",
                "wait a little, or lower --pictures-in-making, then run the same command again",
            ),
            ("safety", _) => ("safety", Exit::Safety, SAFETY, SAFETY_NEXT),
            (_, Fate::Unknown | Fate::Unreadable) => (
                "unknown",
                Exit::Unknown,
                "too many rows in a row have an outcome that nobody knows",
                "see what the service says of your usage before you go on",
            ),
            (_, Fate::NotRun) => (
                "unavailable",
                Exit::Unavailable,
                "the service cannot be reached, or fails",
                "run the same command again when it is back",
            ),
            _ => {
                *self = Self::default();
                return None;
            }
        };
        self.count(kind, patience).then(|| Stop::Refused { exit, why: self.told(why), next })
    }

    /// An answer ends a streak of refusals, unless all its pictures were withheld: that is refused too, and billed.
    fn answered(&mut self, status: &Status, patience: u32) -> Option<Stop> {
        let Status::Finished(pictures) = status else { return None };
        let is_withheld = |picture: &super::journal::Picture| picture.result == PictureResult::Withheld;
        if pictures.is_empty() || !pictures.iter().all(is_withheld) {
            *self = Self::default();
            return None;
        }
        let stop = self.count("safety", patience);
        stop.then(|| Stop::Refused { exit: Exit::Safety, why: self.told(SAFETY), next: SAFETY_NEXT })
    }

    fn count(&mut self, kind: &'static str, patience: u32) -> bool {
        if self.kind != Some(kind) {
            *self = Self { kind: Some(kind), length: 0 };
        }
        self.length += 1;
        patience > 0 && self.length >= patience
    }

    fn told(&self, why: &str) -> String {
        format!("{why} ({} in a row)", units::count(u64::from(self.length), "row"))
    }
}

const SAFETY: &str = "the safety check declines the rows, or withholds their pictures";
const SAFETY_NEXT: &str =
    "look at the prompts before you go on: --stop-after 0 goes on whatever happens, and withheld pictures are billed";

/// What the progress bar says beside the number of rows.
#[derive(Default)]
struct Tally {
    pictures: u64,
    withheld: u64,
    failed: u64,
}

impl Tally {
    fn take(&mut self, status: &Status) {
        let Status::Finished(pictures) = status else { return };
        for picture in pictures {
            match picture.result {
                PictureResult::Saved => self.pictures += 1,
                PictureResult::Withheld => self.withheld += 1,
                PictureResult::Lost | PictureResult::NotSaved => self.failed += 1,
            }
        }
    }

    fn line(&self) -> String {
        let pictures = units::count(self.pictures, "picture");
        format!("{pictures}, {} withheld, {} failed", self.withheld, self.failed)
    }
}
