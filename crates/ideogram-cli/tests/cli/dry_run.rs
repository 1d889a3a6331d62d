//! `--dry-run`: everything that would be sent is shown, and nothing is sent.

use std::fs;

use ideogram_mock::MockServer;
use tempfile::TempDir;

use crate::invocation::{ideogram, serve, snapshot};

/// Every command that sends, as it would be typed.
const SENDING: &[&[&str]] = &[
    &["generate", "a cat"],
    &["remove-background", "a.png"],
    &["upscale", "a.png"],
    &["describe", "a.png"],
    &["magic-prompt", "a cat"],
    &["batch", "prompts.csv"],
    &["datasets", "sync", "demo", "."],
    &["models", "train", "demo", "--name", "lanterns"],
    &["datasets", "list"],
    &["datasets", "get", "demo"],
    &["datasets", "create", "x"],
    &["datasets", "upload", "demo", "a.png"],
    &["models", "list", "--status", "training"],
    &["models", "get", "m"],
    &["generations", "get", "g"],
    &["generations", "wait", "g"],
    &["generations", "save", "g"],
    &["api", "post_generate_image_v3", "--prompt", "a cat"],
    &["api", "train_model_v3", "--dataset-id", "demo", "--model-name", "lanterns"],
    &["api", "post_generate_image_v2_ideogram45", "--prompt", "a cat", "--quote"],
    &["usage"],
    &["auth", "login"],
    &["auth", "status", "--check"],
];

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.png"), crate::upload::IMAGE).unwrap();
    fs::write(folder.path().join("prompts.csv"), "prompt\na cat\n").unwrap();
    folder
}

#[test]
fn nothing_is_sent_and_the_key_is_not_shown() {
    let (server, folder) = (serve(MockServer::builder()), folder());
    for words in SENDING {
        for format in ["text", "json"] {
            let words = words.iter().copied().chain(["--dry-run", "--output", format]);
            let ran = ideogram(words.clone()).at(server.url()).in_folder(folder.path()).run();

            let line = words.collect::<Vec<_>>().join(" ");
            assert_eq!(ran.code(), Some(0), "{line}: {ran}");
            assert!(ran.stdout().contains(server.url()) && ran.stdout().contains("[key]"), "{line}: {ran}");
            assert!(!ran.to_string().contains("secret-1234"), "{line}: {ran}");
        }
    }
    assert!(server.requests().is_empty(), "{:?}", server.requests());
}

#[test]
fn no_key_is_needed() {
    snapshot!(ideogram(["--dry-run", "models", "list", "--status", "training"]).run(), @"
    exit code: 0
    ----- stdout -----
    GET https://api.ideogram.ai/models?status=TRAINING

    api-key:  [key]
    ----- stderr -----
    dry run: nothing was sent
    ");
}

#[test]
fn a_body_of_json_is_shown() {
    snapshot!(ideogram(["--dry-run", "--output", "json", "datasets", "create", "Paper lanterns"]).run(), @r#"
    exit code: 0
    ----- stdout -----
    {
      "operation": "create_dataset",
      "method": "POST",
      "url": "https://api.ideogram.ai/datasets",
      "headers": {
        "api-key": "[key]",
        "content-type": "application/json"
      },
      "json": {
        "name": "Paper lanterns"
      }
    }
    ----- stderr -----
    {"note":"dry run: nothing was sent"}
    "#);
}

#[test]
fn files_are_shown_with_name_size_and_media_type() {
    let folder = folder();
    fs::write(folder.path().join("a.txt"), "a lantern\n").unwrap();
    let arguments = ["--dry-run", "datasets", "upload", "demo", "a.png", "a.txt"];

    snapshot!(ideogram(arguments).in_folder(folder.path()).run(), @"
    exit code: 0
    ----- stdout -----
    POST https://api.ideogram.ai/datasets/demo/upload_assets

    api-key:       [key]
    content-type:  multipart/form-data

    PART   CONTENT
    files  file a.png, 70 B, image/png
    files  file a.txt, 10 B, text/plain
    ----- stderr -----
    dry run: nothing was sent
    ");
    let as_json = ideogram(arguments.into_iter().chain(["--output", "json"])).in_folder(folder.path()).run();
    insta::assert_json_snapshot!(as_json.json()["parts"], @r#"
    [
      {
        "name": "files",
        "file": {
          "name": "a.png",
          "media_type": "image/png",
          "size_bytes": 70
        }
      },
      {
        "name": "files",
        "file": {
          "name": "a.txt",
          "media_type": "text/plain",
          "size_bytes": 10
        }
      }
    ]
    "#);
}

#[test]
fn what_is_shown_is_what_is_sent() {
    for model in ["v4.5", "v4", "v3", "legacy"] {
        let folder = folder();
        fs::write(folder.path().join("rows.csv"), format!("prompt,model\na cat,{model}\n")).unwrap();
        for (line, pointer) in
            [(format!("generate cat --model {model}"), ""), ("batch rows.csv".to_owned(), "/requests/0/request")]
        {
            let server = serve(MockServer::builder());
            let run = |more: &str| {
                let line = format!("{line}{more}");
                ideogram(line.split(' ')).against(&server).in_folder(folder.path()).run()
            };

            let shown = run(" --dry-run --output json");
            let ran = run(" --out out");

            assert_eq!((shown.code(), ran.code()), (Some(0), Some(0)), "{shown}\n{ran}");
            let requests = server.requests();
            let sent = requests.iter().find(|request| request.method == "POST").unwrap();
            let json = shown.json();
            let shown = json.pointer(pointer).unwrap();
            assert!(shown["url"].as_str().unwrap().ends_with(&sent.path), "{line}: {shown}");
            let names = |parts: &mut dyn Iterator<Item = &str>| parts.map(str::to_owned).collect::<Vec<_>>();
            let parts = shown["parts"].as_array().into_iter().flatten();
            let shown_names = names(&mut parts.map(|part| part["name"].as_str().unwrap()));
            assert_eq!(shown_names, names(&mut sent.parts.iter().map(|part| part.name.as_str())), "{line}");
            if sent.parts.is_empty() {
                let body: serde_json::Value = serde_json::from_slice(&sent.body).unwrap();
                assert_eq!(shown["json"], body, "{line}");
            }
        }
    }
}

#[test]
fn a_file_that_cannot_be_sent_is_named() {
    let ran = ideogram(["--dry-run", "api", "post_remove_background", "--image", "nope.png"]).run();

    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(13), ""), "{ran}");
    assert!(ran.stderr().contains("nope.png"), "{ran}");
}
