//! `datasets sync`.

use std::process::Stdio;

use ideogram_mock::{MockServer, Scenario};

#[cfg(unix)]
use crate::interrupt::{Signal, signal};
use crate::{
    invocation::{Ran, ideogram, snapshot},
    sync_setup::{IMAGE, SyncSetup},
};

#[test]
fn a_folder_is_stored_once_and_a_second_sync_sends_nothing() {
    let setup = SyncSetup::new();
    setup.fill(16);

    let first = setup.datasets("sync", []).run();
    let mut sizes: Vec<usize> = setup.uploads().iter().map(Vec::len).collect();
    let second = setup.datasets("sync", []).run();

    // Two chunks are under way at a time.
    sizes.sort_unstable();
    assert_eq!((sizes, setup.uploads().len()), (vec![2, 20], 2));
    assert_eq!(setup.stored(), setup.each_once());
    snapshot!(first, @"
    exit code: 0
    ----- stdout -----
    Dataset:    Night market (bnieaqG5ZfQGxF0YgAlFTw)
    Added:      22 files, 1.3 KiB
    Stored:     22 files, 1.3 KiB, of 22 in the folder
    Missing:    nothing
    Trainable:  yes: 16 images
    ----- stderr -----
    sending 22 files, 1.3 KiB
    next, train a model from it: ideogram models train bnieaqG5ZfQGxF0YgAlFTw --name NAME --wait
    ");
    snapshot!(second, @"
    exit code: 0
    ----- stdout -----
    Dataset:    Night market (bnieaqG5ZfQGxF0YgAlFTw)
    Added:      nothing
    Stored:     22 files, 1.3 KiB, of 22 in the folder
    Missing:    nothing
    Trainable:  yes: 16 images
    ----- stderr -----
    next, train a model from it: ideogram models train bnieaqG5ZfQGxF0YgAlFTw --name NAME --wait
    ");
}

#[test]
fn a_sync_in_the_embedded_server_leaves_no_journal() {
    let setup = SyncSetup::new();
    setup.fill(1);

    let ran = setup.ideogram(["--mock", "datasets", "sync", "demo", "set"]).run();

    assert!(!setup.path().join("home").exists());
    snapshot!(ran, @"
    exit code: 0
    ----- stdout -----
    Dataset:    Paper lanterns (demo) (demo)
    Added:      2 files, 86 B
    Stored:     2 files, 86 B, of 2 in the folder
    Missing:    nothing
    Trainable:  yes: 16 images
    ----- stderr -----
    sending 2 files, 86 B
    this was done in a mock server that ends with the command; `ideogram mock serve` runs one that stays
    ");
}

#[test]
fn a_report_is_data_and_says_where_the_journal_is() {
    let setup = SyncSetup::new();
    setup.fill(2);

    let ran = setup.datasets("sync", ["--output", "json", "-q"]).run();

    let json = ran.json();
    assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""));
    assert_eq!((&json["is_complete"], &json["added"]["files"]), (&true.into(), &3.into()));
    assert_eq!(json["files"][0]["outcome"], "stored");
    let journal = json["journal"].as_str().unwrap();
    assert!(journal.ends_with(&format!("{}.jsonl", setup.id)), "{journal}");
    let text = std::fs::read_to_string(journal).unwrap();
    assert!(text.contains("000.png") && !text.contains(setup.server.api_key()), "{text}");
}

#[test]
fn files_that_the_service_refuses_are_listed_with_the_reason() {
    let setup = SyncSetup::new();
    setup.fill(2).write("unsafe.png", IMAGE);
    setup.server.set_scenario(Scenario::UploadFails { names: vec!["001.png".to_owned()] });

    let first = setup.datasets("sync", ["--processing-timeout", "0"]).run();
    setup.server.set_scenario(Scenario::Normal);
    let second = setup.datasets("sync", ["--processing-timeout", "0"]).run();
    setup.server.clear_requests();
    let forced = setup.datasets("sync", ["--processing-timeout", "0", "--send-failed"]).run();

    snapshot!(first, @"
    exit code: 11
    ----- stdout -----
    Dataset:    Night market (bnieaqG5ZfQGxF0YgAlFTw)
    Added:      2 files, 86 B
    Stored:     2 files, 86 B, of 4 in the folder
    Missing:    2 files, 141 B
    Trainable:  no: 1 image, 14 too few for a training (15 to 100)

    FILE        WHY NOT
    001.png     refused by the service: INTERNAL_ERROR
    unsafe.png  refused by the service: FAILED_SAFETY_CHECK
    ----- stderr -----
    sending 4 files, 227 B
    error: the dataset lacks, or may lack, 2 of 4 files
    hint: refused files are not sent again until they change; --send-failed sends them unchanged
    ");
    snapshot!(second, @"
    exit code: 11
    ----- stdout -----
    Dataset:    Night market (bnieaqG5ZfQGxF0YgAlFTw)
    Added:      1 file, 71 B
    Stored:     3 files, 157 B, of 4 in the folder
    Missing:    1 file, 70 B
    Trainable:  no: 2 images, 13 too few for a training (15 to 100)

    FILE        WHY NOT
    unsafe.png  refused by the service: FAILED_SAFETY_CHECK
    ----- stderr -----
    sending 1 file, 71 B
    error: the dataset lacks, or may lack, 1 of 4 files
    hint: refused files are not sent again until they change; --send-failed sends them unchanged
    ");
    assert_eq!(forced.code(), Some(11));
    assert_eq!(setup.uploads(), [["unsafe.png"]]);
}

#[test]
fn a_sync_with_only_rejected_files_is_an_invalid_request() {
    let setup = SyncSetup::new();
    setup.write("unsafe.png", IMAGE);

    assert_eq!(setup.datasets("sync", []).run().code(), Some(4));
}

#[test]
fn files_that_cannot_be_sent_do_not_keep_the_others_back() {
    let setup = SyncSetup::new();
    setup.write("empty.png", b"");
    let nothing = setup.datasets("sync", []).run();
    setup.write("good.png", IMAGE).write("orphan.txt", b"of no image");

    let some = setup.datasets("sync", []).run();

    assert_eq!(nothing.code(), Some(13), "{nothing}");
    assert_eq!(setup.uploads(), [["good.png"]]);
    snapshot!(some, @"
    exit code: 11
    ----- stdout -----
    Dataset:    Night market (bnieaqG5ZfQGxF0YgAlFTw)
    Added:      1 file, 70 B
    Stored:     1 file, 70 B, of 3 in the folder
    Missing:    2 files, 11 B
    Trainable:  no: 1 image, 14 too few for a training (15 to 100)

    FILE        WHY NOT
    empty.png   not sent: it is empty
    orphan.txt  not sent: a caption without an image: a.txt is the caption of a.png, a.jpg or a.webp
    ----- stderr -----
    sending 1 file, 70 B
    error: the dataset lacks, or may lack, 2 of 3 files
    ");
}

#[test]
fn a_file_of_another_size_is_not_sent_in_addition_to_the_old_one() {
    let setup = SyncSetup::new();
    setup.fill(2);
    setup.datasets("sync", []).run();
    setup.write("001.png", &[IMAGE, b"123456"].concat());

    let ran = setup.datasets("sync", []).run();

    assert_eq!(setup.uploads().len(), 1);
    snapshot!(ran, @"
    exit code: 11
    ----- stdout -----
    Dataset:    Night market (bnieaqG5ZfQGxF0YgAlFTw)
    Added:      nothing
    Stored:     2 files, 86 B, of 3 in the folder
    Missing:    1 file, 76 B
    Trainable:  no: 2 images, 13 too few for a training (15 to 100)

    FILE     WHY NOT
    001.png  the dataset has it with another size
    ----- stderr -----
    error: the dataset lacks, or may lack, 1 of 3 files
    ");
}

#[test]
fn an_uncertain_file_is_sent_only_after_confirmation() {
    let setup = SyncSetup::new();
    setup.fill(1);
    setup.datasets("sync", []).run();
    std::fs::remove_file(setup.path().join("set/000.png")).unwrap();
    std::fs::remove_file(setup.path().join("set/000.txt")).unwrap();
    setup.write("000.PNG", IMAGE);
    setup.server.clear_requests();

    let not_sent = setup.datasets("sync", []).run();
    let without_yes = setup.datasets("sync", ["--send-uncertain"]).run();
    assert!(setup.uploads().is_empty());
    let sent = setup.datasets("sync", ["--send-uncertain", "--yes"]).run();

    assert_eq!((without_yes.code(), sent.code()), (Some(2), Some(0)), "{without_yes}\n{sent}");
    assert_eq!(setup.uploads(), [["000.PNG"]]);
    snapshot!(not_sent, @r#"
    exit code: 11
    ----- stdout -----
    Dataset:    Night market (bnieaqG5ZfQGxF0YgAlFTw)
    Added:      nothing
    Stored:     nothing, of 1 in the folder
    Missing:    1 file, 70 B
    Trainable:  no: 1 image, 14 too few for a training (15 to 100)

    FILE     WHY NOT
    000.PNG  not sent, because the dataset may have it: the dataset has "000.png"
    ----- stderr -----
    error: the dataset lacks, or may lack, 1 of 1 file
    hint: --send-uncertain sends files of uncertain state; some may then be there twice
    "#);
}

#[test]
fn a_dry_run_shows_every_upload_and_sends_nothing() {
    let setup = SyncSetup::new();
    setup.fill(3);

    let as_text = setup.datasets("sync", ["--dry-run", "--chunk-files", "2"]).run();
    let as_json = setup.datasets("sync", ["--dry-run", "--chunk-files", "2", "--output", "json"]).run();

    assert!(setup.server.requests().is_empty() && !setup.path().join("home").exists());
    assert_eq!(as_json.json()["requests"][0]["parts"][0]["file"]["name"], "000.png");
    snapshot!(as_text, @"
    exit code: 0
    ----- stdout -----
    POST http://127.0.0.1:[PORT]/datasets/bnieaqG5ZfQGxF0YgAlFTw/upload_assets

    api-key:       [key]
    content-type:  multipart/form-data

    PART   CONTENT
    files  file 000.png, 70 B, image/png
    files  file 000.txt, 16 B, text/plain

    POST http://127.0.0.1:[PORT]/datasets/bnieaqG5ZfQGxF0YgAlFTw/upload_assets

    api-key:       [key]
    content-type:  multipart/form-data

    PART   CONTENT
    files  file 001.png, 71 B, image/png
    files  file 002.png, 72 B, image/png
    ----- stderr -----
    dry run: nothing was sent
    these are all uploads of the folder; files that are in the dataset already are not sent
    ");
}

#[test]
fn too_many_images_are_refused_before_anything_is_sent() {
    let setup = SyncSetup::new();
    setup.fill(101);

    let ran = setup.datasets("sync", []).run();

    assert!(setup.uploads().is_empty());
    snapshot!(ran, @r#"
    exit code: 2
    ----- stderr -----
    error: cannot sync "set" into the dataset bnieaqG5ZfQGxF0YgAlFTw
      caused by: the dataset has 0 images, and 101 more are 1 too many: a dataset has at most 100
    "#);
}

#[test]
fn a_journal_that_cannot_be_used_keeps_the_sync_from_beginning() {
    let setup = SyncSetup::new();
    setup
        .fill(1)
        .write("journal.jsonl", b"{\"journal\":\"ideogram dataset sync\",\"format\":2} no\n")
        .write("other.txt", b"hello\n");

    let damaged = setup.datasets("sync", ["--journal", "set/journal.jsonl"]).run();
    let other = setup.datasets("sync", ["--journal", "set/other.txt"]).run();
    let nowhere = setup.datasets("sync", ["--journal", "no/such/folder/sync.jsonl"]).run();

    assert!(setup.uploads().is_empty());
    assert_eq!([damaged.code(), other.code(), nowhere.code()], [Some(2), Some(2), Some(13)], "{damaged}\n{other}");
    snapshot!(other, @r#"
    exit code: 2
    ----- stderr -----
    left out: journal.jsonl (neither image nor caption)
    error: cannot sync "set" into the dataset bnieaqG5ZfQGxF0YgAlFTw
      caused by: the journal "set/other.txt" is not a journal of this kind
    "#);
}

#[test]
fn after_a_deleted_journal_nothing_is_sent_without_confirmation() {
    let setup = SyncSetup::new();
    setup.fill(2);
    setup.datasets("sync", ["--journal", "sync.jsonl"]).run();
    setup.write("new.png", IMAGE);
    setup.server.clear_requests();
    std::fs::remove_file(setup.path().join("sync.jsonl")).unwrap();

    let not_sent = setup.datasets("sync", ["--journal", "sync.jsonl"]).run();
    let without_yes = setup.datasets("sync", ["--journal", "sync.jsonl", "--send-uncertain"]).run();
    assert!(setup.uploads().is_empty());
    let sent = setup.datasets("sync", ["--journal", "sync.jsonl", "--send-uncertain", "--yes"]).run();
    let later = setup.write("newer.png", IMAGE).datasets("sync", ["--journal", "sync.jsonl"]).run();

    assert_eq!(
        (without_yes.code(), sent.code(), later.code()),
        (Some(2), Some(0), Some(0)),
        "{without_yes}\n{sent}\n{later}"
    );
    assert!(!later.stderr().contains("lacks lines"), "{later}");
    assert_eq!(setup.uploads(), [["new.png"], ["newer.png"]]);
    snapshot!(not_sent, @r#"
    exit code: 11
    ----- stdout -----
    Dataset:    Night market (bnieaqG5ZfQGxF0YgAlFTw)
    Added:      nothing
    Stored:     3 files, 157 B, of 4 in the folder
    Missing:    1 file, 70 B
    Trainable:  no: 2 images, 13 too few for a training (15 to 100)

    FILE     WHY NOT
    new.png  not sent, because the dataset may have it: the journal lacks lines, and the file may have been sent
    ----- stderr -----
    warning: the journal "sync.jsonl" lacks lines: it was deleted, cut, or replaced by an older copy; files that are missing in the dataset may have been sent, and are sent only with --send-uncertain
    error: the dataset lacks, or may lack, 1 of 4 files
    hint: --send-uncertain sends files of uncertain state; some may then be there twice
    "#);
}

#[test]
fn a_new_journal_of_a_dataset_with_files_is_said_to_be_new() {
    let setup = SyncSetup::new();
    setup.fill(1);
    setup.datasets("sync", ["--journal", "one.jsonl"]).run();
    setup.write("new.png", IMAGE);

    let other = setup.datasets("sync", ["--journal", "other.jsonl"]).run();

    assert!(other.stderr().contains("the journal \"other.jsonl\" is new"), "{other}");
    assert_eq!(setup.stored(), setup.each_once());
}

#[cfg(unix)]
#[test]
fn a_journal_that_is_not_a_regular_file_or_was_edited_is_refused() {
    let setup = SyncSetup::new();
    setup.fill(2);
    let edited = setup.path().join("edited.jsonl");
    setup.datasets("sync", ["--journal", "edited.jsonl", "--chunk-files", "1"]).run();
    let text = std::fs::read_to_string(&edited).unwrap();
    std::fs::write(&edited, text.replacen("000.png", "001.png", 1)).unwrap();
    setup.write("new.png", IMAGE);
    setup.server.clear_requests();

    for (journal, why) in
        [("/dev/null", "not a regular file"), ("set", "not a regular file"), ("edited.jsonl", "is damaged in line")]
    {
        let ran = setup.datasets("sync", ["--journal", journal]).run();

        assert_eq!(ran.code(), Some(2), "{ran}");
        assert!(ran.stderr().contains(why), "{ran}");
    }
    assert!(setup.uploads().is_empty());
}

#[cfg(unix)]
#[test]
fn a_journal_that_is_deleted_during_a_sync_ends_it_before_the_next_upload() {
    let setup = SyncSetup::with(MockServer::builder().storing_time(std::time::Duration::from_millis(500)));
    setup.fill(8);

    let mut command = setup.datasets("sync", ["--journal", "sync.jsonl", "--chunk-files", "2"]).into_command();
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while setup.uploads().is_empty() {
        std::thread::yield_now();
    }
    std::fs::remove_file(setup.path().join("sync.jsonl")).unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap());
    let again = setup.datasets("sync", ["--journal", "sync.jsonl"]).run();

    assert!(setup.uploads().len() <= 2, "{:?}", setup.uploads());
    assert!(matches!(ran.code(), Some(11 | 13)), "{ran}");
    assert!(ran.stderr().contains("deleted, renamed or replaced"), "{ran}");
    assert_eq!(again.code(), Some(11), "{again}");
    assert!(setup.stored().values().all(|times| *times == 1));
}

#[test]
fn a_missing_dataset_key_or_service_has_its_own_exit_code() {
    let setup = SyncSetup::new();
    setup.fill(1);

    let no_dataset = setup.ideogram(["datasets", "sync", "nope", "set"]).run();
    let wrong_key =
        ideogram(["datasets", "sync", &setup.id, "set"]).at(setup.server.url()).in_folder(setup.path()).run();
    let no_folder = setup.ideogram(["datasets", "sync", &setup.id, "nowhere"]).run();

    assert_eq!([no_dataset.code(), wrong_key.code(), no_folder.code()], [Some(5), Some(3), Some(13)]);
}

#[test]
fn a_service_that_fails_once_does_not_fail_the_sync() {
    let setup = SyncSetup::new();
    setup.fill(4);
    setup.server.set_scenario(Scenario::RateLimitedOnce { retry_after: None });

    let ran = setup.datasets("sync", ["-q"]).run();

    assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""), "{ran}");
    assert_eq!(setup.stored(), setup.each_once());
}

/// Starts a sync, and comes back when an upload has arrived whole.
#[cfg(unix)]
fn sync_under_way(setup: &SyncSetup) -> std::process::Child {
    let mut command = setup.datasets("sync", []).into_command();
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while setup.uploads().iter().all(|files| files.len() < 3) {
        std::thread::yield_now();
    }
    child
}

#[cfg(unix)]
#[test]
fn an_interrupted_sync_says_what_was_under_way_and_the_next_one_asks_first() {
    let setup = SyncSetup::with(MockServer::builder().storing_time(std::time::Duration::from_secs(2)));
    setup.fill(2);

    let child = sync_under_way(&setup);
    signal(&child, Signal::INT);
    let interrupted = Ran::of(child.wait_with_output().unwrap());
    let again = setup.datasets("sync", []).run();

    assert_eq!(setup.uploads().len(), 1);
    assert_eq!(setup.stored(), setup.each_once());
    assert_eq!(again.code(), Some(0), "{again}");
    snapshot!(interrupted, @"
    exit code: 130
    ----- stderr -----
    sending 3 files, 157 B
    error: interrupted
      3 files in flight, which may still be stored: 000.png, 000.txt, 001.png
    hint: run the same command again: it reads the dataset, and sends only missing files
    ");
}

#[cfg(unix)]
#[test]
fn two_syncs_into_one_dataset_exclude_each_other() {
    let setup = SyncSetup::with(MockServer::builder().storing_time(std::time::Duration::from_millis(500)));
    setup.fill(2);

    let mut child = sync_under_way(&setup);
    signal(&child, Signal::STOP);
    let second = setup.datasets("sync", []).run();
    signal(&child, Signal::CONT);

    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(second.code(), Some(2), "{second}");
    assert!(second.stderr().contains("in use by another process"), "{second}");
    assert_eq!(setup.stored(), setup.each_once());
}
