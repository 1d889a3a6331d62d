//! `describe` and `magic-prompt`: images and words without new images.

use std::fs;

use ideogram_mock::{MockServer, Scenario};

use super::{calls, folder};
use crate::{
    invocation::{ideogram, serve, snapshot},
    rogue::Rogue,
};

#[test]
fn images_are_described_in_plain_text() {
    let folder = folder(&["paper lantern.png"]);

    snapshot!(ideogram(["--mock", "describe", "paper lantern.png"]).in_folder(folder.path()).run(), @"
    exit code: 0
    ----- stdout -----
    A wide image of a paper lantern in flat colors under a banded sky.

    An illustration that shows a paper lantern.
    ");
}

#[test]
fn images_are_described_as_a_structured_prompt() {
    let folder = folder(&["paper lantern.png"]);
    let run = |more: &[&str]| {
        let arguments = [&["--mock", "describe", "paper lantern.png", "--model", "v4"], more].concat();
        ideogram(arguments).in_folder(folder.path()).run()
    };

    snapshot!(run(&[]), @"
    exit code: 0
    ----- stdout -----
    Image:       An illustration of paper lantern.
    Background:  A banded sky.
    Elements:    paper lantern, in flat colors (from 94,100 to 694,240 of 1000)
    ");
    assert!(!run(&["--no-boxes"]).stdout().contains("of 1000"));
    assert_eq!(
        run(&["--jq", ".descriptions[0].response.json_prompt.high_level_description | type"]).stdout(),
        "string\n"
    );
}

#[test]
fn several_images_are_several_calls_and_lines() {
    let (server, folder) = (serve(MockServer::builder()), folder(&["a.png", "b.png"]));
    let run = |more: &[&str]| {
        ideogram([&["describe", "a.png", "b.png"], more].concat()).against(&server).in_folder(folder.path()).run()
    };

    let ran = run(&["--output", "jsonl", "--jq", ".image"]);

    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(0), "a.png\nb.png\n"), "{ran}");
    assert_eq!(calls(&server), ["post_describe", "post_describe"]);
    assert_eq!(run(&["--jq", ".descriptions | length"]).stdout(), "2\n");
}

#[test]
fn all_images_are_looked_at_before_the_first_is_paid_for() {
    let (server, folder) = (serve(MockServer::builder()), folder(&["a.png"]));

    let ran = ideogram(["describe", "a.png", "nowhere.png"]).against(&server).in_folder(folder.path()).run();

    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(13), ""));
    assert!(server.requests().is_empty());
}

#[test]
fn the_first_failure_stops_it() {
    let (server, folder) = (serve(MockServer::builder()), folder(&["a.png", "b.png"]));
    server.set_scenario(Scenario::PaymentRequired);

    let ran = ideogram(["describe", "a.png", "b.png"]).against(&server).in_folder(folder.path()).run();

    assert_eq!((ran.code(), calls(&server).len()), (Some(7), 1), "{ran}");
}

#[test]
fn a_prompt_is_enriched() {
    snapshot!(ideogram(["--mock", "magic-prompt", "a \"Noodles\" sign", "--aspect-ratio", "16:9"]).run(), @r#"
    exit code: 0
    ----- stdout -----
    Image:         An illustration of a "Noodles" sign.
    Aesthetics:    calm, graphic
    Medium:        illustration
    Lighting:      soft morning light
    Background:    A banded sky.
    Elements:      a "Noodles" sign, in flat colors
                   the text "Noodles": large letters in a plain typeface
    Aspect ratio:  16x9
    "#);
    let ran = ideogram(["--mock", "magic-prompt", "-", "--jq", ".aspect_ratio"]).run_with_input(b"a cat\n");
    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(0), "4x5\n"), "{ran}");
}

#[test]
fn a_structured_prompt_creates_images() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let run = |arguments: &[&str]| ideogram(arguments.iter().copied()).against(&server).in_folder(folder.path());
    let response = run(&["magic-prompt", "a cat", "--output", "json"]).run().stdout();
    fs::write(folder.path().join("cat.json"), &response).unwrap();

    assert_eq!(run(&["generate", "--json-prompt", "cat.json", "--out", "out"]).run().code(), Some(0));
    assert_eq!(
        run(&["generate", "--json-prompt", "-", "--out", "out"]).run_with_input(response.as_bytes()).code(),
        Some(0)
    );

    let drawn = server.requests().into_iter().filter(|request| request.path.contains("/generate/"));
    let prompts: Vec<_> = drawn.map(|request| request.parts[0].clone()).collect();
    assert_eq!(prompts.len(), 2);
    for part in prompts {
        assert_eq!(part.name, "prompt");
        assert!(part.text.unwrap().contains("compositional_deconstruction"));
    }
}

#[test]
fn a_file_without_a_structured_prompt_is_refused() {
    let folder = folder(&[]);
    fs::write(folder.path().join("cat.json"), r#"{"prompt": "a cat"}"#).unwrap();

    let ran = ideogram(["--mock", "generate", "--json-prompt", "cat.json"]).in_folder(folder.path()).run();

    snapshot!(ran, @r#"
    exit code: 2
    ----- stderr -----
    error: "cat.json" contains no structured prompt
      caused by: missing field `compositional_deconstruction` at line 1 column 19
    hint: nothing was sent; `ideogram magic-prompt PROMPT --jq .json_prompt` prints one
    "#);
}

#[test]
fn descriptions_before_a_failure_are_printed() {
    let folder = folder(&["a.png", "b.png"]);
    let good = r#"{"descriptions":[{"text":"a cat"}]}"#;
    let response = |status: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    };
    for format in ["text", "json", "jsonl"] {
        let rogue = Rogue::sending_in_turn([response("200 OK", good), response("422 Unprocessable Entity", "{}")]);

        let run = ideogram(["--output", format, "describe", "a.png", "b.png"]).at(rogue.url());
        let ran = run.at_home(folder.path()).in_folder(folder.path()).run();

        assert_eq!(ran.code(), Some(11), "{ran}");
        assert!(ran.stdout().contains("a cat"), "{ran}");
    }
}
