//! The target of an image: its names, its temporary file, and the rename.
//!
//! All functions block; [`on_disk`] runs them on a thread for blocking work. They own the temporary file, so if a task is
//! dropped, they remove it.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::{NamedTempFile, PersistError, TempPath};

use super::{
    failure,
    image_ref::ImageRef,
    media_type::{MediaType, is_image_extension},
    saved::{Done, Received, Saved},
    settings::IfExists,
    sidecar::{self, Sidecar},
};
use crate::{
    Error,
    fs::durable,
    save::Image as _,
    values::file_type::{IMAGE_TYPES, SIGNATURE_BYTES},
};

/// Temporary files have the name `.ideogram-<random>.part`.
const PART_PREFIX: &str = ".ideogram-";
const PART_SUFFIX: &str = ".part";

/// The maximum number of names that are tried.
const MAX_NAMES: u32 = 10_000;

/// The suffix of maximum length of a stem that a caller chose: a role, a number up to `MAX_NAMES`, and the extension of
/// an unknown media type.
pub const MAX_SUFFIX: &str = "-original-10000.incomplete.abcdefgh";

/// Comes before the extension of an incomplete image.
const INCOMPLETE: &str = "incomplete";

/// Checks whether the name of a file may begin with this text, in any folder.
///
/// # Errors
///
/// The reason why not.
pub fn check_stem(stem: &str) -> Result<(), &'static str> {
    check_stem_on(stem, cfg!(windows))
}

fn check_stem_on(stem: &str, windows: bool) -> Result<(), &'static str> {
    if stem.is_empty() {
        return Err("the name is empty");
    }
    if stem.starts_with('.') {
        return Err("a dot at the beginning hides a file");
    }
    if stem.contains(['/', '\\', ':']) {
        return Err("it contains a slash, a backslash or a colon");
    }
    if stem.chars().any(char::is_control) {
        return Err("it contains a control character");
    }
    // Other systems allow these names.
    if windows {
        if stem.contains(['<', '>', '"', '|', '?', '*']) {
            return Err("Windows does not allow < > \" | ? * in a name");
        }
        // With any extension, also after spaces.
        let device = stem.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
        let numbered = |word: &str| {
            let mut rest = device.strip_prefix(word).unwrap_or_default().chars();
            matches!((rest.next(), rest.next()), (Some('0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}'), None))
        };
        let is_device = ["con", "prn", "aux", "nul", "conin$", "conout$"].contains(&device.as_str());
        if is_device || numbered("com") || numbered("lpt") {
            return Err("the name is a device of Windows");
        }
    }
    Ok(())
}

/// An image is renamed right after its sidecar: a sidecar of this age without an image is treated as left over.
const MAX_SIDECAR_AGE: Duration = Duration::from_secs(5);

/// The name for an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) folder: PathBuf,
    stem: OsString,
    extension: Extension,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Extension {
    /// By the type of the image, or this one if it fits the type.
    ByContent(Option<String>),
    Exact(Option<OsString>),
}

/// An image that gets the name of its target.
pub(super) struct Placement {
    pub(super) target: Target,
    pub(super) image: ImageRef,
    pub(super) if_exists: IfExists,
    pub(super) sidecar: Option<Sidecar>,
}

impl Target {
    /// Returns the target of a file in a folder, with the extension of its type.
    pub(super) fn in_folder(folder: PathBuf, stem: &str) -> Self {
        Self { folder, stem: stem.into(), extension: Extension::ByContent(None) }
    }

    /// Returns the target of a path. With an exact name, its extension is used for every type of image.
    pub(super) fn file(path: &Path, exact_name: bool) -> Result<Self, Error> {
        let Some(name) = path.file_name() else {
            return Err(Error::invalid_argument(format!("\"{}\" is not the path of a file", path.display())));
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (stem, extension) = (path.file_stem().unwrap_or(name), path.extension());
        let image = extension.and_then(OsStr::to_str).filter(|extension| is_image_extension(extension));
        let (stem, extension) = match image {
            _ if exact_name => (stem, Extension::Exact(extension.map(OsStr::to_owned))),
            Some(extension) => (stem, Extension::ByContent(Some(extension.to_owned()))),
            // `lantern.v2` has no extension of an image.
            None => (name, Extension::ByContent(None)),
        };
        if extension == Extension::Exact(Some("json".into())) {
            return Err(Error::invalid_argument("the extension `json` is reserved for sidecars".to_owned()));
        }
        Ok(Self { folder: folder.to_owned(), stem: stem.to_owned(), extension })
    }

    /// Returns the path with a number: the first without, then `-2`, `-3`, ...
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

    fn image(&self, number: u32, media_type: &MediaType) -> PathBuf {
        let extension = match &self.extension {
            Extension::Exact(extension) => extension.as_deref(),
            Extension::ByContent(Some(extension)) if media_type.has_extension(extension) => Some(OsStr::new(extension)),
            Extension::ByContent(_) => Some(OsStr::new(&*media_type.extension)),
        };
        self.path(number, extension)
    }

    /// Returns the paths that an image of an unknown type may have. Before a download, a file with one of them takes the
    /// name.
    fn possible(&self, number: u32) -> Vec<PathBuf> {
        match &self.extension {
            Extension::Exact(extension) => vec![self.path(number, extension.as_deref())],
            Extension::ByContent(extension) => {
                let own = extension.as_deref().into_iter();
                let known = IMAGE_TYPES.iter().flat_map(|known| known.extensions).copied();
                own.chain(known).map(|extension| self.path(number, Some(OsStr::new(extension)))).collect()
            }
        }
    }

    /// Creates a temporary file in the folder, since a rename does not cross file systems.
    pub(super) fn new_part(&self) -> io::Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PART_PREFIX).suffix(PART_SUFFIX);
        // The umask decides, as for any new file. By default, only the owner can read temporary files.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        builder.tempfile_in(&self.folder)
    }

    /// Returns the error of a temporary file.
    pub(super) fn cannot_write(&self, error: &io::Error) -> Error {
        failure::local("write into", &self.folder, error)
    }

    /// Saves an incomplete image under a name that says so: `lantern.incomplete.png`. It may be worth more than none.
    pub(super) fn keep_cut(&self, cut: Received) -> Result<PathBuf, Error> {
        let Received { mut part, media_type, size_bytes } = cut;
        let extension = OsString::from(format!("{INCOMPLETE}.{}", media_type.extension));
        for number in 1..=MAX_NAMES {
            let path = self.path(number, Some(&extension));
            match durable::put_new(part, &path) {
                Ok(()) => return Ok(path),
                // The same incomplete image, saved earlier.
                Err(failed) if path.metadata().is_ok_and(|existing| existing.len() == size_bytes) => {
                    drop(failed);
                    return Ok(path);
                }
                Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => part = failed.file,
                Err(failed) => return Err(writing(&path, &failed.error)),
            }
        }
        Err(exists(&self.path(MAX_NAMES, Some(&extension))))
    }
}

impl Placement {
    /// Returns an existing file with one of the names of the image and its sidecar.
    fn taken(&self, number: u32) -> Option<PathBuf> {
        let mut paths = self.target.possible(number);
        if self.sidecar.is_some() && !self.is_left_over(number) {
            paths.push(self.target.sidecar(number));
        }
        // Also a broken link.
        paths.into_iter().find(|path| path.symlink_metadata().is_ok())
    }

    /// Returns whether a sidecar of the same image was left over by a process that was killed before it renamed the image.
    /// Another process may be about to rename it, so the sidecar must have a minimum age, except with `Skip`.
    fn is_left_over(&self, number: u32) -> bool {
        let path = self.target.sidecar(number);
        let modified = path.symlink_metadata().and_then(|metadata| metadata.modified()).ok();
        let age = modified.and_then(|modified| modified.elapsed().ok());
        if self.if_exists != IfExists::Skip && age.is_none_or(|age| age < MAX_SIDECAR_AGE) {
            return false;
        }
        let Some(sidecar) = sidecar::read(&path) else { return false };
        let described = sidecar["file"].as_str().map(|name| self.target.folder.join(name));
        sidecar["item"] == *self.image.item() && described.is_some_and(|image| image.symlink_metadata().is_err())
    }

    /// Returns the file if the image was saved earlier. Files are renamed into place only when complete, so it is enough
    /// to check that it is an image and that its sidecar names the same link.
    fn saved_before(&self, number: u32) -> Option<Saved> {
        let Self { target, image, .. } = self;
        let sidecar_path = target.sidecar(number);
        let sidecar = sidecar::read(&sidecar_path);
        let path = match &sidecar {
            Some(sidecar) => {
                // The item of a response with single links has several of them, and a role.
                let mut values = sidecar["item"].as_object()?.values();
                let has_link = values.any(|value| value.as_str().is_some_and(|link| Some(link) == image.link()));
                let is_same = has_link && sidecar["role"].as_str() == image.role();
                let file = sidecar["file"].as_str().filter(|_| is_same)?;
                Some(target.folder.join(file)).filter(|path| name(path) == Some(file))
            }
            None => target.possible(number).into_iter().find(|path| path.is_file()),
        }?;
        let (file, mut head) = (fs::File::open(&path).ok()?, Vec::new());
        let metadata = file.metadata().ok().filter(fs::Metadata::is_file)?;
        file.take(SIGNATURE_BYTES as u64).read_to_end(&mut head).ok()?;
        let media_type = MediaType::of(&head, None).ok()?.name.into_owned();
        Some(Saved { path, sidecar: sidecar.map(|_| sidecar_path), media_type, size_bytes: metadata.len() })
    }

    /// Returns the existing image with `Skip`, or the error that the file exists.
    fn saved_or_refused(&self, path: &Path) -> Result<Saved, Error> {
        let saved = if self.if_exists == IfExists::Skip { self.saved_before(1) } else { None };
        saved.ok_or_else(|| exists(path))
    }

    /// Refuses to replace a file that has the name of the sidecar and is not one.
    fn refuse_other_json(&self) -> Result<(), Error> {
        let path = self.target.sidecar(1);
        let is_other = path.symlink_metadata().is_ok() && sidecar::read(&path).is_none();
        if self.sidecar.is_some() && is_other { Err(exists(&path)) } else { Ok(()) }
    }

    /// Before a download: creates the folder, refuses a name that is taken, and returns an image that is on disk already.
    pub(super) fn prepare(&self) -> Result<Option<Saved>, Error> {
        let folder = &self.target.folder;
        fs::create_dir_all(folder).map_err(|error| failure::local("create the folder", folder, &error))?;
        match self.if_exists {
            IfExists::Fail | IfExists::Skip => self.taken(1).map(|path| self.saved_or_refused(&path)).transpose(),
            IfExists::SkipOrNumber => {
                let taken = (1..=MAX_NAMES).take_while(|number| self.taken(*number).is_some());
                // Without a sidecar, it may be any image.
                Ok(taken.filter_map(|number| self.saved_before(number)).find(|saved| saved.sidecar.is_some()))
            }
            IfExists::Replace => self.refuse_other_json().map(|()| None),
            IfExists::Number => Ok(None),
        }
    }

    /// After a download: gives the image its name, and writes its sidecar. Both last once the folder is synced.
    pub(super) fn finish(&self, received: Received) -> Result<Done, Error> {
        let synced = received.part.as_file().sync_all();
        synced.map_err(|error| writing(&self.target.image(1, &received.media_type), &error))?;
        if self.if_exists == IfExists::Replace { self.replace(received).map(Done::Saved) } else { self.add(received) }
    }

    /// Gives the image a free name.
    ///
    /// The sidecar comes first. Its name does not depend on the type of the image, so of two processes that save under
    /// the same name, one fails here; and every image has its sidecar from the beginning.
    fn add(&self, mut received: Received) -> Result<Done, Error> {
        for number in 1..=MAX_NAMES {
            if let Some(path) = self.taken(number) {
                if self.numbers() {
                    continue;
                }
                return self.saved_or_refused(&path).map(Done::AlreadyThere);
            }
            let (path, sidecar_path) = (self.target.image(number, &received.media_type), self.target.sidecar(number));
            let is_left_over = self.sidecar.is_some() && self.is_left_over(number);
            if let Some(new) = self.new_sidecar(&path, &received, &sidecar_path)? {
                let put = if is_left_over {
                    new.persist(&sidecar_path).map(drop)
                } else {
                    durable::put_new(new, &sidecar_path)
                };
                match put {
                    Ok(()) => {}
                    Err(failed) if self.is_race(&failed) => continue,
                    Err(failed) => return Err(writing(&sidecar_path, &failed.error)),
                }
            }
            match durable::put_new(received.part, &path) {
                Ok(()) => {
                    let Received { media_type, size_bytes, .. } = received;
                    return Ok(Done::Saved(self.saved(path, media_type, size_bytes, sidecar_path)));
                }
                Err(failed) => {
                    // The sidecar of this image, which has no name now.
                    if self.sidecar.is_some() && !is_left_over {
                        let _ = fs::remove_file(&sidecar_path);
                    }
                    if !self.is_race(&failed) {
                        return Err(writing(&path, &failed.error));
                    }
                    received.part = failed.file;
                }
            }
        }
        Err(exists(&self.target.image(MAX_NAMES, &received.media_type)))
    }

    /// Replaces an image.
    ///
    /// Two files cannot be replaced in one step. So the old sidecar is moved away first, then the image is replaced, and
    /// the new sidecar comes last: at no time does a sidecar describe another image. If the image cannot be replaced,
    /// the old sidecar is moved back.
    fn replace(&self, received: Received) -> Result<Saved, Error> {
        self.refuse_other_json()?;
        let (path, sidecar_path) = (self.target.image(1, &received.media_type), self.target.sidecar(1));
        let new = self.new_sidecar(&path, &received, &sidecar_path)?;
        let old = sidecar::read(&sidecar_path).filter(|old| new.is_some() || old["file"].as_str() == name(&path));
        let aside = old.map(|_| self.set_aside(&sidecar_path)).transpose();
        let aside = aside.map_err(|error| writing(&sidecar_path, &error))?;
        let Received { part, media_type, size_bytes } = received;
        if let Err(failed) = part.persist(&path) {
            if let Some(aside) = aside {
                let _ = aside.persist(&sidecar_path);
            }
            return Err(writing(&path, &failed.error));
        }
        if let Some(new) = new {
            let put = durable::put_new(new, &sidecar_path).or_else(|failed| {
                // Another process has replaced the image at the same time: the last one wins.
                if sidecar::read(&sidecar_path).is_some() {
                    failed.file.persist(&sidecar_path).map(drop)
                } else {
                    Err(failed)
                }
            });
            put.map_err(|failed| writing(&sidecar_path, &failed.error))?;
        }
        Ok(self.saved(path, media_type, size_bytes, sidecar_path))
    }

    fn saved(&self, path: PathBuf, media_type: MediaType, size_bytes: u64, sidecar: PathBuf) -> Saved {
        let sidecar = self.sidecar.is_some().then_some(sidecar);
        Saved { path, sidecar, media_type: media_type.name.into_owned(), size_bytes }
    }

    /// Moves a file to a temporary name, where it is deleted unless it is moved back.
    fn set_aside(&self, path: &Path) -> io::Result<TempPath> {
        let aside = self.target.new_part()?.into_temp_path();
        fs::rename(path, &aside)?;
        Ok(aside)
    }

    /// Writes the sidecar of an image, if it gets one, to a temporary file.
    fn new_sidecar(&self, image: &Path, of: &Received, path: &Path) -> Result<Option<NamedTempFile>, Error> {
        let Some(sidecar) = &self.sidecar else { return Ok(None) };
        let file = image.file_name().unwrap_or_default().to_string_lossy();
        let json = sidecar.render(&self.image, &file, &of.media_type, of.size_bytes);
        let written = self.target.new_part().and_then(|mut part| {
            part.write_all(&json)?;
            part.as_file().sync_all()?;
            Ok(part)
        });
        written.map(Some).map_err(|error| writing(path, &error))
    }

    /// Returns whether the image gets the next free name if its own is taken.
    fn numbers(&self) -> bool {
        matches!(self.if_exists, IfExists::Number | IfExists::SkipOrNumber)
    }

    /// Returns whether another process took the name, and another name can be used.
    fn is_race(&self, failed: &PersistError) -> bool {
        self.numbers() && failed.error.kind() == io::ErrorKind::AlreadyExists
    }
}

fn name(path: &Path) -> Option<&str> {
    path.file_name().and_then(OsStr::to_str)
}

fn writing(path: &Path, error: &io::Error) -> Error {
    failure::local("write", path, error)
}

fn exists(path: &Path) -> Error {
    writing(path, &io::ErrorKind::AlreadyExists.into())
}

/// Runs blocking work on a thread of its own. It runs to its end even if the future is dropped.
pub(super) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(failure::shutting_down()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_names_are_refused_on_their_system() {
        for stem in ["", ".", "..", ".hidden", "a/b", "a\\b", "c:", "a\nb", "a\0"] {
            assert!(check_stem_on(stem, false).is_err() && check_stem_on(stem, true).is_err(), "{stem:?}");
        }
        for stem in ["con", "CON", "nul.x", "aux ", "com1", "LPT9.tar", "com\u{b9}", "conin$", "a?", "a*", "<a>", "a|b"]
        {
            assert!(check_stem_on(stem, false).is_ok() && check_stem_on(stem, true).is_err(), "{stem:?}");
        }
        // An extension follows, so a dot or space is not the last character of a name.
        for stem in ["lantern", "a.", "a ", "a.v2", "console", "com", "com10", "lpt", "\u{706f}", "-a", "'"] {
            assert!(check_stem_on(stem, false).is_ok() && check_stem_on(stem, true).is_ok(), "{stem:?}");
        }
    }

    #[test]
    fn no_suffix_is_longer_than_max_suffix() {
        let longest = MediaType::of(b"\0\x01", Some("image/abcdefghijkl")).unwrap();
        let target = Target::in_folder(PathBuf::new(), "-original");

        let name = target.image(MAX_NAMES, &longest);
        let cut = target.path(MAX_NAMES, Some(OsStr::new(&format!("{INCOMPLETE}.{}", longest.extension))));

        assert!(name.as_os_str().len() < MAX_SUFFIX.len());
        assert_eq!(cut.to_str(), Some(MAX_SUFFIX));
    }
}
