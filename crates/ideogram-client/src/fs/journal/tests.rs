use super::*;

const KIND: JournalKind = JournalKind { title: "test", format: 3 };

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    of: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Begun(u32),
    Ended { row: u32, message: String },
}

type Opened = (Journal, Contents<Header>, Vec<Line>);

fn open(path: &Path) -> Result<Opened, JournalErrorKind> {
    let mut lines = Vec::new();
    let opened = Journal::open(path, KIND, &Header { of: "x".to_owned() }, |line| lines.push(line));
    opened.map(|(journal, contents)| (journal, contents, lines)).map_err(|error| Arc::into_inner(error.kind).unwrap())
}

fn read(path: &Path) -> Result<(Contents<Header>, Vec<Line>), JournalErrorKind> {
    let mut lines = Vec::new();
    let contents = Journal::read(path, KIND, |line| lines.push(line));
    contents.map(|contents| (contents, lines)).map_err(|error| Arc::into_inner(error.kind).unwrap())
}

fn lines() -> Vec<Line> {
    let ended = |row| Line::Ended { row, message: "a \"red\"\nlantern, ä".to_owned() };
    vec![Line::Begun(1), Line::Begun(2), ended(2), Line::Begun(3), ended(1)]
}

/// A journal with all of [`lines`].
fn written() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let (journal, contents, none) = open(&path).unwrap();
    assert!(contents.header.is_none() && none.is_empty());
    for line in &lines() {
        journal.append(line).unwrap();
    }
    (folder, path)
}

#[test]
fn lines_are_read_as_they_were_written() {
    let (_folder, path) = written();

    let (journal, contents, actual) = open(&path).unwrap();

    assert_eq!((contents.header.unwrap().of.as_str(), contents.is_torn), ("x", false));
    assert_eq!(actual, lines());
    journal.append(&Line::Begun(9)).unwrap();
    assert_eq!(read(&path).unwrap().1.last(), Some(&Line::Begun(9)));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("{\"journal\":\"test\",\"format\":3,\"of\":\"x\",\"check\":\""), "{text}");
    assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{text}");
}

#[test]
fn a_journal_cut_anywhere_has_its_complete_lines_and_continues() {
    let (_folder, path) = written();
    let text = fs::read(&path).unwrap();

    for cut in 0..=text.len() {
        fs::write(&path, &text[..cut]).unwrap();
        // A line is complete with or without its line break.
        let whole = text.split_inclusive(|byte| *byte == b'\n');
        let ends = whole.scan(0, |end, line| (*end += line.len(), Some(*end)).1);
        let complete = ends.take_while(|end| end - 1 <= cut).count();
        let expected = &lines()[..complete.saturating_sub(1)];

        let (contents, actual) = read(&path).unwrap();
        assert_eq!((contents.header.is_some(), actual.as_slice()), (complete > 0, expected), "cut at {cut}");
        let at_end = cut == 0 || text[cut - 1] == b'\n' || text.get(cut) == Some(&b'\n');
        assert_eq!(contents.is_torn, !at_end, "cut at {cut}");

        let (journal, ..) = open(&path).unwrap();
        journal.append(&Line::Begun(7)).unwrap();
        journal.append(&Line::Begun(8)).unwrap();
        drop(journal);
        let (contents, actual) = read(&path).unwrap();
        assert_eq!(actual, [expected, &[Line::Begun(7), Line::Begun(8)]].concat(), "cut at {cut}");
        assert!(!contents.is_torn);
    }
}

#[test]
fn every_changed_byte_is_detected() {
    let (_folder, path) = written();
    let text = fs::read(&path).unwrap();
    let last_line = text[..text.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();

    for at in 0..text.len() {
        for byte in [text[at] ^ 1, text[at] ^ 0x20, 0, b'\n', b'"'] {
            if byte == text[at] {
                continue;
            }
            let mut text = text.clone();
            text[at] = byte;
            fs::write(&path, &text).unwrap();

            match read(&path) {
                // Without its line break, the changed line is incomplete.
                Ok((contents, actual)) => {
                    assert!(contents.is_torn && at > last_line, "{at}: {byte}");
                    assert!(lines().starts_with(&actual));
                }
                Err(JournalErrorKind::Damaged { line, .. }) => {
                    let own = text[..at].split(|byte| *byte == b'\n').count() as u64;
                    assert!((own..=own + 1).contains(&line), "{at}: {byte}: line {line}");
                }
                Err(JournalErrorKind::OtherKind | JournalErrorKind::Format { .. }) => assert!(at < 40),
                Err(other) => panic!("{at}: {byte}: {other:?}"),
            }
            let before = fs::read(&path).unwrap();
            drop(open(&path));
            assert_eq!(fs::read(&path).unwrap(), before, "it is not changed");
        }
    }
}

#[test]
fn removed_repeated_reordered_and_added_lines_are_detected() {
    let (_folder, path) = written();
    let text = fs::read_to_string(&path).unwrap();
    let whole: Vec<&str> = text.split_inclusive('\n').collect();
    let mut random = fastrand::Rng::with_seed(20_261_125);

    for _ in 0..500 {
        let mut edited = whole.clone();
        let (one, two) = (random.usize(..edited.len()), random.usize(..edited.len()));
        match random.u8(..5) {
            0 => drop(edited.remove(one)),
            1 => edited.insert(one, whole[two]),
            2 => edited.swap(one, two),
            3 => edited.insert(one, "\n"),
            _ => edited.insert(one, "{\"begun\":4}\n"),
        }
        fs::write(&path, edited.concat()).unwrap();

        let first_change = edited.iter().zip(&whole).take_while(|(edited, whole)| edited == whole).count();
        match read(&path) {
            Ok((_, actual)) => assert!(whole.starts_with(&edited) && lines().starts_with(&actual), "{edited:?}"),
            Err(JournalErrorKind::OtherKind) => assert_eq!(first_change, 0),
            Err(JournalErrorKind::Damaged { line, .. }) => assert_eq!(line, first_change as u64 + 1, "{edited:?}"),
            Err(other) => panic!("{other:?}: {edited:?}"),
        }
    }
}

#[test]
fn a_partly_written_line_damages_no_other() {
    let (_folder, path) = written();
    let (journal, ..) = open(&path).unwrap();
    {
        // As a full disk leaves it.
        let mut writer = journal.writer.lock().unwrap();
        writer.expected_length = None;
        writer.file.seek(SeekFrom::End(0)).unwrap();
        writer.file.write_all(b"{\"begun\":6").unwrap();
    }

    journal.append(&Line::Begun(7)).unwrap();
    journal.append(&Line::Begun(8)).unwrap();

    assert_eq!(read(&path).unwrap().1, [lines(), vec![Line::Begun(7), Line::Begun(8)]].concat());
}

#[test]
#[cfg(target_os = "linux")]
fn a_line_that_cannot_be_written_leaves_nothing() {
    let (_folder, path) = written();
    let (journal, ..) = open(&path).unwrap();
    let before = fs::read(&path).unwrap();
    {
        // A file that can only be read refuses like a disk that went away, and refuses to be cut, too.
        let mut writer = journal.writer.lock().unwrap();
        writer.file = File::open(&path).unwrap();
    }

    assert!(journal.append(&Line::Begun(7)).is_err());
    journal.writer.lock().unwrap().file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
    journal.append(&Line::Begun(8)).unwrap();

    assert_eq!(read(&path).unwrap().1.last(), Some(&Line::Begun(8)));
}

#[test]
fn a_replaced_or_changed_journal_takes_no_line() {
    type Act = fn(&Path);
    let acts: [(&str, Act, bool); 8] = [
        ("deleted", |path| fs::remove_file(path).unwrap(), true),
        ("renamed", |path| fs::rename(path, path.with_extension("old")).unwrap(), true),
        ("its folder renamed", |path| fs::rename(path.parent().unwrap(), moved(path)).unwrap(), true),
        (
            "its folder is a file",
            |path| {
                fs::rename(path.parent().unwrap(), moved(path)).unwrap();
                fs::write(path.parent().unwrap(), "").unwrap();
            },
            true,
        ),
        (
            "replaced",
            |path| {
                fs::copy(path, path.with_extension("copy")).unwrap();
                fs::rename(path.with_extension("copy"), path).unwrap();
            },
            true,
        ),
        ("emptied", |path| drop(File::create(path).unwrap()), false),
        (
            "cut",
            |path| {
                let file = OpenOptions::new().write(true).open(path).unwrap();
                file.set_len(file.metadata().unwrap().len() - 3).unwrap();
            },
            false,
        ),
        (
            "written into",
            |path| {
                OpenOptions::new().append(true).open(path).unwrap().write_all(b"{}\n").unwrap();
            },
            false,
        ),
    ];
    for (name, act, is_replaced) in acts {
        let (folder, path) = written();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let (written, path) = (path, inner.join("journal.jsonl"));
        fs::rename(written, &path).unwrap();
        let (journal, ..) = open(&path).unwrap();

        act(&path);

        for error in [journal.append(&Line::Begun(9)), journal.append(&Line::Begun(9))] {
            match error.unwrap_err().kind() {
                JournalErrorKind::Replaced => assert!(is_replaced, "{name}"),
                JournalErrorKind::Changed => assert!(!is_replaced, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
        let actual = fs::read_to_string(&path).unwrap_or_default();
        assert!(!actual.contains("{\"begun\":9"), "{name}");
    }
}

fn moved(path: &Path) -> PathBuf {
    path.parent().unwrap().with_extension("moved")
}

#[test]
fn other_files_are_refused_and_not_changed() {
    let (_folder, path) = written();
    let good = fs::read_to_string(&path).unwrap();
    for (text, expected) in [
        (good.replace("\"format\":3", "\"format\":2"), "has the format 2, and this version reads 3"),
        ("{\"journal\":\"test\",\"format\":1}\n".to_owned(), "has the format 1, and this version reads 3"),
        (good.replace("\"of\":\"x\"", "\"of\":\"y\""), "is damaged in line 1: "),
        (format!("{good}garbage\n"), "is damaged in line 7: "),
        (format!("\u{feff}{good}"), "is not a journal of this kind"),
        (good.replace('\n', "\r\n"), "is damaged in line 1: "),
        (good.replace("\"test\"", "\"other\""), "is not a journal of this kind"),
        ("my notes".to_owned(), "is not a journal of this kind"),
        ("my\nnotes\n".to_owned(), "is not a journal of this kind"),
    ] {
        fs::write(&path, &text).unwrap();

        let error = Journal::open(&path, KIND, &Header { of: "x".to_owned() }, |_: Line| ()).unwrap_err();

        assert!(error.to_string().contains(expected), "{error}: {text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn one_process_at_a_time_after_a_short_wait_for_another() {
    let (_folder, path) = written();
    let (first, ..) = open(&path).unwrap();
    assert!(matches!(open(&path), Err(JournalErrorKind::InUse)));

    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(MAX_LOCK_WAIT / 4);
            drop(first);
        });
        assert!(open(&path).is_ok());
    });
}

#[test]
#[cfg(unix)]
fn devices_pipes_and_folders_are_refused_without_blocking() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let links = ["/dev/null", "/dev/full", "pipe", "."].map(|target| {
        let link = folder.path().join(format!("link-{}", target.replace(['/', '.'], "-")));
        symlink(target, &link).unwrap();
        link
    });
    for path in links.iter().chain([&pipe, &folder.path().to_owned(), &PathBuf::from("/dev/null")]) {
        assert!(matches!(open(path), Err(JournalErrorKind::NotAFile)), "{path:?}");
        assert!(matches!(read(path), Err(JournalErrorKind::NotAFile)), "{path:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_link_to_a_journal_is_a_journal() {
    let (folder, path) = written();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();

    let (journal, _, actual) = open(&link).unwrap();
    journal.append(&Line::Begun(9)).unwrap();

    assert_eq!(actual, lines());
    assert_eq!(read(&path).unwrap().1.len(), lines().len() + 1);
}

#[test]
fn lines_of_many_threads_are_all_there_and_each_thread_keeps_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let (journal, ..) = open(&path).unwrap();

    std::thread::scope(|scope| {
        for thread in 0..8 {
            let journal = &journal;
            scope.spawn(move || (0..20).for_each(|line| journal.append(&Line::Begun(100 * thread + line)).unwrap()));
        }
    });

    let (contents, lines) = read(&path).unwrap();
    assert!(!contents.is_torn);
    assert_eq!(lines.len(), 160);
    for thread in 0..8 {
        let of_thread = lines.iter().filter_map(|line| match line {
            Line::Begun(number) if number / 100 == thread => Some(number % 100),
            _ => None,
        });
        assert_eq!(of_thread.collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
    }
}

#[test]
fn a_write_that_fails_fails_for_all_of_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let (journal, ..) = open(&path).unwrap();
    journal.append(&Line::Begun(1)).unwrap();
    // While another thread has the writer, all lines wait for the same write.
    let writer = locked(&journal.writer);

    let failed = std::thread::scope(|scope| {
        let journal = &journal;
        let threads: Vec<_> = (2..6).map(|number| scope.spawn(move || journal.append(&Line::Begun(number)))).collect();
        while locked(&journal.waiting).len() < threads.len() {
            std::thread::yield_now();
        }
        fs::remove_file(&path).unwrap();
        drop(writer);
        threads.into_iter().map(|thread| thread.join().unwrap().unwrap_err()).collect::<Vec<_>>()
    });

    assert_eq!(failed.len(), 4);
    assert!(failed.iter().all(|error| matches!(error.kind(), JournalErrorKind::Replaced)), "{failed:?}");
}
