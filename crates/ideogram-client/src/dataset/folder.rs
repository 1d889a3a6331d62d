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
use crate::{Error, ErrorKind, Outcome, values::signature::SIGNATURE_BYTES};

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
        let metadata = fs::metadata(&path).map_err(|error| unread_path(&path, &error))?;
        if metadata.is_file() { look_into(path, metadata.len()) } else { Err(SkipReason::NotAFile) }
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

/// A folder to read, and its depth.
struct Waiting {
    path: PathBuf,
    depth: usize,
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
        let mut waiting = VecDeque::from([Waiting { path: first, depth: 0 }]);
        while let Some(Waiting { path, depth }) = waiting.pop_front() {
            match fs::read_dir(&path).and_then(|entries| self.paths(entries)) {
                Ok(paths) => {
                    let folders = paths.into_iter().filter_map(|path| self.look_at(path, depth + 1));
                    waiting.extend(folders.map(|path| Waiting { path, depth: depth + 1 }));
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
    fn look_at(&mut self, path: PathBuf, depth: usize) -> Option<PathBuf> {
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
            Ok(metadata) if metadata.is_file() => match look_into(path.clone(), metadata.len()) {
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
        let captions: HashSet<_> = names_of(&folder.files, |kind| kind == FileKind::Caption).collect();
        let captions: HashSet<_> = captions.into_iter().map(|name| name::case_folded(name::stem(name))).collect();
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
    fs::metadata(path).map_err(|error| unread_path(path, &error))
}

/// Why nothing is known of a path.
fn unread_path(path: &Path, error: &io::Error) -> SkipReason {
    let is_absent = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    if is_absent && path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
        SkipReason::BrokenLink
    } else {
        SkipReason::Unreadable(error.to_string())
    }
}

/// The name of a file as it is sent.
fn name_of(path: &Path) -> String {
    name::base_name(&path.file_name().unwrap_or_default().to_string_lossy())
}

/// Judges a regular file by its content and its name.
fn look_into(path: PathBuf, size_bytes: u64) -> Result<LocalFile, SkipReason> {
    let name = name_of(&path);
    let limit = if name::is_caption(&name) { MAX_CAPTION_BYTES + 1 } else { SIGNATURE_BYTES as u64 };
    let content = match read_head(&path, limit) {
        Ok(head) => content::judge(&name, &head, size_bytes),
        Err(error) => content::unreadable(&name, &error),
    };
    let (kind, fault, has_byte_order_mark) = match content {
        Content::File { kind, fault, has_byte_order_mark } => (kind, fault, has_byte_order_mark),
        Content::Other(reason) => return Err(reason),
    };
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
    async fn images_are_recognized_by_content_and_sorted_by_path() {
        let root = folder(&[
            ("b.jpg", PNG),
            ("a/z.webp", WEBP),
            ("a/photo", JPEG),
            ("a.txt", b"a lantern"),
            ("b.png", b"no image"),
            ("c.png", b""),
        ]);

        let folder = Folder::read(root.path()).await.unwrap();

        assert_eq!(names(&folder), ["a/photo", "a/z.webp", "a.txt", "b.jpg", "b.png", "c.png"]);
        let kinds: Vec<_> = folder.files.iter().map(|file| (file.kind, file.fault.clone())).collect();
        assert_eq!(
            kinds,
            [
                (FileKind::Jpeg, None),
                (FileKind::WebP, None),
                (FileKind::Caption, None),
                (FileKind::Png, None),
                (FileKind::NoImage, Some(Fault::NotAImage)),
                (FileKind::NoImage, Some(Fault::Empty)),
            ]
        );
        assert!(folder.skipped.is_empty());
    }

    #[tokio::test]
    async fn a_caption_is_read_up_to_its_limit_and_no_further() {
        let long = vec![b'a'; usize::try_from(MAX_CAPTION_BYTES).unwrap() + 2];
        let root = folder(&[("a.txt", &long), ("b.txt", &long[2..]), ("c.txt", b"\xef\xbb\xbfa lantern")]);

        let folder = Folder::read(root.path()).await.unwrap();

        let faults: Vec<_> = folder.files.iter().map(|file| file.fault.clone()).collect();
        assert_eq!(faults, [Some(Fault::TooLarge), None, None]);
        assert_eq!(folder.files.iter().map(|file| file.has_byte_order_mark).collect::<Vec<_>>(), [false, false, true]);
    }

    #[tokio::test]
    async fn captions_with_other_extensions_are_recognized_by_the_names_of_images() {
        let root = folder(&[
            ("a.png", PNG),
            ("a.caption", b"a lantern"),
            ("b.png", PNG),
            ("b.png.json", b"{}"),
            ("c.PNG", PNG),
            ("C.md", b"a lantern"),
            ("d.png", PNG),
            ("d.txt", b"a lantern"),
            ("d.json", b"{}"),
            ("e.jpg", b"no image"),
            ("e.text", b"a lantern"),
            ("f.json", b"{}"),
            ("g.tags", b"lantern"),
            ("h.doc", b"a lantern"),
            ("h.png", PNG),
        ]);

        let folder = Folder::read(root.path()).await.unwrap();

        let caption = |name: &str, stem: Option<&str>| {
            (name.to_owned(), SkipReason::OtherCaption { rename_to: stem.map(|stem| format!("{stem}.txt")) })
        };
        let other = |name: &str| (name.to_owned(), SkipReason::OtherType);
        assert_eq!(
            skipped(&folder),
            [
                caption("C.md", Some("c")),
                caption("a.caption", Some("a")),
                caption("b.png.json", Some("b")),
                other("d.json"),
                caption("e.text", Some("e")),
                other("f.json"),
                caption("g.tags", None),
                other("h.doc"),
            ]
        );
    }

    #[tokio::test]
    async fn skipped_files_are_listed_with_the_reason() {
        let root = folder(&[
            (".hidden.png", PNG),
            (".git/a.png", PNG),
            ("all.zip", b"PK\x03\x04"),
            ("notes.md", b"#"),
            ("old.gif", b"GIF89a"),
        ]);

        let folder = Folder::read(root.path()).await.unwrap();

        assert!(folder.files.is_empty());
        let expected = [
            (".git", SkipReason::Hidden),
            (".hidden.png", SkipReason::Hidden),
            ("all.zip", SkipReason::Archive),
            ("notes.md", SkipReason::OtherType),
            ("old.gif", SkipReason::OtherImage("GIF".to_owned())),
        ];
        assert_eq!(skipped(&folder), expected.map(|(name, reason)| (name.to_owned(), reason)));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn links_are_followed_once() {
        use std::os::unix::fs::symlink;

        let root = folder(&[("a.png", PNG), ("inner/b.png", PNG)]);
        symlink(root.path(), root.path().join("inner/loop")).unwrap();
        symlink(root.path().join("inner"), root.path().join("same")).unwrap();
        symlink(root.path().join("a.png"), root.path().join("link.png")).unwrap();
        symlink("nowhere", root.path().join("broken.png")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket.png")).unwrap();

        let folder = Folder::read(root.path()).await.unwrap();

        assert_eq!(names(&folder), ["a.png", "inner/b.png", "link.png"]);
        let expected = [
            ("broken.png", SkipReason::BrokenLink),
            ("loop", SkipReason::AlreadyRead),
            ("same", SkipReason::AlreadyRead),
            ("socket.png", SkipReason::NotAFile),
        ];
        assert_eq!(skipped(&folder), expected.map(|(name, reason)| (name.to_owned(), reason)));
        assert_eq!(folder.unread().collect::<Vec<_>>(), [root.path().join("broken.png")]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn circular_links_are_listed_and_everything_else_is_read() {
        use std::os::unix::fs::symlink;

        let root = folder(&[("a.png", PNG), ("one/b.png", PNG), ("two/c.png", PNG)]);
        symlink("self.png", root.path().join("self.png")).unwrap();
        symlink("../two", root.path().join("one/two")).unwrap();
        symlink("../one", root.path().join("two/one")).unwrap();
        symlink(".", root.path().join("here")).unwrap();

        let folder = Folder::read(root.path()).await.unwrap();

        assert_eq!(names(&folder), ["a.png", "one/b.png", "two/c.png"]);
        let skipped = skipped(&folder);
        assert!(skipped.iter().any(|(name, reason)| name == "self.png" && reason.is_unread()), "{skipped:?}");
        assert_eq!(skipped.iter().filter(|(_, reason)| *reason == SkipReason::AlreadyRead).count(), 3, "{skipped:?}");
        assert_eq!(folder.unread().count(), 1);
    }

    #[test]
    fn every_entry_is_read_once_despite_depth_and_links() {
        for depth in [1, 10, 100, MAX_FOLDER_DEPTH] {
            let root = tempfile::tempdir().unwrap();
            let mut path = root.path().to_owned();
            for _ in 0..depth {
                path.push("d");
                fs::create_dir(&path).unwrap();
                fs::write(path.join("a.md"), "").unwrap();
                #[cfg(unix)]
                std::os::unix::fs::symlink("..", path.join("up")).unwrap();
            }

            let mut reader = Reader::new(root.path().to_owned(), MAX_FOLDER_DEPTH, MAX_FOLDER_ENTRIES);
            reader.read().unwrap();

            let entries_of_a_level = if cfg!(unix) { 3 } else { 2 };
            assert_eq!(reader.entries, depth * entries_of_a_level);
            assert_eq!(reader.seen.len(), depth + 1);
            assert_eq!(reader.folder.unread().count(), 0);
        }
    }

    #[test]
    fn a_folder_below_the_maximum_depth_is_listed_and_not_read() {
        let root = folder(&[("a.png", PNG), ("1/2/b.png", PNG), ("1/2/3/c.png", PNG), ("1/2/3/4/d.png", PNG)]);

        let mut reader = Reader::new(root.path().to_owned(), 2, 100);
        reader.read().unwrap();
        let folder = reader.finish();

        assert_eq!(names(&folder), ["1/2/b.png", "a.png"]);
        assert_eq!(skipped(&folder), [("3".to_owned(), SkipReason::TooDeep)]);
        assert_eq!(folder.unread().count(), 1);
    }

    #[test]
    fn a_folder_with_too_many_entries_is_an_error() {
        let root = folder(&[("a.png", PNG), ("b.png", PNG), ("1/c.png", PNG)]);
        for (limit, is_read) in [(4, true), (3, false), (2, false), (0, false)] {
            let mut reader = Reader::new(root.path().to_owned(), 9, limit);

            assert_eq!(reader.read().is_ok(), is_read, "{limit}");
            assert!(reader.entries <= limit + 1);
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn unreadable_files_are_listed() {
        use std::os::unix::fs::PermissionsExt as _;

        let root =
            folder(&[("a.png", PNG), ("b", PNG), ("c.txt", b"a lantern"), ("notes.md", b"#"), ("closed/d.png", PNG)]);
        for name in ["a.png", "b", "c.txt", "notes.md", "closed"] {
            fs::set_permissions(root.path().join(name), fs::Permissions::from_mode(0o000)).unwrap();
        }
        if fs::read(root.path().join("a.png")).is_ok() {
            return; // The superuser may read everything.
        }

        let folder = Folder::read(root.path()).await.unwrap();

        let mut unread: Vec<_> = folder.unread().map(|path| path.file_name().unwrap().to_owned()).collect();
        unread.sort();
        fs::set_permissions(root.path().join("closed"), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(unread, ["a.png", "b", "c.txt", "closed", "notes.md"]);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_name_that_cannot_be_sent_is_a_fault() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

        let root = folder(&[("a\nb.png", PNG)]);
        fs::write(root.path().join(OsStr::from_bytes(b"\xff.png")), PNG).unwrap();

        let folder = Folder::read(root.path()).await.unwrap();

        assert!(folder.files.iter().all(|file| file.fault == Some(Fault::UnusableName)), "{folder:?}");
        assert_eq!(folder.files.len(), 2);
    }

    #[tokio::test]
    async fn a_missing_folder_is_an_error() {
        let root = tempfile::tempdir().unwrap();

        let error = Folder::read(root.path().join("none")).await.unwrap_err();

        assert_eq!((error.kind(), error.outcome()), (ErrorKind::LocalIo, Outcome::NotSent));
        assert!(error.to_string().contains("none"), "{error}");
    }
}
