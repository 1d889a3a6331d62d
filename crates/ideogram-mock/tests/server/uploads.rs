//! Uploaded files are checked one by one.

use std::time::{Duration, Instant};

use ideogram_mock::{MockServer, Scenario};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::caller::{Caller, Response, png, zip};

fn counts(response: &Response) -> (u64, u64, u64) {
    let count = |name: &str| response.body[name].as_u64().unwrap();
    (count("total_count"), count("success_count"), count("failure_count"))
}

fn failures(response: &Response) -> Value {
    let failed = response.body["failed_assets"].as_array().unwrap().iter();
    failed.map(|asset| json!([asset["file_name"], asset["failure_reason"]])).collect()
}

#[tokio::test]
async fn images_and_captions_are_stored_and_images_counted() {
    let caller = Caller::new().await;

    let response = caller.upload([("cat.png", png()), ("cat.txt", "a larger cat, größer".into())]).await;
    let demo = caller.get("/datasets/demo").await;

    assert_eq!(response.status, 200);
    assert_eq!(counts(&response), (1, 1, 0));
    assert_eq!(response.body["successful_assets"][0]["file_name"], "cat.png");
    assert_eq!(demo.body["file_count"], 20);
}

#[tokio::test]
async fn a_file_uploaded_twice_is_stored_twice() {
    let caller = Caller::new().await;

    caller.upload([("cat.png", png())]).await;
    caller.upload([("cat.png", png())]).await;
    let demo = caller.get("/datasets/demo").await;

    let names = demo.body["files"].as_array().unwrap().iter().map(|file| &file["file_name"]);
    assert_eq!(names.filter(|name| **name == "cat.png").count(), 2);
}

#[tokio::test]
async fn every_invalid_file_is_reported_with_its_reason() {
    let caller = Caller::new().await;

    let mut cut = png();
    cut.truncate(40);
    let response = caller
        .upload([
            ("cut.png", cut),
            ("text.jpg", b"no image".to_vec()),
            ("blank.txt", b" \n".to_vec()),
            ("latin1.txt", b"gr\xfcn".to_vec()),
            ("broken.zip", b"PK\x03\x04".to_vec()),
            ("Unsafe.png", png()),
            ("unsafe-but-not-an-image.png", Vec::new()),
            ("large.png", vec![0; 25 * 1024 * 1024 + 1]),
            ("good.png", png()),
        ])
        .await;

    assert_eq!(response.status, 200);
    assert_eq!(counts(&response), (9, 1, 8));
    let expected = json!([
        ["cut.png", "INVALID_IMAGE"],
        ["text.jpg", "INVALID_IMAGE"],
        ["blank.txt", "INVALID_CAPTION"],
        ["latin1.txt", "INVALID_CAPTION"],
        ["broken.zip", "INVALID_ZIP"],
        ["Unsafe.png", "FAILED_SAFETY_CHECK"],
        ["unsafe-but-not-an-image.png", "INVALID_IMAGE"],
        ["large.png", "FILE_TOO_LARGE"],
    ]);
    assert_eq!(failures(&response), expected);
}

#[tokio::test]
async fn every_entry_of_an_archive_counts() {
    let caller = Caller::new().await;

    let archive = zip([
        ("cats/1.png", png()),
        ("cats/1.txt", b"a cat".to_vec()),
        ("cats/2.gif", b"GIF89a".to_vec()),
        ("__MACOSX/._1.png", Vec::new()),
        ("inner.zip", zip([("3.png", png())])),
    ]);
    let response = caller.upload([("cats.zip", archive)]).await;

    assert_eq!(counts(&response), (3, 1, 2));
    assert_eq!(response.body["successful_assets"][0]["file_name"], "cats/1.png");
    assert_eq!(failures(&response), json!([["cats/2.gif", "INVALID_IMAGE"], ["inner.zip", "INVALID_ZIP"]]));
}

#[tokio::test]
async fn an_entry_that_unpacks_to_too_many_bytes_is_refused() {
    let caller = Caller::new().await;

    let archive = zip([("zeros.png", vec![0; 26 * 1024 * 1024])]);
    assert!(archive.len() < 1024 * 1024, "zeros pack well");
    let response = caller.upload([("bomb.zip", archive)]).await;

    assert_eq!(failures(&response), json!([["zeros.png", "FILE_TOO_LARGE"]]));
}

#[tokio::test]
async fn an_archive_with_too_many_entries_is_refused() {
    let caller = Caller::new().await;

    let names: Vec<&'static str> = (0..1001).map(|number| &*format!("{number}.txt").leak()).collect();
    let archive = zip(names.into_iter().map(|name| (name, b"caption".to_vec())));
    let response = caller.upload([("many.zip", archive)]).await;

    assert_eq!(failures(&response), json!([["many.zip", "INVALID_ZIP"]]));
}

#[tokio::test]
async fn an_archive_with_a_damaged_entry_is_refused() {
    let caller = Caller::new().await;

    let mut archive = zip([("1.txt", b"a caption".to_vec()), ("2.txt", b"another caption".to_vec())]);
    // Within the packed bytes of the first entry, whose local header has 30 bytes and its name.
    archive[36] ^= 0x55;
    let response = caller.upload([("damaged.zip", archive)]).await;
    let demo = caller.get("/datasets/demo").await;

    assert_eq!(failures(&response), json!([["damaged.zip", "INVALID_ZIP"]]));
    assert_eq!(demo.body["file_count"], 18);
}

#[tokio::test]
async fn the_hundred_and_first_image_is_one_too_many() {
    let caller = Caller::new().await;

    let id = caller.dataset_of(99).await;
    let files = [("a.png", png()), ("b.png", png()), ("b.txt", b"still fits".to_vec())];
    let response = caller.upload_to(&id, files).await;

    assert_eq!(counts(&response), (2, 1, 1));
    assert_eq!(failures(&response), json!([["b.png", "TOO_MANY_IMAGES"]]));
}

#[tokio::test]
async fn files_can_be_made_to_fail() {
    let caller = Caller::new().await;

    caller.server.set_scenario(Scenario::UploadFails { names: vec!["b.png".to_owned()] });
    let archive = zip([("folder/b.png", png())]);
    let response = caller.upload([("a.png", png()), ("b.png", png()), ("c.zip", archive)]).await;

    assert_eq!(failures(&response), json!([["b.png", "INTERNAL_ERROR"], ["folder/b.png", "INTERNAL_ERROR"]]));
}

#[tokio::test]
async fn parts_are_recorded_as_received() {
    let caller = Caller::new().await;

    caller.upload([("cat.png", png()), ("größe.txt", b"tall".to_vec())]).await;

    let requests = caller.server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].operation_id.as_deref(), Some("upload_dataset_assets"));
    assert_eq!(requests[0].status, Some(200));
    assert_eq!(requests[0].body_size, requests[0].body.len() as u64);
    let parts: Vec<_> =
        requests[0].parts.iter().map(|part| (&*part.name, part.file_name.as_deref(), part.size)).collect();
    assert_eq!(parts, [("files", Some("cat.png"), 45), ("files", Some("größe.txt"), 4)]);
}

#[tokio::test]
async fn invalid_forms_are_refused_with_the_reason() {
    let caller = Caller::new().await;
    let path = "/datasets/demo/upload_assets";
    let file = || Part::bytes(png()).file_name("cat.png");

    let cases = [
        (Form::new().part("files[]", file()), "the operation has no part 'files[]', only 'files'"),
        (Form::new().part("files", Part::bytes(png())), "the part 'files' is a file and needs a file name"),
        (
            Form::new().part("files", Part::bytes(png()).file_name("")),
            "the part 'files' is a file and needs a file name",
        ),
    ];

    for (form, detail) in cases {
        let response = caller.post_form(path, form).await;
        assert_eq!(response.status, 400);
        assert_eq!(response.headers["content-type"], "application/problem+json");
        assert_eq!(response.body["detail"], detail);
    }
}

#[tokio::test]
async fn an_unknown_dataset_takes_no_files() {
    let caller = Caller::new().await;

    let response = caller.upload_to("nothing", [("cat.png", png())]).await;

    assert_eq!(response.status, 404);
}

#[tokio::test]
async fn storing_takes_the_configured_time_and_does_not_need_the_caller() {
    let caller = Caller::with(MockServer::builder().storing_time(Duration::from_millis(300))).await;
    let started = Instant::now();

    let response = caller.upload([("cat.png", png())]).await;
    let took = started.elapsed();
    let hung_up = timeout(Duration::from_millis(100), caller.upload([("dog.png", png())])).await;
    let early = caller.get("/datasets/demo").await;
    let stored = async { while caller.get("/datasets/demo").await.body["file_count"] != 20 {} };
    let late = timeout(Duration::from_secs(30), stored).await;

    assert_eq!(response.status, 200);
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert!(hung_up.is_err());
    assert_eq!(early.body["file_count"], 19);
    assert!(late.is_ok());
}

#[tokio::test]
async fn names_of_files_can_be_withheld() {
    let caller = Caller::with(MockServer::builder().withhold_file_names()).await;

    let demo = caller.get("/datasets/demo").await;

    let files = demo.body["files"].as_array().unwrap();
    assert!(files.iter().all(|file| file["file_name"].is_null() && file["file_size_bytes"].is_u64()), "{files:?}");
}
