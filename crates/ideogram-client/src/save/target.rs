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
use crate::{Error, fs::durable, save::Image as _, values::signature::SIGNATURE_BYTES};

/// Temporary files have the name `.ideogram-<random>.part`.
const PART_PREFIX: &str = ".ideogram-";
const PART_SUFFIX: &str = ".part";

/// The maximum number of names that are tried.
const MAX_NAMES: u32 = 10_000;

/// Extensions that an image may have. Before a download, a file with one of them takes the name.
const LIKELY_EXTENSIONS: [&str; 5] = ["png", "jpg", "jpeg", "webp", "gif"];

/// The longest suffix of a stem that a caller chose: a role, a number up to `MAX_NAMES`, and the extension of an unknown
/// media type.
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

/// Whether an image gets the next free name if its own is taken.
fn numbers(if_exists: IfExists) -> bool {
    matches!(if_exists, IfExists::Number | IfExists::SkipOrNumber)
}

/// An image is renamed right after its sidecar. A sidecar without an image is left over after this time.
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

/// Whether a caller's extension is used for every type of image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    ByContent,
    Exact,
}

impl Target {
    /// Returns the target of a file in a folder, with the extension of its type.
    pub(super) fn in_folder(folder: PathBuf, stem: &str) -> Self {
        Self { folder, stem: stem.into(), extension: Extension::ByContent(None) }
    }

    /// Returns the target of a path.
    pub(super) fn file(path: &Path, naming: Naming) -> Result<Self, Error> {
        let Some(name) = path.file_name() else {
            return Err(failure::misuse(format!("\"{}\" is not the path of a file", path.display())));
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (stem, extension) = (path.file_stem().unwrap_or(name), path.extension());
        let image = extension.and_then(OsStr::to_str).filter(|extension| is_image_extension(extension));
        let (stem, extension) = match (naming, image) {
            (Naming::Exact, _) => (stem, Extension::Exact(extension.map(OsStr::to_owned))),
            (Naming::ByContent, Some(extension)) => (stem, Extension::ByContent(Some(extension.to_owned()))),
            // `lantern.v2` has no extension of an image.
            (Naming::ByContent, None) => (name, Extension::ByContent(None)),
        };
        if extension == Extension::Exact(Some("json".into())) {
            return Err(failure::misuse("the extension `json` is reserved for sidecars"));
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

    /// Returns the paths that an image of an unknown type may have.
    fn possible(&self, number: u32) -> Vec<PathBuf> {
        match &self.extension {
            Extension::Exact(extension) => vec![self.path(number, extension.as_deref())],
            Extension::ByContent(extension) => {
                let own = extension.as_deref().into_iter();
                own.chain(LIKELY_EXTENSIONS).map(|extension| self.path(number, Some(OsStr::new(extension)))).collect()
            }
        }
    }

    /// Returns an existing file with one of the names of an image and its sidecar.
    fn taken(&self, number: u32, image: &ImageRef, with_sidecar: bool, if_exists: IfExists) -> Option<PathBuf> {
        let mut paths = self.possible(number);
        if with_sidecar && !self.is_left_over(number, image, if_exists) {
            paths.push(self.sidecar(number));
        }
        // Also a broken link.
        paths.into_iter().find(|path| path.symlink_metadata().is_ok())
    }

    /// Returns whether a sidecar of the same image was left over by a process that was killed before it renamed the image.
    /// Another process may be about to rename it, so the sidecar must have a minimum age, except with `Skip`.
    fn is_left_over(&self, number: u32, image: &ImageRef, if_exists: IfExists) -> bool {
        let path = self.sidecar(number);
        let modified = path.symlink_metadata().and_then(|metadata| metadata.modified()).ok();
        let age = modified.and_then(|modified| modified.elapsed().ok());
        if if_exists != IfExists::Skip && age.is_none_or(|age| age < MAX_SIDECAR_AGE) {
            return false;
        }
        let Some(sidecar) = sidecar::read(&path) else { return false };
        let described = sidecar["file"].as_str().map(|name| self.folder.join(name));
        sidecar["item"] == *image.item() && described.is_some_and(|image| image.symlink_metadata().is_err())
    }

    /// Returns the file if this image was saved earlier. Files are renamed into place only when complete, so it is enough
    /// to check that it is an image and that its sidecar names the same link.
    fn saved_before(&self, number: u32, image: &ImageRef) -> Option<Saved> {
        let sidecar_path = self.sidecar(number);
        let sidecar = sidecar::read(&sidecar_path);
        let path = match &sidecar {
            Some(sidecar) => {
                // The item of a response with single links has several of them, and a role.
                let mut values = sidecar["item"].as_object()?.values();
                let has_link = values.any(|value| value.as_str().is_some_and(|link| Some(link) == image.link()));
                let is_same = has_link && sidecar["role"].as_str() == image.role();
                let file = sidecar["file"].as_str().filter(|_| is_same)?;
                Some(self.folder.join(file)).filter(|path| name(path) == Some(file))
            }
            None => self.possible(number).into_iter().find(|path| path.is_file()),
        }?;
        let (file, mut head) = (fs::File::open(&path).ok()?, Vec::new());
        let metadata = file.metadata().ok().filter(fs::Metadata::is_file)?;
        file.take(SIGNATURE_BYTES as u64).read_to_end(&mut head).ok()?;
        let media_type = MediaType::of(&head, None).ok()?.name.into_owned();
        Some(Saved { path, sidecar: sidecar.map(|_| sidecar_path), media_type, size_bytes: metadata.len() })
    }

    /// Returns the existing image with `Skip`, or the error that the file exists.
    fn saved_or_refused(&self, path: &Path, image: &ImageRef, if_exists: IfExists) -> Result<Saved, Error> {
        let saved = if if_exists == IfExists::Skip { self.saved_before(1, image) } else { None };
        saved.ok_or_else(|| exists(path))
    }

    /// Returns whether a file has the name of the sidecar and is not one.
    fn has_other_json(&self, number: u32) -> bool {
        let path = self.sidecar(number);
        path.symlink_metadata().is_ok() && sidecar::read(&path).is_none()
    }

    /// Before a download: creates the folder, refuses a name that is taken, and returns an image that is on disk already.
    pub(super) fn prepare(
        &self,
        if_exists: IfExists,
        image: &ImageRef,
        with_sidecar: bool,
    ) -> Result<Option<Saved>, Error> {
        fs::create_dir_all(&self.folder).map_err(|error| failure::local("create the folder", &self.folder, &error))?;
        match if_exists {
            IfExists::Fail | IfExists::Skip => {
                let taken = self.taken(1, image, with_sidecar, if_exists);
                return taken.map(|path| self.saved_or_refused(&path, image, if_exists)).transpose();
            }
            IfExists::SkipOrNumber => {
                let taken = (1..=MAX_NAMES).take_while(|it| self.taken(*it, image, with_sidecar, if_exists).is_some());
                // Without a sidecar, it may be any image.
                let mut saved = taken.filter_map(|number| self.saved_before(number, image));
                return Ok(saved.find(|saved| saved.sidecar.is_some()));
            }
            IfExists::Replace if with_sidecar && self.has_other_json(1) => return Err(exists(&self.sidecar(1))),
            IfExists::Replace | IfExists::Number => {}
        }
        Ok(None)
    }

    /// Creates a temporary file in the folder of the target, since a rename does not cross file systems.
    pub(super) fn part(&self) -> Result<NamedTempFile, Error> {
        self.new_part().map_err(|error| failure::local("write into", &self.folder, &error))
    }

    pub(super) fn new_part(&self) -> io::Result<NamedTempFile> {
        part_in(&self.folder)
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
                Err(failed) => return Err(failure::local("write", &path, &failed.error)),
            }
        }
        Err(exists(&self.path(MAX_NAMES, Some(&extension))))
    }

    /// After a download: gives the image its name, and writes its sidecar. Both last once the folder is synced.
    pub(super) fn finish(
        &self,
        received: Received,
        image: &ImageRef,
        sidecar: Option<&Sidecar>,
        if_exists: IfExists,
    ) -> Result<Done, Error> {
        let synced = received.part.as_file().sync_all();
        synced.map_err(|error| failure::local("write", &self.image(1, &received.media_type), &error))?;
        if if_exists == IfExists::Replace {
            self.replace(received, sidecar).map(Done::Saved)
        } else {
            self.add(received, image, sidecar, if_exists)
        }
    }

    /// Gives an image a free name.
    ///
    /// The sidecar comes first. Its name does not depend on the type of the image, so of two processes that save under
    /// the same name, one fails here; and every image has its sidecar from the beginning.
    fn add(
        &self,
        received: Received,
        image: &ImageRef,
        sidecar: Option<&Sidecar>,
        if_exists: IfExists,
    ) -> Result<Done, Error> {
        let Received { mut part, media_type, size_bytes } = received;
        for number in 1..=MAX_NAMES {
            if let Some(path) = self.taken(number, image, sidecar.is_some(), if_exists) {
                if numbers(if_exists) {
                    continue;
                }
                return self.saved_or_refused(&path, image, if_exists).map(Done::AlreadyThere);
            }
            let (path, sidecar_path) = (self.image(number, &media_type), self.sidecar(number));
            let is_left_over = sidecar.is_some() && self.is_left_over(number, image, if_exists);
            if let Some(sidecar) = sidecar {
                let new = self.written(sidecar, &path, &media_type, size_bytes, &sidecar_path)?;
                let put = if is_left_over {
                    new.persist(&sidecar_path).map(drop)
                } else {
                    durable::put_new(new, &sidecar_path)
                };
                match put {
                    Ok(()) => {}
                    Err(failed) if is_race(&failed, if_exists) => continue,
                    Err(failed) => return Err(failure::local("write", &sidecar_path, &failed.error)),
                }
            }
            match durable::put_new(part, &path) {
                Ok(()) => {
                    let (sidecar, media_type) = (sidecar.map(|_| sidecar_path), media_type.name.into_owned());
                    return Ok(Done::Saved(Saved { path, sidecar, media_type, size_bytes }));
                }
                Err(failed) => {
                    // The sidecar of this image, which has no name now.
                    if sidecar.is_some() && !is_left_over {
                        let _ = fs::remove_file(&sidecar_path);
                    }
                    if !is_race(&failed, if_exists) {
                        return Err(failure::local("write", &path, &failed.error));
                    }
                    part = failed.file;
                }
            }
        }
        Err(exists(&self.image(MAX_NAMES, &media_type)))
    }

    /// Replaces an image.
    ///
    /// Two files cannot be replaced in one step. So the old sidecar is moved away first, then the image is replaced, and
    /// the new sidecar comes last: at no time does a sidecar describe another image. If the image cannot be replaced,
    /// the old sidecar is moved back.
    fn replace(&self, received: Received, sidecar: Option<&Sidecar>) -> Result<Saved, Error> {
        let Received { part, media_type, size_bytes } = received;
        let (path, sidecar_path) = (self.image(1, &media_type), self.sidecar(1));
        if sidecar.is_some() && self.has_other_json(1) {
            return Err(exists(&sidecar_path));
        }
        let writing = |path: &Path, error: &io::Error| failure::local("write", path, error);
        let new =
            sidecar.map(|sidecar| self.written(sidecar, &path, &media_type, size_bytes, &sidecar_path)).transpose()?;
        let old = sidecar::read(&sidecar_path).filter(|old| new.is_some() || old["file"].as_str() == name(&path));
        let aside =
            old.map(|_| self.set_aside(&sidecar_path)).transpose().map_err(|error| writing(&sidecar_path, &error))?;
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
        let (sidecar, media_type) = (sidecar.map(|_| sidecar_path), media_type.name.into_owned());
        Ok(Saved { path, sidecar, media_type, size_bytes })
    }

    /// Moves a file to a temporary name, where it is deleted unless it is moved back.
    fn set_aside(&self, path: &Path) -> io::Result<TempPath> {
        let aside = part_in(&self.folder)?.into_temp_path();
        fs::rename(path, &aside)?;
        Ok(aside)
    }

    /// Writes the sidecar of an image to a temporary file.
    fn written(
        &self,
        sidecar: &Sidecar,
        image: &Path,
        media_type: &MediaType,
        size_bytes: u64,
        sidecar_path: &Path,
    ) -> Result<NamedTempFile, Error> {
        let json = sidecar.render(&image.file_name().unwrap_or_default().to_string_lossy(), media_type, size_bytes);
        let written = part_in(&self.folder).and_then(|mut part| {
            part.write_all(&json)?;
            part.as_file().sync_all()?;
            Ok(part)
        });
        written.map_err(|error| failure::local("write", sidecar_path, &error))
    }
}

fn name(path: &Path) -> Option<&str> {
    path.file_name().and_then(OsStr::to_str)
}

fn exists(path: &Path) -> Error {
    failure::local("write", path, &io::ErrorKind::AlreadyExists.into())
}

/// Returns whether another process took the name, and another name can be used.
fn is_race(failed: &PersistError, if_exists: IfExists) -> bool {
    numbers(if_exists) && failed.error.kind() == io::ErrorKind::AlreadyExists
}

fn part_in(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PART_PREFIX).suffix(PART_SUFFIX);
    // The umask decides, as for any new file. By default, only the owner can read temporary files.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
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
