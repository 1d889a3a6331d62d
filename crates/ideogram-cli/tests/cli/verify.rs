//! `datasets verify`.

use ideogram_mock::MockServer;

use crate::{
    invocation::snapshot,
    place::{PICTURE, Place},
};

#[test]
fn a_folder_and_its_dataset_are_the_same_after_a_sync() {
    let place = Place::new();
    place.fill(4);
    place.datasets("sync", []).run();

    snapshot!(place.datasets("verify", []).run(), @"");
}

#[test]
fn every_difference_is_listed() {
    let place = Place::new();
    place.fill(3);
    place.datasets("sync", []).run();
    std::fs::remove_file(place.path().join("set/000.txt")).unwrap();
    place.write("001.png", PICTURE).write("new.png", PICTURE).write("empty.png", b"");

    let ran = place.datasets("verify", []).run();
    let as_json = place.datasets("verify", ["--output", "json", "--quiet"]).run();

    let differences = &as_json.json()["differences"];
    assert_eq!(differences[0]["remote_sizes_bytes"], serde_json::json!([71]));
    assert_eq!(differences[3]["difference"], "only_in_dataset");
    assert_eq!(as_json.code(), Some(14));
    snapshot!(ran, @"");
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

    let ran = place.datasets("verify", ["--jq", ".differences[] | [.file, .difference, .remark]", "-q"]).run();

    assert_eq!(ran.code(), Some(14));
    assert_eq!(ran.json(), serde_json::json!(["000.png", "more_than_once", "the dataset has it 2 times"]));
}

#[test]
fn a_dataset_that_tells_no_names_is_not_taken_for_the_same() {
    let place = Place::with(MockServer::builder().withhold_file_names());
    place.fill(1);
    place.datasets("sync", []).run();

    let ran = place.datasets("verify", ["--allow-extra"]).run();

    snapshot!(ran, @"");
}
