//! `datasets verify`.

use ideogram_mock::MockServer;

use crate::{
    invocation::snapshot,
    place::{IMAGE, Place},
};

#[test]
fn a_folder_and_its_dataset_are_the_same_after_a_sync() {
    let place = Place::new();
    place.fill(4);
    place.datasets("sync", []).run();

    snapshot!(place.datasets("verify", []).run(), @"
    exit code: 0
    ----- stdout -----
    Dataset:      Night market (bnieaqG5ZfQGxF0YgAlFTw)
    Folder:       set
    Same:         6 of 6 files
    Differences:  0
    Trainable:    no: 4 images, 11 too few for a training (15 to 100)
    ");
}

#[test]
fn every_difference_is_listed() {
    let place = Place::new();
    place.fill(3);
    place.datasets("sync", []).run();
    std::fs::remove_file(place.path().join("set/000.txt")).unwrap();
    place.write("001.png", IMAGE).write("new.png", IMAGE).write("empty.png", b"");

    let ran = place.datasets("verify", []).run();
    let as_json = place.datasets("verify", ["--output", "json", "--quiet"]).run();

    let differences = &as_json.json()["differences"];
    assert_eq!(differences[0]["remote_sizes_bytes"], serde_json::json!([71]));
    assert_eq!(differences[3]["difference"], "only_in_dataset");
    assert_eq!(as_json.code(), Some(14));
    snapshot!(ran, @"
    exit code: 14
    ----- stdout -----
    Dataset:      Night market (bnieaqG5ZfQGxF0YgAlFTw)
    Folder:       set
    Same:         2 of 5 files
    Differences:  4
    Trainable:    no: 3 images, 12 too few for a training (15 to 100)

    FILE       DIFFERENCE       NOTE
    001.png    different        the dataset has one of 71 B, which cannot be replaced
    empty.png  refused          it is empty
    new.png    missing
    000.txt    only in dataset  16 B
    ----- stderr -----
    error: 4 differences between the folder and the dataset
    hint: `ideogram datasets sync bnieaqG5ZfQGxF0YgAlFTw set` sends what is missing
    ");
}

#[test]
fn what_only_the_dataset_has_can_be_allowed() {
    let place = Place::new();
    place.fill(3);
    place.datasets("sync", []).run();
    std::fs::remove_file(place.path().join("set/002.png")).unwrap();

    assert_eq!(place.datasets("verify", []).run().code(), Some(14));
    assert_eq!(place.datasets("verify", ["--allow-extra"]).run().code(), Some(0));
}

#[test]
fn a_file_that_is_there_twice_is_a_difference() {
    let place = Place::new();
    place.fill(1);
    place.datasets("sync", []).run();
    place.ideogram(["datasets", "upload", &place.id, "set/000.png"]).run();

    let ran = place.datasets("verify", ["--jq", ".differences[] | [.file, .difference, .note]", "-q"]).run();

    assert_eq!(ran.code(), Some(14));
    assert_eq!(ran.json(), serde_json::json!(["000.png", "more_than_once", "the dataset has it 2 times"]));
}

#[test]
fn a_dataset_that_tells_no_names_is_not_taken_for_the_same() {
    let place = Place::with(MockServer::builder().withhold_file_names());
    place.fill(1);
    place.datasets("sync", []).run();

    let ran = place.datasets("verify", ["--allow-extra"]).run();

    snapshot!(ran, @"
    exit code: 14
    ----- stdout -----
    Dataset:      Night market (bnieaqG5ZfQGxF0YgAlFTw)
    Folder:       set
    Same:         0 of 2 files
    Differences:  2
    Trainable:    no: 0 images by name, and 2 files that may be images, 13 too few for a training (15 to 100)

    FILE     DIFFERENCE  NOTE
    000.png  uncertain   the dataset has files without names
    000.txt  uncertain   the dataset has files without names
    ----- stderr -----
    error: 2 differences between the folder and the dataset
    ");
}
