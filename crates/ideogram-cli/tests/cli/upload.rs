//! `datasets upload`.

use std::fs;

use ideogram_mock::{MockServer, Scenario};
use tempfile::TempDir;

use crate::{
    invocation::{ideogram, serve, snapshot},
    rogue::Rogue,
};

/// A PNG of one pixel.
pub(crate) const IMAGE: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\
    \xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\xa6\x1a\x1b\xc2\0\0\0\0IEND\xaeB`\x82";

/// A folder with images, a caption, and what is neither.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let put = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).unwrap();
    put("a.png", IMAGE);
    put("b.jpg", &[b"\xff\xd8\xff\xe0".as_slice(), &[0; 2000]].concat());
    put("a.txt", b"a lantern\n");
    put("empty.png", b"");
    fs::create_dir(folder.path().join("more")).unwrap();
    folder
}

/// A response that ends its connection.
fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// The response for a dataset without files.
fn no_files() -> String {
    let dataset = serde_json::json!({
        "dataset": {"dataset_id": "demo", "name": "n", "user_id": "u", "creation_time": "2026-07-01T09:00:00Z"},
        "file_count": 0, "files": [], "custom_model_ids": [],
    });
    ok(&dataset.to_string())
}

#[test]
fn an_upload_is_one_request_with_a_part_for_each_file() {
    let (server, folder) = (serve(MockServer::builder()), folder());

    ideogram(["datasets", "upload", "demo", "a.png", "b.jpg"]).against(&server).in_folder(folder.path()).run();

    let requests = server.requests();
    let [listed, request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((listed.method.as_str(), listed.path.as_str()), ("GET", "/datasets/demo"));
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/datasets/demo/upload_assets"));
    let parts: Vec<_> = request
        .parts
        .iter()
        .map(|part| (part.name.as_str(), part.file_name.as_deref(), part.media_type.as_deref(), part.size))
        .collect();
    assert_eq!(
        parts,
        [
            ("files", Some("a.png"), Some("image/png"), IMAGE.len() as u64),
            ("files", Some("b.jpg"), Some("image/jpeg"), 2004),
        ]
    );
}

#[test]
fn stored_files_are_listed() {
    let (server, folder) = (serve(MockServer::builder()), folder());

    let ran =
        ideogram(["datasets", "upload", "demo", "a.png", "a.txt"]).against(&server).in_folder(folder.path()).run();

    snapshot!(ran, @"
    exit code: 0
    ----- stdout -----
    Stored:  1
    Failed:  0

    RESULT  FILE   REASON
    stored  a.png
    ----- stderr -----
    sending 2 files, 80 B, to the dataset demo
    the response does not list 1 of the files, since it never lists stored captions and archives; `ideogram datasets get demo` lists the files
    ");
}

#[test]
fn a_file_that_was_not_stored_is_named_with_the_reason_and_fails_the_command() {
    let (server, folder) = (serve(MockServer::builder()), folder());
    server.set_scenario(Scenario::UploadFails { names: vec!["b.jpg".to_owned()] });

    let ran =
        ideogram(["datasets", "upload", "demo", "a.png", "b.jpg"]).against(&server).in_folder(folder.path()).run();

    snapshot!(ran, @"
    exit code: 11
    ----- stdout -----
    Stored:  1
    Failed:  1

    RESULT  FILE   REASON
    stored  a.png
    failed  b.jpg  INTERNAL_ERROR
    ----- stderr -----
    sending 2 files, 2.0 KiB, to the dataset demo
    error: 1 file was not stored
    hint: upload only the failed files again: the service may store the others twice
    ");
}

#[test]
fn an_upload_as_json_is_the_response_of_the_service() {
    let folder = folder();

    let run = ideogram(["--mock", "--output", "json", "--quiet", "datasets", "upload", "demo", "a.png"]);
    let ran = run.in_folder(folder.path()).run();

    assert_eq!(ran.json()["successful_assets"][0]["file_name"], "a.png");
    assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""));
}

#[test]
fn an_unknown_reason_or_count_is_printed_unchanged() {
    let folder = folder();
    let body = r#"{"total_count":0,"success_count":6,"failure_count":0,
        "failed_assets":[{"failure_reason":"TOO_PRETTY"}]}"#;
    let rogue = Rogue::sending_in_turn([no_files(), ok(body)]);

    let ran = ideogram(["datasets", "upload", "demo", "a.png"]).at(rogue.url()).in_folder(folder.path()).run();

    snapshot!(ran, @"
    exit code: 11
    ----- stdout -----
    Stored:  6
    Failed:  0

    RESULT  FILE  REASON
    failed  -     TOO_PRETTY
    ----- stderr -----
    sending 1 file, 70 B, to the dataset demo
    the response does not list 1 of the files, since it never lists stored captions and archives; `ideogram datasets get demo` lists the files
    error: 1 file was not stored
    hint: upload only the failed files again: the service may store the others twice
    ");
}

#[test]
fn files_that_cannot_be_sent_are_all_named_and_nothing_is_sent() {
    let (server, folder) = (serve(MockServer::builder()), folder());

    let run = ideogram(["datasets", "upload", "demo", "a.png", "missing.png", "empty.png", "more"]);
    let ran = run.against(&server).in_folder(folder.path()).run();

    assert!(server.requests().is_empty());
    snapshot!(ran, @r#"
    exit code: 13
    ----- stderr -----
    error: nothing was sent: 3 of 4 files cannot be sent
      "missing.png": No such file or directory (os error [CODE])
      "empty.png": the file is empty
      "more": it is a directory
    hint: to send what the dataset does not have of a folder: ideogram datasets sync demo more
    "#);
}

#[test]
fn one_file_that_cannot_be_sent_is_named() {
    let (server, folder) = (serve(MockServer::builder()), folder());

    for name in ["missing.png", "empty.png", "more"] {
        let ran = ideogram(["datasets", "upload", "demo", name]).against(&server).in_folder(folder.path()).run();

        assert_eq!(ran.code(), Some(13), "{name}");
        assert!(ran.stderr().contains(&format!("\"{name}\"")), "{}", ran.stderr());
    }
    assert!(server.requests().is_empty());
}

#[cfg(unix)]
#[test]
fn a_file_name_with_control_characters_is_shown_escaped() {
    let folder = folder();

    let ran = ideogram(["--mock", "datasets", "upload", "demo", "\x1b[31mred.png"]).in_folder(folder.path()).run();

    snapshot!(ran, @r#"
    exit code: 13
    ----- stderr -----
    error: nothing was sent: 1 of 1 file cannot be sent
      "\u{1b}[31mred.png": No such file or directory (os error [CODE])
    "#);
}

#[test]
fn an_upload_whose_response_is_lost_is_not_to_be_repeated_blindly() {
    let folder = folder();
    let rogue = Rogue::sending_in_turn([no_files(), String::new()]);

    let ran = ideogram(["datasets", "upload", "demo", "a.png"]).at(rogue.url()).in_folder(folder.path()).run();

    snapshot!(ran, @"
    exit code: 9
    ----- stderr -----
    sending 1 file, 70 B, to the dataset demo
    error: cannot upload to the dataset demo
      caused by: upload_dataset_assets: the connection broke before a response arrived; the call may have run: check before calling again (connection closed before message completed)
    hint: it may still have been done: see `ideogram datasets get ID` before running the command again
    ");
}

#[test]
fn a_name_that_the_dataset_has_is_sent_again_only_after_a_yes() {
    let (server, folder) = (serve(MockServer::builder()), folder());
    let upload = |options: &[&str]| {
        let arguments = ["datasets", "upload", "demo", "a.png", "a.txt"].iter().chain(options).copied();
        ideogram(arguments).against(&server).in_folder(folder.path()).run()
    };
    let sent = || server.requests().iter().filter(|request| request.method == "POST").count();
    let first = ideogram(["datasets", "upload", "demo", "a.png"]).against(&server).in_folder(folder.path()).run();
    assert_eq!((first.code(), sent()), (Some(0), 1), "{first}");

    let refused = upload(&[]);

    snapshot!(refused, @"
    exit code: 2
    ----- stderr -----
    error: this needs an answer, and there is no terminal: send 1 file whose name is in the dataset already (a.png)? Nothing can be removed from it
    hint: nothing was sent; --yes answers all questions with yes
    hint: `ideogram datasets sync demo DIR` sends only what the dataset does not have
    ");
    assert_eq!(sent(), 1);
    assert_eq!((upload(&["--yes"]).code(), sent()), (Some(0), 2));
}
