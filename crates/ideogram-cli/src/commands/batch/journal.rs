//! What was asked and paid, kept on disk, so that a batch that is interrupted goes on where it stopped.
//!
//! JSON lines: a header, then one line before a row is sent and one when it is done with, each on the disk before
//! anything else happens. A row that was begun and has no end was under way when the process ended: nobody knows whether
//! it is paid, unless its answer was kept. A process that is killed can leave half a line at the end, which counts for
//! nothing; damage elsewhere is an error, since a guess could pay twice. The file is locked as long as a batch uses it;
//! the system takes the lock back when the process is gone.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Raised when the form of the file changes.
const FORMAT: u32 = 1;
/// What a file says to be a journal.
const TITLE: &str = "ideogram batch";
/// How every journal begins, whole or torn.
const TITLE_BEGIN: &[u8] = b"{\"journal\":\"ideogram batch\"";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    journal: String,
    format: u32,
    /// Of which service.
    base_url: String,
}

/// Every other line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// A run begins.
    Run(Run),
    /// A row is about to be sent.
    Begun(Begun),
    /// The answer to a row is there, and what became of its pictures.
    Finished(Finished),
    /// A row has no answer.
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
    pub(super) name: String,
    pub(super) line: u64,
    pub(super) time: String,
    pub(super) operation: String,
    pub(super) prompt: String,
    /// How many pictures were asked for.
    pub(super) pictures: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Finished {
    pub(super) row: String,
    /// Where the answer is, from the folder of the journal.
    pub(super) kept: String,
    pub(super) pictures: Vec<Picture>,
}

/// A picture of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Picture {
    pub(super) result: PictureResult,
    /// Its file, in the folder of the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<i64>,
    /// The prompt that made it, where it is not the one that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) prompt: Option<String>,
    /// Why it is not saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PictureResult {
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
    pub(super) fate: Fate,
    /// The kind of the error, for programs.
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    pub(super) message: String,
    /// Where what arrived of an answer is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kept: Option<String>,
    /// An answer that could not be kept as a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<String>,
}

/// What is known of a row without pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fate {
    /// It did not run, is not billed, and may do better another time.
    NotRun,
    /// It was refused for what it asks, is not billed, and would be refused again.
    Declined,
    /// Nobody knows whether it ran and was billed.
    Unknown,
    /// It ran and was billed, and its answer cannot be read.
    Unreadable,
}

/// The last that a journal tells of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    None,
    Finished(Finished),
    Failed(Failed),
}

/// What a journal tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Past {
    pub(super) rows: HashMap<String, (Begun, End)>,
    pub(super) last_run: Option<Run>,
    /// How many pictures were asked for and may be billed, of all runs together.
    pub(super) pictures: u64,
}

impl Past {
    fn take(&mut self, line: Line) {
        match line {
            Line::Run(run) => self.last_run = Some(run),
            Line::Begun(begun) => {
                self.pictures += u64::from(begun.pictures);
                self.rows.insert(begun.row.clone(), (begun, End::None));
            }
            Line::Finished(finished) => {
                if let Some((_, end)) = self.rows.get_mut(&finished.row) {
                    *end = End::Finished(finished);
                }
            }
            Line::Failed(failed) => {
                if let Some((begun, end)) = self.rows.get_mut(&failed.row) {
                    if matches!(failed.fate, Fate::NotRun | Fate::Declined) {
                        self.pictures = self.pictures.saturating_sub(u64::from(begun.pictures));
                    }
                    *end = End::Failed(failed);
                }
            }
        }
    }
}

/// A journal that is open, and nobody else's.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: Arc<Mutex<File>>,
}

impl Journal {
    /// Opens a journal or begins one, and reads what it tells.
    pub(super) fn open(path: PathBuf, base_url: &str) -> Result<(Self, Past), Failure> {
        let header = Header { journal: TITLE.to_owned(), format: FORMAT, base_url: base_url.to_owned() };
        let (file, past) = open(&path, &header).map_err(|why| why.at(&path))?;
        Ok((Self { path, file: Arc::new(Mutex::new(file)) }, past))
    }

    /// What a journal tells, without taking it over; nothing if there is none.
    pub(super) fn look(path: &Path, base_url: &str) -> Result<Past, Failure> {
        let header = Header { journal: TITLE.to_owned(), format: FORMAT, base_url: base_url.to_owned() };
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Past::default()),
            Err(error) => return Err(Trouble::Io(error).at(path)),
        };
        let past =
            whole(&text).and_then(|whole| if whole == 0 { Ok(None) } else { read(&text[..whole], &header).map(Some) });
        past.map(Option::unwrap_or_default).map_err(|why| why.at(path))
    }

    /// Writes a line down. It is on the disk when this returns.
    pub(super) async fn write(&self, line: &Line) -> Result<(), Failure> {
        let mut text = serde_json::to_vec(line).expect("lines are made of strings and numbers");
        text.push(b'\n');
        let file = Arc::clone(&self.file);
        let written = tokio::task::spawn_blocking(move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let end = file.stream_position()?;
            let written = file.write_all(&text).and_then(|()| file.sync_data());
            if written.is_err() {
                // Half a line in the middle would make the journal unreadable.
                let _ = file.set_len(end).and_then(|()| file.seek(SeekFrom::Start(end)));
            }
            written
        });
        let written = written.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        written.map_err(|error| Trouble::from(error).at(&self.path))
    }
}

/// Why a journal cannot be used.
enum Trouble {
    Io(io::Error),
    Unusable(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Trouble {
    fn at(self, path: &Path) -> Failure {
        let place = path.display();
        match self {
            Self::Io(error) => Failure::local_io(format!("the journal \"{place}\" cannot be used")).because(&error),
            Self::Unusable(why) => Failure::usage(format!("the journal \"{place}\" {why}")),
        }
    }
}

fn open(path: &Path, header: &Header) -> Result<(File, Past), Trouble> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    match fs4::FileExt::try_lock(&file) {
        Ok(()) => {}
        Err(fs4::TryLockError::WouldBlock) => {
            return Err(Trouble::Unusable("is in use by another batch; wait for it to end".to_owned()));
        }
        Err(fs4::TryLockError::Error(error)) => return Err(error.into()),
    }
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let whole = whole(&text)?;
    let past = if whole == 0 { None } else { Some(read(&text[..whole], header)?) };
    file.set_len(whole as u64)?;
    file.seek(SeekFrom::End(0))?;
    if let Some(past) = past {
        return Ok((file, past));
    }
    let mut line = serde_json::to_vec(header).expect("a header is made of strings and numbers");
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_all()?;
    sync_folder_of(path)?;
    Ok((file, Past::default()))
}

/// How much of a journal counts: what comes after the last line break was being written when the process ended, and was
/// not acted upon.
fn whole(text: &[u8]) -> Result<usize, Trouble> {
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let begins_well = text.starts_with(TITLE_BEGIN) || TITLE_BEGIN.starts_with(text);
    if begins_well { Ok(whole) } else { Err(Trouble::Unusable("is another kind of file".to_owned())) }
}

fn read(text: &[u8], expected: &Header) -> Result<Past, Trouble> {
    let damaged = |number: usize, why: &dyn std::fmt::Display| {
        let why = format!("cannot be understood in line {number} ({why}); to begin anew, choose another folder");
        Trouble::Unusable(why)
    };
    let mut lines = text.split(|byte| *byte == b'\n').enumerate().map(|(index, line)| (index + 1, line));
    let (_, first) = lines.next().unwrap_or_default();
    let header: Header = serde_json::from_slice(first).map_err(|error| damaged(1, &error))?;
    if header.format != FORMAT {
        let why = format!("has the format {}, and this version reads {FORMAT}", header.format);
        return Err(Trouble::Unusable(why));
    }
    if header.base_url != expected.base_url {
        let why = format!("is of a batch at {}, not at {}; choose another folder", header.base_url, expected.base_url);
        return Err(Trouble::Unusable(why));
    }
    let mut past = Past::default();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        past.take(serde_json::from_slice(line).map_err(|error| damaged(number, &error))?);
    }
    Ok(past)
}

/// A new file is not there for sure before its folder is on the disk.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://example.test/";

    fn begun(row: &str) -> Line {
        let text = String::new;
        let (row, name, time) = (row.to_owned(), text(), text());
        Line::Begun(Begun { row, name, line: 1, time, operation: text(), prompt: text(), pictures: 2 })
    }

    fn failed(row: &str, fate: Fate) -> Line {
        let (row, kind, message) = (row.to_owned(), String::new(), String::new());
        Line::Failed(Failed { row, fate, kind, status: None, message, kept: None, answer: None })
    }

    fn fates(past: &Past) -> Vec<(&str, Option<Fate>)> {
        let fate = |end: &End| match end {
            End::None => None,
            End::Failed(failed) => Some(failed.fate),
            End::Finished(_) => panic!("nothing is finished here"),
        };
        let mut fates: Vec<_> = past.rows.iter().map(|(row, (_, end))| (row.as_str(), fate(end))).collect();
        fates.sort_unstable_by_key(|(row, _)| *row);
        fates
    }

    #[tokio::test]
    async fn a_journal_cut_anywhere_is_as_good_as_its_whole_lines() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("batch.jsonl");
        {
            let (journal, _) = Journal::open(path.clone(), URL).unwrap();
            journal.write(&begun("a")).await.unwrap();
            journal.write(&failed("a", Fate::Declined)).await.unwrap();
        }
        let text = fs::read(&path).unwrap();
        let ends: Vec<_> = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();

        for cut in 0..=text.len() {
            fs::write(&path, &text[..cut]).unwrap();

            let (expected, pictures) = match cut {
                cut if cut <= ends[1] => (vec![], 0),
                cut if cut <= ends[2] => (vec![("a", None)], 2),
                _ => (vec![("a", Some(Fate::Declined))], 0),
            };
            let looked = Journal::look(&path, URL).unwrap();
            assert_eq!((fates(&looked), looked.pictures), (expected.clone(), pictures), "cut at {cut}");
            let (journal, past) = Journal::open(path.clone(), URL).unwrap();
            assert_eq!((fates(&past), past.pictures), (expected, pictures), "cut at {cut}");

            journal.write(&begun("z")).await.unwrap();
            drop(journal);
            let (_journal, past) = Journal::open(path.clone(), URL).unwrap();
            assert_eq!(fates(&past).last(), Some(&("z", None)), "cut at {cut}");
        }
    }

    #[test]
    fn a_journal_of_something_else_is_refused_and_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("batch.jsonl");
        for text in [
            "{\"prompt\":\"a\"}\n",
            "no line break",
            "{\"journal\":\"ideogram batch\",\"format\":9,\"base_url\":\"\"}\n",
        ] {
            fs::write(&path, text).unwrap();

            assert!(Journal::open(path.clone(), URL).is_err(), "{text}");
            assert!(Journal::look(&path, URL).is_err(), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_journal_is_one_batchs_at_a_time_and_of_one_service() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("batch.jsonl");
        let (journal, _) = Journal::open(path.clone(), URL).unwrap();

        let second = Journal::open(path.clone(), URL).unwrap_err();
        assert!(second.what().ends_with("is in use by another batch; wait for it to end"), "{second:?}");
        drop(journal);
        assert!(Journal::open(path.clone(), "https://other.test/").is_err());
        assert!(Journal::open(path, URL).is_ok());
    }
}
