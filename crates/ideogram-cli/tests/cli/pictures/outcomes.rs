//! What becomes of a paid call, and the exit code for it.

use std::{fs, path::Path};

use ideogram_mock::{MockServer, Scenario};

use super::{answers, calls, folder};
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
fn all_pictures_withheld_is_exit_code_6() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));

    snapshot!(generate(&server, folder.path(), &["withheld", "-n", "2"]), @"");
    assert_eq!(answers(folder.path()).len(), 1);
}

#[test]
fn some_pictures_withheld_is_exit_code_11_and_the_others_are_saved() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));

    snapshot!(generate(&server, folder.path(), &["some withheld", "-n", "3"]), @"");
    assert!(folder.path().join("out/cat-1.png").exists() && !folder.path().join("out/cat-2.png").exists());
}

#[test]
fn as_json_every_picture_is_told() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let expression = "[.pictures[] | {picture, outcome, path, seed}], .answer.data[1].is_image_safe, .kept_at";

    let ran = generate(&server, folder.path(), &["some withheld", "-n", "2", "--seed", "5", "--jq", expression]);
    snapshot!(ran, @"");
    let ran = generate(&server, folder.path(), &["some withheld", "-n", "2", "--seed", "5", "--output", "jsonl"]);
    assert_eq!((ran.code(), ran.stdout().lines().count()), (Some(11), 2), "{ran}");
}

#[test]
fn a_declined_prompt_is_exit_code_6() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    server.set_scenario(Scenario::Declines);

    snapshot!(generate(&server, folder.path(), &["cat"]), @"");
}

#[test]
fn an_empty_balance_is_exit_code_7() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    server.set_scenario(Scenario::PaymentRequired);

    snapshot!(generate(&server, folder.path(), &["cat"]), @"");
}

#[test]
fn a_rate_limit_passes_or_is_exit_code_8() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let limited = || Scenario::RateLimitedOnce { retry_after: None };

    server.set_scenario(limited());
    assert_eq!(generate(&server, folder.path(), &["cat"]).code(), Some(0));
    server.set_scenario(limited());
    snapshot!(generate(&server, folder.path(), &["cat", "--attempts", "1"]), @"");
}

#[test]
fn a_call_that_may_have_run_is_exit_code_10_and_never_repeated() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    server.set_scenario(Scenario::ServerErrorOnce { status: 500 });

    snapshot!(generate(&server, folder.path(), &["cat"]), @"");
    assert_eq!(calls(&server).len(), 1);
}

#[test]
fn an_answer_that_breaks_off_is_kept_as_far_as_it_came() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    server.set_scenario(Scenario::AnswerLostOnce);

    snapshot!(generate(&server, folder.path(), &["cat"]), @"");
    assert_eq!(calls(&server).len(), 1);
}

#[test]
fn a_picture_that_breaks_off_is_fetched_again() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    server.set_scenario(Scenario::PictureLostOnce);

    assert_eq!(generate(&server, folder.path(), &["cat"]).code(), Some(0));
    assert_eq!(calls(&server).len(), 1);
}

#[test]
fn a_picture_that_could_not_be_saved_is_fetched_later_from_the_kept_answer() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    server.set_scenario(Scenario::PictureLostOnce);

    let ran = generate(&server, folder.path(), &["cat", "--attempts", "1"]);

    snapshot!(&ran, @"");
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
fn an_answer_that_cannot_be_read_is_kept_and_named() {
    let folder = folder(&[]);
    let rogue = Rogue::answers("200 OK", r#"{"created": 7, "data": "no list"}"#);

    let ran = ideogram(["generate", "cat", "--out", "out"]).at(rogue.url()).in_folder(folder.path()).run();

    snapshot!(ran, @"");
    let kept = fs::read_to_string(&answers(folder.path())[0]).unwrap();
    assert!(kept.contains("no list") && !kept.contains("secret-1234"), "{kept}");
}

#[test]
fn an_answer_without_pictures_is_told() {
    let folder = folder(&[]);
    let rogue = Rogue::answers("200 OK", r#"{"created": "2026-07-01T09:00:00Z", "data": [], "response_type": "url"}"#);

    let ran = ideogram(["generate", "cat", "--out", "out"]).at(rogue.url()).in_folder(folder.path()).run();

    snapshot!(ran, @"");
}
