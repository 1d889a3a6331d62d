//! Servers start, store their state, record requests, and stop.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, SystemTime},
};

use ideogram_mock::{MOCK_API_KEY, MockServer};
use serde_json::json;

use crate::caller::{Caller, png};

fn is_reachable(url: &str) -> bool {
    TcpStream::connect(url.strip_prefix("http://").unwrap()).is_ok()
}

#[tokio::test]
async fn a_dropped_server_is_unreachable() {
    let server = MockServer::start().await.unwrap();
    let url = server.url().to_owned();
    assert!(is_reachable(&url));

    drop(server);

    assert!(!is_reachable(&url));
}

#[tokio::test]
async fn a_stopped_server_is_unreachable() {
    let server = MockServer::start().await.unwrap();
    let url = server.url().to_owned();

    server.stop().await.unwrap();

    assert!(!is_reachable(&url));
}

#[tokio::test]
async fn a_server_whose_wait_is_cancelled_is_unreachable() {
    let server = MockServer::start().await.unwrap();
    let url = server.url().to_owned();

    let _ = tokio::time::timeout(Duration::ZERO, server.wait()).await;

    assert!(!is_reachable(&url));
}

/// The runtime of this test has one thread, which is busy here.
#[tokio::test]
async fn a_server_responds_while_the_test_blocks() {
    let server = MockServer::start().await.unwrap();

    let mut stream = TcpStream::connect(server.url().strip_prefix("http://").unwrap()).unwrap();
    write!(stream, "GET /models HTTP/1.1\r\nHost: x\r\nApi-Key: {MOCK_API_KEY}\r\nConnection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();

    assert!(response.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_port_in_use_is_refused_and_can_be_used_later() {
    let first = MockServer::start().await.unwrap();
    let port = first.url().rsplit(':').next().unwrap().parse().unwrap();

    let taken = MockServer::builder().port(port).start().await.unwrap_err();
    drop(first);
    let second = MockServer::builder().port(port).start().await.unwrap();

    assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    assert!(second.url().ends_with(&format!(":{port}")));
}

#[tokio::test]
async fn requests_are_recorded_until_cleared() {
    let caller = Caller::new().await;

    caller.get("/models?scope=owned").await;
    caller.get("/nothing").await;
    let requests = caller.server.requests();
    caller.server.clear_requests();

    let recorded: Vec<_> =
        requests.iter().map(|request| (&*request.path, request.query.as_deref(), request.status)).collect();
    assert_eq!(recorded, [("/models", Some("scope=owned"), Some(200)), ("/nothing", None, Some(404))]);
    assert_eq!(requests[0].headers["api-key"], MOCK_API_KEY);
    assert!(caller.server.requests().is_empty());
}

#[tokio::test]
async fn a_state_directory_outlives_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let builder = MockServer::builder().state_dir(directory.path().join("new"));

    let before = Caller::with(builder.clone()).await;
    before.server.advance(Duration::from_secs(3600));
    let id = before.dataset_of(15).await;
    before.upload_to(&id, [("cat.txt", b"a cat".to_vec())]).await;
    let dataset_before = before.get(&format!("/datasets/{id}")).await;
    before.server.stop().await.unwrap();
    let after = Caller::with(builder).await;
    let dataset_after = after.get(&format!("/datasets/{id}")).await;
    let next = after.post("/datasets", &json!({"name": "next"})).await;

    assert_eq!(dataset_after.body, dataset_before.body);
    assert_ne!(next.body["dataset_id"], id);
    assert_eq!(next.body["creation_time"], "2026-07-01T10:00:00.000000+00:00");
}

#[tokio::test]
async fn a_corrupt_state_file_is_an_error_and_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ideogram-mock.json");

    for text in ["", "{", "{}", r#"{"format": 2, "state": {}}"#, r#"{"format": 1, "state": {"datasets": []}}"#, "\u{0}"]
    {
        fs::write(&path, text).unwrap();
        let error = MockServer::builder().state_dir(directory.path()).start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{text}");
        assert!(error.to_string().contains("ideogram-mock.json"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn a_state_that_cannot_be_stored_does_not_change() {
    let directory = tempfile::tempdir().unwrap();
    let caller = Caller::with(MockServer::builder().state_dir(directory.path())).await;
    fs::remove_dir(directory.path()).unwrap();

    let response = caller.upload([("cat.png", png())]).await;
    let demo = caller.get("/datasets/demo").await;

    assert_eq!(response.status, 500);
    assert!(response.body["error"].as_str().unwrap().starts_with("could not write the state"));
    assert_eq!(demo.body["file_count"], 18);
}

#[tokio::test]
async fn service_time_starts_at_the_start_time() {
    let start = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_500);
    let caller = Caller::with(MockServer::builder().start_time(start)).await;

    let created = caller.post("/datasets", &json!({"name": "new"})).await;

    assert_eq!(created.body["creation_time"], "2027-01-15T08:00:00.500000+00:00");
}

#[tokio::test]
async fn an_invalid_time_scale_is_refused() {
    for scale in [-1.0, f64::NAN, f64::INFINITY] {
        let error = MockServer::builder().time_scale(scale).start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
