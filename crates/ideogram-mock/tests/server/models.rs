//! Models are trained over service time, listed and returned.

use std::time::Duration;

use ideogram_mock::MockServer;
use serde_json::{Value, json};

use crate::caller::{Caller, Response};

const MINUTE: Duration = Duration::from_secs(60);

async fn train(caller: &Caller, dataset_id: &str, name: &str) -> Response {
    caller.post("/v1/ideogram-v3/train-model", &json!({"dataset_id": dataset_id, "model_name": name})).await
}

async fn model(caller: &Caller, trained: &Response) -> Value {
    let id = trained.body["model_id"].as_str().unwrap();
    caller.get(&format!("/models/{id}")).await.body["model"].clone()
}

fn names(listed: &Response) -> Vec<&str> {
    listed.body["models"].as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_training_progresses_with_service_time() {
    let caller = Caller::new().await;

    let trained = train(&caller, "demo", "My lanterns").await;
    let mut states = Vec::new();
    for minutes in [0, 9, 80, 1] {
        caller.server.advance(minutes * MINUTE);
        states.push(model(&caller, &trained).await);
    }

    assert_eq!(trained.status, 200);
    assert_eq!(trained.body["model_name"], "My lanterns");
    let statuses: Vec<_> = states.iter().map(|state| state["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["CREATING", "TRAINING", "TRAINING", "COMPLETED"]);
    assert_eq!(states[2]["custom_model_uri"], Value::Null);
    assert_eq!(states[2]["is_available_for_generation"], false);
    assert_eq!(states[2]["last_update_time"], states[2]["creation_time"]);
    assert_eq!(states[3]["custom_model_uri"], "model/my-lanterns/version/1");
    assert_eq!(states[3]["is_available_for_generation"], true);
    assert_eq!(states[3]["last_update_time"], "2026-07-01T10:30:00.000000+00:00");
}

#[tokio::test]
async fn a_model_with_the_marker_ends_errored() {
    let caller = Caller::new().await;

    let trained = train(&caller, "demo", "errored-model").await;
    caller.server.advance(90 * MINUTE);
    let model = model(&caller, &trained).await;

    assert_eq!(model["status"], "ERRORED");
    assert_eq!(model["is_available_for_generation"], false);
    assert_eq!(model["custom_model_uri"], Value::Null);
}

#[tokio::test]
async fn a_dataset_lists_the_models_trained_on_it() {
    let caller = Caller::new().await;

    let trained = train(&caller, "demo", "third").await;
    let demo = caller.get("/datasets/demo").await;

    assert_eq!(demo.body["custom_model_ids"][2], trained.body["model_id"]);
}

#[tokio::test]
async fn the_training_time_can_be_set() {
    let caller = Caller::with(MockServer::builder().training_time(Duration::ZERO)).await;

    let trained = train(&caller, "demo", "at once").await;

    assert_eq!(model(&caller, &trained).await["status"], "COMPLETED");
}

#[tokio::test]
async fn the_time_scale_can_be_set() {
    let caller = Caller::with(MockServer::builder().time_scale(1e9)).await;

    let trained = train(&caller, "demo", "at once").await;

    assert_eq!(model(&caller, &trained).await["status"], "COMPLETED");
}

#[tokio::test]
async fn fourteen_images_are_too_few() {
    let caller = Caller::new().await;

    let id = caller.dataset_of(14).await;
    let response = train(&caller, &id, "paper-lanterns").await;

    assert_eq!(response.status, 400);
    let text = "Dataset requires at least 15 images for training, but only 14 were provided.";
    assert_eq!(response.body, json!({"error": text}));
}

#[tokio::test]
async fn invalid_names_are_refused_with_the_reason() {
    let caller = Caller::new().await;

    for (name, detail) in [
        ("four", r#""four" is shorter than 5 characters - 'model_name'"#),
        ("under_score", r#""under_score" does not match "^[A-Za-z0-9 -]+$" - 'model_name'"#),
    ] {
        let response = train(&caller, "demo", name).await;
        assert_eq!(response.status, 400);
        assert_eq!(response.body["detail"], detail);
    }
}

#[tokio::test]
async fn an_unknown_dataset_cannot_be_trained() {
    let caller = Caller::new().await;

    assert_eq!(train(&caller, "nothing", "paper-lanterns").await.status, 404);
}

#[tokio::test]
async fn models_are_listed_by_scope_and_state() {
    let caller = Caller::new().await;

    for (query, expected) in [
        ("", &["paper-lanterns", "paper-lanterns-2", "House style"][..]),
        ("?scope=owned", &["paper-lanterns", "paper-lanterns-2"]),
        ("?scope=shared", &["House style"]),
        ("?status=TRAINING", &["paper-lanterns-2", "House style"]),
        ("?scope=owned&status=TRAINING&status=COMPLETED", &["paper-lanterns", "paper-lanterns-2"]),
        ("?scope=shared&status=DRAFT", &["House style"]),
    ] {
        let listed = caller.get(&format!("/models{query}")).await;
        assert_eq!(names(&listed), expected, "{query}");
    }
}

#[tokio::test]
async fn values_that_the_document_does_not_know_are_refused() {
    let caller = Caller::new().await;

    for (query, detail) in [
        ("scope=mine", r#""mine" is not one of "owned" or "shared" - 'scope'"#),
        ("scope=owned&scope=owned", "the query parameter 'scope' is repeated"),
    ] {
        let response = caller.get(&format!("/models?{query}")).await;
        assert_eq!((response.status.as_u16(), response.body["detail"].as_str()), (400, Some(detail)), "{query}");
    }
    assert_eq!(caller.get("/models?status=TRAINING,COMPLETED").await.status, 400);
    assert_eq!(caller.get("/models?states=TRAINING&x&%5B").await.body, caller.get("/models").await.body);
}

#[tokio::test]
async fn an_unknown_model_is_not_found() {
    let caller = Caller::new().await;

    assert_eq!(caller.get("/models/nothing").await.body, json!({"error": "Model not found."}));
}
