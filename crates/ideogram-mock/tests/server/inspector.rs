//! The state of the server as JSON, and who may read and change it.

use std::time::Duration;

use axum::{Router, http::StatusCode as Status, routing::post};
use ideogram_mock::{MockServer, Scenario};
use reqwest::{Method, RequestBuilder, multipart::Form};
use serde_json::{Value, json};

use crate::caller::{Caller, Response, form, png, send, with_png};

const GENERATE: &str = "/v1/ideogram-v3/generate";

/// A request to the inspector, without a key.
fn inspect(caller: &Caller, method: Method, path: &str) -> RequestBuilder {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.request(method, format!("{}/__mock{path}", caller.server.url()))
}

async fn state(caller: &Caller) -> Value {
    let response = send(inspect(caller, Method::GET, "/state")).await;
    assert_eq!(response.status, 200);
    response.body
}

async fn switch(caller: &Caller, scenario: &Value) -> Response {
    send(inspect(caller, Method::POST, "/scenarios").json(scenario)).await
}

#[tokio::test]
async fn the_state_has_requests_as_they_came_and_what_they_changed() {
    let caller = Caller::new().await;
    let remix = with_png(form([("prompt", "a cat"), ("num_images", "2")]), "image", "cat.png", (64, 64));
    caller.post_form("/v1/ideogram-v3/remix?a=b", remix).await;
    let id = caller.dataset_of(3).await;
    caller.get("/nothing").await;

    let state = state(&caller).await;

    let requests = state["requests"].as_array().unwrap();
    assert_eq!((requests.len(), &state["request_count"], &state["recorded_requests"]), (4, &json!(4), &json!(4)));
    let first = &requests[0];
    assert_eq!((&first["number"], &first["method"], &first["status"]), (&json!(1), &json!("POST"), &json!(200)));
    assert_eq!((&first["path"], &first["query"]), (&json!("/v1/ideogram-v3/remix"), &json!("a=b")));
    assert_eq!(first["operation_id"], "post_remix_image_v3");
    assert!(first["elapsed_ms"].as_f64().unwrap() > 0.0 && first["time"].as_str().unwrap().ends_with('Z'));
    let parts = first["body"]["parts"].as_array().unwrap();
    assert_eq!(parts[0], json!({"name": "prompt", "file_name": null, "media_type": null, "size": 5, "text": "a cat"}));
    assert_eq!((&parts[2]["file_name"], &parts[2]["size"]), (&json!("cat.png"), &json!(png().len())));
    assert_eq!(first["response"]["json"]["data"].as_array().unwrap().len(), 2);
    assert_eq!(requests[1]["body"]["json"], json!({"name": "new"}));
    assert_eq!((&requests[3]["status"], &requests[3]["operation_id"]), (&json!(404), &Value::Null));
    let dataset = &state["datasets"][1];
    assert_eq!((&dataset["dataset_id"], &dataset["file_count"]), (&json!(id), &json!(3)));
    assert_eq!(dataset["files"][0], json!({"file_name": "0.png", "file_size_bytes": png().len()}));
    assert_eq!(state["models"][0]["status"], "COMPLETED");
    assert_eq!((&state["images_in_flight"], &state["scenario"]["name"]), (&json!(0), &json!("normal")));
}

#[tokio::test]
async fn a_caller_gets_only_the_requests_that_it_does_not_know() {
    let caller = Caller::new().await;
    for _ in 0..3 {
        caller.get("/datasets").await;
    }

    let known = send(inspect(&caller, Method::GET, "/state?after=2")).await;
    let invalid = send(inspect(&caller, Method::GET, "/state?after=x")).await;
    send(inspect(&caller, Method::DELETE, "/requests")).await;
    let cleared = state(&caller).await;

    let numbers: Vec<_> = known.body["requests"].as_array().unwrap().iter().map(|request| &request["number"]).collect();
    assert_eq!((numbers, invalid.status.as_u16()), (vec![&json!(3)], 400));
    assert_eq!((&cleared["requests"], &cleared["request_count"]), (&json!([]), &json!(3)));
    assert!(caller.server.requests().is_empty());
}

#[tokio::test]
async fn jobs_and_webhooks_are_in_the_state() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/webhook", listener.local_addr().unwrap());
    let router = Router::new().route("/webhook", post(|| async { Status::ACCEPTED }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let caller = Caller::new().await;
    let call = async |prompt: &str, address: &str| {
        let body = json!({"prompt": prompt, "webhook_url": address});
        caller.post("/v2/image/generate/ideogram-4", &body).await.body["generation_id"].clone()
    };

    let ids = [call("a cat", &address).await, call("a hanging cat", &address).await, call("errored", &address).await];
    call("a dog", "http://127.0.0.1:1/").await;
    let mut found = state(&caller).await;
    while found["webhooks"].as_array().unwrap().len() < 5 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        found = state(&caller).await;
    }

    let jobs = found["jobs"].as_array().unwrap();
    let states: Vec<_> = jobs.iter().map(|job| job["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["completed", "pending", "failed", "completed"]);
    assert_eq!((&jobs[0]["generation_id"], &jobs[1]["generation_id"]), (&ids[0], &ids[1]));
    let webhooks = found["webhooks"].as_array().unwrap();
    let delivered = webhooks.iter().find(|webhook| webhook["generation_id"] == ids[0]).unwrap();
    assert_eq!((&delivered["address"], &delivered["status"]), (&json!(address), &json!(202)));
    let failed: Vec<_> = webhooks.iter().filter(|webhook| webhook["status"].is_null()).collect();
    assert_eq!(failed.len(), 4);
    assert_eq!(failed[3]["attempt"], 4);
    assert!(failed[3]["error"].as_str().unwrap().contains("refused"), "{}", failed[3]);
}

#[tokio::test]
async fn a_switched_scenario_changes_the_next_response() {
    let caller = Caller::new().await;

    let switched = switch(&caller, &json!({"name": "rate_limited_once", "retry_after": 7})).await;
    let scenario = state(&caller).await["scenario"].clone();
    let (limited, next) = (caller.get("/datasets").await, caller.get("/datasets").await);
    switch(&caller, &json!({"name": "declines"})).await;
    let declined = caller.post_form(GENERATE, form([("prompt", "a cat")])).await;
    switch(&caller, &json!({"name": "normal"})).await;
    let normal = caller.post_form(GENERATE, form([("prompt", "a cat")])).await;

    assert_eq!(switched.body["scenario"], json!({"name": "rate_limited_once", "retry_after": 7}));
    assert_eq!(scenario, switched.body["scenario"]);
    assert_eq!((limited.status.as_u16(), &limited.headers["retry-after"]), (429, &"7".parse().unwrap()));
    let statuses = [next, declined, normal].map(|response| response.status.as_u16());
    assert_eq!(statuses, [200, 422, 200]);
    for (scenario, status) in [(json!({"name": "sunny"}), 400), (json!({"name": "upload_fails"}), 400), (json!(5), 400)]
    {
        assert_eq!(switch(&caller, &scenario).await.status, status, "{scenario}");
    }
}

#[tokio::test]
async fn time_is_advanced_forwards_only() {
    let caller = Caller::new().await;
    let advance = async |seconds: Value| {
        let body = json!({"advance_seconds": seconds});
        send(inspect(&caller, Method::POST, "/time").json(&body)).await
    };

    let advanced = advance(json!(5400)).await;

    assert_eq!(advanced.body["time"], "2026-07-01T10:30:00.000000+00:00");
    assert_eq!(state(&caller).await["models"][1]["status"], "COMPLETED");
    for invalid in [json!(-1), json!("1"), json!(1e300), json!(null)] {
        assert_eq!(advance(invalid.clone()).await.status, 400, "{invalid}");
    }
}

#[tokio::test]
async fn no_key_is_in_the_state() {
    let caller = Caller::with(MockServer::builder().api_key(r#"the"secret/key"#)).await;
    let key = caller.server.api_key().to_owned();
    caller.post("/datasets", &json!({"name": format!("of {key}")})).await;
    caller.post(&format!("/datasets?key={}", "the%22secret%2Fkey"), &json!({key.clone(): key})).await;
    caller.post_form(GENERATE, form([("prompt", key.as_str())])).await;
    caller.post_form(&format!("/{key}"), Form::new().text("text", "x".repeat(3990) + &key)).await;
    let other = inspect(&caller, Method::GET, "/../datasets").header("Api-Key", "a-real-key").bearer_auth("my-token");
    send(other.header("Cookie", "session=cookie-1").header("X-Copy", "a-real-key, my-token")).await;

    let response = inspect(&caller, Method::GET, "/state").send().await.unwrap().text().await.unwrap();

    for secret in ["secret", "a-real-key", "my-token", "cookie-1"] {
        assert!(!response.contains(secret), "{secret}: {response}");
    }
    assert!(response.contains("of (redacted)") && response.contains("(redacted), (redacted)"), "{response}");
}

#[tokio::test]
async fn the_record_is_bounded() {
    let caller = Caller::new().await;
    for number in 0..1000 {
        caller.get(&format!("/models/{number}")).await;
    }
    caller.post("/datasets", &json!({"name": "x".repeat(1024 * 1024)})).await;
    caller.post_form(GENERATE, form([("prompt", "y".repeat(100_000).as_str())])).await;
    let names: Vec<_> = (0..1500).map(|number| format!("{number}.txt")).collect();
    caller.upload(names.iter().map(|name| (name.as_str(), b"a cat".to_vec()))).await;

    let state = state(&caller).await;

    let requests = state["requests"].as_array().unwrap();
    assert_eq!((requests.len(), &state["request_count"]), (200, &json!(1003)));
    assert_eq!((&requests[0]["number"], &requests[199]["number"]), (&json!(804), &json!(1003)));
    assert_eq!(requests[197]["body"]["text"].as_str().unwrap().chars().count(), 4001);
    assert_eq!(requests[198]["body"]["parts"][0]["text"].as_str().unwrap().chars().count(), 4001);
    let upload = &requests[199]["body"];
    assert_eq!((upload["parts"].as_array().unwrap().len(), &upload["part_count"]), (100, &json!(1500)));
    assert_eq!(state["datasets"][0]["files"].as_array().unwrap().len(), 200);
    assert!(state.to_string().len() < 400_000, "{}", state.to_string().len());
}

#[tokio::test]
async fn other_web_pages_are_refused() {
    let caller = Caller::new().await;
    let own = caller.server.url().to_owned();
    let body = json!({"name": "declines"});
    let foreign = ["http://example.com", "http://127.0.0.1:1", "http://localhost", "https://127.0.0.1", "null", ""];

    for origin in foreign {
        for (method, path) in [(Method::POST, "/scenarios"), (Method::GET, "/state"), (Method::DELETE, "/requests")] {
            let request = inspect(&caller, method, path).header("Origin", origin).json(&body);
            assert_eq!(send(request).await.status, 403, "{origin} {path}");
        }
    }
    for host in ["example.com", "example.com:80", "127.0.0.1.example.com", "10.0.0.1"] {
        for path in ["", "/state", "/health"] {
            assert_eq!(send(inspect(&caller, Method::GET, path).header("Host", host)).await.status, 403, "{host}");
        }
    }
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        let request = inspect(&caller, Method::POST, "/scenarios").header("Content-Type", media_type);
        assert_eq!(send(request.body(body.to_string())).await.status, 415, "{media_type}");
    }
    assert_eq!(state(&caller).await["scenario"]["name"], "normal");
    caller.server.set_scenario(Scenario::Declines);
    let same = inspect(&caller, Method::POST, "/scenarios").header("Origin", own).json(&json!({"name": "normal"}));
    assert_eq!(send(same).await.status, 200);
}

#[tokio::test]
async fn requests_to_the_inspector_are_neither_recorded_nor_in_the_way() {
    let caller = Caller::new().await;

    let health = send(inspect(&caller, Method::GET, "/health")).await;
    let page = send(inspect(&caller, Method::GET, "")).await;
    let missing = send(inspect(&caller, Method::GET, "/datasets")).await;
    let wrong = send(inspect(&caller, Method::POST, "/state")).await;

    assert_eq!((health.status.as_u16(), &health.body), (200, &json!({"status": "ok"})));
    assert_eq!(
        (page.status.as_u16(), &page.headers["content-type"]),
        (200, &"text/html; charset=utf-8".parse().unwrap())
    );
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!((missing.status.as_u16(), wrong.status.as_u16()), (404, 405));
    assert!(caller.server.requests().is_empty());
}
