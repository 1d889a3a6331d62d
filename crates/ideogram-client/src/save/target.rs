//! Where a picture goes: names, the file it is downloaded into, and the step from one to the other.
//!
//! All of it blocks; [`on_disk`] runs it where that is allowed. A file travels into the work and back, so work that
//! nobody waits for any more ends by removing it.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use tempfile::{NamedTempFile, PersistError};

use super::{
    failure,
    media_type::{MediaType, is_picture_extension},
    settings::IfExists,
    sidecar::Sidecar,
};
use crate::Error;

/// Files that are not complete are called `.ideogram-<random>.part`.
const PART_PREFIX: &str = ".ideogram-";
const PART_SUFFIX: &str = ".part";

/// How many names are tried before there is no free one.
const MOST_NAMES: u32 = 10_000;

/// Extensions that are looked for before a download: with one of them, the name is taken.
const LIKELY_EXTENSIONS: [&str; 5] = ["png", "jpg", "jpeg", "webp", "gif"];

/// Between a sidecar and its picture lies an instant; so long after, nobody is coming any more.
const LIKELY_LEFT_OVER: Duration = Duration::from_secs(5);

/// The name of a picture to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) folder: PathBuf,
    stem: OsString,
    extension: Extension,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Extension {
    /// What the picture needs; this one if it fits.
    OfThePicture(Option<String>),
    /// As given, whatever the picture is.
    Exactly(Option<OsString>),
}

/// Whether a caller's extension stays when the picture is something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    ByContent,
    Exact,
}

impl Target {
    /// A file in a folder whose extension will be what the picture needs.
    pub(super) fn in_folder(folder: PathBuf, stem: &str) -> Self {
        Self { folder, stem: stem.into(), extension: Extension::OfThePicture(None) }
    }

    /// A file as a caller names it.
    pub(super) fn file(path: &Path, naming: Naming) -> Result<Self, Error> {
        let Some(name) = path.file_name() else {
            return Err(failure::misuse(format!("\"{}\" names no file", path.display())));
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (stem, extension) = (path.file_stem().unwrap_or(name), path.extension());
        let picture = extension.and_then(OsStr::to_str).filter(|extension| is_picture_extension(extension));
        let (stem, extension) = match (naming, picture) {
            (Naming::Exact, _) => (stem, Extension::Exactly(extension.map(OsStr::to_owned))),
            (Naming::ByContent, Some(extension)) => (stem, Extension::OfThePicture(Some(extension.to_owned()))),
            // `lantern.v2` has no extension yet.
            (Naming::ByContent, None) => (name, Extension::OfThePicture(None)),
        };
        if extension == Extension::Exactly(Some("json".into())) {
            return Err(failure::misuse("the extension `json` is for what is written beside a picture"));
        }
        Ok(Self { folder: folder.to_owned(), stem: stem.to_owned(), extension })
    }

    /// The file with one of the names: the first as asked for, then `-2`, `-3`, ...
    fn path(&self, number: u32, extension: Option<&OsStr>) -> PathBuf {
        let mut name = self.stem.clone();
        if number > 1 {
            name.push(format!("-{number}"));
        }
        if let Some(extension) = extension {
            name.push(".");
            name.push(extension);
        }
        self.folder.join(name)
    }

    fn sidecar(&self, number: u32) -> PathBuf {
        self.path(number, Some(OsStr::new("json")))
    }

    fn picture(&self, number: u32, media_type: &MediaType) -> PathBuf {
        let extension = match &self.extension {
            Extension::Exactly(extension) => extension.as_deref(),
            Extension::OfThePicture(Some(given)) if media_type.has_extension(given) => Some(OsStr::new(given)),
            Extension::OfThePicture(_) => Some(OsStr::new(&*media_type.extension)),
        };
        self.path(number, extension)
    }

    /// What is there already under one of the names. `item` is the picture's own, if it gets a sidecar.
    fn taken(&self, number: u32, item: Option<&Value>) -> Option<PathBuf> {
        let mut paths = match &self.extension {
            Extension::Exactly(extension) => vec![self.path(number, extension.as_deref())],
            Extension::OfThePicture(given) => {
                let given = given.as_deref().into_iter();
                given.chain(LIKELY_EXTENSIONS).map(|extension| self.path(number, Some(OsStr::new(extension)))).collect()
            }
        };
        if let Some(item) = item
            && !self.is_left_over(number, item)
        {
            paths.push(self.sidecar(number));
        }
        // A link to nowhere is there, too.
        paths.into_iter().find(|path| path.symlink_metadata().is_ok())
    }

    /// Whether a sidecar was left by a process that was killed before it could put the same picture beside it. A young
    /// one may be of another saver, who is about to.
    fn is_left_over(&self, number: u32, item: &Value) -> bool {
        let path = self.sidecar(number);
        let modified = path.symlink_metadata().and_then(|metadata| metadata.modified()).ok();
        if modified.and_then(|modified| modified.elapsed().ok()).is_none_or(|age| age < LIKELY_LEFT_OVER) {
            return false;
        }
        let json = fs::read(path).ok();
        let Some(sidecar) = json.and_then(|json| serde_json::from_slice::<Value>(&json).ok()) else { return false };
        let picture = sidecar["file"].as_str().map(|name| self.folder.join(name));
        sidecar["item"] == *item && picture.is_some_and(|picture| picture.symlink_metadata().is_err())
    }

    /// Before a download: makes the folder, and refuses a name that is taken.
    pub(super) fn prepare(&self, if_exists: IfExists, item: Option<&Value>) -> Result<(), Error> {
        fs::create_dir_all(&self.folder).map_err(|error| failure::local("make the folder", &self.folder, &error))?;
        match self.taken(1, item) {
            Some(path) if if_exists == IfExists::Fail => Err(exists(&path)),
            _ => Ok(()),
        }
    }

    /// A file to download into, in the folder of the target: a rename never leaves a file system.
    pub(super) fn part(&self) -> Result<NamedTempFile, Error> {
        part_in(&self.folder).map_err(|error| failure::local("write into", &self.folder, &error))
    }

    /// After a download: gives the picture its name, and its sidecar beside it.
    ///
    /// The sidecar goes first. Its name is the same whatever the picture turned out to be, so of two savers that race
    /// for one name, one stops here; and whoever sees a picture finds its sidecar beside it.
    pub(super) fn place(
        &self,
        mut picture: NamedTempFile,
        media_type: &MediaType,
        sidecar: Option<&Sidecar>,
        if_exists: IfExists,
    ) -> Result<(PathBuf, Option<PathBuf>), Error> {
        let writing = |error| failure::local("write", &self.picture(1, media_type), &error);
        let size_bytes = picture.as_file().metadata().map_err(writing)?.len();
        picture.as_file().sync_all().map_err(writing)?;
        for number in 1..=MOST_NAMES {
            if if_exists != IfExists::Replace
                && let Some(path) = self.taken(number, sidecar.map(|sidecar| sidecar.picture.item()))
            {
                match if_exists {
                    IfExists::Number => continue,
                    _ => return Err(exists(&path)),
                }
            }
            let (path, beside) = (self.picture(number, media_type), self.sidecar(number));
            if let Some(sidecar) = sidecar {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let json = sidecar.render(&name, media_type, size_bytes);
                let part = written(&self.folder, &json).map_err(|error| failure::local("write", &beside, &error))?;
                let is_left_over = self.is_left_over(number, sidecar.picture.item());
                match put(part, &beside, if is_left_over { IfExists::Replace } else { if_exists }) {
                    Ok(()) => {}
                    Err(failed) if is_race(&failed, if_exists) => continue,
                    Err(failed) => return Err(failure::local("write", &beside, &failed.error)),
                }
            }
            match put(picture, &path, if_exists) {
                Ok(()) => {
                    sync_folder(&self.folder);
                    return Ok((path, sidecar.map(|_| beside)));
                }
                Err(failed) => {
                    // It was put there a moment ago, and describes nothing now.
                    if sidecar.is_some() && if_exists != IfExists::Replace {
                        let _ = fs::remove_file(&beside);
                    }
                    if !is_race(&failed, if_exists) {
                        return Err(failure::local("write", &path, &failed.error));
                    }
                    picture = failed.file;
                }
            }
        }
        Err(exists(&self.picture(MOST_NAMES, media_type)))
    }
}

fn exists(path: &Path) -> Error {
    failure::local("write", path, &io::ErrorKind::AlreadyExists.into())
}

/// Somebody else took the name since it was looked for, and there are others.
fn is_race(failed: &PersistError, if_exists: IfExists) -> bool {
    if_exists == IfExists::Number && failed.error.kind() == io::ErrorKind::AlreadyExists
}

fn part_in(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PART_PREFIX).suffix(PART_SUFFIX);
    // As any new file: the umask decides. Temporary files are for their owner alone otherwise, and so would pictures be.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn written(folder: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let mut part = part_in(folder)?;
    part.write_all(content)?;
    part.as_file().sync_all()?;
    Ok(part)
}

fn put(part: NamedTempFile, path: &Path, if_exists: IfExists) -> Result<(), PersistError> {
    if if_exists == IfExists::Replace {
        return part.persist(path).map(drop);
    }
    // One step, by the system's own call for it or by a hard link.
    part.persist_noclobber(path).map(drop).or_else(|failed| {
        let has_neither = matches!(failed.error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied);
        // Some file systems can do neither. Looking first leaves an instant for somebody else's file of that name.
        if has_neither && path.symlink_metadata().is_err() { failed.file.persist(path).map(drop) } else { Err(failed) }
    })
}

/// A name is as lasting as its folder. Where a folder cannot be synced, the system does without.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// Runs what blocks beside the tasks of the runtime. It runs to its end even if nobody waits for it any more.
pub(super) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(failure::shutting_down()),
    }
}
