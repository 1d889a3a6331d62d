//! `--debug`, and what is printed of waits without it.

use std::time::Duration;

use ideogram_mock::{MockServer, Scenario};

use crate::{
    invocation::{ideogram, serve},
    rogue::Rogue,
};

#[test]
fn debug_shows_each_attempt_with_its_time_and_without_the_key() {
    let server = serve(MockServer::builder());

    let ran = ideogram(["--debug", "datasets", "create", "x"]).against(&server).run();

    let stderr = ran.stderr();
    assert!(stderr.contains("debug: create_dataset: attempt 1: POST http://127.0.0.1:"), "{stderr}");
    assert!(stderr.contains("debug: create_dataset: > api-key: [key]"), "{stderr}");
    assert!(stderr.contains(r#"debug: create_dataset: > {"name":"x"}"#), "{stderr}");
    assert!(stderr.contains("debug: create_dataset: 200 OK after 0."), "{stderr}");
    assert!(stderr.contains("debug: create_dataset: < content-type: application/json"), "{stderr}");
    assert!(!ran.to_string().contains(server.api_key()), "{ran}");
}

#[test]
fn a_wait_between_attempts_is_printed() {
    let server = serve(MockServer::builder());
    server.set_scenario(Scenario::RateLimitedOnce { retry_after: Some(Duration::ZERO) });

    let ran = ideogram(["datasets", "list"]).against(&server).run();

    assert_eq!(ran.code(), Some(0), "{ran}");
    assert!(ran.stderr().contains("429 Too Many Requests"), "{ran}");
    assert!(ran.stderr().contains("next attempt in "), "{ran}");
}

/// A server that repeats the key in a header and in its response, spelled in several ways.
#[test]
fn a_key_that_the_service_repeats_is_printed_nowhere() {
    let key = "se/cret+1234";
    let spelled =
        ["se/cret+1234", "se%2Fcret%2B1234", "se%2fcret%2b1234", "se\\/cret+1234", "se\\u002fcret\\u002b1234"];
    let dataset = |name: &str| {
        format!(
            r#"{{"datasets":[{{"dataset_id":"demo","name":"{name}","user_id":"u","creation_time":"2026-06-30T09:12:44Z"}}]}}"#
        )
    };
    for spelling in spelled {
        for (status, body) in
            [("200 OK", dataset(spelling)), ("400 Bad Request", dataset(spelling)), ("200 OK", spelling.to_owned())]
        {
            for more in
                [&[][..], &["--output", "json"], &["--output", "jsonl"], &["--jq", ".datasets[].name"], &["--jq", "."]]
            {
                let rogue = Rogue::responding_with(status, &format!("x-echo: {spelling}\r\n"), &body);
                let run =
                    ideogram(["--debug", "datasets", "list"].into_iter().chain(more.iter().copied())).at(rogue.url());

                let ran = run.env("IDEOGRAM_API_KEY", key).run();

                let printed = ran.stdout() + &ran.stderr();
                assert!(printed.contains("[key]"), "{ran}");
                for spelling in spelled {
                    assert!(!printed.contains(spelling), "{spelling} with {more:?}: {ran}");
                }
            }
        }
    }
}
