//! `--debug`, and what is told of waits without it.

use std::time::Duration;

use ideogram_mock::{MockServer, Scenario};

use crate::invocation::{ideogram, serve};

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
fn a_wait_between_attempts_is_told() {
    let server = serve(MockServer::builder());
    server.set_scenario(Scenario::RateLimitedOnce { retry_after: Some(Duration::ZERO) });

    let ran = ideogram(["datasets", "list"]).against(&server).run();

    assert_eq!(ran.code(), Some(0), "{ran}");
    assert!(ran.stderr().contains("429 Too Many Requests"), "{ran}");
    assert!(ran.stderr().contains("next attempt in "), "{ran}");
}
