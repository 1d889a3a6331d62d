//! Folders with what people have in them: everything that is not sent is named with its reason, by every command that
//! reads a folder, in every format; and what could not be read never ends in success.

use std::{fs, path::Path};

use crate::sync_setup::{IMAGE, SyncSetup};

/// Something in a folder beside a good image.
struct Odd {
    name: &'static str,
    content: Content,
    /// A word of the reason.
    why: &'static str,
    reading: Reading,
}

enum Content {
    Bytes(&'static [u8]),
    /// A file that is made of `0` and has this size.
    Sparse(u64),
    #[cfg(unix)]
    LinkTo(&'static str),
    Folders(usize),
}

#[derive(Clone, Copy, PartialEq)]
enum Reading {
    /// It was read, and is not sent.
    Done,
    /// It could not be read.
    Failed,
}

const HEIC: &[u8] = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
const UTF_16: &[u8] = b"\xff\xfea\0 \0l\0a\0n\0t\0e\0r\0n\0";

fn bytes(name: &'static str, content: &'static [u8], why: &'static str) -> Odd {
    Odd { name, content: Content::Bytes(content), why, reading: Reading::Done }
}

fn table() -> Vec<Odd> {
    let mut table = vec![
        bytes("good.caption", b"a lantern", "good.txt"),
        bytes("good.json", b"{}", "good.txt"),
        bytes("good.png.md", b"a lantern", "good.txt"),
        bytes("metadata.csv", b"file,caption", "one text file per image"),
        bytes("b.HEIC", HEIC, "HEIC"),
        bytes("phone.jpg", HEIC, "HEIC"),
        bytes("c.tiff", b"II*\0\x08\0\0\0", "TIFF"),
        bytes("d.gif", b"GIF89a", "GIF"),
        bytes("e.svg", b"<svg/>", "SVG"),
        bytes("all.zip", b"PK\x03\x04", "unpack it"),
        bytes("all.tar.gz", b"\x1f\x8b\x08", "unpack it"),
        bytes("notes.doc", b"notes", "neither image nor caption"),
        bytes(".hidden.png", IMAGE, "dot"),
        bytes(".git/x.png", IMAGE, "dot"),
        bytes("empty.png", b"", "empty"),
        bytes("empty.txt", b"", "empty"),
        bytes("blank.txt", b" \r\n", "empty"),
        bytes("fake.png", b"no image", "not a JPEG, PNG or WebP"),
        bytes("good.txt", UTF_16, "UTF-16"),
        bytes("good.TXT", b"gr\xf6\xdfer", "not UTF-8"),
        bytes("orphan.txt", b"a lantern", "without an image"),
        bytes("GOOD.png", IMAGE, "upper and lower case"),
        bytes("more/good.png", IMAGE, "same name"),
        Odd { name: "good.txt", content: Content::Sparse(2 << 20), why: "too large", reading: Reading::Done },
        Odd { name: "d", content: Content::Folders(257), why: "folders deep", reading: Reading::Failed },
    ];
    #[cfg(unix)]
    {
        let link = |name, to, why, reading| Odd { name, content: Content::LinkTo(to), why, reading };
        table.push(link("gone.png", "nowhere", "a broken link", Reading::Failed));
        table.push(link("gone", "nowhere", "a broken link", Reading::Failed));
        table.push(link("gone.txt", "good.png/x", "a broken link", Reading::Failed));
        table.push(link("self.png", "self.png", "cannot be read", Reading::Failed));
        table.push(link("again", ".", "already read", Reading::Done));
        table.push(link("null.png", "/dev/null", "not a regular file", Reading::Done));
    }
    // Files that cannot be read, also not by the superuser.
    #[cfg(target_os = "linux")]
    for name in ["memory.png", "memory.txt", "memory"] {
        let content = Content::LinkTo("/proc/self/mem");
        table.push(Odd { name, content, why: "cannot be read", reading: Reading::Failed });
    }
    table
}

fn put(folder: &Path, odd: &Odd) {
    let path = folder.join(odd.name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    match odd.content {
        Content::Bytes(bytes) => fs::write(path, bytes).unwrap(),
        Content::Sparse(size) => fs::File::create(path).unwrap().set_len(size).unwrap(),
        #[cfg(unix)]
        Content::LinkTo(target) => std::os::unix::fs::symlink(target, path).unwrap(),
        Content::Folders(depth) => fs::create_dir_all(
            vec![odd.name; depth].iter().fold(folder.into(), |path: std::path::PathBuf, name| path.join(name)),
        )
        .unwrap(),
    }
}

#[test]
fn everything_that_is_left_out_is_named_with_the_reason_by_every_command_in_every_format() {
    let setup = SyncSetup::new();
    for (number, odd) in table().iter().enumerate() {
        let folder = format!("set/{number}");
        setup.write(&format!("{number}/good.png"), IMAGE);
        put(&setup.path().join(&folder), odd);
        // Its own name, or that of the folder which is not looked into.
        let name = odd.name.split('/').next().unwrap();
        for (command, when_unread) in [
            (&["sync"][..], 11),
            (&["plan"], 11),
            (&["verify"], 14),
            (&["sync", "--dry-run"], 11),
            (&["plan", "--dry-run"], 11),
        ] {
            let formats = if command == ["sync"] { &["text", "json", "jsonl"][..] } else { &["text", "json"] };
            for format in formats {
                let arguments = ["datasets", command[0], &setup.id, &folder, "--output", format];
                let ran = setup.ideogram(arguments.into_iter().chain(command[1..].iter().copied())).run();

                // A plan that is only shown compares nothing; what it leaves out is known all the same.
                let is_about_files = command != ["plan", "--dry-run"];
                let is_skipped = is_about_files || is_skipped(odd);
                let printed = format!("{}{}", ran.stdout(), ran.stderr());
                if is_skipped {
                    assert!(printed.contains(name), "{command:?} {format}, {}: {ran}", odd.name);
                }
                if is_skipped && *format == "text" {
                    assert!(printed.contains(odd.why), "{command:?}, {}: {ran}", odd.name);
                }
                match odd.reading {
                    Reading::Failed => assert_eq!(ran.code(), Some(when_unread), "{command:?} {}: {ran}", odd.name),
                    Reading::Done => assert_ne!(ran.code(), Some(1), "{ran}"),
                }
            }
        }
    }
    let sent = setup.uploads().concat();
    assert!(!sent.is_empty() && sent.iter().all(|name| name == "good.png"), "{sent:?}");
}

/// Whether it is skipped as it is read, and not refused when it is compared.
fn is_skipped(odd: &Odd) -> bool {
    let extension = Path::new(odd.name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    odd.name.starts_with('.') || !["png", "jpg", "txt", "TXT"].contains(&extension)
}

#[test]
fn a_long_list_is_shortened_as_text_and_complete_as_json() {
    let setup = SyncSetup::new();
    setup.write("good.png", IMAGE);
    for number in 0..40 {
        setup.write(&format!("{number:02}.heic"), HEIC);
    }

    let text = setup.datasets("sync", []).run();
    let json = setup.datasets("sync", ["--output", "json"]).run();
    let dry_run = setup.datasets("sync", ["--dry-run", "--output", "json"]).run();
    let plan = setup.datasets("plan", []).run();
    let plan_as_json = setup.datasets("plan", ["--output", "json"]).run();
    let verified = setup.datasets("verify", ["--output", "json"]).run();

    assert!(
        text.stderr()
            .contains("left out: 00.heic, 01.heic, 02.heic, 03.heic, 04.heic and 35 more (an image of the format HEIC"),
        "{text}"
    );
    assert!(plan.stdout().contains("20 more ") && !plan.stdout().contains("20.heic"), "{plan}");
    assert!(json.stderr().contains("39.heic") && dry_run.stderr().contains("39.heic"), "{json}\n{dry_run}");
    assert_eq!(json.json()["after"]["skipped"].as_array().map(Vec::len), Some(40));
    assert_eq!(plan_as_json.json()["skipped"][39]["reason"]["other_image"], "HEIC");
    assert_eq!(verified.json()["skipped"].as_array().map(Vec::len), Some(40));
    assert_eq!([text.code(), json.code(), plan.code(), verified.code()], [Some(0); 4]);
}

#[test]
fn two_unicode_forms_of_one_name_are_refused_and_said_to_be_that() {
    let setup = SyncSetup::new();
    setup.write("\u{f6}.png", IMAGE).write("o\u{308}.png", IMAGE);
    if fs::read_dir(setup.path().join("set")).unwrap().count() < 2 {
        return; // This file system keeps names in one form.
    }

    for command in [&["sync"][..], &["plan"], &["verify"], &["sync", "--dry-run"]] {
        let ran = setup.datasets(command[0], command[1..].iter().copied()).run();

        assert!(format!("{}{}", ran.stdout(), ran.stderr()).contains("in another Unicode form"), "{command:?}: {ran}");
    }
    assert!(setup.uploads().is_empty());
}

#[test]
fn surprising_files_are_sent_with_a_note() {
    let setup = SyncSetup::new();
    setup.write("good.png", IMAGE).write("good.txt", b"\xef\xbb\xbfa lantern");
    let mut large = IMAGE.to_vec();
    large.resize(25_000_001, 0);
    setup.write("large.png", &large);

    let dry_run = setup.datasets("sync", ["--dry-run"]).run();
    let ran = setup.datasets("sync", []).run();

    for ran in [&dry_run, &ran] {
        assert!(ran.stderr().contains("sent unchanged: good.txt (begins with a byte order mark"), "{ran}");
        assert!(ran.stderr().contains("sent unchanged: large.png (larger than 25 MB"), "{ran}");
        assert_eq!(ran.code(), Some(0));
    }
    let parts = setup.server.requests().into_iter().flat_map(|request| request.parts);
    let caption = parts.into_iter().find(|part| part.file_name.as_deref() == Some("good.txt")).unwrap();
    assert_eq!(caption.size, 12);
}

#[test]
fn an_upload_refuses_what_the_service_does_not_take_and_sends_nothing() {
    let setup = SyncSetup::new();
    setup.write("good.png", IMAGE).write("good.txt", b"a lantern").write("all.zip", b"PK\x05\x06");
    let is_refused = |odd: &&Odd| match odd.content {
        Content::Bytes(_) => {
            odd.name != "all.zip" && !["orphan.txt", ".hidden.png", ".git/x.png", "GOOD.png"].contains(&odd.name)
        }
        Content::Sparse(_) => true,
        _ => false,
    };
    for (number, odd) in table().iter().enumerate().filter(|(_, odd)| is_refused(odd)) {
        let folder = format!("set/{number}");
        put(&setup.path().join(&folder), odd);
        let path = format!("{folder}/{}", odd.name);

        let ran = setup.ideogram(["datasets", "upload", &setup.id, "set/good.png", &path]).run();

        assert_eq!(ran.code(), Some(13), "{}: {ran}", odd.name);
        assert!(ran.stderr().contains(odd.name), "{ran}");
    }
    assert!(setup.uploads().is_empty());

    let marked = setup
        .write("marked.txt", b"\xef\xbb\xbfa lantern")
        .ideogram(["datasets", "upload", &setup.id, "set/good.png", "set/good.txt", "set/all.zip", "set/marked.txt"])
        .run();
    assert_eq!(setup.uploads(), [["good.png", "good.txt", "all.zip", "marked.txt"]]);
    assert!(marked.stderr().contains("byte order mark"), "{marked}");
}

#[cfg(target_os = "linux")]
#[test]
fn two_names_that_are_not_utf_8_stay_distinct() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

    let setup = SyncSetup::new();
    for name in [b"caf\xe8.png", b"caf\xe9.png"] {
        fs::write(setup.path().join("set").join(OsStr::from_bytes(name)), IMAGE).unwrap();
    }

    for verb in ["sync", "plan", "verify"] {
        let ran = setup.datasets(verb, []).run();

        assert!(format!("{}{}", ran.stdout(), ran.stderr()).contains("not UTF-8"), "{ran}");
        assert_ne!(ran.code(), Some(0));
    }
    assert!(setup.uploads().is_empty());
}
