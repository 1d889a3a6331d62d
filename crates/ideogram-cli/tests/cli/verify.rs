//! `datasets verify`.

use ideogram_mock::MockServer;

use crate::{
    invocation::snapshot,
    sync_setup::{IMAGE, SyncSetup},
};

#[test]
fn a_folder_and_its_dataset_are_the_same_after_a_sync() {
    let setup = SyncSetup::new();
    setup.fill(4);
    setup.datasets("sync", []).run();

    snapshot!(setup.datasets("verify", []).run(), @"
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
    let setup = SyncSetup::new();
    setup.fill(3);
    setup.datasets("sync", []).run();
    std::fs::remove_file(setup.path().join("set/000.txt")).unwrap();
    setup.write("001.png", IMAGE).write("new.png", IMAGE).write("empty.png", b"");

    let ran = setup.datasets("verify", []).run();
    let as_json = setup.datasets("verify", ["--output", "json", "--quiet"]).run();

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
fn files_that_only_the_dataset_has_can_be_allowed() {
    let setup = SyncSetup::new();
    setup.fill(3);
    setup.datasets("sync", []).run();
    std::fs::remove_file(setup.path().join("set/002.png")).unwrap();

    assert_eq!(setup.datasets("verify", []).run().code(), Some(14));
    assert_eq!(setup.datasets("verify", ["--allow-extra"]).run().code(), Some(0));
}

#[test]
fn a_duplicate_file_is_a_difference() {
    let setup = SyncSetup::new();
    setup.fill(1);
    setup.datasets("sync", []).run();
    setup.ideogram(["datasets", "upload", &setup.id, "set/000.png", "--yes"]).run();

    let ran = setup.datasets("verify", ["--jq", ".differences[] | [.file, .difference, .note]", "-q"]).run();

    assert_eq!(ran.code(), Some(14));
    assert_eq!(ran.json(), serde_json::json!(["000.png", "more_than_once", "the dataset has it 2 times"]));
}

#[test]
fn a_dataset_without_file_names_does_not_count_as_equal() {
    let setup = SyncSetup::with(MockServer::builder().withhold_file_names());
    setup.fill(1);
    setup.datasets("sync", []).run();

    let ran = setup.datasets("verify", ["--allow-extra"]).run();

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
