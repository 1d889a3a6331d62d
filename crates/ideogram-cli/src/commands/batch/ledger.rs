//! The ledger: which rows were sent from which folder, in the state folder of the user.
//!
//! The journal of a batch is in its folder and can be lost with it: the folder may be deleted, renamed, or restored from
//! an old copy, and a batch may be started again with another `--out` or `--model`. The ledger still has the rows that
//! were sent, so that none is paid again without a question. It contains fingerprints of rows and paths of folders, but
//! no prompts and no links. There is one file, in the format of a journal, for each folder of a batch.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf, absolute},
    sync::Arc,
};

use ideogram_client::{
    internal::{self, JournalKind},
    request::PartContent,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{digest::hex, journal, row::Row};
use crate::{failure::Failure, session::config};

const KIND: JournalKind = JournalKind { title: "ideogram batch ledger", format: 1 };

/// The batch of a ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) base_url: String,
    pub(super) folder: String,
    /// The file of rows; `None` if they came from standard input.
    pub(super) table: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// A row is about to be sent.
    Begun { row: String, input: String, time: String },
    /// The row did not run or was declined.
    NotBilled { row: String },
}

/// A row that was sent and may be billed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) row: String,
    /// Empty for the folder of this batch.
    pub(super) folder: PathBuf,
    pub(super) time: String,
}

/// The rows that were sent from any folder, by their input.
pub(super) type Records = HashMap<String, Vec<Record>>;

/// The ledger of one batch, open for writing.
#[derive(Clone, Debug)]
pub(super) struct Ledger(Arc<internal::Journal>);

/// A fingerprint of what a row requests, without the model: the same row with another `--model` has the same one.
pub(super) fn input_of(row: &Row) -> String {
    let mut properties: Vec<(String, String)> = Vec::new();
    for part in row.request.parts() {
        let content = match &part.content {
            PartContent::Text(text) | PartContent::Json { text, .. } => text.clone(),
            PartContent::File(file) => file.path().and_then(|path| row.digest_of(path)).unwrap_or_default().to_owned(),
            _ => continue,
        };
        properties.push((part.name.to_string(), content));
    }
    let body = row.request.json_body().and_then(|body| serde_json::from_slice::<Map<String, Value>>(body).ok());
    for (name, value) in body.into_iter().flatten() {
        match value {
            // Legacy operations have all properties in one object.
            Value::Object(nested) => properties.extend(nested.into_iter().map(|(name, value)| (name, text(value)))),
            value => properties.push((name, text(value))),
        }
    }
    for (name, _) in &mut properties {
        if name == "text_prompt" {
            "prompt".clone_into(name);
        }
    }
    properties.sort_unstable();
    hex(&Sha256::digest(json!(properties).to_string()))[..32].to_owned()
}

fn text(value: Value) -> String {
    if let Value::String(text) = value { text } else { value.to_string() }
}

/// The folder of all ledgers; `None` if the user has no home folder.
pub(super) fn folder() -> Option<PathBuf> {
    Some(config::state_folder()?.join("batches"))
}

/// The absolute path, without symbolic links if it exists.
pub(super) fn absolute_path(path: &Path) -> String {
    let path = fs::canonicalize(path).or_else(|_| absolute(path)).unwrap_or_else(|_| path.to_owned());
    path.display().to_string()
}

/// The folders from which a table was sent and that still have a journal. Blocks.
pub(super) fn folders_of(ledgers: &Path, base_url: &str, table: &Path) -> Result<Vec<PathBuf>, Failure> {
    let table = absolute_path(table);
    let mut folders = Vec::new();
    each(ledgers, base_url, |header, _| {
        let folder = PathBuf::from(&header.folder);
        if header.table.as_ref() == Some(&table) && journal::path_in(&folder).is_file() {
            folders.push(folder);
        }
    })?;
    folders.sort_unstable();
    Ok(folders)
}

/// The records of these rows, from any folder and with any model. Blocks.
pub(super) fn records(ledgers: &Path, base_url: &str, rows: &[Row]) -> Result<Records, Failure> {
    let wanted: HashSet<String> = rows.iter().map(input_of).collect();
    let mut records = Records::new();
    each(ledgers, base_url, |header, lines| {
        let mut begun: HashMap<String, (String, String)> = HashMap::new();
        for line in lines {
            match line {
                Line::Begun { row, input, time } => drop(begun.insert(row, (input, time))),
                Line::NotBilled { row } => drop(begun.remove(&row)),
            }
        }
        for (row, (input, time)) in begun {
            if wanted.contains(&input) {
                let record = Record { row, folder: PathBuf::from(&header.folder), time };
                records.entry(input).or_default().push(record);
            }
        }
    })?;
    Ok(records)
}

/// Reads every ledger of a service.
fn each(ledgers: &Path, base_url: &str, mut take: impl FnMut(&Header, Vec<Line>)) -> Result<(), Failure> {
    let cannot = |error: &io::Error| {
        Failure::local_io(format!("cannot read the records of earlier batches in \"{}\"", ledgers.display()))
            .because(error)
            .hint("nothing was sent")
    };
    let entries = match fs::read_dir(ledgers) {
        Ok(entries) => entries,
        // `Ledger::open` reports a folder that cannot be created.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return Err(cannot(&error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| cannot(&error))?.path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let mut lines = Vec::new();
        let contents = internal::Journal::read::<Header, Line>(&path, KIND, |line| lines.push(line));
        let contents = contents.map_err(|error| journal::failure(&error))?;
        if let Some(header) = contents.header.filter(|header| header.base_url == base_url) {
            take(&header, lines);
        }
    }
    Ok(())
}

impl Ledger {
    /// Opens or creates the ledger of an existing folder. Blocks.
    pub(super) fn open(ledgers: &Path, base_url: &str, folder: &Path, table: Option<&Path>) -> Result<Self, Failure> {
        let folder = absolute_path(folder);
        let name = hex(&Sha256::digest(format!("{base_url}\n{folder}")))[..32].to_owned();
        let header = Header { base_url: base_url.to_owned(), folder, table: table.map(absolute_path) };
        fs::create_dir_all(ledgers).map_err(|error| {
            Failure::local_io(format!("cannot create the folder \"{}\"", ledgers.display())).because(&error)
        })?;
        let opened =
            internal::Journal::open::<Header, Line>(&ledgers.join(format!("{name}.jsonl")), KIND, &header, |_| ());
        opened.map(|(journal, _)| Self(Arc::new(journal))).map_err(|error| journal::failure(&error))
    }

    /// Records that a row is about to be sent. On disk when this returns. Blocks.
    pub(super) fn begun(&self, row: &Row, time: &str) -> Result<(), Failure> {
        let (row, input, time) = (row.key.clone(), input_of(row), time.to_owned());
        self.append(&Line::Begun { row, input, time })
    }

    /// Records that a row is not billed. Blocks.
    pub(super) fn not_billed(&self, row: &Row) -> Result<(), Failure> {
        self.append(&Line::NotBilled { row: row.key.clone() })
    }

    fn append(&self, line: &Line) -> Result<(), Failure> {
        self.0.append(line).map_err(|error| journal::failure(&error))
    }
}
