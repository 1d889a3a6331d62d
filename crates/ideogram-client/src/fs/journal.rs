//! An append-only journal of JSON lines: what a program began, and with which result.
//!
//! Start at [`Journal::open`]. The first line names the kind of the journal and holds its header; the caller defines the
//! other lines. A line is on disk when [`Journal::append`] returns; lines of several threads share one write and one sync.
//! Money depends on journals, so there are three rules:
//!
//! - One process at a time uses a journal: it is locked, and the system releases the lock when the process ends.
//! - Each line ends with a checksum over itself and all lines before it, which detects changed, missing, repeated and
//!   reordered lines. FNV-1a is enough against accidents; it is none against forgery. Only the loss of the last lines
//!   goes undetected; a caller for whom this matters stores the number of lines in a second file.
//! - A journal is valid only while it is the file of its name. Before each line is written, the file of that name must
//!   be the open file, with the length that this process left.
//!
//! A process that is killed may leave a part of a line at the end. Nothing was done because of it, so it is reported and
//! overwritten; all other damage is an error that names the line. All functions block.

use std::{
    fmt,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    mem,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::durable;

/// The maximum wait for the lock of a process that is ending.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(2);
/// The maximum length of a line. It may contain a response that could not be stored elsewhere.
const MAX_LINE_BYTES: u64 = 256 * 1024 * 1024;
/// `,"check":"0123456789abcdef"}`
const SEAL_BYTES: usize = 28;

/// A kind of journal.
#[derive(Clone, Copy, Debug)]
pub struct JournalKind {
    /// The title, at the beginning of the first line.
    pub title: &'static str,
    /// The version of the format.
    pub format: u32,
}

/// The contents of a journal apart from its lines.
#[derive(Clone, Debug)]
pub struct Contents<H> {
    /// The header of the file; `None` if the journal is new or was emptied.
    pub header: Option<H>,
    /// Whether the last line is incomplete: a process was killed, or the file was cut.
    pub is_torn: bool,
}

/// An open, locked journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// The lines that the next thread with the writer writes.
    waiting: Mutex<Vec<Waiting>>,
    writer: Mutex<Writer>,
}

/// A line that is not written yet.
#[derive(Debug)]
struct Waiting {
    line: Vec<u8>,
    /// Set before the thread that wrote the line gives the writer back.
    result: Arc<OnceLock<Result<(), JournalError>>>,
}

#[derive(Debug)]
struct Writer {
    file: File,
    identity: Identity,
    end: End,
    /// The length of the file as this process left it; `None` after a write that failed.
    expected_length: Option<u64>,
}

/// The position of the next line.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    /// The length of all complete lines in bytes.
    length: u64,
    /// The checksum of the last line.
    check: u64,
    /// Whether the last line is complete, but lacks its line break, as some editors leave it.
    lacks_line_break: bool,
}

/// Why a journal cannot be used.
#[derive(Clone, Debug)]
pub struct JournalError {
    path: PathBuf,
    /// Shared by the lines of one write.
    kind: Arc<JournalErrorKind>,
}

/// What is wrong with a journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalErrorKind {
    /// It cannot be read or written.
    #[error("cannot be read or written")]
    Io(#[from] io::Error),
    /// It is a folder, a device or a pipe, and cannot store lines.
    #[error("is not a regular file")]
    NotAFile,
    /// It is not a journal of this kind.
    #[error("is not a journal of this kind")]
    OtherKind,
    /// It was written by another version.
    #[error("has the format {found}, and this version reads {expected}")]
    Format {
        /// The format of the file.
        found: u32,
        /// The format of this version.
        expected: u32,
    },
    /// Another process has locked it.
    #[error("is in use by another process; wait for it to end")]
    InUse,
    /// A line is not as it was written.
    #[error("is damaged in line {line}: {reason}")]
    Damaged {
        /// The number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Its name belongs to another file, or to none.
    #[error("is no longer the file that was opened: it was deleted, renamed or replaced")]
    Replaced,
    /// Another program has written into it, or cut it.
    #[error("was changed by another program while it was in use")]
    Changed,
}

impl JournalError {
    fn new(path: &Path, kind: JournalErrorKind) -> Self {
        Self { path: path.to_owned(), kind: Arc::new(kind) }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is wrong with it.
    pub fn kind(&self) -> &JournalErrorKind {
        &self.kind
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the journal \"{}\" {}", self.path.display(), self.kind)
    }
}

impl std::error::Error for JournalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&*self.kind)
    }
}

impl Journal {
    /// Opens a journal, or creates one with this header, and passes every line to `each`, in order. An existing file is
    /// not changed.
    ///
    /// # Errors
    ///
    /// See [`JournalErrorKind`]. `each` has received the lines before a damaged one.
    pub fn open<H: Serialize + DeserializeOwned, L: DeserializeOwned>(
        path: &Path,
        kind: JournalKind,
        header: &H,
        each: impl FnMut(L),
    ) -> Result<(Self, Contents<H>), JournalError> {
        let opened = Writer::open(path, kind, header, each);
        let (writer, contents) = opened.map_err(|kind| JournalError::new(path, kind))?;
        Ok((Self { path: path.to_owned(), waiting: Mutex::default(), writer: Mutex::new(writer) }, contents))
    }

    /// Reads a journal without locking or changing it. A journal that does not exist is empty.
    ///
    /// # Errors
    ///
    /// See [`JournalErrorKind`].
    pub fn read<H: DeserializeOwned, L: DeserializeOwned>(
        path: &Path,
        kind: JournalKind,
        each: impl FnMut(L),
    ) -> Result<Contents<H>, JournalError> {
        let read = || {
            require_file(path)?;
            match File::open(path) {
                Ok(file) => scan(&file, kind, each).map(|(contents, _)| contents),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Contents { header: None, is_torn: false }),
                Err(error) => Err(error.into()),
            }
        };
        read().map_err(|kind| JournalError::new(path, kind))
    }

    /// Whether a process has locked a journal. One that does not exist is not in use.
    ///
    /// # Errors
    ///
    /// [`JournalErrorKind::Io`] or [`JournalErrorKind::NotAFile`].
    pub fn is_in_use(path: &Path) -> Result<bool, JournalError> {
        let is_locked = || {
            require_file(path)?;
            match File::open(path).map(|file| fs4::FileExt::try_lock_shared(&file)) {
                Ok(Ok(())) => Ok(false),
                Ok(Err(fs4::TryLockError::WouldBlock)) => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
                Ok(Err(fs4::TryLockError::Error(error))) | Err(error) => Err(error.into()),
            }
        };
        is_locked().map_err(|kind| JournalError::new(path, kind))
    }

    /// Appends a line, which must serialize as an object with at least one property. It is on disk when this returns.
    /// After an error, it is not in the journal, and no part of it ever becomes part of another line.
    ///
    /// # Errors
    ///
    /// [`JournalErrorKind::Replaced`] or [`JournalErrorKind::Changed`] if the journal is not as this process left it,
    /// [`JournalErrorKind::Io`] if writing fails.
    pub fn append(&self, line: &impl Serialize) -> Result<(), JournalError> {
        let line = serde_json::to_vec(line).map_err(|error| self.error(io::Error::other(error).into()))?;
        let result = Arc::default();
        locked(&self.waiting).push(Waiting { line, result: Arc::clone(&result) });
        let mut writer = locked(&self.writer);
        if result.get().is_none() {
            let waiting = mem::take(&mut *locked(&self.waiting));
            let lines = waiting.iter().map(|waiting| waiting.line.as_slice());
            let written = writer.check_identity(&self.path).and_then(|()| writer.append(lines));
            let written = written.map_err(|kind| self.error(kind));
            for Waiting { result, .. } in waiting {
                let _ = result.set(written.clone());
            }
        }
        drop(writer);
        let panicked = || Err(self.error(io::Error::other("the thread that writes the line has panicked").into()));
        result.get().cloned().unwrap_or_else(panicked)
    }

    fn error(&self, kind: JournalErrorKind) -> JournalError {
        JournalError::new(&self.path, kind)
    }
}

impl Writer {
    fn open<H: Serialize + DeserializeOwned, L: DeserializeOwned>(
        path: &Path,
        kind: JournalKind,
        header: &H,
        each: impl FnMut(L),
    ) -> Result<(Self, Contents<H>), JournalErrorKind> {
        require_file(path)?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        lock(&file)?;
        let (contents, end) = scan(&file, kind, each)?;
        let metadata = file.metadata()?;
        let mut writer = Self { identity: Identity::of(&metadata), end, expected_length: Some(metadata.len()), file };
        // The file may have been replaced before it was locked.
        writer.check_identity(path)?;
        if contents.header.is_none() {
            let first = FirstLine { journal: kind.title.into(), format: kind.format, header };
            writer.append([serde_json::to_vec(&first).map_err(io::Error::other)?.as_slice()])?;
            writer.file.sync_all()?;
            // A new file lasts when its folder is synced.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            durable::sync_folder(folder)?;
        }
        Ok((writer, contents))
    }

    fn check_identity(&self, path: &Path) -> Result<(), JournalErrorKind> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Err(JournalErrorKind::Replaced);
            }
            Err(error) => return Err(error.into()),
        };
        if Identity::of(&metadata) != self.identity {
            return Err(JournalErrorKind::Replaced);
        }
        // After a failed write, the length is not known.
        if self.expected_length.is_some_and(|length| length != metadata.len()) {
            return Err(JournalErrorKind::Changed);
        }
        Ok(())
    }

    /// Writes lines at once: all of them, or none.
    fn append<'l>(&mut self, lines: impl IntoIterator<Item = &'l [u8]>) -> Result<(), JournalErrorKind> {
        let (mut bytes, mut check) = (Vec::new(), self.end.check);
        if self.end.lacks_line_break {
            bytes.push(b'\n');
        }
        for line in lines {
            check = seal_onto(&mut bytes, line, check);
            bytes.push(b'\n');
        }

        // The part of a line that could not be written is removed first; if that fails, nothing is written.
        if self.expected_length.take() != Some(self.end.length) {
            self.file.set_len(self.end.length)?;
        }
        self.file.seek(SeekFrom::Start(self.end.length))?;
        self.file.write_all(&bytes)?;
        self.file.sync_data()?;
        let length = self.end.length + bytes.len() as u64;
        self.end = End { length, check, lacks_line_break: false };
        self.expected_length = Some(length);
        Ok(())
    }
}

/// The first line of a journal.
#[derive(Serialize, Deserialize)]
struct FirstLine<H> {
    journal: String,
    format: u32,
    #[serde(flatten)]
    header: H,
}

/// The identity of a file, to tell it from another one of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self(metadata.dev(), metadata.ino())
    }

    /// The standard library does not return the number of a file on Windows. Its length is compared, too.
    #[cfg(windows)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::windows::fs::MetadataExt as _;
        Self(metadata.creation_time(), 0)
    }

    #[cfg(not(any(unix, windows)))]
    fn of(_: &Metadata) -> Self {
        Self(0, 0)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Refuses everything but regular files: opening a pipe would block, and a device does not store lines.
fn require_file(path: &Path) -> Result<(), JournalErrorKind> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => Err(JournalErrorKind::NotAFile),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Locks a journal, and waits for a process that is ending.
fn lock(file: &File) -> Result<(), JournalErrorKind> {
    let started = Instant::now();
    loop {
        match fs4::FileExt::try_lock(file) {
            Ok(()) => return Ok(()),
            Err(fs4::TryLockError::WouldBlock) if started.elapsed() < MAX_LOCK_WAIT => {
                thread::sleep(MAX_LOCK_WAIT / 50);
            }
            Err(fs4::TryLockError::WouldBlock) => return Err(JournalErrorKind::InUse),
            Err(fs4::TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

/// Reads a journal line by line from its beginning.
fn scan<H: DeserializeOwned, L: DeserializeOwned>(
    file: &File,
    kind: JournalKind,
    mut each: impl FnMut(L),
) -> Result<(Contents<H>, End), JournalErrorKind> {
    let mut reader = BufReader::new(file);
    let mut contents = Contents { header: None, is_torn: false };
    let (mut end, mut text) = (End::default(), Vec::new());
    for number in 1.. {
        text.clear();
        let length = reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut text)?;
        if length == 0 {
            break;
        }
        let damaged =
            |reason: &dyn fmt::Display| JournalErrorKind::Damaged { line: number, reason: reason.to_string() };
        let lacks_line_break = text.last() != Some(&b'\n');
        if !lacks_line_break {
            text.pop();
        }
        if number == 1 {
            check_kind(&text, lacks_line_break, kind)?;
        }
        let Some(check) = unseal(&mut text, end.check) else {
            if lacks_line_break && (length as u64) < MAX_LINE_BYTES {
                contents.is_torn = true;
                break;
            }
            return Err(damaged(&"it was changed, or lines before it were changed, removed, repeated or reordered"));
        };
        if number == 1 {
            let first: FirstLine<H> = serde_json::from_slice(&text).map_err(|error| damaged(&error))?;
            contents.header = Some(first.header);
        } else {
            each(serde_json::from_slice(&text).map_err(|error| damaged(&error))?);
        }
        end = End { length: end.length + length as u64, check, lacks_line_break };
    }
    Ok((contents, end))
}

/// Refuses the first line of another kind or format, before its checksum is verified: another format may have none.
fn check_kind(line: &[u8], may_be_torn: bool, kind: JournalKind) -> Result<(), JournalErrorKind> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let title = serde_json::to_string(kind.title).map_err(io::Error::other)?;
    let begin = format!("{{\"journal\":{title}").into_bytes();
    let is_of_kind = line.starts_with(&begin) || may_be_torn && begin.starts_with(line);
    if !is_of_kind {
        return Err(JournalErrorKind::OtherKind);
    }
    match serde_json::from_slice(line) {
        Ok(Format { format }) if format != kind.format => {
            Err(JournalErrorKind::Format { found: format, expected: kind.format })
        }
        _ => Ok(()),
    }
}

/// Appends a line with its checksum, and returns that. `before` is the checksum of the previous line.
fn seal_onto(bytes: &mut Vec<u8>, line: &[u8], before: u64) -> u64 {
    debug_assert!(line.len() > 2 && line.last() == Some(&b'}'), "a line is an object with properties");
    let check = fnv_1a(before, line);
    bytes.extend(&line[..line.len() - 1]);
    bytes.extend(seal(check).into_bytes());
    check
}

/// Removes the checksum from a line, and returns it if it is correct.
fn unseal(line: &mut Vec<u8>, before: u64) -> Option<u64> {
    let actual = line.split_off(line.len().checked_sub(SEAL_BYTES)?);
    line.push(b'}');
    let check = fnv_1a(before, line);
    (actual == seal(check).into_bytes()).then_some(check)
}

fn seal(check: u64) -> String {
    format!(",\"check\":\"{check:016x}\"}}")
}

/// FNV-1a with 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>), continued from the checksum before; 0 at the
/// beginning.
pub(crate) fn fnv_1a(before: u64, bytes: &[u8]) -> u64 {
    let begin = 0xcbf2_9ce4_8422_2325 ^ before;
    bytes.iter().fold(begin, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests;
