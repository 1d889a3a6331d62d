//! The journal of a batch: which rows were sent, and what became of them.
//!
//! `batch.jsonl` in the folder of the batch. A line is on disk before a row is sent, and another one when the row is
//! done. A row that was begun and has no end was in flight when the process ended: nobody knows whether it is paid,
//! unless its response was stored. How a journal survives kills, edits and replaced files: `journal.rs` of the library.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ideogram_client::internal::{self, JournalError, JournalErrorKind, JournalKind};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

const KIND: JournalKind = JournalKind { title: "ideogram batch", format: 2 };

/// What a batch was begun with: it goes on with the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// Of which service.
    pub(super) base_url: String,
    /// The `--model` of rows that name none.
    pub(super) model: String,
}

/// Every other line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// A run begins.
    Run(Run),
    /// A row is about to be sent.
    Begun(Begun),
    /// The response to a row is there, and what became of its images.
    Finished(Finished),
    /// A row has no response with images.
    Failed(Failed),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    /// When, in UTC: for people.
    pub(super) time: String,
    pub(super) rows: usize,
    /// A fingerprint of all rows.
    pub(super) rows_hash: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// The key of the row.
    pub(super) row: String,
    /// What it asks for, whatever model makes it.
    pub(super) input: String,
    pub(super) name: String,
    pub(super) line: u64,
    pub(super) time: String,
    pub(super) operation: String,
    pub(super) prompt: String,
    /// How many images were requested.
    pub(super) images: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Finished {
    pub(super) row: String,
    /// Where the response is stored, from the folder of the journal.
    pub(super) kept: String,
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
    /// The prompt that made it, where it is not the one of the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) prompt: Option<String>,
    /// Why it is not saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ImageResult {
    Saved,
    /// By the safety check; billed all the same.
    Withheld,
    /// It is not at its link any more, or has none: there is nothing to come back for.
    Lost,
    /// Still at its link.
    NotSaved,
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
    /// Where what arrived of a response is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kept: Option<String>,
    /// A response that could not be stored as a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<RawBody>,
}

/// The bytes of a response body: as text if that is what they are, otherwise as base64.
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

    /// The same for people who may have to bring it to safety by hand.
    pub(super) fn text(&self) -> &str {
        let (Self::Text(text) | Self::Base64(text)) = self;
        text
    }
}

/// What is known of a row without images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RowState {
    /// It did not run, is not billed, and may do better another time.
    NotRun,
    /// It was refused for what it asks, is not billed, and would be refused again.
    Declined,
    /// Nobody knows whether it ran and was billed.
    Unknown,
    /// It ran and was billed, and its response cannot be read.
    Unreadable,
}

impl RowState {
    pub(super) fn is_billed(self) -> bool {
        matches!(self, Self::Unknown | Self::Unreadable)
    }
}

/// The last that a journal says of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    None,
    Finished(Finished),
    Failed(Failed),
}

/// What a journal says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct History {
    /// `None` if there is no journal yet, or an empty one.
    pub(super) header: Option<Header>,
    /// Whether half a line stands at the end.
    pub(super) is_torn: bool,
    pub(super) last_run: Option<Run>,
    /// How many images were requested and may be billed, of all runs together.
    pub(super) images: u64,
    ends: HashMap<String, (u32, End)>,
    /// The inputs of rows that were begun, with the keys of those rows.
    inputs: HashMap<String, HashSet<String>>,
    /// Responses that could not be stored as files, with their status, by row.
    bodies: HashMap<String, (u16, RawBody)>,
}

impl History {
    /// What became of a row; `None` if it was never begun.
    pub(super) fn end(&self, row: &str) -> Option<&End> {
        self.ends.get(row).map(|(_, end)| end)
    }

    /// How many rows were begun.
    pub(super) fn rows(&self) -> usize {
        self.ends.len()
    }

    /// The keys of rows that were begun with this input.
    pub(super) fn rows_with_input(&self, input: &str) -> impl Iterator<Item = &str> {
        self.inputs.get(input).into_iter().flatten().map(String::as_str)
    }

    /// The response to a row that only the journal holds, with its status.
    pub(super) fn body(&self, row: &str) -> Option<&(u16, RawBody)> {
        self.bodies.get(row)
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Run(run) => self.last_run = Some(run),
            Line::Begun(begun) => {
                self.images += u64::from(begun.images);
                self.inputs.entry(begun.input).or_default().insert(begun.row.clone());
                self.ends.insert(begun.row, (begun.images, End::None));
            }
            Line::Finished(finished) => {
                // A row without a begin was found through its stored response: it is paid all the same.
                let (_, end) = self.ends.entry(finished.row.clone()).or_insert_with(|| {
                    self.images += finished.images.len() as u64;
                    (u32::try_from(finished.images.len()).unwrap_or(u32::MAX), End::None)
                });
                *end = End::Finished(finished);
            }
            Line::Failed(failed) => {
                if let Some(body) = &failed.response {
                    self.bodies.insert(failed.row.clone(), (failed.status.unwrap_or(200), body.clone()));
                }
                if let Some((images, end)) = self.ends.get_mut(&failed.row) {
                    if !failed.state.is_billed() {
                        self.images = self.images.saturating_sub(u64::from(*images));
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
            let (place, begun) = (path.display(), &header.base_url);
            let what = format!("the journal \"{place}\" is of a batch at {begun}, not at {base_url}");
            return Err(Failure::usage(what).hint("nothing was sent; --out names another folder"));
        }
        (history.header, history.is_torn) = (contents.header, contents.is_torn);
        Ok(history)
    }
}

/// A journal that is open, and nobody else's.
#[derive(Clone, Debug)]
pub(super) struct Journal(Arc<internal::Journal>);

impl Journal {
    /// Opens a journal or begins one, and reads what it says. Blocks.
    pub(super) fn open(path: &Path, header: &Header) -> Result<(Self, History), Failure> {
        let mut history = History::default();
        let opened = internal::Journal::open(path, KIND, header, |line| history.take(line));
        let (journal, contents) = opened.map_err(|error| failure(&error))?;
        let history = History::of(contents, history, &header.base_url, path)?;
        Ok((Self(Arc::new(journal)), history))
    }

    /// What a journal says, without taking it over; nothing if there is none. Blocks.
    pub(super) fn look(path: &Path, base_url: &str) -> Result<History, Failure> {
        let mut history = History::default();
        let contents =
            internal::Journal::read(path, KIND, |line| history.take(line)).map_err(|error| failure(&error))?;
        History::of(contents, history, base_url, path)
    }

    /// Writes a line, which is on disk when this returns. Blocks.
    pub(super) fn append(&self, line: &Line) -> Result<(), Failure> {
        self.0.append(line).map_err(|error| failure(&error))
    }
}

/// Says what is wrong with a journal, and what to do about it.
pub(super) fn failure(error: &JournalError) -> Failure {
    match error.kind() {
        JournalErrorKind::Io(cause) => {
            let place = error.path().display();
            Failure::local_io(format!("the journal \"{place}\" cannot be used")).because(cause)
        }
        JournalErrorKind::Replaced | JournalErrorKind::Changed => Failure::local_io(error.to_string())
            .hint("put the folder and its journal back as they were, then run the same command again"),
        JournalErrorKind::Damaged { .. } => Failure::usage(error.to_string()).hint(
            "nothing was sent; bring back a copy that is whole, or move the journal away: what was begun is then found \
             through the stored responses",
        ),
        JournalErrorKind::InUse => Failure::usage(error.to_string()),
        _ => Failure::usage(error.to_string()).hint("nothing was sent; --out names another folder"),
    }
}

/// Where the journal of a folder is.
pub(super) fn path_in(folder: &Path) -> PathBuf {
    folder.join("batch.jsonl")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(row: &str) -> Line {
        let text = String::new;
        let (row, input) = (row.to_owned(), "input".to_owned());
        let (name, time, operation, prompt) = (text(), text(), text(), text());
        Line::Begun(Begun { row, input, name, line: 1, time, operation, prompt, images: 2 })
    }

    fn failed(row: &str, state: RowState) -> Line {
        let (row, kind, message) = (row.to_owned(), String::new(), String::new());
        Line::Failed(Failed { row, state, kind, status: None, message, kept: None, response: None })
    }

    fn finished(row: &str, images: usize) -> Line {
        let image = Image { result: ImageResult::Saved, file: None, seed: None, prompt: None, error: None };
        Line::Finished(Finished { row: row.to_owned(), kept: String::new(), images: vec![image; images] })
    }

    #[test]
    fn what_may_be_billed_is_counted_over_all_runs() {
        for (lines, images) in [
            (vec![begun("a")], 2),
            (vec![begun("a"), finished("a", 2)], 2),
            (vec![begun("a"), failed("a", RowState::NotRun)], 0),
            (vec![begun("a"), failed("a", RowState::Declined), begun("a")], 2),
            (vec![begun("a"), failed("a", RowState::Unknown), begun("a"), finished("a", 2)], 4),
            (vec![begun("a"), failed("a", RowState::Unreadable)], 2),
            // Found through its stored response.
            (vec![finished("a", 3), finished("a", 3)], 3),
            (vec![failed("a", RowState::NotRun)], 0),
        ] {
            let mut history = History::default();
            for line in &lines {
                history.take(line.clone());
            }
            assert_eq!(history.images, images, "{lines:?}");
        }
    }

    #[test]
    fn a_journal_is_of_one_service_and_says_what_it_was_begun_with() {
        let place = tempfile::tempdir().unwrap();
        let path = path_in(place.path());
        let header = Header { base_url: "https://one.test/".to_owned(), model: "v3".to_owned() };
        assert_eq!(Journal::look(&path, &header.base_url).unwrap(), History::default());
        let (journal, history) = Journal::open(&path, &header).unwrap();
        assert_eq!(history, History::default());
        journal.append(&begun("a")).unwrap();
        drop(journal);

        let history = Journal::look(&path, "https://one.test/").unwrap();
        assert_eq!((history.header.as_ref(), history.rows_with_input("input").next()), (Some(&header), Some("a")));
        let refused = Journal::look(&path, "https://two.test/").unwrap_err();
        assert!(
            refused.what().ends_with("is of a batch at https://one.test/, not at https://two.test/"),
            "{refused:?}"
        );
    }
}
