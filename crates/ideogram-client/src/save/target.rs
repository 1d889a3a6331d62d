//! Where an image goes: names, the file it is downloaded into, and the step from one to the other.
//!
//! All of it blocks; [`on_disk`] runs it where that is allowed. A file travels into the work and back, so work that
//! nobody waits for any more ends by removing it.

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

/// Files that are not complete are called `.ideogram-<random>.part`.
const PART_PREFIX: &str = ".ideogram-";
const PART_SUFFIX: &str = ".part";

/// How many names are tried before there is no free one.
const MAX_NAMES: u32 = 10_000;

/// Extensions that are looked for before a download: with one of them, the name is taken.
const LIKELY_EXTENSIONS: [&str; 5] = ["png", "jpg", "jpeg", "webp", "gif"];

/// The longest that is ever added to a stem that a caller chose: a role or place, a number of `MAX_NAMES`, and an
/// extension of a media type that is not known.
pub const MAX_SUFFIX: &str = "-original-10000.incomplete.abcdefgh";

/// Stands before the extension of an image without its end.
const INCOMPLETE: &str = "incomplete";

/// Why no file may have a name that begins like this, if that is so wherever it lies.
///
/// # Errors
///
/// With the reason.
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
        return Err("a name for files has no slash, backslash or colon");
    }
    if stem.chars().any(char::is_control) {
        return Err("a name for files has no control characters");
    }
    // Elsewhere these are names like any other, and the file system of the folder has its own say.
    if windows {
        if stem.contains(['<', '>', '"', '|', '?', '*']) {
            return Err("Windows takes none of < > \" | ? * in a name");
        }
        // With any extension, also behind spaces.
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

/// Between a sidecar and its image lies an instant; so long after, nobody is coming any more.
const LIKELY_LEFT_OVER: Duration = Duration::from_secs(5);

/// The name of an image to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) folder: PathBuf,
    stem: OsString,
    extension: Extension,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Extension {
    /// What the image needs; this one if it fits.
    OfTheImage(Option<String>),
    /// As given, whatever the image is.
    Exactly(Option<OsString>),
}

/// Whether a caller's extension stays when the image is something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    ByContent,
    Exact,
}

impl Target {
    /// A file in a folder whose extension will be what the image needs.
    pub(super) fn in_folder(folder: PathBuf, stem: &str) -> Self {
        Self { folder, stem: stem.into(), extension: Extension::OfTheImage(None) }
    }

    /// A file as a caller names it.
    pub(super) fn file(path: &Path, naming: Naming) -> Result<Self, Error> {
        let Some(name) = path.file_name() else {
            return Err(failure::misuse(format!("\"{}\" names no file", path.display())));
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (stem, extension) = (path.file_stem().unwrap_or(name), path.extension());
        let image = extension.and_then(OsStr::to_str).filter(|extension| is_image_extension(extension));
        let (stem, extension) = match (naming, image) {
            (Naming::Exact, _) => (stem, Extension::Exactly(extension.map(OsStr::to_owned))),
            (Naming::ByContent, Some(extension)) => (stem, Extension::OfTheImage(Some(extension.to_owned()))),
            // `lantern.v2` has no extension yet.
            (Naming::ByContent, None) => (name, Extension::OfTheImage(None)),
        };
        if extension == Extension::Exactly(Some("json".into())) {
            return Err(failure::misuse("the extension `json` is for what is written beside an image"));
        }
        Ok(Self { folder: folder.to_owned(), stem: stem.to_owned(), extension })
    }

    /// The file with one of the names: the first as requested, then `-2`, `-3`, ...
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
            Extension::Exactly(extension) => extension.as_deref(),
            Extension::OfTheImage(Some(given)) if media_type.has_extension(given) => Some(OsStr::new(given)),
            Extension::OfTheImage(_) => Some(OsStr::new(&*media_type.extension)),
        };
        self.path(number, extension)
    }

    /// The names that an image may have that nobody has seen yet.
    fn likely(&self, number: u32) -> Vec<PathBuf> {
        match &self.extension {
            Extension::Exactly(extension) => vec![self.path(number, extension.as_deref())],
            Extension::OfTheImage(given) => {
                let given = given.as_deref().into_iter();
                given.chain(LIKELY_EXTENSIONS).map(|extension| self.path(number, Some(OsStr::new(extension)))).collect()
            }
        }
    }

    /// What is there already under one of the names, for an image that gets a sidecar or none.
    fn taken(&self, number: u32, image: &ImageRef, with_sidecar: bool, if_exists: IfExists) -> Option<PathBuf> {
        let mut paths = self.likely(number);
        if with_sidecar && !self.is_left_over(number, image, if_exists) {
            paths.push(self.sidecar(number));
        }
        // A link to nowhere is there, too.
        paths.into_iter().find(|path| path.symlink_metadata().is_ok())
    }

    /// Whether a sidecar was left by a process that was killed before it could put the same image beside it. A young
    /// one may be of another saver, who is about to; where it does not matter who saves the image, its age does not.
    fn is_left_over(&self, number: u32, image: &ImageRef, if_exists: IfExists) -> bool {
        let path = self.sidecar(number);
        let modified = path.symlink_metadata().and_then(|metadata| metadata.modified()).ok();
        let age = modified.and_then(|modified| modified.elapsed().ok());
        if if_exists != IfExists::Skip && age.is_none_or(|age| age < LIKELY_LEFT_OVER) {
            return false;
        }
        let Some(sidecar) = sidecar::read(&path) else { return false };
        let described = sidecar["file"].as_str().map(|name| self.folder.join(name));
        sidecar["item"] == *image.item() && described.is_some_and(|image| image.symlink_metadata().is_err())
    }

    /// Returns the file if this image was saved earlier. Files are renamed into place only when complete, so it is enough
    /// to check that it is an image and that its sidecar names the same link.
    fn saved_before(&self, image: &ImageRef) -> Option<Saved> {
        let beside = self.sidecar(1);
        let sidecar = sidecar::read(&beside);
        let path = match &sidecar {
            Some(sidecar) => {
                // An image of a response without a list has one of several links, and a role.
                let mut members = sidecar["item"].as_object()?.values();
                let has_link = members.any(|member| member.as_str().is_some_and(|link| Some(link) == image.link()));
                let is_it = has_link && sidecar["role"].as_str() == image.role();
                let file = sidecar["file"].as_str().filter(|_| is_it)?;
                Some(self.folder.join(file)).filter(|path| name(path) == Some(file))
            }
            None => self.likely(1).into_iter().find(|path| path.is_file()),
        }?;
        let (file, mut head) = (fs::File::open(&path).ok()?, Vec::new());
        let metadata = file.metadata().ok().filter(fs::Metadata::is_file)?;
        file.take(SIGNATURE_BYTES as u64).read_to_end(&mut head).ok()?;
        let media_type = MediaType::of(&head, None).ok()?.name.into_owned();
        Some(Saved { path, sidecar: sidecar.map(|_| beside), media_type, size_bytes: metadata.len() })
    }

    /// Of a name that is taken: by the image itself, if that will do.
    fn saved_or_refused(&self, path: &Path, image: &ImageRef, if_exists: IfExists) -> Result<Saved, Error> {
        let saved = if if_exists == IfExists::Skip { self.saved_before(image) } else { None };
        saved.ok_or_else(|| exists(path))
    }

    /// Whether there is something in the place of the sidecar that is none.
    fn has_other_json(&self, number: u32) -> bool {
        let path = self.sidecar(number);
        path.symlink_metadata().is_ok() && sidecar::read(&path).is_none()
    }

    /// Before a download: makes the folder, refuses a name that is taken, and finds an image that need not be fetched.
    pub(super) fn prepare(
        &self,
        if_exists: IfExists,
        image: &ImageRef,
        with_sidecar: bool,
    ) -> Result<Option<Saved>, Error> {
        fs::create_dir_all(&self.folder).map_err(|error| failure::local("make the folder", &self.folder, &error))?;
        match if_exists {
            IfExists::Fail | IfExists::Skip => {
                let taken = self.taken(1, image, with_sidecar, if_exists);
                return taken.map(|path| self.saved_or_refused(&path, image, if_exists)).transpose();
            }
            IfExists::Replace if with_sidecar && self.has_other_json(1) => return Err(exists(&self.sidecar(1))),
            IfExists::Replace | IfExists::Number => {}
        }
        Ok(None)
    }

    /// A file to download into, in the folder of the target: a rename never leaves a file system.
    pub(super) fn part(&self) -> Result<NamedTempFile, Error> {
        self.new_part().map_err(|error| failure::local("write into", &self.folder, &error))
    }

    pub(super) fn new_part(&self) -> io::Result<NamedTempFile> {
        part_in(&self.folder)
    }

    /// Gives the beginning of an image a name that says so: `lantern.incomplete.png`. Most of an image is worth more
    /// than none, and must not be taken for all of it.
    pub(super) fn keep_cut(&self, cut: Received) -> Result<PathBuf, Error> {
        let Received { mut part, media_type, size_bytes } = cut;
        let extension = OsString::from(format!("{INCOMPLETE}.{}", media_type.extension));
        for number in 1..=MAX_NAMES {
            let path = self.path(number, Some(&extension));
            match durable::put_new(part, &path) {
                Ok(()) => return Ok(path),
                // The same once more.
                Err(failed) if path.metadata().is_ok_and(|there| there.len() == size_bytes) => {
                    drop(failed);
                    return Ok(path);
                }
                Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => part = failed.file,
                Err(failed) => return Err(failure::local("write", &path, &failed.error)),
            }
        }
        Err(exists(&self.path(MAX_NAMES, Some(&extension))))
    }

    /// After a download: gives the image its name, and its sidecar beside it.
    pub(super) fn place(
        &self,
        received: Received,
        image: &ImageRef,
        sidecar: Option<&Sidecar>,
        if_exists: IfExists,
    ) -> Result<Done, Error> {
        let synced = received.part.as_file().sync_all();
        synced.map_err(|error| failure::local("write", &self.image(1, &received.media_type), &error))?;
        let done = if if_exists == IfExists::Replace {
            self.replace(received, sidecar).map(Done::Saved)?
        } else {
            self.add(received, image, sidecar, if_exists)?
        };
        // It is in its place; a folder that cannot be synced does not undo that.
        let _ = durable::sync_folder(&self.folder);
        Ok(done)
    }

    /// Puts an image under a name that is free.
    ///
    /// The sidecar goes first. Its name is the same whatever the image turned out to be, so of two savers that race
    /// for one name, one stops here; and whoever sees an image finds its sidecar beside it.
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
                if if_exists == IfExists::Number {
                    continue;
                }
                return self.saved_or_refused(&path, image, if_exists).map(Done::There);
            }
            let (path, beside) = (self.image(number, &media_type), self.sidecar(number));
            let is_left_over = sidecar.is_some() && self.is_left_over(number, image, if_exists);
            if let Some(sidecar) = sidecar {
                let new = self.written(sidecar, &path, &media_type, size_bytes, &beside)?;
                let put = if is_left_over { new.persist(&beside).map(drop) } else { durable::put_new(new, &beside) };
                match put {
                    Ok(()) => {}
                    Err(failed) if is_race(&failed, if_exists) => continue,
                    Err(failed) => return Err(failure::local("write", &beside, &failed.error)),
                }
            }
            match durable::put_new(part, &path) {
                Ok(()) => {
                    let (sidecar, media_type) = (sidecar.map(|_| beside), media_type.name.into_owned());
                    return Ok(Done::Saved(Saved { path, sidecar, media_type, size_bytes }));
                }
                Err(failed) => {
                    // It was put there a moment ago, and describes nothing now.
                    if sidecar.is_some() && !is_left_over {
                        let _ = fs::remove_file(&beside);
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

    /// Puts an image into the place of another.
    ///
    /// There is no single step for two files. So the sidecar of the old image leaves first, the image is replaced,
    /// and the new sidecar comes last: wherever that ends, no image lies beside a sidecar that describes another one.
    /// If the image cannot be replaced, the old sidecar comes back.
    fn replace(&self, received: Received, sidecar: Option<&Sidecar>) -> Result<Saved, Error> {
        let Received { part, media_type, size_bytes } = received;
        let (path, beside) = (self.image(1, &media_type), self.sidecar(1));
        if sidecar.is_some() && self.has_other_json(1) {
            return Err(exists(&beside));
        }
        let writing = |path: &Path, error: &io::Error| failure::local("write", path, error);
        let new = sidecar.map(|sidecar| self.written(sidecar, &path, &media_type, size_bytes, &beside)).transpose()?;
        let old = sidecar::read(&beside).filter(|old| new.is_some() || old["file"].as_str() == name(&path));
        let aside = old.map(|_| self.set_aside(&beside)).transpose().map_err(|error| writing(&beside, &error))?;
        if let Err(failed) = part.persist(&path) {
            if let Some(aside) = aside {
                let _ = aside.persist(&beside);
            }
            return Err(writing(&path, &failed.error));
        }
        if let Some(new) = new {
            let put = durable::put_new(new, &beside).or_else(|failed| {
                // Of two savers that replace one image, the last one has the last word.
                if sidecar::read(&beside).is_some() { failed.file.persist(&beside).map(drop) } else { Err(failed) }
            });
            put.map_err(|failed| writing(&beside, &failed.error))?;
        }
        let (sidecar, media_type) = (sidecar.map(|_| beside), media_type.name.into_owned());
        Ok(Saved { path, sidecar, media_type, size_bytes })
    }

    /// Moves a file out of the way, where it is deleted unless it is moved back.
    fn set_aside(&self, path: &Path) -> io::Result<TempPath> {
        let aside = part_in(&self.folder)?.into_temp_path();
        fs::rename(path, &aside)?;
        Ok(aside)
    }

    /// The sidecar of an image, still without its name.
    fn written(
        &self,
        sidecar: &Sidecar,
        image: &Path,
        media_type: &MediaType,
        size_bytes: u64,
        beside: &Path,
    ) -> Result<NamedTempFile, Error> {
        let json = sidecar.render(&image.file_name().unwrap_or_default().to_string_lossy(), media_type, size_bytes);
        let written = part_in(&self.folder).and_then(|mut part| {
            part.write_all(&json)?;
            part.as_file().sync_all()?;
            Ok(part)
        });
        written.map_err(|error| failure::local("write", beside, &error))
    }
}

fn name(path: &Path) -> Option<&str> {
    path.file_name().and_then(OsStr::to_str)
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
    // As any new file: the umask decides. Temporary files are for their owner alone otherwise, and so would images be.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_names_are_refused_where_they_are_reserved() {
        for stem in ["", ".", "..", ".hidden", "a/b", "a\\b", "c:", "a\nb", "a\0"] {
            assert!(check_stem_on(stem, false).is_err() && check_stem_on(stem, true).is_err(), "{stem:?}");
        }
        for stem in ["con", "CON", "nul.x", "aux ", "com1", "LPT9.tar", "com\u{b9}", "conin$", "a?", "a*", "<a>", "a|b"]
        {
            assert!(check_stem_on(stem, false).is_ok() && check_stem_on(stem, true).is_err(), "{stem:?}");
        }
        // An extension follows, so a dot or space is not the last letter of a name.
        for stem in ["lantern", "a.", "a ", "a.v2", "console", "com", "com10", "lpt", "\u{706f}", "-a", "'"] {
            assert!(check_stem_on(stem, false).is_ok() && check_stem_on(stem, true).is_ok(), "{stem:?}");
        }
    }

    #[test]
    fn no_suffix_is_longer_than_the_one_that_is_tried_before_paying() {
        let longest = MediaType::of(b"\0\x01", Some("image/abcdefghijkl")).unwrap();
        let target = Target::in_folder(PathBuf::new(), "-original");

        let name = target.image(MAX_NAMES, &longest);
        let cut = target.path(MAX_NAMES, Some(OsStr::new(&format!("{INCOMPLETE}.{}", longest.extension))));

        assert!(name.as_os_str().len() < MAX_SUFFIX.len());
        assert_eq!(cut.to_str(), Some(MAX_SUFFIX));
    }
}
