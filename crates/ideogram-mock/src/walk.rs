//! A walk through all operations, each response held against the document.

use std::collections::BTreeSet;

use reqwest::{
    Client, RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use crate::{
    MockServer, Scenario,
    document::{self, Document},
};

/// Sends requests and checks responses, and notes which operations have succeeded.
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

    /// Sends a request with the key; the response must have `status` and fit the document.
    async fn step(&mut self, request: RequestBuilder, status: u16) -> Value {
        let response = request.header("Api-Key", self.server.api_key()).send().await.unwrap();
        assert_eq!(response.status(), status, "{response:?}");
        let body: Value = response.json().await.unwrap();
        let record = self.server.requests().pop().unwrap();
        let id = record.operation_id.unwrap_or_default();
        let complaint = if status == 200 {
            self.succeeded.insert(id.clone());
            let operations = Document::embedded().operations();
            operations.iter().find(|operation| operation.id == id).unwrap().response.complaint(&body)
        } else {
            document::component("ErrorBody").complaint(&body)
        };
        assert_eq!(complaint, None, "{id} answered {body}");
        body
    }
}

/// The smallest image there is.
fn image() -> Part {
    Part::bytes(b"RIFF\x12\0\0\0WEBPVP8L\x06\0\0\0\x2f\0\0\0\0\0".to_vec())
}

/// A call for each operation that takes a form, with what is required and a little more.
fn forms() -> Vec<(&'static str, Form)> {
    let text = |form: Form, text: &'static str| {
        let (name, text) = text.split_once('=').unwrap();
        form.text(name, text)
    };
    let form = |texts: &[&'static str], files: &[&'static str]| {
        let form = texts.iter().copied().fold(Form::new(), text);
        files.iter().fold(form, |form, name| form.part(*name, image().file_name("a.webp")))
    };
    let palette = r##"color_palette={"members": [{"color_hex": "#FA0", "color_weight": 0.5}]}"##;
    let wrapped = r#"image_request={"prompt": "a cat", "model": "V_2", "style_type": "ANIME"}"#;
    vec![
        ("/v1/ideogram-v4/generate", form(&["text_prompt=a cat"], &[])),
        ("/v1/ideogram-v4/remix", form(&["text_prompt=some withheld", "image_weight=100"], &["image"])),
        ("/v1/ideogram-v4/describe", form(&[], &["image_file"])),
        (
            "/v1/ideogram-v3/generate",
            form(
                &["prompt=some withheld cats", "num_images=8", palette, "style_codes=AAFF5733", "style_codes=0133FF57"],
                &[],
            ),
        ),
        (
            "/v1/ideogram-v3/generate",
            form(&["prompt=a cat"], &["character_reference_images", "style_reference_images"]),
        ),
        (
            "/v1/ideogram-v3/generate-transparent",
            form(&["prompt=a logo", "upscale_factor=X4", "aspect_ratio=3x1"], &[]),
        ),
        ("/v1/ideogram-v3/inpaint", form(&["prompt=a hat", "style_type=FICTION"], &["image", "mask"])),
        ("/v1/ideogram-v3/remix", form(&["prompt=a cat", "seed=2147483647", "num_images=2"], &["image"])),
        ("/v1/ideogram-v3/reframe", form(&["resolution=1536x512"], &["image"])),
        ("/v1/ideogram-v3/replace-background", form(&["prompt=a city", "style_preset=90S_NOSTALGIA"], &["image"])),
        ("/v1/remove-background", form(&[], &["image"])),
        ("/v1/ideogram-v3/layerize-text", form(&[], &["image"])),
        ("/v1/edit", form(&["prompt=a beach", "transparent_background=true"], &["images", "images"])),
        ("/upscale", form(&["image_request={}"], &["image_file"])),
        ("/describe", form(&["describe_model_version=V_2"], &["image_file"])),
        ("/v1/ideogram-v3/edit", form(&["prompt=a hat"], &["image", "mask"])),
        ("/edit", form(&["prompt=a hat", "model=V_2", "magic_prompt_option=ON"], &["image_file", "mask"])),
        ("/remix", form(&[wrapped], &["image_file"])),
        ("/reframe", form(&["resolution=RESOLUTION_1280_720", "model=V_2"], &["image_file"])),
    ]
}

#[tokio::test]
async fn every_response_fits_the_document() {
    let mut walker = Walker::new().await;
    let training = |name: &str| json!({"dataset_id": "demo", "model_name": name});

    walker.step(walker.get("/datasets"), 200).await;
    walker.step(walker.get("/datasets/demo"), 200).await;
    let created = walker.step(walker.post("/datasets").json(&json!({"name": "new"})), 200).await;
    let dataset = format!("/datasets/{}", created["dataset_id"].as_str().unwrap());
    walker.step(walker.get("/datasets"), 200).await;
    walker.step(walker.get(&dataset), 200).await;
    let form = Form::new().part("files", image().file_name("a.webp")).part("files", image().file_name("a.zip"));
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
    for (path, form) in forms() {
        walker.step(walker.post(path).multipart(form), 200).await;
    }
    let request = json!({"image_request": {"prompt": "a cat", "num_images": 2, "color_palette": {"name": "EMBER"}}});
    walker.step(walker.post("/generate").json(&request), 200).await;
    let short = json!({"text_prompt": "a sign that says \"open\""});
    walker.step(walker.post("/v1/ideogram-v4/magic-prompt").json(&short), 200).await;

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

    let expected: BTreeSet<_> =
        Document::embedded().operations().iter().map(|operation| operation.id.clone()).collect();
    assert_eq!(walker.succeeded, expected);
}
