//! A walk through all operations, each answer held against the document.

use std::collections::BTreeSet;

use reqwest::{
    Client, RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use crate::{
    MockServer, Scenario, behaviour,
    document::{self, Document},
};

/// Sends requests and checks answers, and notes which operations have succeeded.
struct Walker {
    server: MockServer,
    client: Client,
    succeeded: BTreeSet<String>,
}

impl Walker {
    async fn new() -> Self {
        let server = MockServer::start().await.unwrap();
        Self { server, client: Client::builder().no_proxy().build().unwrap(), succeeded: BTreeSet::new() }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.server.url()))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.server.url()))
    }

    /// Sends a request with the key; the answer must have `status` and fit the document.
    async fn step(&mut self, request: RequestBuilder, status: u16) -> Value {
        let response = request.header("Api-Key", self.server.api_key()).send().await.unwrap();
        assert_eq!(response.status(), status, "{response:?}");
        let body: Value = response.json().await.unwrap();
        let record = self.server.requests().pop().unwrap();
        let id = record.operation_id.unwrap_or_default();
        let complaint = if status == 200 {
            self.succeeded.insert(id.clone());
            let operations = Document::embedded().operations();
            operations.iter().find(|operation| operation.id == id).unwrap().answer.complaint(&body)
        } else {
            document::component("ErrorBody").complaint(&body)
        };
        assert_eq!(complaint, None, "{id} answered {body}");
        body
    }
}

#[tokio::test]
async fn every_answer_fits_the_document() {
    let mut walker = Walker::new().await;
    let training = |name: &str| json!({"dataset_id": "demo", "model_name": name});
    let picture = || Part::bytes(b"RIFF\x12\0\0\0WEBPVP8L\x06\0\0\0\x2f\0\0\0\0\0".to_vec());

    walker.step(walker.get("/datasets"), 200).await;
    walker.step(walker.get("/datasets/demo"), 200).await;
    let created = walker.step(walker.post("/datasets").json(&json!({"name": "new"})), 200).await;
    let dataset = format!("/datasets/{}", created["dataset_id"].as_str().unwrap());
    walker.step(walker.get("/datasets"), 200).await;
    walker.step(walker.get(&dataset), 200).await;
    let form = Form::new().part("files", picture().file_name("a.webp")).part("files", picture().file_name("a.zip"));
    walker.step(walker.post(&format!("{dataset}/upload_assets")).multipart(form), 200).await;
    walker.step(walker.get(&dataset), 200).await;
    for name in ["lanterns", "errored lanterns"] {
        let trained = walker.step(walker.post("/v1/ideogram-v3/train-model").json(&training(name)), 200).await;
        let model = format!("/models/{}", trained["model_id"].as_str().unwrap());
        for hours in 0..3 {
            walker.server.advance(std::time::Duration::from_secs(hours * 3600));
            walker.step(walker.get(&model), 200).await;
        }
    }
    walker.step(walker.get("/models"), 200).await;

    walker.step(walker.get("/nothing"), 404).await;
    walker.step(walker.get("/datasets/nothing"), 404).await;
    walker.step(walker.post("/models"), 405).await;
    walker.step(walker.post("/datasets"), 415).await;
    walker.step(walker.post("/datasets").json(&json!({})), 400).await;
    let too_few = json!({"dataset_id": created["dataset_id"], "model_name": "lanterns"});
    walker.step(walker.post("/v1/ideogram-v3/train-model").json(&too_few), 400).await;
    for (scenario, status) in [
        (Scenario::Declines, 422),
        (Scenario::PaymentRequired, 402),
        (Scenario::RateLimitedOnce { retry_after: None }, 429),
        (Scenario::ServerErrorOnce { status: 503 }, 503),
    ] {
        walker.server.set_scenario(scenario);
        walker.step(walker.post("/v1/ideogram-v3/train-model").json(&training("lanterns")), status).await;
    }

    let ids = Document::embedded().operations().iter().map(|operation| operation.id.clone());
    let expected: BTreeSet<_> = ids.filter(|id| behaviour::of(id).is_some()).collect();
    assert_eq!(walker.succeeded, expected);
}
