//! What was sent, kept on disk, so that a sync that is interrupted goes on where it stopped.
//!
//! JSON lines: a header, then one line before a batch is sent and one after, each on the disk before anything else
//! happens. A batch that was begun and has no end, or an end without an answer, is settled by asking the dataset. A
//! process that is killed can leave half a line at the end, which counts for nothing; damage elsewhere is an error, since
//! a guess could send files twice. The file is locked as long as a sync uses it; the system takes the lock back when the
//! process is gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Outcome, durable, types::DatasetAssetFailureReason};

/// Raised when the form of the file changes.
const FORMAT: u32 = 1;
/// How long the last line of a sync that was dropped may take.
const LAST_LINE: Duration = Duration::from_secs(2);
/// What a file says to be a journal.
const TITLE: &str = "ideogram dataset sync";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    journal: String,
    format: u32,
    /// Which dataset.
    pub(crate) dataset_id: String,
    /// Of which service.
    pub(crate) base_url: String,
}

/// Every other line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// A batch is about to be sent.
    Begin(Begin),
    /// What became of a batch.
    End(End),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Begin {
    pub(crate) batch: u64,
    /// When, in seconds since 1970.
    pub(crate) time: f64,
    /// How many files without a name the dataset had before.
    pub(crate) nameless: usize,
    pub(crate) files: Vec<Sent>,
}

/// A file of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sent {
    pub(crate) name: String,
    pub(crate) size_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) batch: u64,
    /// When, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<f64>,
    pub(crate) result: BatchResult,
    /// The files that the service says it has stored.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) stored: BTreeSet<String>,
    /// The files that the service refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) failed: BTreeMap<String, DatasetAssetFailureReason>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BatchResult {
    /// The service told what it has stored.
    Answered,
    /// Nothing was stored: the batch did not reach the service, or was refused.
    NotStored,
    /// The batch may have been stored.
    Unknown,
}

/// What is known of a file that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) size_bytes: u64,
    /// How many files without a name the dataset had before.
    pub(crate) nameless: usize,
    /// When it was under way for the last time, by the clock of then.
    pub(crate) time: SystemTime,
    /// The names that were sent in the same batch.
    pub(crate) companions: Arc<[String]>,
    pub(crate) fate: Fate,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// No answer tells.
    InFlight,
    /// An answer came, and calls it neither failed nor stored.
    Accepted,
    /// An answer calls it stored.
    Confirmed,
    Failed(DatasetAssetFailureReason),
    NotStored,
}

/// What a journal tells of the files that were sent, by name. A later batch overwrites an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) files: BTreeMap<String, Known>,
    batches: BTreeMap<u64, Vec<String>>,
    last_batch: u64,
}

impl Past {
    pub(crate) fn take(&mut self, line: &Line) {
        match line {
            Line::Begin(begin) => {
                self.last_batch = self.last_batch.max(begin.batch);
                let companions: Arc<[String]> = begin.files.iter().map(|file| file.name.clone()).collect();
                let time = moment(begin.time);
                for file in &begin.files {
                    let (size_bytes, nameless) = (file.size_bytes, begin.nameless);
                    let companions = Arc::clone(&companions);
                    let known = Known { size_bytes, nameless, time, companions, fate: Fate::InFlight };
                    self.files.insert(file.name.clone(), known);
                }
                self.batches.insert(begin.batch, companions.to_vec());
            }
            Line::End(end) => {
                for name in self.batches.get(&end.batch).into_iter().flatten() {
                    let Some(known) = self.files.get_mut(name) else { continue };
                    known.time = end.time.map_or(known.time, moment);
                    known.fate = match (end.result, end.failed.get(name)) {
                        (BatchResult::Answered, Some(reason)) => Fate::Failed(reason.clone()),
                        (BatchResult::Answered, None) if end.stored.contains(name) => Fate::Confirmed,
                        (BatchResult::Answered, None) => Fate::Accepted,
                        (BatchResult::NotStored, _) => Fate::NotStored,
                        (BatchResult::Unknown, _) => Fate::InFlight,
                    };
                }
            }
        }
    }

    /// A number that no batch has had.
    pub(crate) fn take_number(&mut self) -> u64 {
        self.last_batch += 1;
        self.last_batch
    }
}

/// The time now, as lines tell it.
pub(crate) fn now() -> f64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // Milliseconds do, and are easier to read.
    (since_1970.as_secs_f64() * 1000.0).round() / 1000.0
}

/// The time that a line tells; what cannot be one is as good as none.
fn moment(time: f64) -> SystemTime {
    let since_1970 = Duration::try_from_secs_f64(time).unwrap_or_default();
    SystemTime::UNIX_EPOCH.checked_add(since_1970).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A journal that is open, and nobody else's.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    writer: Arc<Mutex<Writer>>,
}

/// The end of a journal.
#[derive(Debug)]
struct Writer {
    file: File,
    /// The length of all whole lines in bytes.
    length: u64,
}

impl Writer {
    /// Writes a line. Half a line that could not be finished before would spoil it, and is overwritten.
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(line)?;
        self.file.sync_data()?;
        self.length += line.len() as u64;
        Ok(())
    }
}

impl Journal {
    /// Opens a journal or begins one, and reads what it tells.
    ///
    /// # Errors
    ///
    /// If it cannot be read or written, another sync uses it, it is damaged, or of another dataset.
    pub(crate) async fn open(path: PathBuf, dataset_id: &str, base_url: &str) -> Result<(Self, Past), Error> {
        let header = Header {
            journal: TITLE.to_owned(),
            format: FORMAT,
            dataset_id: dataset_id.to_owned(),
            base_url: base_url.to_owned(),
        };
        let opened = {
            let path = path.clone();
            tokio::task::spawn_blocking(move || open(&path, &header)).await
        };
        let opened = opened.unwrap_or_else(|error| Err(io::Error::other(error).into()));
        let (writer, past) = opened.map_err(|why| why.at(&path))?;
        Ok((Self { path, writer: Arc::new(Mutex::new(writer)) }, past))
    }

    /// Writes a line down. It is on the disk when this returns.
    pub(crate) async fn write(&self, line: &Line) -> Result<(), Error> {
        let mut text = serde_json::to_vec(line).expect("lines are made of strings and numbers");
        text.push(b'\n');
        let writer = Arc::clone(&self.writer);
        let written =
            tokio::task::spawn_blocking(move || writer.lock().unwrap_or_else(PoisonError::into_inner).write(&text));
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
    fn at(self, path: &Path) -> Error {
        let place = path.display();
        match self {
            Self::Io(error) => {
                let message = format!("the journal \"{place}\": {error}");
                Error::new(ErrorKind::LocalIo, Outcome::NotSent, message).with_source(error)
            }
            Self::Unusable(why) => Error::invalid_argument(format!("the journal \"{place}\" {why}")),
        }
    }
}

fn open(path: &Path, header: &Header) -> Result<(Writer, Past), Trouble> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    lock(&file)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    // What comes after the last line break was being written when the process ended, and was not acted upon.
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if whole == 0 && !TITLE_BEGIN.starts_with(&text[..text.len().min(TITLE_BEGIN.len())]) {
        return Err(Trouble::Unusable("is another kind of file".to_owned()));
    }
    let past = if whole == 0 { None } else { Some(read(&text[..whole], header)?) };
    let mut writer = Writer { file, length: whole as u64 };
    if let Some(past) = past {
        return Ok((writer, past));
    }
    let mut line = serde_json::to_vec(header).expect("a header is made of strings and numbers");
    line.push(b'\n');
    writer.write(&line)?;
    writer.file.sync_all()?;
    // A new file is not there for sure before its folder is on the disk.
    durable::sync_folder(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    Ok((writer, Past::default()))
}

/// Locks a journal. A sync that was dropped a moment ago may still be writing its last line.
fn lock(file: &File) -> Result<(), Trouble> {
    let started = Instant::now();
    loop {
        match fs4::FileExt::try_lock(file) {
            Ok(()) => return Ok(()),
            Err(fs4::TryLockError::WouldBlock) if started.elapsed() < LAST_LINE => thread::sleep(LAST_LINE / 50),
            Err(fs4::TryLockError::WouldBlock) => {
                return Err(Trouble::Unusable("is in use by another sync; wait for it to end".to_owned()));
            }
            Err(fs4::TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

/// How every journal begins, whole or torn.
const TITLE_BEGIN: &[u8] = b"{\"journal\":\"ideogram dataset sync\"";

fn read(text: &[u8], expected: &Header) -> Result<Past, Trouble> {
    let damaged = |number: usize, why: &dyn Display| {
        Trouble::Unusable(format!("cannot be understood in line {number} ({why}); to begin anew, move it away"))
    };
    let mut lines = text.split(|byte| *byte == b'\n').enumerate().map(|(index, line)| (index + 1, line));
    let (_, first) = lines.next().unwrap_or_default();
    let header: Header = serde_json::from_slice(first).map_err(|error| damaged(1, &error))?;
    if header.journal != TITLE {
        return Err(Trouble::Unusable("is another kind of file".to_owned()));
    }
    if header.format != FORMAT {
        let why = format!("has the format {}, and this version reads {FORMAT}", header.format);
        return Err(Trouble::Unusable(why));
    }
    if (&header.dataset_id, &header.base_url) != (&expected.dataset_id, &expected.base_url) {
        let why = format!("is of the dataset {} at {}", header.dataset_id, header.base_url);
        return Err(Trouble::Unusable(format!("{why}, not {} at {}", expected.dataset_id, expected.base_url)));
    }
    let mut past = Past::default();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        past.take(&serde_json::from_slice(line).map_err(|error| damaged(number, &error))?);
    }
    Ok(past)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const URL: &str = "https://example.test/";

    fn begin(batch: u64, names: &[&str]) -> Line {
        let files = names.iter().map(|name| Sent { name: (*name).to_owned(), size_bytes: 7 }).collect();
        Line::Begin(Begin { batch, time: 0.0, nameless: 0, files })
    }

    fn end(batch: u64, result: BatchResult, failed: &[(&str, DatasetAssetFailureReason)]) -> Line {
        let failed = failed.iter().map(|(name, reason)| ((*name).to_owned(), reason.clone())).collect();
        Line::End(End { batch, time: None, result, stored: ["s".to_owned()].into(), failed, error: None })
    }

    fn fates(past: &Past) -> Vec<(&str, Fate)> {
        past.files.iter().map(|(name, known)| (name.as_str(), known.fate.clone())).collect()
    }

    #[tokio::test]
    async fn what_was_written_is_read_again() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("sync.jsonl");
        {
            let (journal, past) = Journal::open(path.clone(), "d", URL).await.unwrap();
            assert_eq!(past, Past::default());
            for line in [
                begin(1, &["a", "b"]),
                begin(2, &["c"]),
                end(1, BatchResult::Answered, &[("b", DatasetAssetFailureReason::InvalidImage)]),
                begin(5, &["s", "t"]),
                end(5, BatchResult::Answered, &[]),
                begin(3, &["d"]),
                end(3, BatchResult::NotStored, &[]),
                begin(4, &["e"]),
                end(4, BatchResult::Unknown, &[]),
            ] {
                journal.write(&line).await.unwrap();
            }
        }

        let (_journal, mut past) = Journal::open(path, "d", URL).await.unwrap();

        assert_eq!(
            fates(&past),
            [
                ("a", Fate::Accepted),
                ("b", Fate::Failed(DatasetAssetFailureReason::InvalidImage)),
                ("c", Fate::InFlight),
                ("d", Fate::NotStored),
                ("e", Fate::InFlight),
                ("s", Fate::Confirmed),
                ("t", Fate::Accepted),
            ]
        );
        assert_eq!(past.take_number(), 6);
        assert_eq!(*past.files["b"].companions, ["a".to_owned(), "b".to_owned()]);
    }

    #[test]
    fn a_file_was_last_under_way_when_its_batch_ended() {
        let mut past = Past::default();
        let begin = |time: &str| {
            format!(r#"{{"begin":{{"batch":1,"time":{time},"nameless":0,"files":[{{"name":"a","size_bytes":7}}]}}}}"#)
        };
        let mut seconds = |line: &str| {
            past.take(&serde_json::from_str(line).unwrap());
            past.files["a"].time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64()
        };

        assert!((seconds(&begin("1790000000")) - 1_790_000_000.0).abs() < 0.001);
        assert!((seconds(r#"{"end":{"batch":1,"result":"unknown"}}"#) - 1_790_000_000.0).abs() < 0.001);
        assert!(
            (seconds(r#"{"end":{"batch":1,"time":1790000100.5,"result":"unknown"}}"#) - 1_790_000_100.5).abs() < 0.001
        );
        assert!(seconds(&begin("-1")) < 0.001);
        assert!(seconds(&begin("1e300")) < 0.001);
    }

    #[tokio::test]
    async fn a_journal_cut_anywhere_is_as_good_as_its_whole_lines() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("sync.jsonl");
        {
            let (journal, _) = Journal::open(path.clone(), "d", URL).await.unwrap();
            journal.write(&begin(1, &["a"])).await.unwrap();
            journal.write(&end(1, BatchResult::Answered, &[])).await.unwrap();
        }
        let text = fs::read(&path).unwrap();
        let ends: Vec<_> = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();

        for cut in 0..=text.len() {
            fs::write(&path, &text[..cut]).unwrap();

            let (journal, past) = Journal::open(path.clone(), "d", URL).await.unwrap();
            let expected = match cut {
                cut if cut <= ends[1] => vec![],
                cut if cut <= ends[2] => vec![("a", Fate::InFlight)],
                _ => vec![("a", Fate::Accepted)],
            };
            assert_eq!(fates(&past), expected, "cut at {cut}");

            journal.write(&begin(7, &["z"])).await.unwrap();
            drop(journal);
            let (_journal, past) = Journal::open(path.clone(), "d", URL).await.unwrap();
            assert_eq!(past.files["z"].fate, Fate::InFlight, "cut at {cut}");
        }
    }

    #[test]
    fn half_a_line_that_could_not_be_written_spoils_nothing() {
        let mut writer = Writer { file: tempfile::tempfile().unwrap(), length: 0 };
        writer.write(b"one\n").unwrap();
        // As a full disk leaves it.
        writer.file.write_all(b"tw").unwrap();

        writer.write(b"three\n").unwrap();

        let mut text = String::new();
        writer.file.rewind().unwrap();
        writer.file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\nthree\n");
    }

    #[tokio::test]
    async fn a_journal_of_something_else_is_refused_and_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("sync.jsonl");
        drop(Journal::open(path.clone(), "d", URL).await.unwrap());
        let good = fs::read_to_string(&path).unwrap();
        for (text, dataset, url, expected) in [
            (good.clone(), "other", URL, "is of the dataset d"),
            (good.clone(), "d", "http://localhost/", "is of the dataset d"),
            (good.replace("\"format\":1", "\"format\":2"), "d", URL, "has the format 2"),
            (format!("{good}garbage\n"), "d", URL, "cannot be understood in line 2"),
            ("my notes".to_owned(), "d", URL, "is another kind of file"),
            ("my\nnotes\n".to_owned(), "d", URL, "cannot be understood in line 1"),
        ] {
            fs::write(&path, &text).unwrap();

            let error = Journal::open(path.clone(), dataset, url).await.unwrap_err();

            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[tokio::test]
    async fn two_syncs_cannot_share_a_journal() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("sync.jsonl");
        let first = Journal::open(path.clone(), "d", URL).await.unwrap();

        let error = Journal::open(path.clone(), "d", URL).await.unwrap_err();
        assert!(error.to_string().contains("in use by another sync"), "{error}");

        drop(first);
        assert!(Journal::open(path, "d", URL).await.is_ok());
    }
}
