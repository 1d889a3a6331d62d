//! What lies in a local folder: looked at once, before anything is compared or sent.
//!
//! Folders are read to their depths. Links are followed, and no folder is read twice, so a link that leads back ends
//! nowhere. The order is that of the paths, the same on every machine. Files are judged by what they hold: pictures by
//! their signature, captions by their text.

use std::{
    collections::HashSet,
    fmt, fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use serde::{Serialize, Serializer};

use super::name;
use crate::{
    Error, ErrorKind, Outcome,
    signature::{SIGNATURE_BYTES, picture_type},
};

/// How much of a caption is looked at.
const CAPTION_BYTES: u64 = 1024 * 1024;
/// Extensions that promise a picture which the service takes.
const PICTURE_EXTENSIONS: [&str; 4] = ["jpeg", "jpg", "png", "webp"];

/// A local folder of pictures and captions, as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Folder {
    /// Where it is.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// The pictures and captions in it, in the order of their paths.
    pub files: Vec<LocalFile>,
    /// What is neither, and what could not be looked into, in the order of the paths.
    pub skipped: Vec<Skipped>,
}

/// A local picture or caption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LocalFile {
    /// Where it is.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// The name that is sent: the base name, in NFC.
    pub name: String,
    /// The size in bytes.
    pub size_bytes: u64,
    /// What it is.
    pub kind: FileKind,
    /// Why it cannot be sent as it is, if so.
    pub fault: Option<Fault>,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileKind {
    /// A JPEG by its signature.
    Jpeg,
    /// A PNG by its signature.
    Png,
    /// A WebP by its signature.
    WebP,
    /// A picture by its name, and none by its content.
    NoPicture,
    /// A text, by its name.
    Caption,
}

/// Why a local file cannot be sent as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// It holds nothing, or, as a caption, nothing but white space.
    Empty,
    /// Its name promises a picture, its content is neither JPEG nor PNG nor WebP.
    NotAPicture,
    /// A caption that is not UTF-8.
    NotText,
    /// It cannot be read.
    Unreadable(String),
    /// Its name holds a control character, which cannot be sent.
    UnusableName,
}

/// Something in the folder that is no part of the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Skipped {
    /// Where it is.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// Why it was skipped.
    pub reason: SkipReason,
}

/// Why something was skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// Its name begins with a dot. A hidden folder is not looked into.
    Hidden,
    /// A ZIP archive: what is in it cannot be compared with the dataset. Unpack it, or upload it by itself.
    Archive,
    /// Neither picture nor caption.
    OtherType,
    /// No regular file, such as a pipe.
    NotAFile,
    /// A folder that has been read already: a link leads to it.
    AlreadyRead,
    /// A folder that cannot be read, or a link that leads nowhere.
    Unreadable(String),
}

impl FileKind {
    /// Whether it is a picture that the service takes.
    pub fn is_picture(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::WebP)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("it is empty"),
            Self::NotAPicture => formatter.write_str("it is no JPEG, PNG or WebP picture"),
            Self::NotText => formatter.write_str("it is no UTF-8 text"),
            Self::Unreadable(why) => write!(formatter, "it cannot be read: {why}"),
            Self::UnusableName => formatter.write_str("its name cannot be sent"),
        }
    }
}

impl Folder {
    /// Reads a folder. Of pictures only the first bytes are read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LocalIo`] if the folder itself cannot be read. What cannot be read inside of it is listed.
    pub async fn read(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let shown = path.display().to_string();
        // A network drive may take its time; the caller's other work goes on meanwhile.
        let read = tokio::task::spawn_blocking(move || read_folder(path)).await;
        read.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(|error| unreadable(&shown, error))
    }

    /// The same as [`Folder::read`], for programs without `async`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LocalIo`] if the folder itself cannot be read.
    #[cfg(feature = "blocking")]
    pub fn read_blocking(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let shown = path.display().to_string();
        read_folder(path).map_err(|error| unreadable(&shown, error))
    }
}

fn unreadable(folder: &str, error: io::Error) -> Error {
    let message = format!("cannot read the folder \"{folder}\": {error}");
    Error::new(ErrorKind::LocalIo, Outcome::NotSent, message).with_source(error)
}

/// A path as text, whatever it holds: what is listed must not fail over one name.
pub(super) fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

fn read_folder(path: PathBuf) -> io::Result<Folder> {
    let mut reading = Reading { folder: Folder { path, files: Vec::new(), skipped: Vec::new() }, read: HashSet::new() };
    let root = reading.folder.path.clone();
    reading.read.insert(fs::canonicalize(&root)?);
    let mut waiting = vec![root.clone()];
    while let Some(folder) = waiting.pop() {
        match entries(&folder) {
            Ok(entries) => {
                let mut folders: Vec<_> = entries.into_iter().filter_map(|entry| reading.look_at(entry)).collect();
                folders.reverse();
                waiting.append(&mut folders);
            }
            Err(error) if folder == root => return Err(error),
            Err(error) => reading.skip(folder, SkipReason::Unreadable(error.to_string())),
        }
    }
    let mut folder = reading.folder;
    folder.files.sort_by(|one, other| one.path.cmp(&other.path));
    folder.skipped.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(folder)
}

/// The paths in a folder, sorted.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

struct Reading {
    folder: Folder,
    /// The folders that have been read, by their real paths.
    read: HashSet<PathBuf>,
}

impl Reading {
    fn skip(&mut self, path: PathBuf, reason: SkipReason) {
        self.folder.skipped.push(Skipped { path, reason });
    }

    /// Takes down what a path leads to; a folder to read is given back.
    fn look_at(&mut self, path: PathBuf) -> Option<PathBuf> {
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if file_name.starts_with('.') {
            self.skip(path, SkipReason::Hidden);
            return None;
        }
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.skip(path, SkipReason::Unreadable(error.to_string()));
                return None;
            }
        };
        if metadata.is_dir() {
            return match fs::canonicalize(&path).map(|real| self.read.insert(real)) {
                Ok(true) => Some(path),
                Ok(false) => {
                    self.skip(path, SkipReason::AlreadyRead);
                    None
                }
                Err(error) => {
                    self.skip(path, SkipReason::Unreadable(error.to_string()));
                    None
                }
            };
        }
        if metadata.is_file() {
            self.look_into(path, &file_name, metadata.len());
        } else {
            // Opening a pipe would wait for somebody to write to it.
            self.skip(path, SkipReason::NotAFile);
        }
        None
    }

    /// Judges a regular file by its content, then by its name.
    fn look_into(&mut self, path: PathBuf, file_name: &str, size_bytes: u64) {
        let name = name::base_name(file_name);
        let is_caption = name::is_caption(&name);
        let is_named_like_a_picture = PICTURE_EXTENSIONS.contains(&name::extension(&name).as_str());
        let read = read_begin(&path, if is_caption { CAPTION_BYTES } else { SIGNATURE_BYTES as u64 });
        let (kind, fault) = match read {
            Err(_) if !is_caption && !is_named_like_a_picture => return self.skip(path, SkipReason::OtherType),
            Err(error) => {
                let kind = if is_caption { FileKind::Caption } else { FileKind::NoPicture };
                (kind, Some(Fault::Unreadable(error.to_string())))
            }
            Ok(begin) if is_caption => (FileKind::Caption, caption_fault(&begin)),
            Ok(begin) => match picture_kind(&begin) {
                Some(kind) => (kind, None),
                None if is_named_like_a_picture && size_bytes == 0 => (FileKind::NoPicture, Some(Fault::Empty)),
                None if is_named_like_a_picture => (FileKind::NoPicture, Some(Fault::NotAPicture)),
                None if begin.starts_with(b"PK\x03\x04") || name::extension(&name) == "zip" => {
                    return self.skip(path, SkipReason::Archive);
                }
                None => return self.skip(path, SkipReason::OtherType),
            },
        };
        let is_unusable =
            path.file_name().is_some_and(|name| name.to_str().is_none()) || name.chars().any(char::is_control);
        let fault = if is_unusable { Some(Fault::UnusableName) } else { fault };
        self.folder.files.push(LocalFile { path, name, size_bytes, kind, fault });
    }
}

fn read_begin(path: &Path, bytes: u64) -> io::Result<Vec<u8>> {
    let mut begin = Vec::new();
    fs::File::open(path)?.take(bytes).read_to_end(&mut begin)?;
    Ok(begin)
}

fn picture_kind(begin: &[u8]) -> Option<FileKind> {
    match picture_type(begin)? {
        "image/jpeg" => Some(FileKind::Jpeg),
        "image/png" => Some(FileKind::Png),
        "image/webp" => Some(FileKind::WebP),
        _ => None,
    }
}

fn caption_fault(begin: &[u8]) -> Option<Fault> {
    let text = match std::str::from_utf8(begin) {
        Ok(text) => text,
        // The look may end in the middle of a character.
        Err(error) if error.error_len().is_none() && begin.len() as u64 == CAPTION_BYTES => return None,
        Err(_) => return Some(Fault::NotText),
    };
    let is_blank = text.trim_start_matches('\u{feff}').trim().is_empty();
    is_blank.then_some(Fault::Empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0000";
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0";
    const WEBP: &[u8] = b"RIFF\0\0\0\0WEBPVP8 ";

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        folder
    }

    fn names(folder: &Folder) -> Vec<String> {
        let relative = |path: &Path| path.strip_prefix(&folder.path).unwrap().to_string_lossy().replace('\\', "/");
        folder.files.iter().map(|file| relative(&file.path)).collect()
    }

    fn skipped(folder: &Folder) -> Vec<(String, SkipReason)> {
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        folder.skipped.iter().map(|skipped| (name(&skipped.path), skipped.reason.clone())).collect()
    }

    #[tokio::test]
    async fn content_says_what_a_picture_is_and_the_order_is_that_of_the_paths() {
        let place = folder(&[
            ("b.jpg", PNG),
            ("a/z.webp", WEBP),
            ("a/photo", JPEG),
            ("a.txt", b"a lantern"),
            ("b.png", b"no picture"),
            ("c.png", b""),
        ]);

        let folder = Folder::read(place.path()).await.unwrap();

        assert_eq!(names(&folder), ["a/photo", "a/z.webp", "a.txt", "b.jpg", "b.png", "c.png"]);
        let kinds: Vec<_> = folder.files.iter().map(|file| (file.kind, file.fault.clone())).collect();
        assert_eq!(
            kinds,
            [
                (FileKind::Jpeg, None),
                (FileKind::WebP, None),
                (FileKind::Caption, None),
                (FileKind::Png, None),
                (FileKind::NoPicture, Some(Fault::NotAPicture)),
                (FileKind::NoPicture, Some(Fault::Empty)),
            ]
        );
        assert!(folder.skipped.is_empty());
    }

    #[tokio::test]
    async fn captions_are_text_and_say_something() {
        let place =
            folder(&[("a.txt", b" \n"), ("b.txt", b"\xff\xfe"), ("c.txt", b""), ("d.TXT", "größer".as_bytes())]);

        let folder = Folder::read(place.path()).await.unwrap();

        let faults: Vec<_> = folder.files.iter().map(|file| file.fault.clone()).collect();
        assert_eq!(faults, [Some(Fault::Empty), Some(Fault::NotText), Some(Fault::Empty), None]);
    }

    #[test]
    fn a_long_caption_is_not_judged_by_a_character_cut_in_half() {
        let mut long = vec![b'a'; usize::try_from(CAPTION_BYTES).unwrap() - 1];
        long.push(0xc3);

        assert_eq!(caption_fault(&long), None);
        assert_eq!(caption_fault(b"a\xc3"), Some(Fault::NotText));
    }

    #[tokio::test]
    async fn what_is_no_part_of_the_set_is_listed_with_the_reason() {
        let place = folder(&[
            (".hidden.png", PNG),
            (".git/a.png", PNG),
            ("all.zip", b"PK\x03\x04"),
            ("notes.md", b"#"),
            ("old.gif", b"GIF89a"),
        ]);

        let folder = Folder::read(place.path()).await.unwrap();

        assert!(folder.files.is_empty());
        let expected = [
            (".git", SkipReason::Hidden),
            (".hidden.png", SkipReason::Hidden),
            ("all.zip", SkipReason::Archive),
            ("notes.md", SkipReason::OtherType),
            ("old.gif", SkipReason::OtherType),
        ];
        assert_eq!(skipped(&folder), expected.map(|(name, reason)| (name.to_owned(), reason)));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn links_are_followed_and_lead_nowhere_twice() {
        use std::os::unix::fs::symlink;

        let place = folder(&[("a.png", PNG), ("inner/b.png", PNG)]);
        symlink(place.path(), place.path().join("inner/loop")).unwrap();
        symlink(place.path().join("inner"), place.path().join("same")).unwrap();
        symlink(place.path().join("a.png"), place.path().join("link.png")).unwrap();
        symlink("nowhere", place.path().join("broken.png")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(place.path().join("socket.png")).unwrap();

        let folder = Folder::read(place.path()).await.unwrap();

        assert_eq!(names(&folder), ["a.png", "inner/b.png", "link.png"]);
        let skipped = skipped(&folder);
        assert!(matches!(&skipped[0], (name, SkipReason::Unreadable(_)) if name == "broken.png"), "{skipped:?}");
        let rest = [
            ("loop", SkipReason::AlreadyRead),
            ("same", SkipReason::AlreadyRead),
            ("socket.png", SkipReason::NotAFile),
        ];
        assert_eq!(skipped[1..], rest.map(|(name, reason)| (name.to_owned(), reason)));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_name_that_cannot_be_sent_is_a_fault() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

        let place = folder(&[("a\nb.png", PNG)]);
        fs::write(place.path().join(OsStr::from_bytes(b"\xff.png")), PNG).unwrap();

        let folder = Folder::read(place.path()).await.unwrap();

        assert!(folder.files.iter().all(|file| file.fault == Some(Fault::UnusableName)), "{folder:?}");
        assert_eq!(folder.files.len(), 2);
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_an_error() {
        let place = tempfile::tempdir().unwrap();

        let error = Folder::read(place.path().join("none")).await.unwrap_err();

        assert_eq!((error.kind(), error.outcome()), (ErrorKind::LocalIo, Outcome::NotSent));
        assert!(error.to_string().contains("none"), "{error}");
    }
}
