//! The journal of a sync: it records uploads, so that an interrupted sync can continue.
//!
//! There is one line before a chunk is sent and one after it ([`crate::fs::journal`] stores them). The files of a chunk
//! without an end, or with an end without a response, are looked up in the dataset.
//!
//! The journal itself cannot detect that its last lines are missing, because it was deleted, cut, or replaced by an
//! earlier copy. So a second file contains the number of the last chunk. If the journal does not contain that chunk, it
//! is not known which files were sent, and files that the dataset does not list are uncertain.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs::OpenOptions,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind, Outcome,
    fs::journal::{self, JournalError, JournalErrorKind, JournalKind},
    types::DatasetAssetFailureReason,
};

const KIND: JournalKind = JournalKind { title: "ideogram dataset sync", format: 3 };

/// Which dataset the journal belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    dataset_id: String,
    /// The address of the service.
    base_url: String,
}

/// Every other line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// A chunk is about to be sent.
    Begin(Begin),
    /// The result of a chunk.
    End(End),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Begin {
    pub(crate) chunk: u64,
    /// The time, in seconds since 1970.
    pub(crate) time: f64,
    /// The number of files without a name in the dataset before.
    pub(crate) nameless: usize,
    pub(crate) files: Vec<Sent>,
}

/// A file of a chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sent {
    pub(crate) name: String,
    pub(crate) size_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) chunk: u64,
    /// The time, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<f64>,
    pub(crate) result: ChunkResult,
    /// The files that the service reports as stored.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) stored: BTreeSet<String>,
    /// The files that the service refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) failed: BTreeMap<String, DatasetAssetFailureReason>,
    /// Why there is no response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChunkResult {
    /// The service reported which files it has stored.
    Reported,
    /// Nothing was stored: the chunk did not reach the service, or was refused.
    NotStored,
    /// The chunk may have been stored.
    Unknown,
}

/// What the journal records of a file that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastSeen {
    pub(crate) size_bytes: u64,
    /// The number of files without a name in the dataset before.
    pub(crate) nameless: usize,
    /// When it was last in flight, by the clock at that time.
    pub(crate) time: SystemTime,
    /// The names that were sent in the same chunk.
    pub(crate) companions: Arc<[String]>,
    pub(crate) outcome: UploadOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UploadOutcome {
    /// No response has arrived.
    InFlight,
    /// The response reports it neither as stored nor as failed.
    Accepted,
    /// The response reports it as stored.
    Confirmed,
    Failed(DatasetAssetFailureReason),
    NotStored,
}

/// What a journal records of the files that were sent, by name. A later chunk overrides an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// Whether lines of the journal are missing, so that other files may have been sent.
    pub(crate) lacks_lines: bool,
    pub(crate) files: BTreeMap<String, LastSeen>,
    chunks: BTreeMap<u64, Vec<String>>,
    last_chunk: u64,
}

impl History {
    pub(crate) fn take(&mut self, line: &Line) {
        match line {
            Line::Begin(begin) => {
                self.last_chunk = self.last_chunk.max(begin.chunk);
                let companions: Arc<[String]> = begin.files.iter().map(|file| file.name.clone()).collect();
                let time = moment(begin.time);
                for file in &begin.files {
                    let (size_bytes, nameless) = (file.size_bytes, begin.nameless);
                    let companions = Arc::clone(&companions);
                    let known = LastSeen { size_bytes, nameless, time, companions, outcome: UploadOutcome::InFlight };
                    self.files.insert(file.name.clone(), known);
                }
                self.chunks.insert(begin.chunk, companions.to_vec());
            }
            Line::End(end) => {
                for name in self.chunks.get(&end.chunk).into_iter().flatten() {
                    let Some(known) = self.files.get_mut(name) else { continue };
                    known.time = end.time.map_or(known.time, moment);
                    known.outcome = match (end.result, end.failed.get(name)) {
                        (ChunkResult::Reported, Some(reason)) => UploadOutcome::Failed(reason.clone()),
                        (ChunkResult::Reported, None) if end.stored.contains(name) => UploadOutcome::Confirmed,
                        (ChunkResult::Reported, None) => UploadOutcome::Accepted,
                        (ChunkResult::NotStored, _) => UploadOutcome::NotStored,
                        (ChunkResult::Unknown, _) => UploadOutcome::InFlight,
                    };
                }
            }
        }
    }

    /// Returns the number of a new chunk.
    pub(crate) fn take_number(&mut self) -> u64 {
        self.last_chunk += 1;
        self.last_chunk
    }
}

/// Returns the current time for a line.
pub(crate) fn now() -> f64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // Milliseconds are precise enough, and easier to read.
    (since_1970.as_secs_f64() * 1000.0).round() / 1000.0
}

/// Returns the time of a line; 1970 if it is not valid.
fn moment(time: f64) -> SystemTime {
    let since_1970 = Duration::try_from_secs_f64(time).unwrap_or_default();
    SystemTime::UNIX_EPOCH.checked_add(since_1970).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// An open, locked journal.
#[derive(Clone, Debug)]
pub(crate) struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    journal: journal::Journal,
    path: PathBuf,
    /// The number in the second file.
    last_chunk: Mutex<u64>,
}

impl Journal {
    /// Opens or creates a journal, and reads its lines.
    ///
    /// # Errors
    ///
    /// If it cannot be read or written, another sync uses it, it is damaged, or of another dataset.
    pub(crate) async fn open(path: PathBuf, dataset_id: &str, base_url: &str) -> Result<(Self, History), Error> {
        let header = Header { dataset_id: dataset_id.to_owned(), base_url: base_url.to_owned() };
        blocking(move || Self::open_now(path, &header)).await
    }

    fn open_now(path: PathBuf, header: &Header) -> Result<(Self, History), Error> {
        let mut history = History::default();
        let opened = journal::Journal::open(&path, KIND, header, |line: Line| history.take(&line));
        let (journal, contents) = opened.map_err(unusable)?;
        if let Some(actual) = contents.header
            && actual != *header
        {
            let (path, actual_url, url) = (path.display(), actual.base_url, &header.base_url);
            return Err(Error::invalid_argument(format!(
                "the journal \"{path}\" is of the dataset {} at {actual_url}, not {} at {url}",
                actual.dataset_id, header.dataset_id
            )));
        }
        let last_chunk = read_number(&number_path(&path)).map_err(|error| cannot_use(&path, error))?;
        history.lacks_lines = history.last_chunk < last_chunk;
        history.last_chunk = history.last_chunk.max(last_chunk);
        Ok((Self(Arc::new(Inner { journal, path, last_chunk: Mutex::new(last_chunk) })), history))
    }

    /// Appends a line. It is on disk when this returns.
    pub(crate) async fn write(&self, line: &Line) -> Result<(), Error> {
        let (inner, line) = (Arc::clone(&self.0), line.clone());
        blocking(move || inner.write(&line)).await
    }
}

impl Inner {
    fn write(&self, line: &Line) -> Result<(), Error> {
        self.journal.append(line).map_err(unusable)?;
        if let Line::Begin(begin) = line {
            let mut last_chunk = self.last_chunk.lock().unwrap_or_else(PoisonError::into_inner);
            if begin.chunk > *last_chunk {
                write_number(&number_path(&self.path), begin.chunk).map_err(|error| cannot_use(&self.path, error))?;
                *last_chunk = begin.chunk;
            }
        }
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(task: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(task).await;
    done.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::LocalIo, Outcome::NotSent, "the journal cannot be used").with_source(error))
    })
}

fn unusable(error: JournalError) -> Error {
    let message = error.to_string();
    match error.kind() {
        JournalErrorKind::Io(_) | JournalErrorKind::Replaced | JournalErrorKind::Changed => {
            Error::new(ErrorKind::LocalIo, Outcome::NotSent, message).with_source(error)
        }
        JournalErrorKind::Damaged { .. } => Error::invalid_argument(format!(
            "{message}; restore the file, or move it away: then files that the dataset does not list are uncertain, \
             and not sent unless requested"
        )),
        _ => Error::invalid_argument(message),
    }
}

fn cannot_use(path: &Path, error: io::Error) -> Error {
    let path = number_path(path);
    let message = format!("the second file of the journal, \"{}\", cannot be read or written: {error}", path.display());
    Error::new(ErrorKind::LocalIo, Outcome::NotSent, message).with_source(error)
}

/// Returns the path of the file with the number of the last chunk: `sync.jsonl.last`.
fn number_path(journal: &Path) -> PathBuf {
    let mut name = journal.file_name().map(OsString::from).unwrap_or_default();
    name.push(".last");
    journal.with_file_name(name)
}

/// Returns whether the last lines of a journal are missing: it was deleted, cut, or replaced by an earlier copy.
///
/// # Errors
///
/// If it cannot be read.
pub fn lacks_lines(path: &Path) -> Result<bool, JournalError> {
    let mut history = History::default();
    journal::Journal::read::<Header, _>(path, KIND, |line: Line| history.take(&line))?;
    Ok(history.last_chunk < read_number(&number_path(path)).unwrap_or_default())
}

/// Reads the number in a file; 0 if there is none.
fn read_number(path: &Path) -> io::Result<u64> {
    let file = match OpenOptions::new().read(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        file => file?,
    };
    let mut text = String::new();
    file.take(DIGITS as u64 + 1).read_to_string(&mut text)?;
    Ok(text.trim().parse().unwrap_or_default())
}

/// The maximum number of digits.
const DIGITS: usize = 20;

/// Overwrites the number in a file. All numbers have the same length, so the file never gets shorter.
fn write_number(path: &Path, number: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    file.write_all(format!("{number:0DIGITS$}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const URL: &str = "https://example.test/";

    fn begin(chunk: u64, names: &[&str]) -> Line {
        let files = names.iter().map(|name| Sent { name: (*name).to_owned(), size_bytes: 7 }).collect();
        Line::Begin(Begin { chunk, time: 0.0, nameless: 0, files })
    }

    fn end(chunk: u64, result: ChunkResult, failed: &[(&str, DatasetAssetFailureReason)]) -> Line {
        let failed = failed.iter().map(|(name, reason)| ((*name).to_owned(), reason.clone())).collect();
        Line::End(End { chunk, time: None, result, stored: ["s".to_owned()].into(), failed, error: None })
    }

    fn outcomes(history: &History) -> Vec<(&str, UploadOutcome)> {
        history.files.iter().map(|(name, known)| (name.as_str(), known.outcome.clone())).collect()
    }

    #[tokio::test]
    async fn lines_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sync.jsonl");
        {
            let (journal, history) = Journal::open(path.clone(), "d", URL).await.unwrap();
            assert_eq!(history, History::default());
            for line in [
                begin(1, &["a", "b"]),
                begin(2, &["c"]),
                end(1, ChunkResult::Reported, &[("b", DatasetAssetFailureReason::InvalidImage)]),
                begin(5, &["s", "t"]),
                end(5, ChunkResult::Reported, &[]),
                begin(3, &["d"]),
                end(3, ChunkResult::NotStored, &[]),
                begin(4, &["e"]),
                end(4, ChunkResult::Unknown, &[]),
            ] {
                journal.write(&line).await.unwrap();
            }
        }

        let (_journal, mut history) = Journal::open(path, "d", URL).await.unwrap();

        assert_eq!(
            outcomes(&history),
            [
                ("a", UploadOutcome::Accepted),
                ("b", UploadOutcome::Failed(DatasetAssetFailureReason::InvalidImage)),
                ("c", UploadOutcome::InFlight),
                ("d", UploadOutcome::NotStored),
                ("e", UploadOutcome::InFlight),
                ("s", UploadOutcome::Confirmed),
                ("t", UploadOutcome::Accepted),
            ]
        );
        assert_eq!(history.take_number(), 6);
        assert_eq!(*history.files["b"].companions, ["a".to_owned(), "b".to_owned()]);
    }

    #[test]
    fn a_file_was_last_in_flight_when_its_chunk_ended() {
        let mut history = History::default();
        let begin = |time: &str| {
            format!(r#"{{"begin":{{"chunk":1,"time":{time},"nameless":0,"files":[{{"name":"a","size_bytes":7}}]}}}}"#)
        };
        let mut seconds = |line: &str| {
            history.take(&serde_json::from_str(line).unwrap());
            history.files["a"].time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64()
        };

        assert!((seconds(&begin("1790000000")) - 1_790_000_000.0).abs() < 0.001);
        assert!((seconds(r#"{"end":{"chunk":1,"result":"unknown"}}"#) - 1_790_000_000.0).abs() < 0.001);
        assert!(
            (seconds(r#"{"end":{"chunk":1,"time":1790000100.5,"result":"unknown"}}"#) - 1_790_000_100.5).abs() < 0.001
        );
        assert!(seconds(&begin("-1")) < 0.001);
        assert!(seconds(&begin("1e300")) < 0.001);
    }

    /// A journal of two chunks; `a` was stored, `b` is in flight.
    async fn written(path: &Path) {
        let (journal, _) = Journal::open(path.to_owned(), "d", URL).await.unwrap();
        journal.write(&begin(1, &["a"])).await.unwrap();
        journal.write(&end(1, ChunkResult::Reported, &[])).await.unwrap();
        journal.write(&begin(2, &["b"])).await.unwrap();
    }

    #[tokio::test]
    async fn a_journal_cut_anywhere_detects_a_missing_chunk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sync.jsonl");
        written(&path).await;
        let text = fs::read(&path).unwrap();
        let number = fs::read(number_path(&path)).unwrap();

        for cut in 0..=text.len() {
            fs::write(&path, &text[..cut]).unwrap();
            fs::write(number_path(&path), &number).unwrap();
            let is_whole = cut + 1 >= text.len();

            assert_eq!(lacks_lines(&path).unwrap(), !is_whole, "cut at {cut}");
            let (journal, mut history) = Journal::open(path.clone(), "d", URL).await.unwrap();
            assert_eq!(history.lacks_lines, !is_whole, "cut at {cut}");
            assert_eq!(history.files.contains_key("b"), is_whole);
            // The number is new, even if the journal lacks lines.
            assert_eq!(history.take_number(), 3);

            journal.write(&begin(3, &["z"])).await.unwrap();
            drop(journal);
            let (_journal, history) = Journal::open(path.clone(), "d", URL).await.unwrap();
            assert_eq!(
                (history.files["z"].outcome.clone(), history.lacks_lines),
                (UploadOutcome::InFlight, false),
                "cut at {cut}"
            );
        }
    }

    #[tokio::test]
    async fn a_journal_that_was_deleted_or_replaced_by_an_earlier_copy_lacks_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sync.jsonl");
        drop(Journal::open(path.clone(), "d", URL).await.unwrap());
        let earlier = fs::read(&path).unwrap();
        assert!(!lacks_lines(&path).unwrap());
        written(&path).await;
        assert!(!lacks_lines(&path).unwrap());

        fs::remove_file(&path).unwrap();
        assert!(lacks_lines(&path).unwrap());
        fs::write(&path, earlier).unwrap();
        assert!(lacks_lines(&path).unwrap());
        // Without both files, nothing is missing.
        fs::remove_file(number_path(&path)).unwrap();
        assert!(!lacks_lines(&path).unwrap());
    }

    #[tokio::test]
    async fn a_journal_that_is_replaced_while_it_is_open_takes_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sync.jsonl");
        let (journal, _) = Journal::open(path.clone(), "d", URL).await.unwrap();
        fs::remove_file(&path).unwrap();

        let error = journal.write(&begin(1, &["a"])).await.unwrap_err();

        assert_eq!((error.kind(), error.outcome()), (ErrorKind::LocalIo, Outcome::NotSent));
        assert!(error.to_string().contains("deleted, renamed or replaced"), "{error}");
    }

    #[tokio::test]
    async fn another_journal_is_refused_and_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sync.jsonl");
        drop(Journal::open(path.clone(), "d", URL).await.unwrap());
        let good = fs::read_to_string(&path).unwrap();
        for (text, dataset, url, expected) in [
            (good.clone(), "other", URL, "is of the dataset d"),
            (good.clone(), "d", "http://localhost/", "is of the dataset d"),
            (good.replace("\"format\":3", "\"format\":1"), "d", URL, "has the format 1"),
            (format!("{good}garbage\n"), "d", URL, "is damaged in line 2"),
            (good.replace("\"d\"", "\"e\""), "e", URL, "is damaged in line 1"),
            ("my\nnotes\n".to_owned(), "d", URL, "is not a journal of this kind"),
        ] {
            fs::write(&path, &text).unwrap();

            let error = Journal::open(path.clone(), dataset, url).await.unwrap_err();

            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
