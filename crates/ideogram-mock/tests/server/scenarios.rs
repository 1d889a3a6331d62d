//! Scenarios make valid calls fail.

use std::time::Duration;

use ideogram_mock::{MockServer, Scenario};
use reqwest::Method;
use serde_json::json;

use crate::caller::{Caller, Response};

async fn train(caller: &Caller) -> Response {
    caller.post("/v1/ideogram-v3/train-model", &json!({"dataset_id": "demo", "model_name": "lanterns"})).await
}

#[tokio::test]
async fn only_calls_that_are_billed_are_declined() {
    let caller = Caller::with(MockServer::builder().scenario(Scenario::Declines)).await;

    let paid = train(&caller).await;
    let free = caller.get("/datasets/demo").await;

    assert_eq!(paid.status, 422);
    let text = "Prompt provided failed safety check due to the inclusion of prohibited content.";
    assert_eq!(paid.body, json!({"error": text}));
    assert_eq!(free.status, 200);
    assert_eq!(free.body["custom_model_ids"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_empty_balance_stays_empty() {
    let caller = Caller::new().await;
    caller.server.set_scenario(Scenario::PaymentRequired);

    let responses = [train(&caller).await, train(&caller).await];

    for response in responses {
        assert_eq!(response.status, 402);
        assert_eq!(response.body["reject_reason"], "insufficient_funds");
    }
}

#[tokio::test]
async fn one_call_is_rate_limited() {
    let caller = Caller::new().await;
    caller.server.set_scenario(Scenario::RateLimitedOnce { retry_after: Some(Duration::from_secs(7)) });

    let (first, second) = (caller.get("/datasets").await, caller.get("/datasets").await);

    assert_eq!(first.status, 429);
    assert_eq!(first.headers["retry-after"], "7");
    assert_eq!(first.body["reject_reason"], "inflight_limit");
    assert_eq!(second.status, 200);
}

#[tokio::test]
async fn a_refused_call_does_not_reset_the_scenario() {
    let caller = Caller::new().await;
    caller.server.set_scenario(Scenario::RateLimitedOnce { retry_after: None });

    let refused = caller.get("/models?scope=mine").await;
    let limited = caller.get("/models").await;

    assert_eq!(refused.status, 400);
    assert_eq!(limited.status, 429);
    assert!(!limited.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn one_call_fails_and_does_not_run() {
    let caller = Caller::new().await;

    for (status, media_type) in [(500, "application/json"), (503, "application/json"), (502, "text/html")] {
        caller.server.set_scenario(Scenario::ServerErrorOnce { status });
        let failed = caller.post("/datasets", &json!({"name": "new"})).await;
        assert_eq!(failed.status.as_u16(), status);
        assert_eq!(failed.headers["content-type"], media_type);
    }

    assert_eq!(caller.get("/datasets").await.body["datasets"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_response_is_lost_although_the_call_ran() {
    let caller = Caller::new().await;
    caller.server.set_scenario(Scenario::ResponseLostOnce);

    let lost = match caller.request(Method::POST, "/datasets").json(&json!({"name": "new"})).send().await {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };

    assert!(lost);
    assert_eq!(caller.get("/datasets").await.body["datasets"].as_array().unwrap().len(), 2);
}
