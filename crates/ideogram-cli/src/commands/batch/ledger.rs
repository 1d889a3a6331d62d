//! The ledger: which rows this account has begun in which folder, kept where the platform keeps the state of programs.
//!
//! The journal of a batch lies in its folder and shares its state: the folder may be deleted, renamed, or brought back
//! from an old copy, and a batch may be started again with another `--out` or `--model`. The ledger remembers all the
//! same what was begun, so that nothing is paid again without a question. It holds fingerprints of rows and paths of
//! folders, no prompt and no link. There is one file for each folder of a batch, a journal like any other.

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

use super::{
    journal,
    row::{Row, hex},
};
use crate::{failure::Failure, session::config};

const KIND: JournalKind = JournalKind { title: "ideogram batch ledger", format: 1 };

/// Which batch a ledger is of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) base_url: String,
    /// The folder of the batch.
    pub(super) folder: String,
    /// The file of rows; `None` if they came from standard input.
    pub(super) table: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// A row is about to be sent.
    Begun { row: String, input: String, time: String },
    /// The row did not run or was declined: it is not billed.
    NotBilled { row: String },
}

/// A row that was begun and may be billed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) row: String,
    /// Where; empty for the folder of this batch itself.
    pub(super) folder: PathBuf,
    pub(super) time: String,
}

/// The rows that were begun in any folder, by what they ask for.
pub(super) type Records = HashMap<String, Vec<Record>>;

/// The ledger of one batch, open for writing.
#[derive(Clone, Debug)]
pub(super) struct Ledger(Arc<internal::Journal>);

/// A fingerprint of what a row asks for, whatever model makes it: the same row with another `--model` has the same one.
pub(super) fn input_of(row: &Row) -> String {
    let mut members: Vec<(String, String)> = Vec::new();
    for part in row.request.parts() {
        let content = match &part.content {
            PartContent::Text(text) | PartContent::Json { text, .. } => text.clone(),
            PartContent::File(file) => file.path().and_then(|path| row.digest_of(path)).unwrap_or_default().to_owned(),
            _ => continue,
        };
        members.push((part.name.to_string(), content));
    }
    let body = row.request.json_body().and_then(|body| serde_json::from_slice::<Map<String, Value>>(body).ok());
    for (name, value) in body.into_iter().flatten() {
        match value {
            // Legacy operations have all members in one object.
            Value::Object(nested) => members.extend(nested.into_iter().map(|(name, value)| (name, text(value)))),
            value => members.push((name, text(value))),
        }
    }
    for (name, _) in &mut members {
        if name == "text_prompt" {
            "prompt".clone_into(name);
        }
    }
    members.sort_unstable();
    hex(&Sha256::digest(json!(members).to_string()))[..32].to_owned()
}

fn text(value: Value) -> String {
    if let Value::String(text) = value { text } else { value.to_string() }
}

/// Where ledgers are; `None` if this account has no home.
pub(super) fn place() -> Option<PathBuf> {
    Some(config::state_folder()?.join("batches"))
}

/// Where a file or folder is, whatever the working folder. What does not exist yet has no other name.
pub(super) fn whole_path(path: &Path) -> String {
    let path = fs::canonicalize(path).or_else(|_| absolute(path)).unwrap_or_else(|_| path.to_owned());
    path.display().to_string()
}

/// The folders in which a table was begun and that still have a journal. Blocks.
pub(super) fn folders_of(place: &Path, base_url: &str, table: &Path) -> Result<Vec<PathBuf>, Failure> {
    let table = whole_path(table);
    let mut folders = Vec::new();
    each(place, base_url, |header, _| {
        let folder = PathBuf::from(&header.folder);
        if header.table.as_ref() == Some(&table) && journal::path_in(&folder).is_file() {
            folders.push(folder);
        }
    })?;
    folders.sort_unstable();
    Ok(folders)
}

/// What was begun of these rows, in any folder and with any model. Blocks.
pub(super) fn records(place: &Path, base_url: &str, rows: &[Row]) -> Result<Records, Failure> {
    let wanted: HashSet<String> = rows.iter().map(input_of).collect();
    let mut records = Records::new();
    each(place, base_url, |header, lines| {
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

/// Hands over every ledger of a service.
fn each(place: &Path, base_url: &str, mut take: impl FnMut(&Header, Vec<Line>)) -> Result<(), Failure> {
    let cannot = |error: &io::Error| {
        Failure::local_io(format!("cannot read what was begun before in \"{}\"", place.display()))
            .because(error)
            .hint("nothing was sent")
    };
    let entries = match fs::read_dir(place) {
        Ok(entries) => entries,
        // Where none can be, none was written: `Ledger::open` says so.
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
    /// Opens the ledger of a folder that exists, or begins it. Blocks.
    pub(super) fn open(place: &Path, base_url: &str, folder: &Path, table: Option<&Path>) -> Result<Self, Failure> {
        let folder = whole_path(folder);
        let name = hex(&Sha256::digest(format!("{base_url}\n{folder}")))[..32].to_owned();
        let header = Header { base_url: base_url.to_owned(), folder, table: table.map(whole_path) };
        fs::create_dir_all(place).map_err(|error| {
            Failure::local_io(format!("cannot make the folder \"{}\"", place.display())).because(&error)
        })?;
        let opened =
            internal::Journal::open::<Header, Line>(&place.join(format!("{name}.jsonl")), KIND, &header, |_| ());
        opened.map(|(journal, _)| Self(Arc::new(journal))).map_err(|error| journal::failure(&error))
    }

    /// Notes a row as begun. On disk when this returns. Blocks.
    pub(super) fn begun(&self, row: &Row, time: &str) -> Result<(), Failure> {
        let (row, input, time) = (row.key.clone(), input_of(row), time.to_owned());
        self.append(&Line::Begun { row, input, time })
    }

    /// Notes that a row is not billed. Blocks.
    pub(super) fn not_billed(&self, row: &Row) -> Result<(), Failure> {
        self.append(&Line::NotBilled { row: row.key.clone() })
    }

    fn append(&self, line: &Line) -> Result<(), Failure> {
        self.0.append(line).map_err(|error| journal::failure(&error))
    }
}
