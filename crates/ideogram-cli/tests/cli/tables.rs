//! Tables as users bring them to `batch`: which are one table, what is wrong with them, and what is sent beyond the
//! document.

use std::fs;

use ideogram_mock::MockServer;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::invocation::{Ran, ideogram, serve, snapshot};

fn batch(server: &MockServer, folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>, options: &[&str]) -> Ran {
    fs::write(folder.path().join(name), bytes).unwrap();
    let arguments = ["batch", name, "--out", "out"].into_iter().chain(options.iter().copied());
    ideogram(arguments).against(server).in_folder(folder.path()).run()
}

fn paid(server: &MockServer) -> usize {
    server.requests().iter().filter(|request| request.method == "POST").count()
}

#[test]
fn a_table_saved_by_another_program_is_not_paid_again() {
    let (server, folder) = (serve(MockServer::builder()), tempfile::tempdir().unwrap());
    let utf16 = |text: &str| format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let saved: [(&str, Vec<u8>); 7] = [
        ("rows.csv", b"prompt,num_images\n\"a lantern, lit\",2\nriver,\n".to_vec()),
        ("german.csv", b"\xef\xbb\xbfsep=;\r\nprompt;num_images;;\r\na lantern, lit;2,0;;\r\nriver;;;\r\n".to_vec()),
        ("unicode.txt", utf16("prompt\tnum_images\r\n\"a lantern, lit\"\t2\r\nriver\t\r\n")),
        ("frame.csv", b",num_images,prompt\n0,2.0,\"a lantern, lit\"\n1,nan,river\n".to_vec()),
        ("mac.csv", b"Prompt,Num Images\r\"a lantern, lit\", 2\rriver,\r".to_vec()),
        ("rows.json", br#"[{"num_images": 2, "prompt": "a lantern, lit"}, "river"]"#.to_vec()),
        (
            "rows.jsonl",
            b"{\"prompt\": \"a lantern, lit\", \"num_images\": 2.0, \"model\": \"v3\"}\r\n\"river\"\r\n".to_vec(),
        ),
    ];
    for (name, bytes) in saved {
        let ran = batch(&server, &folder, name, bytes, &["--model", "v3", "--yes"]);

        assert_eq!((ran.code(), paid(&server)), (Some(0), 2), "{name}: {ran}");
    }
}

#[test]
fn a_spreadsheet_is_refused_with_what_to_do() {
    let (server, folder) = (serve(MockServer::builder()), tempfile::tempdir().unwrap());
    for (name, bytes) in [
        ("rows.xlsx", &b"PK\x03\x04"[..]),
        ("rows.ods", b""),
        ("rows.numbers", b""),
        ("rows.csv", b"PK\x03\x04..."),
        ("old.csv", b"\xd0\xcf\x11\xe0\xa1\xb1"),
    ] {
        let ran = batch(&server, &folder, name, bytes, &[]);

        assert_eq!(ran.code(), Some(2), "{ran}");
        assert!(ran.stderr().contains("save it as CSV"), "{ran}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn each_problem_of_a_table_is_reported_once() {
    let (server, folder) = (serve(MockServer::builder()), tempfile::tempdir().unwrap());
    let mut table = "promt;num_images;enable_copyright_detection;\r\n".to_owned();
    table.extend((0..30).map(|number| format!("a lantern;{number}2;ja;x\r\n")));
    let table = table.replace(";02;", ";1.234;");

    let ran = batch(&server, &folder, "rows.csv", table, &["--model", "v3"]);

    assert!(server.requests().is_empty());
    assert!(
        ran.stderr()
            .contains("rows.csv:1: no column is called `prompt`; there are `enable_copyright_detection`, `num_images`, `promt`: name one so, or say which it is: ideogram batch rows.csv"),
        "{ran}"
    );
    assert!(ran.stderr().contains("rows.csv:1: column 4: has no name, but a value in line 2"), "{ran}");
    assert!(
        ran.stderr().contains(
            "rows.csv: lines 2, 3, 4 and 27 more: column `enable_copyright_detection`: must be true or false"
        ),
        "{ran}"
    );
    assert!(ran.stderr().contains("rows.csv:2: column `num_images`: `1.234` can be read as 1 and as 1234"), "{ran}");
    assert!(!ran.stderr().contains("is missing"), "{ran}");
}

#[test]
fn a_refusal_of_a_table_names_what_is_meant() {
    let (server, folder) = (serve(MockServer::builder()), tempfile::tempdir().unwrap());
    let models = "rows.csv:2: column `model`: `v4.6` is not a model; use one of v4.5, v4, v3, legacy";
    let prompt = "the only column is called `a lantern`, not `prompt`: if that is a prompt itself, write the line `prompt` \
                  above it";
    for (table, options, refusal) in [
        ("prompt,model\na lantern,v4.6\n", "", models),
        ("prompt,model,aspectratio\na lantern,v4,1:1\n", "", "rename `aspectratio` to `aspect_ratio` if it is that"),
        ("prompt,aspect_ratoi\na lantern,16:9\n", "", "rename `aspect_ratoi` to `aspect_ratio` if it is that"),
        ("a lantern\na river\n", "", prompt),
        ("prompt,model\na lantern,v4.6\n", "--unchecked", models),
    ] {
        let refused = batch(&server, &folder, "rows.csv", table, &options.split_whitespace().collect::<Vec<_>>());

        assert_eq!(refused.code(), Some(2), "{table}: {refused}");
        assert!(refused.stderr().contains(refusal), "{table}: {refused}");
    }
    let row = "{\"prompt\": \"a lantern\", \"model\": 4.5}\n";
    let sent = batch(&server, &folder, "rows.jsonl", row, &["--model", "v3", "--dry-run"]);
    assert!(sent.stdout().contains("/ideogram-4-5\n"), "{sent}");
    assert!(sent.stderr().contains("--model v3 has no effect"), "{sent}");
}

#[test]
fn properties_that_the_document_does_not_know_are_sent_when_that_is_requested() {
    let (server, folder) = (serve(MockServer::builder()), tempfile::tempdir().unwrap());
    let rows = "{\"prompt\": \"a\", \"lens\": \"85\", \"deep\": {\"b\": 1, \"a\": 2}}\n\
                {\"prompt\": \"a\", \"model\": \"V_2\", \"lens\": 85}\n";

    let refused = batch(&server, &folder, "rows.jsonl", rows, &["--model", "v3", "--dry-run"]);
    let options = ["--model", "v3", "--dry-run", "--unchecked", "--output", "json"];
    let sent = batch(&server, &folder, "rows.jsonl", rows, &options);

    assert_eq!((refused.code(), sent.code()), (Some(2), Some(0)), "{refused}\n{sent}");
    let requests = sent.json()["requests"].clone();
    let parts = requests[0]["request"].to_string();
    assert!(parts.contains(r#""lens""#) && parts.contains(r#"{"b":1,"a":2}"#), "{parts}");
    let body = requests[1]["request"].to_string();
    assert!(body.contains(r#""lens":85"#), "{body}");
}

#[test]
fn structured_prompts_are_treated_alike_in_generate_and_batch() {
    let (server, folder) = (serve(MockServer::builder()), tempfile::tempdir().unwrap());
    let prompt = r#"{"style_description":{"photo":"85mm","aesthetics":"warm"},"high_level_description":"a fox","compositional_deconstruction":{"elements":[],"background":"wood"}}"#;
    let more = prompt.replace("\"photo\"", "\"mood\":\"calm\",\"photo\"");
    let sent = |server: &MockServer| {
        let requests = server.requests();
        let part = |part: &&ideogram_mock::RecordedPart| part.name.ends_with("prompt");
        let texts = requests.iter().filter_map(|request| request.parts.iter().find(part)?.text.clone());
        texts.collect::<Vec<_>>()
    };
    let generate = |text: &str, options: &[&str]| {
        fs::write(folder.path().join("prompt.json"), text).unwrap();
        let arguments = ["generate", "--json-prompt", "prompt.json", "--out", "single"];
        ideogram(arguments.into_iter().chain(options.iter().copied())).against(&server).in_folder(folder.path()).run()
    };
    let row = |text: &str| format!("{}\n", json!({"json_prompt": serde_json::from_str::<Value>(text).unwrap()}));

    assert_eq!(generate(prompt, &[]).code(), Some(0));
    assert_eq!(batch(&server, &folder, "rows.jsonl", row(prompt), &[]).code(), Some(0));
    assert_eq!(sent(&server), [prompt, prompt]);
    let refused = generate(&more, &[]);
    assert_eq!(batch(&server, &folder, "rows.jsonl", row(&more), &[]).code(), Some(2));
    assert_eq!(paid(&server), 2);
    snapshot!(refused, @r#"
    exit code: 2
    ----- stderr -----
    error: nothing was sent: "prompt.json" is not a structured prompt of the API's document
      caused by: a structured prompt has no property `style_description.mood` in the API's document; --unchecked sends it
    "#);
    let _ = generate(&more, &["--unchecked"]);
    let _ = batch(&server, &folder, "rows.jsonl", row(&more), &["--unchecked", "--yes"]);
    assert_eq!(sent(&server)[2..], [more.as_str(), more.as_str()]);
}

#[test]
fn nesting_of_any_depth_in_what_is_read_is_refused() {
    let (server, folder) = (serve(MockServer::builder()), tempfile::tempdir().unwrap());
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let object = format!("{{\"prompt\": \"a\", \"model\": \"V_2\", \"x\": {deep}}}");
    for (name, text) in [
        ("rows.jsonl", object.clone()),
        ("rows.json", format!("[{object}]")),
        ("deep.json", deep.clone()),
        ("rows.csv", format!("prompt;model;x\na;V_2;{deep}\n")),
        ("palette.csv", format!("prompt;color_palette\na;{deep}\n")),
    ] {
        for options in [&["--model", "v3", "--dry-run"][..], &["--model", "v3", "--unchecked", "--dry-run"]] {
            let ran = batch(&server, &folder, name, &text, options);
            assert!(matches!(ran.code(), Some(0 | 2)), "{name}: {ran}");
        }
    }
    fs::write(folder.path().join("deep.json"), &deep).unwrap();
    fs::write(folder.path().join("deep.toml"), format!("a = {deep}")).unwrap();
    for arguments in [
        &["generate", "--json-prompt", "deep.json", "--unchecked"][..],
        &["save", "deep.json"],
        &["api", "create_dataset", "--json-body", "deep.json"],
        &["api", "create_dataset", "--name", "x", "--field", &format!("y={deep}"), "--unchecked", "--dry-run"],
        &["api", "post_generate_image_v3", "--prompt", "x", "--color-palette", "@deep.json"],
    ] {
        let ran = ideogram(arguments.iter().copied()).against(&server).in_folder(folder.path()).run();
        assert!(matches!(ran.code(), Some(0 | 2)), "{:?}: {ran}", &arguments[..2]);
    }
    let ran = ideogram(["datasets", "list"]).against(&server).env("IDEOGRAM_CONFIG", "deep.toml");
    assert_eq!(ran.in_folder(folder.path()).run().code(), Some(2));
}
