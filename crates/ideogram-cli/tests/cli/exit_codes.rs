//! The table of exit codes: each is reached as it is documented.

use ideogram_mock::{MockServer, Scenario};
use tempfile::TempDir;

use crate::{
    invocation::{Ran, ideogram, serve},
    rogue::Rogue,
};

const PAID: &[&str] = &["--attempts", "1", "api", "post_generate_image_v3", "--prompt", "a cat"];
const FREE: &[&str] = &["--attempts", "1", "datasets", "list"];

fn answered(status: &str, words: &[&str]) -> Ran {
    let (rogue, home) = (Rogue::responding(status, r#"{"error": "no"}"#), TempDir::new().unwrap());
    ideogram(words.iter().copied()).at(rogue.url()).at_home(home.path()).run()
}

#[test]
fn a_status_has_the_code_of_the_table_free_or_paid() {
    for (status, free, paid) in [
        ("400 Bad Request", 4, 4),
        ("401 Unauthorized", 3, 3),
        ("402 Payment Required", 7, 7),
        ("403 Forbidden", 4, 4),
        ("404 Not Found", 5, 5),
        ("413 Content Too Large", 4, 4),
        ("422 Unprocessable Entity", 4, 4),
        ("429 Too Many Requests", 8, 8),
        // From here on nobody knows whether a paid call ran.
        ("302 Found", 1, 10),
        ("408 Request Timeout", 9, 10),
        ("500 Internal Server Error", 9, 10),
        ("503 Service Unavailable", 9, 10),
    ] {
        for (words, code) in [(FREE, free), (PAID, paid)] {
            let ran = answered(status, words);

            assert_eq!((ran.code(), ran.stdout().as_str()), (Some(code), ""), "{status} {words:?}: {ran}");
        }
    }
}

#[test]
fn an_undecodable_response_counts_as_billed_if_the_call_is_paid() {
    for (words, code) in [(FREE, 1), (PAID, 12)] {
        let (rogue, home) = (Rogue::responding("200 OK", "<html>"), TempDir::new().unwrap());

        let ran = ideogram(words.iter().copied()).at(rogue.url()).at_home(home.path()).run();

        assert_eq!(ran.code(), Some(code), "{ran}");
    }
}

#[test]
fn a_timeout_of_a_paid_call_is_an_unknown_outcome() {
    for (words, code) in [(FREE, 9), (PAID, 10)] {
        let (rogue, home) = (Rogue::silent(), TempDir::new().unwrap());

        let words = words.iter().copied().chain(["--timeout", "0.2"]);
        let ran = ideogram(words).at(rogue.url()).at_home(home.path()).run();

        assert_eq!(ran.code(), Some(code), "{ran}");
    }
}

#[test]
fn a_call_that_was_not_sent_costs_nothing() {
    for words in [FREE, PAID] {
        let home = TempDir::new().unwrap();

        let ran = ideogram(words.iter().copied()).at("http://127.0.0.1:1").at_home(home.path()).run();

        assert_eq!(ran.code(), Some(9), "{ran}");
    }
}

#[test]
fn a_stored_part_of_an_upload_is_a_partial_success_and_none_of_it_is_not() {
    let folder = TempDir::new().unwrap();
    for name in ["a.png", "b.png"] {
        std::fs::write(folder.path().join(name), crate::upload::IMAGE).unwrap();
    }
    for (names, code) in [(vec!["a.png"], 11), (vec!["a.png", "b.png"], 4), (vec![], 0)] {
        let server = serve(MockServer::builder());
        server.set_scenario(Scenario::UploadFails { names: names.into_iter().map(str::to_owned).collect() });

        let run = ideogram(["datasets", "upload", "demo", "a.png", "b.png"]).against(&server);
        let ran = run.in_folder(folder.path()).run();

        assert_eq!(ran.code(), Some(code), "{ran}");
    }
}
