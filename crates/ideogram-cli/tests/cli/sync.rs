//! `datasets sync`.

use std::process::Stdio;

use ideogram_mock::{MockServer, Scenario};

use crate::{
    invocation::{Ran, ideogram, snapshot},
    place::{PICTURE, Place},
};

#[test]
fn a_folder_is_stored_once_and_a_second_sync_sends_nothing() {
    let place = Place::new();
    place.fill(16);

    let first = place.datasets("sync", []).run();
    let mut sizes: Vec<usize> = place.uploads().iter().map(Vec::len).collect();
    let second = place.datasets("sync", []).run();

    // Two batches are under way at a time.
    sizes.sort_unstable();
    assert_eq!((sizes, place.uploads().len()), (vec![2, 20], 2));
    assert_eq!(place.stored(), place.each_once());
    snapshot!(first, @"");
    snapshot!(second, @"");
}

#[test]
fn a_sync_in_the_embedded_server_leaves_no_journal() {
    let place = Place::new();
    place.fill(1);

    let ran = place.ideogram(["--mock", "datasets", "sync", "demo", "set"]).run();

    assert!(!place.path().join("home").exists());
    snapshot!(ran, @"");
}

#[test]
fn a_report_is_data_and_says_where_the_journal_is() {
    let place = Place::new();
    place.fill(2);

    let ran = place.datasets("sync", ["--output", "json", "-q"]).run();

    let json = ran.json();
    assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""));
    assert_eq!((&json["is_complete"], &json["added"]["files"]), (&true.into(), &3.into()));
    assert_eq!(json["files"][0]["outcome"], "stored");
    let journal = json["journal"].as_str().unwrap();
    assert!(journal.ends_with(&format!("{}.jsonl", place.id)), "{journal}");
    let text = std::fs::read_to_string(journal).unwrap();
    assert!(text.contains("000.png") && !text.contains(place.server.api_key()), "{text}");
}

#[test]
fn files_that_the_service_refuses_are_listed_with_the_reason() {
    let place = Place::new();
    place.fill(2).write("unsafe.png", PICTURE);
    place.server.set_scenario(Scenario::UploadFails { names: vec!["001.png".to_owned()] });

    let first = place.datasets("sync", ["--settle", "0"]).run();
    place.server.set_scenario(Scenario::Normal);
    let second = place.datasets("sync", ["--settle", "0"]).run();
    place.server.clear_requests();
    let forced = place.datasets("sync", ["--settle", "0", "--send-failed"]).run();

    snapshot!(first, @"");
    snapshot!(second, @"");
    assert_eq!(forced.code(), Some(11));
    assert_eq!(place.uploads(), [["unsafe.png"]]);
}

#[test]
fn a_sync_of_which_the_service_takes_nothing_is_an_invalid_request() {
    let place = Place::new();
    place.write("unsafe.png", PICTURE);

    assert_eq!(place.datasets("sync", []).run().code(), Some(4));
}

#[test]
fn files_that_cannot_be_sent_do_not_keep_the_others_back() {
    let place = Place::new();
    place.write("empty.png", b"");
    let nothing = place.datasets("sync", []).run();
    place.write("good.png", PICTURE).write("orphan.txt", b"of no picture");

    let some = place.datasets("sync", []).run();

    assert_eq!(nothing.code(), Some(13), "{nothing}");
    assert_eq!(place.uploads(), [["good.png"]]);
    snapshot!(some, @"");
}

#[test]
fn a_file_of_another_size_is_not_sent_beside_the_old_one() {
    let place = Place::new();
    place.fill(2);
    place.datasets("sync", []).run();
    place.write("001.png", &[PICTURE, b"123456"].concat());

    let ran = place.datasets("sync", []).run();

    assert_eq!(place.uploads().len(), 1);
    snapshot!(ran, @"");
}

#[test]
fn what_may_be_there_is_sent_only_after_a_yes() {
    let place = Place::new();
    place.fill(1);
    place.datasets("sync", []).run();
    std::fs::remove_file(place.path().join("set/000.png")).unwrap();
    std::fs::remove_file(place.path().join("set/000.txt")).unwrap();
    place.write("000.PNG", PICTURE);
    place.server.clear_requests();

    let not_sent = place.datasets("sync", []).run();
    let not_asked = place.datasets("sync", ["--send-uncertain"]).run();
    assert!(place.uploads().is_empty());
    let sent = place.datasets("sync", ["--send-uncertain", "--yes"]).run();

    assert_eq!((not_asked.code(), sent.code()), (Some(2), Some(0)), "{not_asked}\n{sent}");
    assert_eq!(place.uploads(), [["000.PNG"]]);
    snapshot!(not_sent, @"");
}

#[test]
fn a_dry_run_shows_every_upload_and_sends_nothing() {
    let place = Place::new();
    place.fill(3);

    let as_text = place.datasets("sync", ["--dry-run", "--batch-files", "2"]).run();
    let as_json = place.datasets("sync", ["--dry-run", "--batch-files", "2", "--output", "json"]).run();

    assert!(place.server.requests().is_empty() && !place.path().join("home").exists());
    assert_eq!(as_json.json()["requests"][0]["parts"][0]["file"]["name"], "000.png");
    snapshot!(as_text, @"");
}

#[test]
fn too_many_pictures_are_refused_before_anything_is_sent() {
    let place = Place::new();
    place.fill(101);

    let ran = place.datasets("sync", []).run();

    assert!(place.uploads().is_empty());
    snapshot!(ran, @"");
}

#[test]
fn a_journal_that_cannot_be_used_keeps_the_sync_from_beginning() {
    let place = Place::new();
    place
        .fill(1)
        .write("journal.jsonl", b"{\"journal\":\"ideogram dataset sync\"} no\n")
        .write("other.txt", b"hello\n");

    let damaged = place.datasets("sync", ["--journal", "set/journal.jsonl"]).run();
    let other = place.datasets("sync", ["--journal", "set/other.txt"]).run();
    let nowhere = place.datasets("sync", ["--journal", "no/such/folder/sync.jsonl"]).run();

    assert!(place.uploads().is_empty());
    assert_eq!([damaged.code(), other.code(), nowhere.code()], [Some(2), Some(2), Some(13)], "{damaged}\n{other}");
    snapshot!(other, @"");
}

#[test]
fn a_dataset_or_key_or_service_that_is_not_there_has_its_own_exit_code() {
    let place = Place::new();
    place.fill(1);

    let no_dataset = place.ideogram(["datasets", "sync", "nope", "set"]).run();
    let wrong_key =
        ideogram(["datasets", "sync", &place.id, "set"]).at(place.server.url()).in_folder(place.path()).run();
    let no_folder = place.ideogram(["datasets", "sync", &place.id, "nowhere"]).run();

    assert_eq!([no_dataset.code(), wrong_key.code(), no_folder.code()], [Some(5), Some(3), Some(13)]);
}

#[test]
fn a_service_that_fails_once_does_not_fail_the_sync() {
    let place = Place::new();
    place.fill(4);
    place.server.set_scenario(Scenario::RateLimitedOnce { retry_after: None });

    let ran = place.datasets("sync", ["-q"]).run();

    assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""), "{ran}");
    assert_eq!(place.stored(), place.each_once());
}

/// Starts a sync, and comes back when an upload has arrived whole.
#[cfg(unix)]
fn sync_under_way(place: &Place) -> std::process::Child {
    let mut command = place.datasets("sync", []).into_command();
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while place.uploads().iter().all(|files| files.len() < 3) {
        std::thread::yield_now();
    }
    child
}

#[cfg(unix)]
fn signal(child: &std::process::Child, name: &str) {
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args([name, &id]).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn an_interrupted_sync_says_what_was_under_way_and_the_next_one_asks_first() {
    let place = Place::with(MockServer::builder().storing_time(std::time::Duration::from_secs(2)));
    place.fill(2);

    let child = sync_under_way(&place);
    signal(&child, "-INT");
    let interrupted = Ran::of(child.wait_with_output().unwrap());
    let again = place.datasets("sync", []).run();

    assert_eq!(place.uploads().len(), 1);
    assert_eq!(place.stored(), place.each_once());
    assert_eq!(again.code(), Some(0), "{again}");
    snapshot!(interrupted, @"");
}

#[cfg(unix)]
#[test]
fn two_syncs_into_one_dataset_keep_off_each_other() {
    let place = Place::with(MockServer::builder().storing_time(std::time::Duration::from_millis(500)));
    place.fill(2);

    let mut child = sync_under_way(&place);
    signal(&child, "-STOP");
    let second = place.datasets("sync", []).run();
    signal(&child, "-CONT");

    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(second.code(), Some(2), "{second}");
    assert!(second.stderr().contains("in use by another sync"), "{second}");
    assert_eq!(place.stored(), place.each_once());
}
