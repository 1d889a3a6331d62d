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
    let marks: [&[u8]; 2] = [b"\xef\xbb\xbfa lantern", b"a lantern \xef\xbb\xbf"];
    let root = folder(&[("a.txt", &long), ("b.txt", &long[2..]), ("c.txt", marks[0]), ("d.txt", marks[1])]);

    let folder = Folder::read(root.path()).await.unwrap();

    let faults: Vec<_> = folder.files.iter().map(|file| file.fault.clone()).collect();
    assert_eq!(faults, [Some(Fault::TooLarge), None, None, None]);
    let has_mark: Vec<_> = folder.files.iter().map(|file| file.has_byte_order_mark).collect();
    assert_eq!(has_mark, [false, false, true, false]);
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
