//! How the client behaves with a correct server, and with one that misbehaves.

use std::{error::Error as StdError, fmt::Write as _, time::Duration};

use ideogram_client::{CallOptions, Client, Error, ErrorKind, File, Outcome, Timestamp, reqwest::StatusCode};
use ideogram_mock::{MockServer, Scenario};
use tokio::net::TcpListener;

use crate::raw_server::{KEY, RawServer, client_builder, response};

const DATASET: &str = include_str!("../../openapi/examples/get_dataset/demo.json");

async fn mock() -> (MockServer, Client) {
    let server = MockServer::builder().api_key(KEY).start().await.unwrap();
    let client = client_builder(server.url()).build().unwrap();
    (server, client)
}

/// The error of `get_dataset` against a server that responds with these bytes.
async fn error_after(response: impl Into<Vec<u8>>) -> Error {
    let server = RawServer::responding(response);
    let error = server.client().get_dataset().dataset_id("abc").send().await.unwrap_err();
    assert_eq!(server.requests().len(), 1, "nothing is sent twice: {error}");
    error
}

/// Everything that a program can print of an error.
fn printed(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(current) = cause {
        write!(text, " {current} {current:?}").unwrap();
        cause = current.source();
    }
    text
}

#[tokio::test]
async fn a_call_is_one_request_with_the_key_and_no_version_header() {
    let (server, client) = mock().await;

    let response = client.get_dataset().dataset_id("demo").send().await.unwrap();

    assert_eq!(response.dataset.dataset_id, "demo");
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!((requests[0].method.as_str(), requests[0].path.as_str()), ("GET", "/datasets/demo"));
    assert_eq!(requests[0].headers["api-key"], KEY);
    assert_eq!(requests[0].headers["accept-encoding"], "identity");
    for name in requests[0].headers.keys() {
        let name = name.as_str();
        assert!(["api-key", "accept", "host", "user-agent", "accept-encoding"].contains(&name), "{name}");
    }
}

#[tokio::test]
async fn every_operation_works_against_the_mock_server() {
    let (_server, client) = mock().await;

    let datasets = client.list_datasets().send().await.unwrap().datasets;
    let created = client.create_dataset().name("Lanterns").send().await.unwrap();
    let file = File::from_bytes("a.txt", "a caption");
    let uploaded = client.upload_dataset_assets().dataset_id(&created.dataset_id).files([file]).send().await.unwrap();
    let trained = client.train_model_v3().dataset_id("demo").model_name("lanterns").send().await.unwrap();
    let model = client.get_custom_model().model_id(&trained.model_id).send().await.unwrap().model;
    let models = client.list_custom_models().send().await.unwrap().models;

    assert_eq!(datasets[0].dataset_id, "demo");
    assert_eq!(uploaded.failure_count, 0);
    assert_eq!(model.dataset_id.as_deref(), Some("demo"));
    assert!(models.contains(&model), "{models:#?}");
}

#[tokio::test]
async fn ids_that_would_lead_elsewhere_are_refused_before_anything_is_sent() {
    let (server, client) = mock().await;

    for (id, reason) in [
        ("", "must not be empty"),
        (".", "must not be `.`"),
        ("..", "must not be `..`"),
        ("a/b", "must not contain `/`"),
        ("../models", "must not contain `/`"),
        ("a?b", "must not contain `?`"),
        ("a#b", "must not contain `#`"),
        ("a%2Fb", "must not contain `%`"),
        ("a b", "must not contain white space"),
        ("a\u{3000}b", "must not contain white space"),
        ("a\tb", "must not contain"),
        ("a\0b", "control character"),
    ] {
        let file = File::from_bytes("a.png", "content");
        for error in [
            client.get_dataset().dataset_id(id).send().await.unwrap_err(),
            client.get_custom_model().model_id(id).send().await.unwrap_err(),
            client.upload_dataset_assets().dataset_id(id).files([file]).send().await.unwrap_err(),
            client.get_dataset().dataset_id(id).prepare().unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidArgument, Outcome::NotSent), "{id:?}");
            let text = error.to_string();
            assert!(text.contains("_id`") && text.contains(reason), "{id:?}: {text}");
        }
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_request_that_the_service_would_refuse_is_not_sent() {
    let (server, client) = mock().await;

    let calls = [
        (client.train_model_v3().dataset_id("demo").model_name("tiny").prepare(), "5 to 30 characters"),
        (client.train_model_v3().dataset_id("demo").model_name("under_score").prepare(), "does not match"),
        (client.train_model_v3().dataset_id("").model_name("lanterns").prepare(), "at least 1 character"),
        (client.train_model_v3().dataset_id("demo").prepare(), "model_name"),
        (client.create_dataset().prepare(), "name"),
        (client.get_dataset().prepare(), "dataset_id"),
        (client.upload_dataset_assets().dataset_id("demo").files([""; 0]).prepare(), "at least 1 element"),
    ];

    for (prepared, reason) in calls {
        let error = prepared.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidArgument, Outcome::NotSent), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_response_that_cannot_be_read_is_a_typed_error_with_status_and_body() {
    let deep = "[".repeat(100_000);
    for body in [
        &b""[..],
        b"hello",
        b"<html><head><title>OK</title></head></html>",
        b"{\"dataset\": {",
        b"null",
        b"[]",
        b"7",
        b"{}",
        br#"{"dataset": 7, "file_count": 0}"#,
        br#"{"dataset": {"dataset_id": null}}"#,
        b"\xff\xfe\x00",
        deep.as_bytes(),
    ] {
        let error = error_after(response(200, "", body)).await;

        let text = String::from_utf8_lossy(&body[..body.len().min(40)]);
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::UndocumentedResponse, Outcome::Completed), "{text}");
        assert_eq!(error.status(), Some(StatusCode::OK), "{text}");
        assert_eq!(error.body().unwrap(), body, "{text}");
        assert!(error.body_is_complete(), "{text}");
        let expected = "get_dataset: 200 OK: the response is not what the document describes: ";
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn an_incomplete_response_keeps_the_received_bytes() {
    let error = error_after("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"dataset\":").await;

    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Transport, Outcome::Completed));
    assert_eq!(error.status(), Some(StatusCode::OK));
    assert_eq!(error.body().unwrap(), &b"{\"dataset\":"[..]);
    assert!(!error.body_is_complete());
}

#[tokio::test]
async fn a_lost_response_is_not_a_failure_of_the_call() {
    let (server, client) = mock().await;
    server.set_scenario(Scenario::ResponseLostOnce);

    let error = client.create_dataset().name("Lanterns").send().await.unwrap_err();

    assert!([Outcome::Completed, Outcome::Unknown].contains(&error.outcome()), "{error:?}");
    assert_eq!(server.requests().len(), 1);
    assert_eq!(client.list_datasets().send().await.unwrap().datasets.len(), 2);
}

#[tokio::test]
async fn a_response_that_is_not_http_has_an_unknown_outcome() {
    for response in ["", "SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 banana\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Len"] {
        let error = error_after(response).await;

        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Transport, Outcome::Unknown), "{response:?}");
        assert_eq!((error.status(), error.body()), (None, None));
    }
}

#[tokio::test]
async fn a_response_over_the_limit_is_cut_there() {
    let server = RawServer::responding(response(200, "", DATASET));
    let limited =
        |limit: usize| server.builder().options(CallOptions::new().max_response_bytes(limit)).build().unwrap();

    let error = limited(100).get_dataset().dataset_id("demo").send().await.unwrap_err();
    let fits = limited(DATASET.len()).get_dataset().dataset_id("demo").send().await;

    assert_eq!((error.kind(), error.outcome()), (ErrorKind::UndocumentedResponse, Outcome::Completed));
    assert!(error.to_string().contains("100 bytes"), "{error}");
    assert_eq!(error.body().unwrap(), &DATASET.as_bytes()[..100]);
    assert!(!error.body_is_complete());
    assert!(fits.is_ok(), "{fits:?}");
}

#[tokio::test]
async fn an_endless_response_is_not_read_to_its_end() {
    let mut endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..1000 {
        endless.extend_from_slice(format!("400\r\n{}\r\n", " ".repeat(0x400)).as_bytes());
    }
    let server = RawServer::responding(endless);
    let client = server.builder().options(CallOptions::new().max_response_bytes(5000)).build().unwrap();

    let error = client.get_dataset().dataset_id("demo").send().await.unwrap_err();

    assert_eq!(error.body().unwrap().len(), 5000);
}

#[tokio::test]
async fn the_body_of_an_error_is_cut_at_a_limit_of_its_own() {
    let error = error_after(response(500, "", "x".repeat(1_000_000))).await;

    assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(StatusCode::INTERNAL_SERVER_ERROR)));
    assert!(error.body().unwrap().len() <= 64 * 1024 && !error.body_is_complete());
    assert!(error.to_string().len() < 1000, "{error}");
}

#[tokio::test]
async fn an_error_response_has_its_status_text_and_retry_after() {
    for (status, outcome) in [(400, Outcome::Declined), (429, Outcome::Declined), (503, Outcome::Unknown)] {
        let error = error_after(response(status, "Retry-After: 7\r\n", r#"{"error": "because"}"#)).await;

        assert_eq!((error.status().unwrap().as_u16(), error.outcome()), (status, outcome));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)), "{status}");
        assert!(error.to_string().ends_with(": because"), "{error}");
    }
}

#[tokio::test]
async fn every_shape_of_error_body_is_read_at_any_status() {
    for (body, expected) in [
        (r#"{"message": "key?"}"#, "key?"),
        (r#"{"type": "about:blank", "title": "Bad Request", "detail": "name?", "status": 400}"#, "name?"),
        ("{}", "no reason given"),
        ("", "no reason given"),
        ("<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway"),
        ("plain words", "plain words"),
        (r#"{"error": {"nested": true}}"#, "no reason given"),
    ] {
        for status in [400, 401, 500] {
            let error = error_after(response(status, "", body)).await;

            assert!(error.to_string().ends_with(&format!(": {expected}")), "{error}");
            assert_eq!(error.body().unwrap(), body.as_bytes());
        }
    }
}

#[tokio::test]
async fn refusals_of_the_mock_server_have_different_kinds() {
    let (server, client) = mock().await;
    let stranger = Client::builder().api_key("another").base_url(server.url()).build().unwrap();

    let unknown = client.get_dataset().dataset_id("nothing").send().await.unwrap_err();
    let wrong_key = stranger.get_dataset().dataset_id("demo").send().await.unwrap_err();
    let empty = client.create_dataset().name("Empty").send().await.unwrap();
    let small = client.train_model_v3().dataset_id(&empty.dataset_id).model_name("lanterns");
    let small = small.send().await.unwrap_err();
    server.set_scenario(Scenario::PaymentRequired);
    let unpaid = client.train_model_v3().dataset_id("demo").model_name("lanterns").send().await.unwrap_err();
    server.set_scenario(Scenario::RateLimitedOnce { retry_after: Some(Duration::from_secs(3)) });
    let limited = client.train_model_v3().dataset_id("demo").model_name("lanterns").send().await.unwrap_err();

    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    assert_eq!(wrong_key.kind(), ErrorKind::Authentication);
    assert_eq!(small.kind(), ErrorKind::InvalidRequest);
    assert!(small.to_string().contains("at least 15 images for training, but only 0 were provided"), "{small}");
    assert_eq!(unpaid.kind(), ErrorKind::Payment);
    assert_eq!(unpaid.reject_reason().as_deref(), Some("insufficient_funds"));
    assert_eq!(limited.kind(), ErrorKind::RateLimited);
    assert_eq!(limited.retry_after(), Some(Duration::from_secs(3)));
}

#[tokio::test]
async fn redirects_are_not_followed_and_the_key_stays() {
    let elsewhere = RawServer::responding(response(200, "", DATASET));
    for status in [301, 302, 303, 307, 308] {
        for target in [format!("{}/datasets/abc", elsewhere.url()), "/elsewhere".to_owned()] {
            let error = error_after(response(status, &format!("Location: {target}\r\n"), "moved")).await;

            assert_eq!(error.kind(), ErrorKind::UndocumentedResponse, "{status} {target}");
            assert_eq!(error.status().unwrap().as_u16(), status);
            assert_eq!(error.body().unwrap(), &b"moved"[..]);
        }
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn files_that_cannot_be_sent_are_refused_before_anything_is_sent() {
    let (server, client) = mock().await;
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.png");
    std::fs::write(&good, b"\x89PNG\r\n\x1a\n").unwrap();
    let empty = folder.path().join("empty.png");
    std::fs::write(&empty, b"").unwrap();
    let missing = folder.path().join("missing.png");

    for (bad, reason) in [(&empty, "empty"), (&missing, "No such file"), (&folder.path().to_owned(), "directory")] {
        let call = client.upload_dataset_assets().dataset_id("demo").files([&good, bad]);
        let error = call.send().await.unwrap_err();

        assert_eq!((error.kind(), error.outcome()), (ErrorKind::LocalIo, Outcome::NotSent), "{error}");
        let text = error.to_string();
        assert!(text.contains(&bad.display().to_string()) && text.contains(reason), "{text}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn the_key_is_never_printed() {
    let server = RawServer::responding(response(200, "", DATASET));
    let builder = server.builder();
    let mut text = format!("{builder:?} {builder:#?}");
    let client = builder.build().unwrap();
    let call = client.get_dataset().dataset_id("demo");
    write!(text, "{client:?} {client:#?} {call:?} {call:#?}").unwrap();
    let request = call.prepare().unwrap();
    write!(text, "{request} {request:?} {request:#?}").unwrap();
    let response = client.get_dataset().dataset_id("demo").response().await.unwrap();
    write!(text, "{response:?} {response:#?}").unwrap();

    assert!(!text.contains(KEY), "{text}");
    assert!(text.contains("127.0.0.1"), "the address may be seen: {text}");
}

#[tokio::test]
async fn a_server_that_repeats_the_key_does_not_get_it_into_an_error() {
    let headers = format!("X-Echo: {KEY}\r\nLocation: https://elsewhere.invalid/?key={KEY}\r\n");
    let json = format!(r#"{{"error": "no such key: {KEY}", "reject_reason": "{KEY}"}}"#);
    for (status, body) in [
        (400, json.clone()),
        (401, format!("<html><title>{KEY}</title></html>")),
        (500, format!("{} {KEY}", "x".repeat(1000))),
        (302, KEY.to_owned()),
        (200, format!("not JSON: {KEY}")),
        (200, json),
    ] {
        let error = error_after(response(status, &headers, &body)).await;

        assert!(!printed(&error).contains(KEY), "{}", printed(&error));
        assert!(!String::from_utf8_lossy(error.body().unwrap()).contains(KEY), "{status}");
        assert!(error.reject_reason().is_none_or(|reason| !reason.contains(KEY)), "{status}");
    }
}

#[tokio::test]
async fn the_key_of_a_refused_builder_is_not_printed() {
    for error in [
        Client::builder().api_key(format!("{KEY}\n{KEY}")).build().unwrap_err(),
        client_builder(&format!("http://{KEY}@127.0.0.1")).build().unwrap_err(),
        client_builder(&format!("http://127.0.0.1?key={KEY}")).build().unwrap_err(),
        client_builder(KEY).build().unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidArgument, Outcome::NotSent));
        assert!(!printed(&error).contains(KEY), "{}", printed(&error));
    }
}

#[tokio::test]
async fn plain_http_is_for_this_machine_unless_requested() {
    let refused = client_builder("http://192.0.2.1").build().unwrap_err();

    assert_eq!((refused.kind(), refused.outcome()), (ErrorKind::InvalidArgument, Outcome::NotSent));
    assert!(refused.to_string().contains("unencrypted"), "{refused}");
    assert!(client_builder("http://192.0.2.1").allow_plain_http().build().is_ok());
    assert!(client_builder("https://192.0.2.1").build().is_ok());
}

#[tokio::test]
async fn a_refused_connection_has_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);

    let error = client_builder(&url).build().unwrap().get_dataset().dataset_id("demo").send().await.unwrap_err();

    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Transport, Outcome::NotSent));
    assert!(error.source().is_some(), "{error:?}");
}

#[tokio::test]
async fn no_response_in_time_has_an_unknown_outcome() {
    let server = RawServer::silent();
    let client = server.builder().options(CallOptions::new().deadline(Duration::from_millis(200))).build().unwrap();

    let error = client.create_dataset().name("Lanterns").send().await.unwrap_err();

    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Transport, Outcome::Unknown));
    assert!(error.to_string().contains("in time"), "{error}");
    assert!(error.to_string().contains("may have run: check before calling again"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn surprises_of_the_service_do_not_cost_the_response() {
    let news = include_str!("../../openapi/news/get_dataset/vendor_sample.json");
    let server = RawServer::responding(response(200, "X-Extra: kept\r\n", news));

    let response = server.client().get_dataset().dataset_id("demo").response().await.unwrap();

    assert_eq!(response.value().dataset.creation_time, Timestamp::parse("2000-01-23T04:56:07Z"));
    assert_eq!(response.body().as_ref(), news.as_bytes());
    assert_eq!((response.status().as_u16(), &response.headers()["x-extra"]), (200, &"kept".parse().unwrap()));
}
