//! Datasets are created, listed and returned.

use serde_json::{Value, json};

use crate::caller::Caller;

fn sample(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn a_server_starts_with_the_demo_dataset_of_the_samples() {
    let caller = Caller::new().await;

    let demo = caller.get("/datasets/demo").await;

    assert_eq!(demo.body, sample(include_str!("../../../../openapi/examples/get_dataset/demo.json")));
}

#[tokio::test]
async fn a_new_dataset_is_empty_and_listed() {
    let caller = Caller::new().await;

    let created = caller.post("/datasets", &json!({"name": "Größe ✓"})).await;
    let id = created.body["dataset_id"].as_str().unwrap();
    let dataset = caller.get(&format!("/datasets/{id}")).await;
    let listed = caller.get("/datasets").await;

    assert_eq!(created.status, 200);
    assert_eq!(created.body["name"], "Größe ✓");
    assert_eq!(created.body["creation_time"], "2026-07-01T09:00:00.000000+00:00");
    assert_eq!(id.len(), 22);
    assert_eq!(dataset.body["dataset"]["dataset_id"], id);
    assert_eq!(dataset.body["file_count"], 0);
    assert_eq!(dataset.body["custom_model_ids"], json!([]));
    assert_eq!(listed.body["datasets"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_unset_cover_is_absent() {
    let caller = Caller::new().await;

    let created = caller.post("/datasets", &json!({"name": "new"})).await;
    let listed = caller.get("/datasets").await;

    assert!(created.body.get("cover_asset_identifier").is_none());
    assert!(listed.body["datasets"][1].get("cover_asset_identifier").is_none());
}

#[tokio::test]
async fn the_first_image_becomes_the_cover() {
    let caller = Caller::new().await;

    let id = caller.dataset_of(2).await;
    let dataset = caller.get(&format!("/datasets/{id}")).await;

    assert_eq!(dataset.body["dataset"]["cover_asset_identifier"]["asset_type"], "UPLOAD");
    assert_eq!(dataset.body["files"][0], json!({"file_name": "0.png", "file_size_bytes": 45}));
}

#[tokio::test]
async fn two_servers_give_the_same_responses() {
    let (one, other) = (Caller::new().await, Caller::new().await);

    let (id, other_id) = (one.dataset_of(3).await, other.dataset_of(3).await);

    assert_eq!(id, other_id);
    for path in ["/datasets".to_owned(), format!("/datasets/{id}"), "/models?scope=ALL".to_owned()] {
        assert_eq!(one.get(&path).await.body, other.get(&path).await.body, "{path}");
    }
}

#[tokio::test]
async fn an_unknown_dataset_is_not_found() {
    let caller = Caller::new().await;

    let dataset = caller.get("/datasets/nothing").await;

    assert_eq!(dataset.status, 404);
    assert_eq!(dataset.body, json!({"error": "Dataset not found."}));
}
