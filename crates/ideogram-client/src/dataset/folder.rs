//! Reads a local folder: its images and captions, and why other files are skipped.
//!
//! Start at [`Folder::read`]. The whole tree below the folder is read, in the order of the paths, which is the same on
//! every machine. Links are followed, and no folder is read twice, so circular links end. Every file is in
//! [`Folder::files`] or, with the reason, in [`Folder::skipped`].

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fs::{self, Metadata},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    content::{self, Content},
    local_file::{
        Fault, FileKind, LocalFile, MAX_CAPTION_BYTES, MAX_FOLDER_DEPTH, MAX_FOLDER_ENTRIES, SkipReason, Skipped, lossy,
    },
    name,
};
use crate::{Error, ErrorKind, Outcome, values::file_type::SIGNATURE_BYTES};

/// A local folder of images and captions, at the time when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Folder {
    /// The path of the folder.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// The images and captions, in the order of their paths.
    pub files: Vec<LocalFile>,
    /// All other files and folders, in the order of their paths.
    pub skipped: Vec<Skipped>,
}

impl Folder {
    /// Reads a folder: captions up to 1 MiB, and the first bytes of other files.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LocalIo`] if the folder itself cannot be read, or contains more than [`MAX_FOLDER_ENTRIES`] files
    /// and folders. Paths in it that cannot be read are listed ([`Folder::unread`]).
    pub async fn read(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let text = path.display().to_string();
        // A network drive may be slow, and must not block the runtime.
        let read = tokio::task::spawn_blocking(move || read_folder(path)).await;
        read.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(|error| unreadable(&text, error))
    }

    /// Like [`Folder::read`], for programs without `async`.
    ///
    /// # Errors
    ///
    /// Those of [`Folder::read`].
    #[cfg(feature = "blocking")]
    pub fn read_blocking(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let text = path.display().to_string();
        read_folder(path).map_err(|error| unreadable(&text, error))
    }

    /// The paths that could not be read and may contain images or captions. If there are any, it is not known whether a
    /// dataset has all files of the folder.
    pub fn unread(&self) -> impl Iterator<Item = &Path> {
        let skipped = self.skipped.iter().filter(|skipped| skipped.reason.is_unread());
        let files = self.files.iter().filter(|file| matches!(file.fault, Some(Fault::Unreadable(_))));
        skipped.map(|skipped| skipped.path.as_path()).chain(files.map(|file| file.path.as_path()))
    }
}

impl LocalFile {
    /// Judges one file like [`Folder::read`]. Blocks while it reads the file.
    ///
    /// # Errors
    ///
    /// The reason why it is neither an image nor a caption, or cannot be read.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self, SkipReason> {
        let path = path.into();
        let metadata = metadata_of(&path)?;
        if metadata.is_file() { inspect_file(path, metadata.len()) } else { Err(SkipReason::NotAFile) }
    }
}

fn unreadable(folder: &str, error: io::Error) -> Error {
    let message = format!("cannot read the folder \"{folder}\": {error}");
    Error::new(ErrorKind::LocalIo, Outcome::NotSent, message).with_source(error)
}

fn read_folder(path: PathBuf) -> io::Result<Folder> {
    let mut reader = Reader::new(path, MAX_FOLDER_DEPTH, MAX_FOLDER_ENTRIES);
    reader.read()?;
    Ok(reader.finish())
}

/// A folder while it is read.
struct Reader {
    folder: Folder,
    max_depth: usize,
    max_entries: usize,
    /// The number of files and folders so far.
    entries: usize,
    /// The folders so far, to recognize links to them.
    seen: HashSet<FolderId>,
}

impl Reader {
    fn new(path: PathBuf, max_depth: usize, max_entries: usize) -> Self {
        let folder = Folder { path, files: Vec::new(), skipped: Vec::new() };
        Self { folder, max_depth, max_entries, entries: 0, seen: HashSet::new() }
    }

    fn read(&mut self) -> io::Result<()> {
        let first = self.folder.path.clone();
        self.seen.insert(folder_id(&first, &fs::metadata(&first)?)?);
        // Level by level, so that the shortest path to a folder counts.
        let mut waiting = VecDeque::from([(first, 0)]);
        while let Some((path, depth)) = waiting.pop_front() {
            match fs::read_dir(&path).and_then(|entries| self.paths(entries)) {
                Ok(paths) => {
                    let folders = paths.into_iter().filter_map(|path| self.visit(path, depth + 1));
                    waiting.extend(folders.map(|path| (path, depth + 1)));
                }
                Err(error) if depth == 0 || self.entries > self.max_entries => return Err(error),
                Err(error) => self.skip(path, SkipReason::Unreadable(error.to_string())),
            }
        }
        Ok(())
    }

    /// Returns the paths in a folder, sorted.
    fn paths(&mut self, entries: fs::ReadDir) -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in entries {
            self.entries += 1;
            if self.entries > self.max_entries {
                return Err(io::Error::other(format!("it holds more than {} files and folders", self.max_entries)));
            }
            paths.push(entry?.path());
        }
        paths.sort();
        Ok(paths)
    }

    fn skip(&mut self, path: PathBuf, reason: SkipReason) {
        self.folder.skipped.push(Skipped { path, reason });
    }

    /// Lists a path, or returns it if it is a folder to read.
    fn visit(&mut self, path: PathBuf, depth: usize) -> Option<PathBuf> {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let metadata = if is_hidden { Err(SkipReason::Hidden) } else { metadata_of(&path) };
        let reason = match metadata {
            Err(reason) => reason,
            Ok(metadata) if metadata.is_dir() => match folder_id(&path, &metadata) {
                Err(error) => SkipReason::Unreadable(error.to_string()),
                Ok(id) if self.seen.contains(&id) => SkipReason::AlreadyRead,
                Ok(_) if depth > self.max_depth => SkipReason::TooDeep,
                Ok(id) => {
                    self.seen.insert(id);
                    return Some(path);
                }
            },
            Ok(metadata) if metadata.is_file() => match inspect_file(path.clone(), metadata.len()) {
                Ok(file) => {
                    self.folder.files.push(file);
                    return None;
                }
                Err(reason) => reason,
            },
            // Opening a pipe would block.
            Ok(_) => SkipReason::NotAFile,
        };
        self.skip(path, reason);
        None
    }

    /// Sorts the paths, and recognizes captions of other forms by the names of the images.
    fn finish(self) -> Folder {
        let mut folder = self.folder;
        folder.files.sort_by(|one, other| one.path.cmp(&other.path));
        folder.skipped.sort_by(|one, other| one.path.cmp(&other.path));
        let captions = names_of(&folder.files, |kind| kind == FileKind::Caption);
        let captions: HashSet<_> = captions.map(|name| name::case_folded(name::stem(name))).collect();
        // By stem, and by whole name: some tools name the caption of `a.png` `a.png.caption`.
        let images: HashMap<_, _> = names_of(&folder.files, |kind| kind != FileKind::Caption)
            .flat_map(|name| [name::stem(name), name].map(|key| (name::case_folded(key), name::stem(name).to_owned())))
            .collect();
        for skipped in &mut folder.skipped {
            if !matches!(skipped.reason, SkipReason::OtherType | SkipReason::OtherCaption { .. }) {
                continue;
            }
            let name = name_of(&skipped.path);
            let image = images.get(&name::case_folded(name::stem(&name)));
            if let Some(stem) = image.filter(|stem| !captions.contains(&name::case_folded(stem)))
                && content::may_be_caption(&name)
            {
                skipped.reason = SkipReason::OtherCaption { rename_to: Some(format!("{stem}.txt")) };
            }
        }
        folder
    }
}

fn names_of(files: &[LocalFile], is_wanted: impl Fn(FileKind) -> bool) -> impl Iterator<Item = &str> {
    files.iter().filter(move |file| is_wanted(file.kind)).map(|file| file.name.as_str())
}

/// The identity of a folder, for every path that leads to it.
#[cfg(unix)]
type FolderId = (u64, u64);
#[cfg(not(unix))]
type FolderId = PathBuf;

/// Resolving the path instead would read every folder above it.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
fn folder_id(_: &Path, metadata: &Metadata) -> io::Result<FolderId> {
    use std::os::unix::fs::MetadataExt as _;

    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn folder_id(path: &Path, _: &Metadata) -> io::Result<FolderId> {
    fs::canonicalize(path)
}

fn metadata_of(path: &Path) -> Result<Metadata, SkipReason> {
    fs::metadata(path).map_err(|error| {
        let is_absent = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
        if is_absent && path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
            SkipReason::BrokenLink
        } else {
            SkipReason::Unreadable(error.to_string())
        }
    })
}

/// The name of a file as it is sent.
fn name_of(path: &Path) -> String {
    name::base_name(&path.file_name().unwrap_or_default().to_string_lossy())
}

/// Judges a regular file by its content and its name.
fn inspect_file(path: PathBuf, size_bytes: u64) -> Result<LocalFile, SkipReason> {
    let name = name_of(&path);
    let limit = if name::is_caption(&name) { MAX_CAPTION_BYTES + 1 } else { SIGNATURE_BYTES as u64 };
    let Content { kind, fault, has_byte_order_mark } = match read_head(&path, limit) {
        Ok(head) => content::judge(&name, &head, size_bytes),
        Err(error) => content::unreadable(&name, &error),
    }?;
    let is_unusable = path.file_name().is_none_or(|name| name.to_str().is_none()) || name.chars().any(char::is_control);
    let fault = if is_unusable { Some(Fault::UnusableName) } else { fault };
    Ok(LocalFile { path, name, size_bytes, kind, fault, has_byte_order_mark })
}

fn read_head(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    fs::File::open(path)?.take(limit).read_to_end(&mut head)?;
    Ok(head)
}

#[cfg(test)]
mod tests;
