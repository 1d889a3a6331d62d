//! What becomes of a paid call, and the exit code for it.

use std::{fs, path::Path};

use ideogram_mock::{MockServer, Scenario};

use super::{calls, folder, responses};
use crate::{
    invocation::{Ran, ideogram, serve, snapshot},
    rogue::Rogue,
};

/// Generates with 3.0 into the folder `out`, after a scenario was switched on.
fn generate(server: &MockServer, folder: &Path, arguments: &[&str]) -> Ran {
    let arguments = [&["generate", "--model", "v3", "--out", "out", "--name", "cat"], arguments].concat();
    ideogram(arguments).against(server).in_folder(folder).run()
}

#[test]
fn all_images_withheld_is_an_exit_code_of_its_own() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));

    snapshot!(generate(&server, folder.path(), &["withheld", "-n", "2"]), @"
    exit code: 18
    ----- stderr -----
    error: 2 images withheld by the safety check
    hint: withheld images were generated and billed, and cannot be fetched
    hint: the response is stored in out/.ideogram-responses/[TIME]-post_generate_image_v2_ideogram_v3.json
    ");
    assert_eq!(responses(folder.path()).len(), 1);
}

#[test]
fn some_images_withheld_is_exit_code_11_and_the_others_are_saved() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));

    snapshot!(generate(&server, folder.path(), &["some withheld", "-n", "3"]), @"
    exit code: 11
    ----- stdout -----
    out/cat-1.png
    out/cat-3.png
    ----- stderr -----
    error: 1 image withheld by the safety check
    hint: withheld images were generated and billed, and cannot be fetched
    hint: the response is stored in out/.ideogram-responses/[TIME]-post_generate_image_v2_ideogram_v3.json
    ");
    assert!(folder.path().join("out/cat-1.png").exists() && !folder.path().join("out/cat-2.png").exists());
}

#[test]
fn as_json_every_image_is_reported() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let expression = "[.images[] | {image, outcome, path, seed}], .response.data[1].is_image_safe, .stored_at";

    let ran = generate(&server, folder.path(), &["some withheld", "-n", "2", "--seed", "5", "--jq", expression]);
    snapshot!(ran, @r#"
    exit code: 11
    ----- stdout -----
    [
      {
        "image": 1,
        "outcome": "saved",
        "path": "out/cat-1.png",
        "seed": 5
      },
      {
        "image": 2,
        "outcome": "withheld",
        "path": null,
        "seed": 6
      }
    ]
    false
    out/.ideogram-responses/[TIME]-post_generate_image_v2_ideogram_v3.json
    ----- stderr -----
    error: 1 image withheld by the safety check
    hint: withheld images were generated and billed, and cannot be fetched
    hint: the response is stored in out/.ideogram-responses/[TIME]-post_generate_image_v2_ideogram_v3.json
    "#);
    let ran = generate(&server, folder.path(), &["some withheld", "-n", "2", "--seed", "5", "--output", "jsonl"]);
    assert_eq!((ran.code(), ran.stdout().lines().count()), (Some(11), 2), "{ran}");
}

#[test]
fn a_declined_prompt_is_exit_code_6() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    server.set_scenario(Scenario::Declines);

    snapshot!(generate(&server, folder.path(), &["cat"]), @"
    exit code: 6
    ----- stderr -----
    error: cannot generate the image
      caused by: post_generate_image_v2_ideogram_v3: 422 Unprocessable Entity: Prompt provided failed safety check due to the inclusion of prohibited content.
    hint: change the request; the same one will be refused again
    ");
}

#[test]
fn an_empty_balance_is_exit_code_7() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    server.set_scenario(Scenario::PaymentRequired);

    snapshot!(generate(&server, folder.path(), &["cat"]), @"
    exit code: 7
    ----- stderr -----
    error: cannot generate the image
      caused by: post_generate_image_v2_ideogram_v3: 402 Payment Required: You do not have sufficient balance.
    hint: top up the API balance, then run the command again: https://developer.ideogram.ai/ideogram-api/api-setup
    ");
}

#[test]
fn a_rate_limit_passes_or_is_exit_code_8() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let limited = || Scenario::RateLimitedOnce { retry_after: None };

    server.set_scenario(limited());
    assert_eq!(generate(&server, folder.path(), &["cat"]).code(), Some(0));
    server.set_scenario(limited());
    snapshot!(generate(&server, folder.path(), &["cat", "--attempts", "1"]), @"
    exit code: 8
    ----- stderr -----
    error: cannot generate the image
      caused by: post_generate_image_v2_ideogram_v3: 429 Too Many Requests: Too many requests in flight.
    hint: wait, then run the command again
    ");
}

#[test]
fn a_call_that_may_have_run_is_exit_code_10_and_never_repeated() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    server.set_scenario(Scenario::ServerErrorOnce { status: 500 });

    snapshot!(generate(&server, folder.path(), &["cat"]), @"
    exit code: 10
    ----- stderr -----
    error: cannot generate the image
      caused by: post_generate_image_v2_ideogram_v3: 500 Internal Server Error: The scenario of the server requires this failure.; the call may have run: check before calling again
    hint: it may have run, and then it is billed; running the command again may be billed again: see `ideogram usage` first
    ");
    assert_eq!(calls(&server).len(), 1);
}

#[test]
fn the_received_part_of_a_truncated_response_is_stored() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    server.set_scenario(Scenario::ResponseLostOnce);

    snapshot!(generate(&server, folder.path(), &["cat"]), @"
    exit code: 10
    ----- stderr -----
    error: cannot generate the image
      caused by: post_generate_image_v2_ideogram_v3: the connection broke before a response arrived; the call may have run: check before calling again (connection closed before message completed)
    hint: it may have run, and then it is billed; running the command again may be billed again: see `ideogram usage` first
    ");
    assert_eq!(calls(&server).len(), 1);
}

#[test]
fn a_truncated_image_is_fetched_again() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    server.set_scenario(Scenario::ImageLostOnce);

    assert_eq!(generate(&server, folder.path(), &["cat"]).code(), Some(0));
    assert_eq!(calls(&server).len(), 1);
}

#[test]
fn an_image_that_could_not_be_saved_is_fetched_later_from_the_stored_response() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    server.set_scenario(Scenario::ImageLostOnce);

    let ran = generate(&server, folder.path(), &["cat", "--attempts", "1"]);

    snapshot!(&ran, @"
    exit code: 12
    ----- stderr -----
    error: 1 image not saved
      image 1: no response from 127.0.0.1
    hint: this fetches the images from the stored response, at no cost, while their links live: ideogram save out/.ideogram-responses/[TIME]-post_generate_image_v2_ideogram_v3.json --out out
    ");
    let stderr = ran.stderr();
    let (_, command) = stderr.split_once(": ideogram ").unwrap();
    let words: Vec<&str> = command.lines().next().unwrap().split(' ').collect();
    // Without the key, as the links need none.
    let ran = ideogram(words).env("IDEOGRAM_BASE_URL", server.url()).in_folder(folder.path()).run();
    assert_eq!(ran.code(), Some(0), "{ran}");
    assert!(fs::read(folder.path().join(ran.stdout().trim())).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(calls(&server).len(), 1, "nothing is paid for twice");
}

#[test]
fn an_undecodable_response_is_stored_and_its_file_named() {
    let folder = folder(&[]);
    let rogue = Rogue::responding("200 OK", r#"{"created": 7, "data": "no list"}"#);

    let ran = ideogram(["generate", "cat", "--out", "out"]).at(rogue.url()).in_folder(folder.path()).run();

    snapshot!(ran, @r#"
    exit code: 12
    ----- stderr -----
    error: cannot generate the image
      caused by: post_generate_image_v2_ideogram45: 200 OK: the response has no id of a job; the call ran, and may be billed
      the response was: {"created": 7, "data": "no list"}
    hint: is http://127.0.0.1:[PORT]/ the Ideogram API? If so, a newer version of this command may know the response
    hint: it ran, and its response is stored in out/.ideogram-responses/[TIME]-post_generate_image_v2_ideogram45.json; do not run the command again
    hint: the response is stored in out/.ideogram-responses/[TIME]-post_generate_image_v2_ideogram45.json
    "#);
    let kept = fs::read_to_string(&responses(folder.path())[0]).unwrap();
    assert!(kept.contains("no list") && !kept.contains("secret-1234"), "{kept}");
}

#[test]
fn a_response_without_images_is_reported() {
    let folder = folder(&[]);
    let rogue =
        Rogue::responding("200 OK", r#"{"created": "2026-07-01T09:00:00Z", "data": [], "response_type": "url"}"#);

    let ran = ideogram(["generate", "cat", "--out", "out"]).at(rogue.url()).in_folder(folder.path()).run();

    snapshot!(ran, @r#"
    exit code: 12
    ----- stderr -----
    error: cannot generate the image
      caused by: post_generate_image_v2_ideogram45: 200 OK: the response has no id of a job; the call ran, and may be billed
      the response was: {"created": "2026-07-01T09:00:00Z", "data": [], "response_type": "url"}
    hint: is http://127.0.0.1:[PORT]/ the Ideogram API? If so, a newer version of this command may know the response
    hint: it ran, and its response is stored in out/.ideogram-responses/[TIME]-post_generate_image_v2_ideogram45.json; do not run the command again
    hint: the response is stored in out/.ideogram-responses/[TIME]-post_generate_image_v2_ideogram45.json
    "#);
}
