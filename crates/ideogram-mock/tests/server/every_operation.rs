//! Calls every operation, and most refusals; the server checks its own responses against the document.

use std::collections::BTreeSet;

use ideogram_mock::Scenario;
use jsonschema::Validator;
use reqwest::{
    Method, RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::{Map, Value, json};

use crate::caller::Caller;

const DOCUMENT: &str = include_str!("../../../../openapi/ideogram.yaml");

/// Sends requests, checks responses, and records which operations have succeeded.
struct Session {
    caller: Caller,
    error_body: Validator,
    succeeded: BTreeSet<String>,
}

impl Session {
    async fn new() -> Self {
        Self { caller: Caller::new().await, error_body: error_body(), succeeded: BTreeSet::new() }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.caller.request(Method::GET, path)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.caller.request(Method::POST, path)
    }

    /// Sends a request; the response must have `status` and, if it is an error, fit the document.
    async fn call(&mut self, request: RequestBuilder, status: u16) -> Value {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{response:?}");
        let body: Value = response.json().await.unwrap();
        if status == 200 {
            self.succeeded.extend(self.caller.server.requests().pop().unwrap().operation_id);
        } else {
            assert!(self.error_body.is_valid(&body), "{body}");
        }
        body
    }
}

/// The component `ErrorBody` of the document, without further properties.
fn error_body() -> Validator {
    let (_, component) = DOCUMENT.split_once("\n    ErrorBody:\n").unwrap();
    let (_, properties) = component.split_once("\n      properties:\n").unwrap();
    let mut lines = properties.lines().take_while(|line| !line.is_empty());
    let mut schemas = Map::new();
    while let Some(line) = lines.next() {
        // A property is a line with eight spaces; its type, or a reference to an enum, is the next line.
        let Some(name) = line.strip_prefix("        ").filter(|name| !name.starts_with(' ')) else { continue };
        let kind = lines.next().unwrap().trim().strip_prefix("type: ").unwrap_or("string");
        schemas.insert(name.trim_end_matches(':').to_owned(), json!({"type": kind}));
    }
    let schema = json!({"type": "object", "properties": schemas, "additionalProperties": false});
    jsonschema::validator_for(&schema).unwrap()
}

/// The smallest valid image.
fn image() -> Part {
    Part::bytes(b"RIFF\x12\0\0\0WEBPVP8L\x06\0\0\0\x2f\0\0\0\0\0".to_vec())
}

/// The model that every server starts with.
const CUSTOM_MODEL: &str = "custom_model_uri=model/paper-lanterns/version/1";

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
        ("/v2/image/generate/ideogram-4-5", form(&["prompt=some withheld", "num_images=2", "size=2048x2048"], &[])),
        ("/v2/image/generate/ideogram-4-5", form(&["prompt=a hat"], &["images", "mask"])),
        (
            "/v2/image/generate/ideogram-3",
            form(&["prompt=a cat", "style_codes=AAFF5733"], &["style_reference_images"]).text("aspect_ratio", "auto"),
        ),
        ("/v2/image/generate/ideogram-3-custom-model", form(&["prompt=a cat", CUSTOM_MODEL], &[])),
        ("/v2/image/precise-edit/ideogram-4-5", form(&["prompt=a hat"], &["image", "mask", "reference_images"])),
        ("/v2/image/inpaint/ideogram-3", form(&["prompt=a hat"], &["image", "mask"])),
        ("/v2/image/remix/ideogram-4", form(&["prompt=a hat", "image_weight=1"], &["image"])),
        ("/v2/image/reframe/ideogram-3", form(&["resolution=1536x512"], &["image"])),
        ("/v2/image/remove-background/ideogram-1", form(&["private=true"], &["image"])),
        ("/v2/image/upscale/auto", form(&["upscale_factor=x8"], &["image"])),
        ("/v2/image/describe/ideogram-4", form(&["include_bbox=false"], &["image"])),
    ]
}

#[tokio::test]
async fn every_response_fits_the_document() {
    let mut session = Session::new().await;
    let training = |name: &str| json!({"dataset_id": "demo", "model_name": name});

    session.call(session.get("/datasets"), 200).await;
    session.call(session.get("/datasets/demo"), 200).await;
    let created = session.call(session.post("/datasets").json(&json!({"name": "new"})), 200).await;
    let dataset = format!("/datasets/{}", created["dataset_id"].as_str().unwrap());
    session.call(session.get("/datasets"), 200).await;
    session.call(session.get(&dataset), 200).await;
    let form = Form::new().part("files", image().file_name("a.webp")).part("files", image().file_name("a.zip"));
    session.call(session.post(&format!("{dataset}/upload_assets")).multipart(form), 200).await;
    session.call(session.get(&dataset), 200).await;
    for name in ["lanterns", "errored lanterns"] {
        let trained = session.call(session.post("/v1/ideogram-v3/train-model").json(&training(name)), 200).await;
        let model = format!("/models/{}", trained["model_id"].as_str().unwrap());
        for hours in 0..3 {
            session.caller.server.advance(std::time::Duration::from_secs(hours * 3600));
            session.call(session.get(&model), 200).await;
        }
    }
    session.call(session.get("/models"), 200).await;
    for (path, form) in forms() {
        session.call(session.post(path).multipart(form), 200).await;
    }
    let request = json!({"image_request": {"prompt": "a cat", "num_images": 2, "color_palette": {"name": "EMBER"}}});
    session.call(session.post("/generate").json(&request), 200).await;
    let short = json!({"text_prompt": "a sign that says \"open\""});
    session.call(session.post("/v1/ideogram-v4/magic-prompt").json(&short), 200).await;

    for (path, more) in [
        ("/v2/image/generate/ideogram-4", json!({"resolution": "512x1536", "num_images": 2, "magic_prompt": "on"})),
        ("/v2/image/generate/ideogram-4-transparent", json!({"aspect_ratio": "1x4", "output_resolution": "2k"})),
        (
            "/v2/image/generate/ideogram-4-custom-model",
            json!({"custom_model_uri": "model/paper-lanterns/version/1", "stacked_custom_models": [
                {"custom_model_uri": "model/paper-lanterns/version/1", "weight": 0.5},
            ]}),
        ),
    ] {
        let mut request = json!({"prompt": "a cat"});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        session.call(session.post(path).json(&request), 200).await;
    }
    for (prompt, status) in [("a forest", "completed"), ("an errored forest", "failed")] {
        let form = Form::new().text("prompt", prompt).part("image", image().file_name("a.webp"));
        let started = session.post("/v2/image/replace-background/ideogram-3").multipart(form);
        let id = session.call(started, 200).await["generation_id"].as_str().unwrap().to_owned();
        let path = format!("/v2/generations/{id}");
        let ended = session.call(session.get(&path), 200).await;
        assert_eq!((&ended["status"], ended["data"].is_array()), (&json!(status), status == "completed"));
    }
    session.call(session.get("/v2/generations/nothing"), 404).await;
    session.call(session.get("/v1/.well-known/jwks.json"), 200).await;
    let usage = "/v2/account/usage?start_time=2026-07-01T00:00:00Z";
    let report = session.call(session.get(usage), 200).await;
    let line_items: Vec<_> =
        report["buckets"].as_array().unwrap().iter().filter_map(|bucket| bucket["line_items"].as_array()).collect();
    assert!(line_items.iter().map(|items| items.len()).sum::<usize>() >= 15, "{report}");
    session.call(session.get(&format!("{usage}&bucket_width=1h&sources=app")), 200).await;
    session.call(session.get("/v2/account/usage?start_time=2020-01-01T00:00:00Z"), 400).await;

    session.call(session.get("/nothing"), 404).await;
    session.call(session.get("/datasets/nothing"), 404).await;
    session.call(session.post("/models"), 405).await;
    session.call(session.post("/datasets"), 415).await;
    session.call(session.post("/datasets").json(&json!({})), 400).await;
    let too_few = json!({"dataset_id": created["dataset_id"], "model_name": "lanterns"});
    session.call(session.post("/v1/ideogram-v3/train-model").json(&too_few), 400).await;
    for (scenario, status) in [
        (Scenario::Declines, 422),
        (Scenario::PaymentRequired, 402),
        (Scenario::RateLimitedOnce { retry_after: None }, 429),
        (Scenario::ServerErrorOnce { status: 503 }, 503),
    ] {
        session.caller.server.set_scenario(scenario);
        session.call(session.post("/v1/ideogram-v3/train-model").json(&training("lanterns")), status).await;
    }

    // The response of an operation without a handler is the example of the document, which another test checks.
    let handlers = include_str!("../../src/handlers/mod.rs");
    let ids = DOCUMENT.lines().filter_map(|line| line.trim().strip_prefix("operationId: "));
    let with_handler = ids.filter(|id| handlers.contains(&format!("\"{id}\"")));
    let missing: Vec<_> = with_handler.filter(|id| !session.succeeded.contains(*id)).collect();
    assert!(missing.is_empty(), "call these operations in `tests/server/every_operation.rs`: {missing:?}");
}
