//! The ledger: which rows were sent from which folder, in the state folder of the user.
//!
//! The journal of a batch is in its folder and can be lost with it: the folder may be deleted, renamed, or restored from
//! an old copy, and a batch may be started again with another `--out` or `--model`. The ledger still has the rows that
//! were sent, so that none is paid again without a question. It contains fingerprints of rows and paths of folders, but
//! no prompts and no links. There is one file, in the format of a journal, for each folder of a batch.
//!
//! A row is in the ledger from the moment it is sent, which may be hours after the batch began. Until then it is in the
//! [`Claim`] of the batch, so that another batch with the same row does not send it meanwhile.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf, absolute},
    sync::Arc,
};

use ideogram_client::internal::{self, JournalError, JournalErrorKind, JournalKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

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

/// A row that was sent and may be billed, or that a batch which is running is going to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) row: String,
    /// Empty for the folder of this batch.
    pub(super) folder: PathBuf,
    /// Empty if it is not known.
    pub(super) time: String,
    /// Whether it is only claimed.
    pub(super) is_claimed: bool,
}

/// The rows that were sent from any folder, by their input.
pub(super) type Records = HashMap<String, Vec<Record>>;

/// The ledger of one batch, open for writing.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    journal: Arc<internal::Journal>,
}

/// The rows that a batch is going to send: a file beside its ledger, which counts while the ledger is locked, and is
/// removed when this is dropped.
///
/// A batch first writes its claim and then reads those of the others. Of two that begin at the same time, at least one
/// reads the claim of the other, and sends nothing.
#[derive(Debug)]
pub(super) struct Claim(PathBuf);

/// The key and the input of each row.
type Claimed = Vec<(String, String)>;

/// A fingerprint of what a row requests, without the model: the same row with another `--model` has the same one.
pub(super) fn input_of(row: &Row) -> String {
    let mut properties = row.properties();
    for (name, _) in &mut properties {
        if name == "text_prompt" {
            "prompt".clone_into(name);
        }
    }
    properties.sort_unstable();
    hex(&Sha256::digest(json!(properties).to_string()))[..32].to_owned()
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
    each(ledgers, base_url, |_, header, _| {
        let folder = PathBuf::from(&header.folder);
        if header.table.as_ref() == Some(&table) && journal::path_in(&folder).is_file() {
            folders.push(folder);
        }
        Ok(())
    })?;
    folders.sort_unstable();
    Ok(folders)
}

/// Returns what was sent for these rows from any folder and with any model, and what other running batches have
/// claimed. Blocks.
pub(super) fn records(ledgers: &Path, base_url: &str, folder: &Path, rows: &[Row]) -> Result<Records, Failure> {
    let wanted: HashSet<String> = rows.iter().map(input_of).collect();
    let own = absolute_path(folder);
    let mut records = Records::new();
    each(ledgers, base_url, |path, header, lines| {
        let mut begun: BTreeMap<String, (String, String)> = BTreeMap::new();
        for line in lines {
            match line {
                Line::Begun { row, input, time } => drop(begun.insert(row, (input, time))),
                Line::NotBilled { row } => drop(begun.remove(&row)),
            }
        }
        for (row, (input, time)) in begun {
            if wanted.contains(&input) {
                let record = Record { row, folder: PathBuf::from(&header.folder), time, is_claimed: false };
                records.entry(input).or_default().push(record);
            }
        }
        let claimed = if header.folder == own { Vec::new() } else { claimed(path)? };
        for (row, input) in claimed {
            if wanted.contains(&input) {
                let (folder, time) = (PathBuf::from(&header.folder), String::new());
                records.entry(input).or_default().push(Record { row, folder, time, is_claimed: true });
            }
        }
        Ok(())
    })?;
    Ok(records)
}

/// Explains an error of a ledger, and what to do.
fn unusable(error: &JournalError) -> Failure {
    match error.kind() {
        JournalErrorKind::Damaged { .. } => Failure::usage(error.to_string()).hint(
            "nothing was sent; restore a complete copy, or move the file away: then its rows are sent from other folders \
             without a question",
        ),
        _ => journal::failure(error),
    }
}

fn claim_of(ledger: &Path) -> PathBuf {
    ledger.with_extension("claim")
}

/// The rows that the batch of a ledger claims; none if it does not run.
fn claimed(ledger: &Path) -> Result<Claimed, Failure> {
    let path = claim_of(ledger);
    let cannot = |error: &io::Error| {
        Failure::local_io(format!("cannot read the claim of a batch that is running, \"{}\"", path.display()))
            .because(error)
            .hint("nothing was sent")
    };
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(cannot(&error)),
    };
    if !internal::Journal::is_in_use(ledger).map_err(|error| unusable(&error))? {
        return Ok(Vec::new());
    }
    serde_json::from_slice(&text).map_err(|error| cannot(&error.into()))
}

/// Reads every ledger of a service.
fn each(
    ledgers: &Path,
    base_url: &str,
    mut take: impl FnMut(&Path, &Header, Vec<Line>) -> Result<(), Failure>,
) -> Result<(), Failure> {
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
        let contents = contents.map_err(|error| unusable(&error))?;
        if let Some(header) = contents.header.filter(|header| header.base_url == base_url) {
            take(&path, &header, lines)?;
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
        let path = ledgers.join(format!("{name}.jsonl"));
        let opened = internal::Journal::open::<Header, Line>(&path, KIND, &header, |_| ());
        let (journal, _) = opened.map_err(|error| unusable(&error))?;
        Ok(Self { path, journal: Arc::new(journal) })
    }

    /// Claims rows. Blocks.
    pub(super) fn claim<'r>(&self, rows: impl Iterator<Item = &'r Row>) -> Result<Claim, Failure> {
        let path = claim_of(&self.path);
        let claimed: Claimed = rows.map(|row| (row.key.clone(), input_of(row))).collect();
        let write = || {
            let part = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
            let mut file = BufWriter::new(part.as_file());
            serde_json::to_writer(&mut file, &claimed)?;
            file.flush()?;
            drop(file);
            part.persist(&path)?;
            Ok(())
        };
        let written = write().map_err(|error: io::Error| {
            Failure::local_io(format!("cannot write \"{}\"", path.display())).because(&error).hint("nothing was sent")
        });
        written.map(|()| Claim(path))
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
        self.journal.append(line).map_err(|error| unusable(&error))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // A claim that stays counts for nothing once the ledger is unlocked.
        let _ = fs::remove_file(&self.0);
    }
}
