//! Handlers of the second API version: generations, which have ids, and the report of usage and costs.

use std::{sync::Arc, task::Poll};

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    images::{Plan, has_custom_model, only, respond, upscale_factor, upscaled},
    sources::{check, is_marked, subject},
};
use crate::{
    clock::{later, wire},
    document::Document,
    images::Background,
    reply::Reply,
    request::Call,
    service::Service,
    size::Size,
    state::{Charge, Generation},
    webhook::{self, Webhook},
};

/// The prices of an image in millionths of a US dollar, as quoted by the service on 2026-10-10: by operation, and by
/// `quality` where the operation has it.
const PRICES: [(&str, &str, u64); 10] = [
    ("post_generate_image_v2_ideogram45", "very_low", 8_000),
    ("post_generate_image_v2_ideogram45", "low", 30_000),
    ("post_generate_image_v2_ideogram45", "medium", 60_000),
    ("post_generate_image_v2_ideogram45", "high", 100_000),
    ("post_precise_edit_image_v2_ideogram45", "very_low", 8_000),
    ("post_precise_edit_image_v2_ideogram45", "low", 30_000),
    ("post_precise_edit_image_v2_ideogram45", "medium", 60_000),
    ("post_precise_edit_image_v2_ideogram45", "high", 220_000),
    ("post_remove_background_v2", "", 10_000),
    (UPSCALE, "", 251_659),
];
/// Quoted for most operations of the 3.0 and 4.0 models. Custom models and descriptions were not quoted, and cost the
/// same here.
const OTHER_PRICE: u64 = 60_000;

/// The operation whose price depends on what it makes, so that a quote is an estimate.
const UPSCALE: &str = "post_upscale";

/// The maximum number of buckets in a usage report, of a day and of an hour.
const MAX_DAYS: usize = 92;
const MAX_HOURS: usize = 168;

/// Whether a call asks for its price.
pub(crate) fn is_quote(call: &Call) -> bool {
    call.operation.quote.as_ref().and_then(|name| call.query.get(name)).is_some_and(|value| *value == true)
}

/// Whether the response of a call has only an id, and its images come later.
pub(crate) fn is_job(call: &Call) -> bool {
    call.operation.job.as_ref().is_some_and(|job| job.is_for(&call.body))
}

/// Returns the price of a call. Nothing is made, stored or checked for safety.
pub(crate) fn quote(call: &Call) -> Value {
    let count = u64::from(call.operation.images.count(&call.body).max(1));
    let micros = price(call) * count;
    let identifier = call.operation.id.trim_start_matches("post_");
    let is_estimate = call.operation.id == UPSCALE;
    let mut quote = json!({
        "object": "price_quote", "billing_identifier": identifier, "quantity": count, "usd_micros": micros,
        "credit_millis": micros / 10, "qualifier": if is_estimate { "estimate" } else { "exact" },
    });
    if is_estimate {
        quote["upper_bound_usd_micros"] = json!(micros * 4);
    }
    quote
}

/// The price of an image of a call in millionths of a US dollar.
fn price(call: &Call) -> u64 {
    let is_edit = call.files.iter().any(|file| file.part == "images");
    let is_high = call.operation.id == "post_generate_image_v2_ideogram45" && !is_edit;
    let quality = call.body["quality"].as_str().unwrap_or(if is_high { "high" } else { "medium" });
    let is_it = |(id, of, _): &&(&str, &str, u64)| *id == call.operation.id && (of.is_empty() || *of == quality);
    PRICES.iter().find(is_it).map_or(OTHER_PRICE, |(_, _, price)| *price)
}

/// Handles the operations whose images have no further properties.
pub(super) fn generate(service: &Service, call: &Call) -> Result<Value, Reply> {
    has_custom_model(service, call)?;
    let is_transparent = call.operation.id.contains("transparent");
    let background = if is_transparent { Background::Transparent } else { Background::Sky };
    let response = respond(service, call, &Plan { background, ..Plan::of(call) })?;
    let mut generation = stored(service, call, &response["data"])?;
    if call.operation.id.ends_with("ideogram45") {
        generation["generation_kind"] = json!("sampling");
    }
    Ok(accepted(call, generation))
}

/// Handles inpaint, whose response also has the size of the images.
pub(super) fn inpaint(service: &Service, call: &Call) -> Result<Value, Reply> {
    let response = respond(service, call, &Plan::of(call))?;
    Ok(accepted(call, with_size(stored(service, call, &response["data"])?)))
}

pub(super) fn upscale(service: &Service, call: &Call) -> Result<Value, Reply> {
    let factor = upscale_factor(&call.body["upscale_factor"]).unwrap_or(2);
    let mut response = respond(service, call, &upscaled(call, factor))?;
    for image in response["data"].as_array_mut().into_iter().flatten() {
        *image = json!({
            "url": image["url"], "resolution": image["upscaled_resolution"], "is_image_safe": image["is_image_safe"],
            "seed": image["seed"],
        });
    }
    Ok(accepted(call, with_size(stored(service, call, &response["data"])?)))
}

/// Fails after the response has begun for an image that is named so, unless it runs as a job.
pub(super) fn remove_background(service: &Service, call: &Call) -> Result<Value, Reply> {
    if !is_job(call) && is_marked(&subject(call), "errored") {
        return Ok(json!({"error": "The image could not be processed.", "status_code": 500}));
    }
    let response = respond(service, call, &Plan { background: Background::Transparent, ..Plan::of(call) })?;
    let id = store_generation(service, call, &only(&response["data"], &["url", "is_image_safe", "resolution"]))?;
    Ok(accepted(call, json!({"generation_id": id, "data": only(&response["data"], &["url", "is_image_safe"])})))
}

/// Starts a generation; `get` returns its images once it has ended.
pub(super) fn replace_background(service: &Service, call: &Call) -> Result<Value, Reply> {
    let response = respond(service, call, &Plan::of(call))?;
    Ok(json!({"generation_id": store_generation(service, call, &response["data"])?}))
}

/// Stores a generation, and returns it with its images.
fn stored(service: &Service, call: &Call, data: &Value) -> Result<Value, Reply> {
    Ok(json!({"generation_id": store_generation(service, call, data)?, "seed": data[0]["seed"], "data": data}))
}

/// The response to a call: without its images if it is a job.
fn accepted(call: &Call, mut response: Value) -> Value {
    if is_job(call)
        && let Some(response) = response.as_object_mut()
    {
        response.remove("data");
    }
    response
}

pub(super) fn describe(service: &Service, call: &Call) -> Result<Value, Reply> {
    check(call)?;
    let json_prompt = super::words::describe_v4(service, call)?["json_prompt"].take();
    let id = store_generation(service, call, &json!([]))?;
    Ok(json!({"created": wire(service.now()), "description_id": id, "json_prompt": json_prompt}))
}

pub(super) fn get(service: &Service, call: &Call) -> Result<Value, Reply> {
    state_of(service, call.variable("generation_id"))
}

/// Returns the state of a generation, with its images once it has ended.
fn state_of(service: &Service, id: &str) -> Result<Value, Reply> {
    let now = service.now();
    service.store.read(|state| {
        let found = state.generations.iter().find(|generation| generation.id == id);
        let generation = found.ok_or_else(|| Reply::not_found("Generation not found."))?;
        let (poll, status) = (Document::embedded().poll(), status(generation, now));
        let mut response = json!({"generation_id": id, &poll.status: status, "created": wire(generation.created)});
        if status == poll.failed {
            response[&poll.reason] = json!("content_policy_violation");
        } else if status == poll.completed {
            response["response_type"] = json!("url");
            response["data"] = generation.data.clone();
            for item in response["data"].as_array_mut().into_iter().flatten() {
                if item["prompt"].is_null() || item["seed"].is_null() {
                    item["object_type"] = json!("image.without-prompt-or-seed");
                }
            }
        }
        Ok(response)
    })
}

/// The state of a generation, as the service names it.
pub(crate) fn status(generation: &Generation, now: Timestamp) -> &'static str {
    let poll = Document::embedded().poll();
    match generation {
        _ if generation.is_in_flight || now < generation.ends => "pending",
        Generation { fails: true, .. } => &poll.failed,
        Generation { .. } => &poll.completed,
    }
}

/// Marks a job as ended.
pub(crate) fn end(service: &Service, id: &str) {
    let ended: Result<(), Reply> = service.store.change(|state| {
        for generation in state.generations.iter_mut().filter(|generation| generation.id == id) {
            Arc::make_mut(generation).is_in_flight = false;
        }
        Ok(())
    });
    // Only the file of the state can fail, and then the next change reports it.
    drop(ended);
}

/// Returns the webhook that a call asks for.
pub(crate) fn webhook(call: &Call) -> Result<Option<Webhook>, Reply> {
    let address = call.operation.job.as_ref().and_then(|job| job.webhook(&call.body));
    let Some(address) = address else { return Ok(None) };
    let subject = subject(call);
    let webhook = Webhook::new(address, |word| is_marked(&subject, word));
    webhook.map(Some).map_err(|reason| Reply::problem(StatusCode::BAD_REQUEST, &reason))
}

/// Returns the body of the webhook of a job: `Pending` while it runs, and `Ready(None)` if it will never have one.
pub(crate) fn webhook_body(service: &Service, id: &str) -> Poll<Option<Value>> {
    let poll = Document::embedded().poll();
    match state_of(service, id) {
        Ok(state) if state[&poll.status] == poll.completed => {
            Poll::Ready(Some(json!({"generation_id": id, "created": state["created"], "data": state["data"]})))
        }
        Ok(state) if state[&poll.status] != poll.failed => Poll::Pending,
        _ => Poll::Ready(None),
    }
}

/// Whether a job never ends.
pub(crate) fn hangs(call: &Call) -> bool {
    is_job(call) && is_marked(&subject(call), "hanging")
}

/// Stores a generation with its images and what it costs, and returns its id.
fn store_generation(service: &Service, call: &Call, data: &Value) -> Result<String, Reply> {
    let (created, is_job) = (service.now(), is_job(call));
    let ends = if is_job { later(created, service.settings.job_time) } else { created };
    let fails = is_job && is_marked(&subject(call), "errored");
    let count = data.as_array().map_or(0, Vec::len).max(1) as u64;
    service.store.change(|state| {
        let id = state.new_id();
        let data = data.clone();
        let generation = Generation { id: id.clone(), created, ends, is_in_flight: is_job, fails, data };
        state.generations.push(Arc::new(generation));
        if !fails && !hangs(call) {
            let endpoint = call.operation.path.clone();
            state.charges.push(Arc::new(Charge { time: created, endpoint, count, price: price(call) }));
        }
        Ok(id)
    })
}

fn with_size(mut generation: Value) -> Value {
    if let Some(size) = generation["data"][0]["resolution"].as_str().and_then(Size::read) {
        generation["width"] = json!(size.width);
        generation["height"] = json!(size.height);
    }
    generation
}

/// Handles the usage report, in buckets of a day or an hour.
pub(super) fn usage(service: &Service, call: &Call) -> Result<Value, Reply> {
    let time = |name: &str| call.query.get(name).and_then(Value::as_str).map(str::parse::<Timestamp>).transpose();
    let refusal = |text: &str| Reply::error(StatusCode::BAD_REQUEST, text);
    let times = (time("start_time"), time("end_time"));
    let (Ok(Some(start)), Ok(end)) = times else { return Err(refusal("A time could not be read.")) };
    let is_hourly = call.query.get("bucket_width").is_some_and(|width| width == "1h");
    let (seconds, max_buckets) = if is_hourly { (3600, MAX_HOURS) } else { (86_400, MAX_DAYS) };
    let is_wanted = call.query.get("sources").and_then(Value::as_array).is_none_or(|list| list.contains(&json!("api")));
    let mut bucket = start.as_second().div_euclid(seconds) * seconds;
    let end = end.unwrap_or_else(|| service.now()).as_second();
    let mut buckets = Vec::new();
    service.store.read(|state| {
        while bucket < end {
            if buckets.len() == max_buckets {
                return Err(refusal("The time range is too long."));
            }
            let is_inside = |charge: &&Charge| (bucket..bucket + seconds).contains(&charge.time.as_second());
            let items = state.charges.iter().map(AsRef::as_ref).filter(is_inside).filter(|_| is_wanted).map(line_item);
            let at = |second| Timestamp::from_second(second).map(wire).map_err(|_| refusal("A time is out of range."));
            buckets.push(json!({
                "start_time": at(bucket)?, "end_time": at(bucket + seconds)?, "line_items": items.collect::<Vec<_>>(),
            }));
            bucket += seconds;
        }
        Ok(())
    })?;
    Ok(json!({ "buckets": buckets }))
}

fn line_item(charge: &Charge) -> Value {
    json!({
        "product": "image",
        "endpoint": charge.endpoint,
        "description": format!("Images by {}", charge.endpoint),
        "cost_total": dollars(charge.price * charge.count),
        "currency_code": "USD",
        "source": "api",
        "billed_units": {"quantity": charge.count.to_string(), "unit": "image", "unit_price": dollars(charge.price)},
    })
}

/// Formats millionths of a dollar as a decimal number.
fn dollars(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(super) fn signing_keys(_: &Service, _: &Call) -> Result<Value, Reply> {
    let (x, kid) = (webhook::PUBLIC_KEY, webhook::KEY_ID);
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "alg": "EdDSA", "use": "sig"});
    Ok(json!({"keys": [key]}))
}
