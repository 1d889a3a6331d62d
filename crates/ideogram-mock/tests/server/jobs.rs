//! Jobs, and prices of calls that are not made.

use std::time::Duration;

use ideogram_mock::{MockServer, Scenario};
use reqwest::multipart::Form;
use serde_json::{Value, json};

use crate::caller::{Caller, Response, with_png};

const GENERATE: &str = "/v2/image/generate/ideogram-4-5";

/// A form that every operation with an image takes.
fn form(prompt: Option<&str>, name: &'static str) -> Form {
    let form = prompt.map_or_else(Form::new, |prompt| Form::new().text("prompt", prompt.to_owned()));
    with_png(form, "image", name, (64, 64))
}

async fn state(caller: &Caller, accepted: &Response) -> Value {
    let id = accepted.body["generation_id"].as_str().unwrap();
    caller.get(&format!("/v2/generations/{id}")).await.body
}

/// What was billed, in millionths of a dollar.
async fn billed(caller: &Caller) -> u64 {
    let usage = caller.get("/v2/account/usage?start_time=2026-06-01T00:00:00Z&end_time=2026-07-03T00:00:00Z").await;
    let items = usage.body["buckets"].as_array().unwrap().iter().flat_map(|it| it["line_items"].as_array().unwrap());
    items.map(|item| item["cost_total"].as_str().unwrap().replace('.', "").parse::<u64>().unwrap()).sum()
}

#[tokio::test]
async fn every_operation_that_can_run_as_a_job_does() {
    let caller = Caller::with(MockServer::builder().job_time(Duration::from_secs(20))).await;
    let uri = "model/paper-lanterns/version/1";
    for (path, more) in [
        ("generate/ideogram-4-5", json!({})),
        ("generate/ideogram-4", json!({})),
        ("generate/ideogram-4-transparent", json!({})),
        ("generate/ideogram-4-custom-model", json!({"custom_model_uri": uri})),
        ("generate/ideogram-3", json!({})),
        ("generate/ideogram-3-custom-model", json!({"custom_model_uri": uri})),
        ("precise-edit/ideogram-4-5", json!(null)),
        ("inpaint/ideogram-3", json!("mask")),
        ("remix/ideogram-4", json!(null)),
        ("reframe/ideogram-3", json!({"resolution": "1024x1024", "image": true})),
        ("replace-background/ideogram-3", json!(null)),
        ("remove-background/ideogram-1", json!({"image": true})),
        ("upscale/auto", json!({"image": true})),
    ] {
        let address = format!("/v2/image/{path}");
        let prompt = more.get("image").is_none().then_some("a cat");
        let is_always = path.starts_with("replace");
        let start = |is_job: bool| {
            let mut form = form(prompt, "a.png");
            for (name, value) in more.as_object().into_iter().flatten().filter(|(name, _)| *name != "image") {
                form = form.text(name.clone(), value.as_str().unwrap().to_owned());
            }
            if more == "mask" {
                form = with_png(form, "mask", "m.png", (64, 64));
            }
            if is_job && !is_always { form.text("async", "true") } else { form }
        };
        // Operations that only take JSON have no image.
        let is_json = path.starts_with("generate");
        let job = if is_json {
            let mut body = json!({"prompt": "a cat", "async": true});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let multipart = ["ideogram-4-5", "ideogram-3", "ideogram-3-custom-model"];
            if multipart.iter().any(|name| path.ends_with(name)) {
                let texts = body.as_object().unwrap().iter().map(|(name, value)| {
                    (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                });
                caller.post_form(&address, texts.fold(Form::new(), |form, (name, text)| form.text(name, text))).await
            } else {
                caller.post(&address, &body).await
            }
        } else {
            caller.post_form(&address, start(true)).await
        };

        assert_eq!(job.status, 200, "{path}: {}", job.body);
        assert!(job.body["generation_id"].is_string() && job.body.get("data").is_none(), "{path}: {}", job.body);
        let pending = state(&caller, &job).await;
        assert_eq!((&pending["status"], pending.get("data")), (&json!("pending"), None), "{path}");
        caller.server.advance(Duration::from_secs(20));
        let ended = state(&caller, &job).await;
        assert_eq!(
            (&ended["status"], ended["data"].as_array().map(Vec::len)),
            (&json!("completed"), Some(1)),
            "{path}"
        );
        assert!(ended["data"][0]["url"].is_string() && ended["data"][0]["resolution"].is_string(), "{path}: {ended}");
        if !is_json && !is_always {
            let call = caller.post_form(&address, start(false)).await;
            assert!(call.body["data"].is_array(), "{path}: {}", call.body);
        }
    }
}

#[tokio::test]
async fn a_webhook_makes_a_call_a_job() {
    let caller = Caller::new().await;

    let form = Form::new().text("prompt", "a cat").text("webhook_url", "http://127.0.0.1:9/webhook");
    let job = caller.post_form(GENERATE, form).await;

    assert_eq!((job.status.as_u16(), job.body.get("data")), (200, None));
    assert_eq!(state(&caller, &job).await["status"], "completed");
}

#[tokio::test]
async fn the_images_of_a_job_are_in_flight_until_it_has_ended() {
    let caller = Caller::with(MockServer::builder().generation_time(Duration::from_millis(300))).await;
    let submit = |count: &str| {
        let form = Form::new().text("prompt", "a cat").text("num_images", count.to_owned()).text("async", "true");
        caller.post_form(GENERATE, form)
    };

    let job = submit("8").await;
    let refused = submit("3").await;
    let mut polls = 0;
    while state(&caller, &job).await["status"] == "pending" {
        polls += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    assert_eq!((job.status.as_u16(), refused.status.as_u16()), (200, 429));
    assert!(polls > 0);
    assert_eq!(submit("8").await.status, 200);
}

#[tokio::test]
async fn a_failed_job_has_a_reason_and_is_not_billed() {
    let caller = Caller::new().await;
    let submit =
        |prompt: &str| caller.post_form(GENERATE, Form::new().text("prompt", prompt.to_owned()).text("async", "true"));

    let failed = state(&caller, &submit("an errored cat").await).await;
    let hanging = state(&caller, &submit("a hanging cat").await).await;
    caller.server.advance(Duration::from_secs(86_400));

    assert_eq!((&failed["status"], &failed["failure_reason"]), (&json!("failed"), &json!("content_policy_violation")));
    assert_eq!((&hanging["status"], hanging.get("failure_reason")), (&json!("pending"), None));
    assert_eq!(billed(&caller).await, 0);
    let _ = submit("a cat").await;
    assert_eq!(billed(&caller).await, 100_000);
}

#[tokio::test]
async fn a_price_is_returned_and_nothing_is_made_or_billed() {
    let caller = Caller::with(MockServer::builder().scenario(Scenario::PaymentRequired)).await;
    let quote = async |path: &str, form: Form| caller.post_form(&format!("/v2/image/{path}?dry_run=true"), form).await;
    let text = || Form::new().text("prompt", "a forbidden cat");

    for (path, form, usd_micros, qualifier) in [
        ("generate/ideogram-4-5", text(), 100_000, "exact"),
        ("generate/ideogram-4-5", text().text("quality", "low").text("num_images", "8"), 240_000, "exact"),
        ("generate/ideogram-4-5", with_png(text(), "images", "a.png", (64, 64)), 60_000, "exact"),
        ("generate/ideogram-3", text().text("num_images", "2"), 120_000, "exact"),
        ("precise-edit/ideogram-4-5", form(Some("a hat"), "a.png").text("quality", "very_low"), 8_000, "exact"),
        ("remove-background/ideogram-1", form(None, "a.png"), 10_000, "exact"),
        ("upscale/auto", form(None, "a.png"), 251_659, "estimate"),
    ] {
        let quoted = quote(path, form).await;

        assert_eq!(quoted.status, 200, "{path}: {}", quoted.body);
        assert_eq!((&quoted.body["object"], &quoted.body["usd_micros"]), (&json!("price_quote"), &json!(usd_micros)));
        assert_eq!(quoted.body["qualifier"], qualifier, "{path}");
        assert_eq!(quoted.body.get("upper_bound_usd_micros").is_some(), qualifier == "estimate", "{path}");
        assert!(quoted.body.get("generation_id").is_none(), "{path}");
    }
    assert_eq!(quote("generate/ideogram-4-5", Form::new()).await.status, 400);
    assert_eq!(caller.post_form(GENERATE, text()).await.status, 402, "a call costs, a quote does not");
    assert_eq!(billed(&caller).await, 0);
}
