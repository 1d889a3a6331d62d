//! Calls that the document does not describe are refused before anything runs.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use ideogram_mock::MockServer;
use reqwest::Method;
use serde_json::json;

use crate::caller::{Caller, png, send};

#[tokio::test]
async fn a_missing_or_wrong_key_is_denied() {
    let caller = Caller::with(MockServer::builder().api_key("right")).await;
    let url = format!("{}/datasets", caller.server.url());

    let missing = send(reqwest::Client::new().get(&url)).await;
    let wrong = send(reqwest::Client::new().get(&url).header("Api-Key", "wrong")).await;
    let bearer = send(reqwest::Client::new().get(&url).header("Authorization", "Bearer right")).await;
    let right = caller.get("/datasets").await;

    for denied in [missing, wrong, bearer] {
        assert_eq!(denied.status, 401);
        assert_eq!(denied.body, json!({"message": "Access denied. Please verify your API Token is valid."}));
    }
    assert_eq!(right.status, 200);
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let caller = Caller::new().await;

    for path in ["/", "/dataset", "/datasets/", "/datasets/demo/files", "/v2/datasets"] {
        let response = caller.get(path).await;
        assert_eq!(response.status, 404, "{path}");
        assert_eq!(response.headers["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn a_wrong_method_is_refused_with_the_allowed_ones() {
    let caller = Caller::new().await;

    let response = send(caller.request(Method::DELETE, "/datasets")).await;

    assert_eq!(response.status, 405);
    assert_eq!(response.headers["allow"], "GET, HEAD, POST");
}

#[tokio::test]
async fn a_wrong_content_type_is_refused_with_the_expected_one() {
    let caller = Caller::new().await;

    let form = send(caller.request(Method::POST, "/datasets").body("name=new")).await;
    let json = caller.post("/datasets/demo/upload_assets", &json!({"files": ["cat.png"]})).await;

    assert_eq!(form.status, 415);
    assert_eq!(form.body["detail"], "Invalid Content-type (), expected 'application/json'");
    assert_eq!(json.status, 415);
}

#[tokio::test]
async fn public_keys_need_no_key() {
    let caller = Caller::new().await;
    let url = format!("{}/v1/.well-known/jwks.json", caller.server.url());

    let response = send(reqwest::Client::new().get(&url)).await;

    assert_eq!((response.status.as_u16(), response.body["keys"][0]["crv"].as_str()), (200, Some("Ed25519")));
}

#[tokio::test]
async fn an_invalid_body_is_refused_with_the_reason() {
    let caller = Caller::new().await;

    for (body, detail) in [
        (json!({}), r#""name" is a required property"#),
        (json!({"name": 1}), r#"1 is not of type "string" - 'name'"#),
        (json!({"name": "new", "nmae": "new"}), "Unevaluated properties are not allowed ('nmae' was unexpected)"),
        (json!([]), r#"[] is not of type "object""#),
    ] {
        let response = caller.post("/datasets", &body).await;
        assert_eq!(response.status, 400);
        assert_eq!(response.body["title"], "Bad Request");
        assert_eq!(response.body["status"], 400);
        assert_eq!(response.body["detail"], detail);
    }
    assert_eq!(caller.get("/datasets").await.body["datasets"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn malformed_bodies_are_refused() {
    let caller = Caller::new().await;
    let post =
        |path, media_type, body| send(caller.request(Method::POST, path).header("Content-Type", media_type).body(body));

    let json = post("/datasets", "application/json", "{\"name\":").await;
    let no_boundary = post("/datasets/demo/upload_assets", "multipart/form-data", "--x--").await;
    let cut = post("/datasets/demo/upload_assets", "multipart/form-data; boundary=x", "--x\r\nContent-Dis").await;
    let empty = post("/datasets/demo/upload_assets", "multipart/form-data; boundary=x", "--x--\r\n").await;

    assert_eq!(empty.body["detail"], r#""files" is a required property"#);
    for response in [json, no_boundary, cut, empty] {
        assert_eq!(response.status, 400);
        assert!(response.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
}

#[tokio::test]
async fn ids_that_change_the_path_are_refused() {
    let caller = Caller::new().await;

    for id in ["a%2Fb", "a%20b", "%23"] {
        assert_eq!(caller.get(&format!("/datasets/{id}")).await.status, 400, "{id}");
    }
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_too_large() {
    let caller = Caller::with(MockServer::builder().max_body_bytes(1000)).await;

    let announced = caller.upload([("cat.png", vec![0; 2000])]).await;
    let chunks = [Ok::<_, std::io::Error>(png()), Ok(vec![0; 2000])];
    let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let form =
        reqwest::multipart::Form::new().part("files", reqwest::multipart::Part::stream(stream).file_name("a.png"));
    let streamed = caller.post_form("/datasets/demo/upload_assets", form).await;

    assert_eq!(announced.status, 413);
    assert_eq!(streamed.status, 413);
    assert_eq!(streamed.body["detail"], "the request body is larger than 1000 bytes");
}

#[tokio::test]
async fn a_refused_upload_is_read_to_its_end() {
    let caller = Caller::new().await;

    let form = reqwest::multipart::Form::new().part("no", reqwest::multipart::Part::bytes(vec![0; 8 * 1024 * 1024]));
    let response = caller.post_form("/datasets/demo/upload_assets", form).await;

    assert_eq!(response.status, 400);
    assert!(caller.server.requests()[0].body_size > 8 * 1024 * 1024);
    assert_eq!(caller.server.requests()[0].body.len(), 64 * 1024);
}

#[tokio::test]
async fn the_server_survives_bytes_that_are_not_http() {
    let caller = Caller::new().await;

    let mut stream = TcpStream::connect(caller.server.url().strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(b"\x16\x03\x01 not http\r\n\r\n").unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();

    assert!(response.starts_with(b"HTTP/1.1 400"));
    assert_eq!(caller.get("/datasets").await.status, 200);
}
