//! Nesting of any depth is refused and never recursed into, in requests and in the server's own file.

use ideogram_mock::MockServer;
use reqwest::{Method, StatusCode, multipart::Form};

use crate::caller::{Caller, Response, send};

/// JSON nested `depth` levels deep, complete or cut off in the middle.
fn nested(depth: usize) -> [String; 4] {
    let complete = |open: &str, close: &str| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    [complete("[", "]"), complete(r#"{"text_prompt":"#, "}"), complete(r#"[{"a":"#, "}]"), "[".repeat(depth)]
}

/// The deepest bodies are also too large for some operations.
fn is_refusal(response: &Response, depth: usize) -> bool {
    response.status == StatusCode::BAD_REQUEST || depth == 100_000 && response.status == StatusCode::PAYLOAD_TOO_LARGE
}

#[tokio::test]
async fn deep_json_in_bodies_and_parts_is_refused() {
    let caller = Caller::new().await;
    for depth in [127, 128, 1000, 100_000] {
        for text in nested(depth) {
            for path in ["/datasets", "/generate", "/v1/ideogram-v4/generate", "/v1/ideogram-v4/magic-prompt"] {
                let body = format!(r#"{{"name": {text}, "text_prompt": {text}, "image_request": {text}}}"#);
                for body in [body, text.clone()] {
                    let request = caller.request(Method::POST, path).header("content-type", "application/json");
                    let response = send(request.body(body)).await;
                    assert!(is_refusal(&response, depth), "{path} {depth}: {}", response.status);
                    assert!(response.body["detail"].as_str().unwrap().len() < 1000, "{path} {depth}");
                }
            }
            for (path, part) in [
                ("/v1/ideogram-v4/generate", "json_prompt"),
                ("/v1/ideogram-v3/generate", "color_palette"),
                ("/remix", "image_request"),
            ] {
                let response = caller.post_form(path, Form::new().text(part, text.clone())).await;
                assert!(is_refusal(&response, depth), "{path} {depth}: {}", response.status);
            }
        }
    }
    assert_eq!(caller.get("/datasets").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_deep_state_file_is_refused_and_unchanged() {
    for text in nested(100_000) {
        for text in [format!(r#"{{"format": 1, "state": {text}}}"#), text] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("ideogram-mock.json");
            std::fs::write(&path, &text).unwrap();

            let error = MockServer::builder().state_dir(directory.path()).start().await.unwrap_err();

            assert!(error.to_string().contains("is not a state file of the mock server"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
