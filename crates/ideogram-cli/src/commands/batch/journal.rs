//! The journal of a batch: which rows were sent, and how they ended.
//!
//! `batch.jsonl` in the folder of the batch. A line is on disk before a row is sent, and another one when the row has
//! ended. A row without an end was in flight when the process ended: it is unknown whether it is billed, unless its
//! response was stored. How a journal survives kills, edits and replaced files: `journal.rs` of the library.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ideogram_client::{
    Timestamp,
    internal::{self, JournalError, JournalErrorKind, JournalKind},
};
use serde::{Deserialize, Serialize};

use super::state::{ImageResult, RowState};
use crate::failure::Failure;

const KIND: JournalKind = JournalKind { title: "ideogram batch", format: 2 };

/// The settings of the first run, which later runs keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) base_url: String,
    /// The `--model` of rows that name none.
    pub(super) model: String,
}

/// A line after the header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// A run begins.
    Run(Run),
    /// A row is about to be sent.
    Begun(Begun),
    /// The service has accepted a row as a job.
    Accepted(Accepted),
    /// The response to a row was stored and its images were handled.
    Finished(Finished),
    /// A row ended without images.
    Failed(Failed),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    /// In UTC.
    pub(super) time: String,
    pub(super) rows: usize,
    /// A fingerprint of all rows.
    pub(super) rows_hash: String,
    /// The process that the user started, if it has a worker: when it is killed, the worker finishes what it has sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) process: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// The key of the row.
    pub(super) row: String,
    /// The fingerprint of what it requests, with any model.
    pub(super) input: String,
    pub(super) name: String,
    pub(super) line: u64,
    pub(super) time: String,
    pub(super) operation: String,
    pub(super) prompt: String,
    /// The number of requested images.
    pub(super) images: u32,
    /// The quoted price in millionths of a US dollar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) usd_micros: Option<u64>,
}

/// A row that runs as a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Accepted {
    pub(super) row: String,
    /// The id of the job.
    pub(super) job: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Finished {
    pub(super) row: String,
    /// The stored response, relative to the folder of the journal.
    pub(super) stored: String,
    pub(super) images: Vec<Image>,
}

/// An image of a response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Image {
    pub(super) result: ImageResult,
    /// Its file, in the folder of the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<i64>,
    /// The prompt that the service used, if it differs from that of the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) prompt: Option<String>,
    /// Why it is not saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failed {
    pub(super) row: String,
    pub(super) state: RowState,
    /// The kind of the error, for programs.
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    pub(super) message: String,
    /// The stored part of a response, relative to the folder of the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stored: Option<String>,
    /// A response that could not be stored as a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<RawBody>,
}

/// A response body: text, or base64 if it is not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawBody {
    Text(String),
    Base64(String),
}

impl RawBody {
    pub(super) fn of(body: &[u8]) -> Self {
        match std::str::from_utf8(body) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(BASE64_STANDARD.encode(body)),
        }
    }

    /// The text or base64, for a message from which the user can copy it.
    pub(super) fn text(&self) -> &str {
        let (Self::Text(text) | Self::Base64(text)) = self;
        text
    }
}

/// The last line of a journal about a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    /// It was sent, and its end is not known.
    Begun,
    Finished(Finished),
    Failed(Failed),
}

/// The content of a journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct History {
    /// `None` if there is no journal yet, or an empty one.
    pub(super) header: Option<Header>,
    /// Whether the last line is incomplete.
    pub(super) is_torn: bool,
    pub(super) last_run: Option<Run>,
    /// How many images were requested and may be billed, in all runs.
    pub(super) images: u64,
    /// The quoted price of these images in millionths of a US dollar, as far as it was quoted.
    pub(super) usd_micros: u64,
    /// By row: how often it was sent without a quoted price and may be billed.
    pub(super) unpriced: HashMap<String, u64>,
    ends: HashMap<String, (Cost, End)>,
    /// The ids of jobs whose end the journal does not have, by row.
    jobs: HashMap<String, String>,
    /// The keys of rows that were sent, by their inputs.
    inputs: HashMap<String, HashSet<String>>,
    /// Responses that could not be stored as files, with their status, by row.
    bodies: HashMap<String, (u16, RawBody)>,
}

/// What a row may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cost {
    pub(super) images: u64,
    /// `None` if it was not quoted.
    pub(super) usd_micros: Option<u64>,
}

impl History {
    /// How a row ended; `None` if it was never sent.
    pub(super) fn end(&self, row: &str) -> Option<&End> {
        self.ends.get(row).map(|(_, end)| end)
    }

    /// What a row may cost that was sent last; `None` if it was never sent.
    pub(super) fn cost(&self, row: &str) -> Option<Cost> {
        self.ends.get(row).map(|(cost, _)| *cost)
    }

    /// How many rows were sent.
    pub(super) fn rows(&self) -> usize {
        self.ends.len()
    }

    /// The keys of rows that were sent with this input.
    pub(super) fn rows_with_input(&self, input: &str) -> impl Iterator<Item = &str> {
        self.inputs.get(input).into_iter().flatten().map(String::as_str)
    }

    /// The id of the job of a row whose end the journal does not have.
    pub(super) fn job(&self, row: &str) -> Option<&str> {
        self.jobs.get(row).map(String::as_str)
    }

    /// The response to a row that only the journal has, with its status.
    pub(super) fn body(&self, row: &str) -> Option<&(u16, RawBody)> {
        self.bodies.get(row)
    }

    fn add(&mut self, line: Line) {
        match line {
            Line::Run(run) => self.last_run = Some(run),
            Line::Begun(begun) => {
                let cost = Cost { images: u64::from(begun.images), usd_micros: begun.usd_micros };
                self.images += cost.images;
                match cost.usd_micros {
                    Some(price) => self.usd_micros += price,
                    None => *self.unpriced.entry(begun.row.clone()).or_default() += 1,
                }
                self.inputs.entry(begun.input).or_default().insert(begun.row.clone());
                self.jobs.remove(&begun.row);
                self.ends.insert(begun.row, (cost, End::Begun));
            }
            Line::Accepted(accepted) => drop(self.jobs.insert(accepted.row, accepted.job)),
            Line::Finished(finished) => {
                self.jobs.remove(&finished.row);
                // A row that was never begun here was found by its stored response; it is billed too.
                let (_, end) = self.ends.entry(finished.row.clone()).or_insert_with(|| {
                    let images = finished.images.len() as u64;
                    self.images += images;
                    self.unpriced.insert(finished.row.clone(), 1);
                    (Cost { images, usd_micros: None }, End::Begun)
                });
                *end = End::Finished(finished);
            }
            Line::Failed(failed) => {
                if let Some(body) = &failed.response {
                    self.bodies.insert(failed.row.clone(), (failed.status.unwrap_or(200), body.clone()));
                }
                if !failed.state.may_be_billed() {
                    self.jobs.remove(&failed.row);
                }
                if let Some((cost, end)) = self.ends.get_mut(&failed.row) {
                    if !failed.state.may_be_billed() {
                        self.images = self.images.saturating_sub(cost.images);
                        match (cost.usd_micros, self.unpriced.get_mut(&failed.row)) {
                            (Some(price), _) => self.usd_micros = self.usd_micros.saturating_sub(price),
                            (None, Some(times)) => *times = times.saturating_sub(1),
                            (None, None) => {}
                        }
                    }
                    *end = End::Failed(failed);
                }
            }
        }
    }

    fn of(
        contents: internal::Contents<Header>,
        mut history: Self,
        base_url: &str,
        path: &Path,
    ) -> Result<Self, Failure> {
        if let Some(header) = contents.header.as_ref().filter(|header| header.base_url != base_url) {
            let (path, other) = (path.display(), &header.base_url);
            let what = format!("the journal \"{path}\" belongs to a batch at {other}, not at {base_url}");
            return Err(Failure::usage(what).hint("nothing was sent; choose another folder with --out"));
        }
        (history.header, history.is_torn) = (contents.header, contents.is_torn);
        Ok(history)
    }
}

/// An open journal, locked against other processes.
#[derive(Clone, Debug)]
pub(super) struct Journal(Arc<internal::Journal>);

impl Journal {
    /// Opens or creates a journal, and reads it. Blocks.
    pub(super) fn open(path: &Path, header: &Header) -> Result<(Self, History), Failure> {
        let mut history = History::default();
        let opened = internal::Journal::open(path, KIND, header, |line| history.add(line));
        let (journal, contents) = opened.map_err(|error| failure(&error))?;
        let history = History::of(contents, history, &header.base_url, path)?;
        Ok((Self(Arc::new(journal)), history))
    }

    /// Reads a journal without locking it; empty if there is none. Blocks.
    pub(super) fn read(path: &Path, base_url: &str) -> Result<History, Failure> {
        let mut history = History::default();
        let contents =
            internal::Journal::read(path, KIND, |line| history.add(line)).map_err(|error| failure(&error))?;
        History::of(contents, history, base_url, path)
    }

    /// Appends a line, which is on disk when this returns. Blocks.
    pub(super) fn append(&self, line: &Line) -> Result<(), Failure> {
        self.0.append(line).map_err(|error| failure(&error))
    }
}

/// Explains an error of a journal, and what to do.
pub(super) fn failure(error: &JournalError) -> Failure {
    match error.kind() {
        JournalErrorKind::Io(cause) => {
            let path = error.path().display();
            Failure::local_io(format!("the journal \"{path}\" cannot be used")).because(cause)
        }
        JournalErrorKind::Replaced | JournalErrorKind::Changed => Failure::local_io(error.to_string())
            .hint("restore the folder with its journal, then run the same command again"),
        JournalErrorKind::Damaged { .. } => Failure::usage(error.to_string()).hint(
            "nothing was sent; restore a complete copy, or move the journal away: then the stored responses show which \
             rows were sent",
        ),
        JournalErrorKind::InUse => Failure::usage(error.to_string()),
        _ => Failure::usage(error.to_string()).hint("nothing was sent; choose another folder with --out"),
    }
}

/// The path of the journal in a folder.
pub(super) fn path_in(folder: &Path) -> PathBuf {
    folder.join("batch.jsonl")
}

/// The current time, as the journal has it.
pub(super) fn now() -> String {
    Timestamp::from(SystemTime::now()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(row: &str) -> Line {
        let text = String::new;
        let (row, input) = (row.to_owned(), "input".to_owned());
        let (name, time, operation, prompt) = (text(), text(), text(), text());
        Line::Begun(Begun { row, input, name, line: 1, time, operation, prompt, images: 2, usd_micros: Some(7) })
    }

    fn without_price(line: Line) -> Line {
        let Line::Begun(begun) = line else { return line };
        Line::Begun(Begun { usd_micros: None, ..begun })
    }

    fn failed(row: &str, state: RowState) -> Line {
        let (row, kind, message) = (row.to_owned(), String::new(), String::new());
        Line::Failed(Failed { row, state, kind, status: None, message, stored: None, response: None })
    }

    fn finished(row: &str, images: usize) -> Line {
        let image = Image { result: ImageResult::Saved, file: None, seed: None, prompt: None, error: None };
        Line::Finished(Finished { row: row.to_owned(), stored: String::new(), images: vec![image; images] })
    }

    #[test]
    fn what_may_be_billed_is_counted_over_all_runs() {
        for (lines, images) in [
            (vec![begun("a")], 2),
            (vec![begun("a"), finished("a", 2)], 2),
            (vec![begun("a"), failed("a", RowState::Failed)], 0),
            (vec![begun("a"), failed("a", RowState::Declined), begun("a")], 2),
            (vec![begun("a"), failed("a", RowState::Unknown), begun("a"), finished("a", 2)], 4),
            (vec![begun("a"), failed("a", RowState::Unreadable)], 2),
            // Found by its stored response.
            (vec![finished("a", 3), finished("a", 3)], 3),
            (vec![failed("a", RowState::Failed)], 0),
        ] {
            let mut history = History::default();
            for line in &lines {
                history.add(line.clone());
            }
            let begun = lines.iter().any(|line| matches!(line, Line::Begun(_)));
            assert_eq!(history.images, images, "{lines:?}");
            assert_eq!(history.usd_micros, if begun { images / 2 * 7 } else { 0 }, "{lines:?}");
            let mut unpriced = History::default();
            for line in &lines {
                unpriced.add(without_price(line.clone()));
            }
            let times = if begun { images / 2 } else { images.min(1) };
            let counted = unpriced.unpriced.get("a").copied().unwrap_or_default();
            assert_eq!((unpriced.usd_micros, counted), (0, times), "{lines:?}");
        }
    }

    #[test]
    fn a_journal_belongs_to_one_service_and_has_the_settings_of_the_first_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(folder.path());
        let header = Header { base_url: "https://one.test/".to_owned(), model: "v3".to_owned() };
        assert_eq!(Journal::read(&path, &header.base_url).unwrap(), History::default());
        let (journal, history) = Journal::open(&path, &header).unwrap();
        assert_eq!(history, History::default());
        journal.append(&begun("a")).unwrap();
        drop(journal);

        let history = Journal::read(&path, "https://one.test/").unwrap();
        assert_eq!((history.header.as_ref(), history.rows_with_input("input").next()), (Some(&header), Some("a")));
        let refused = Journal::read(&path, "https://two.test/").unwrap_err();
        assert!(
            refused.what().ends_with("belongs to a batch at https://one.test/, not at https://two.test/"),
            "{refused:?}"
        );
    }
}
