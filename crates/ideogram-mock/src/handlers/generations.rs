//! Handlers of the second API version: generations, which have ids, and the report of usage and costs.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Service,
    images::{Plan, has_custom_model, respond, upscaled},
    sources::{check, is_marked, subject},
};
use crate::{
    clock::{later, wire},
    images::Background,
    reply::Reply,
    request::Call,
    state::{Charge, Generation},
};

/// The price of an image in millionths of a US dollar, by operation, as quoted by the service on 2026-10-10 for requests
/// without options.
const PRICES: [(&str, u64); 3] =
    [("post_generate_image_v2_ideogram45", 100_000), ("post_remove_background_v2", 10_000), ("post_upscale", 251_659)];
/// The price of all other operations. The service gave no quote for custom models and descriptions; the mock server
/// charges the same for them.
const OTHER_PRICE: u64 = 60_000;

/// How long a generation takes if the response does not contain its images, in service time.
const JOB_TIME: Duration = Duration::from_secs(10);

/// Most buckets in a usage report, of a day and of an hour.
const MAX_DAYS: usize = 92;
const MAX_HOURS: usize = 168;

/// The public key of RFC 8037, appendix A.
const SIGNING_KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// Handles the operations whose response contains the images.
pub(super) fn generate(service: &Service, call: &Call) -> Result<Value, Reply> {
    has_custom_model(service, call)?;
    let is_transparent = call.operation.id.contains("transparent");
    let background = if is_transparent { Background::Transparent } else { Background::Sky };
    let response = respond(service, call, &Plan { background, ..Plan::of(call) })?;
    let (id, data) = (record(service, call, &response, false)?, &response["data"]);
    let mut generation = json!({"generation_id": id, "seed": data[0]["seed"], "data": data});
    if call.operation.id.ends_with("ideogram45") {
        generation["generation_kind"] = json!("sampling");
    }
    Ok(generation)
}

/// Handles inpaint, whose response also has the size of the images.
pub(super) fn inpaint(service: &Service, call: &Call) -> Result<Value, Reply> {
    let generation = generate(service, call)?;
    Ok(with_size(generation))
}

pub(super) fn upscale(service: &Service, call: &Call) -> Result<Value, Reply> {
    let factor = match call.body["upscale_factor"].as_str() {
        Some("x4") => 4,
        Some("x8") => 8,
        _ => 2,
    };
    let mut response = respond(service, call, &upscaled(call, factor))?;
    for image in response["data"].as_array_mut().into_iter().flatten() {
        *image = json!({
            "url": image["url"], "resolution": image["upscaled_resolution"], "is_image_safe": image["is_image_safe"],
            "seed": image["seed"],
        });
    }
    let id = record(service, call, &response, false)?;
    Ok(with_size(json!({"generation_id": id, "seed": response["data"][0]["seed"], "data": response["data"]})))
}

/// Handles remove-background. The marker `errored` in the file name causes an error inside a response with status 200.
pub(super) fn remove_background(service: &Service, call: &Call) -> Result<Value, Reply> {
    if is_marked(&subject(call), "errored") {
        return Ok(json!({"error": "The image could not be processed.", "status_code": 500}));
    }
    let mut response = respond(service, call, &Plan { background: Background::Transparent, ..Plan::of(call) })?;
    for image in response["data"].as_array_mut().into_iter().flatten() {
        *image = json!({"url": image["url"], "is_image_safe": image["is_image_safe"]});
    }
    Ok(json!({"generation_id": record(service, call, &response, false)?, "data": response["data"]}))
}

/// Starts a generation; `get` returns its images once it has ended.
pub(super) fn replace_background(service: &Service, call: &Call) -> Result<Value, Reply> {
    let response = respond(service, call, &Plan::of(call))?;
    Ok(json!({"generation_id": record(service, call, &response, true)?}))
}

pub(super) fn describe(service: &Service, call: &Call) -> Result<Value, Reply> {
    check(call)?;
    let json_prompt = super::words::describe_v4(service, call)?["json_prompt"].take();
    let id = record(service, call, &json!({"data": []}), false)?;
    Ok(json!({"created": wire(service.now()), "description_id": id, "json_prompt": json_prompt}))
}

pub(super) fn get(service: &Service, call: &Call) -> Result<Value, Reply> {
    let (id, now) = (call.variable("generation_id"), service.now());
    service.store.read(|state| {
        let found = state.generations.iter().find(|generation| generation.id == id);
        let generation = found.ok_or_else(|| Reply::not_found("Generation not found."))?;
        let mut response = json!({"generation_id": id, "status": "pending", "created": wire(generation.created)});
        if now < generation.ends {
            return Ok(response);
        }
        if generation.fails {
            response["status"] = json!("failed");
            response["failure_reason"] = json!("content_policy_violation");
        } else {
            response["status"] = json!("completed");
            response["response_type"] = json!("url");
            response["data"] = generation.data.clone();
        }
        Ok(response)
    })
}

/// Stores a generation and its charge, and returns its id.
fn record(service: &Service, call: &Call, response: &Value, is_slow: bool) -> Result<String, Reply> {
    let created = service.now();
    let ends = if is_slow { later(created, JOB_TIME) } else { created };
    let fails = is_slow && is_marked(&subject(call), "errored");
    let count = response["data"].as_array().map_or(0, Vec::len).max(1);
    let price = PRICES.iter().find(|(id, _)| *id == call.operation.id).map_or(OTHER_PRICE, |(_, price)| *price);
    service.store.change(|state| {
        let id = state.new_id();
        let data = response["data"].clone();
        state.generations.push(Generation { id: id.clone(), created, ends, fails, data });
        if !fails {
            let endpoint = call.operation.path.to_string();
            state.charges.push(Charge { time: created, endpoint, count: count as u64, price });
        }
        Ok(id)
    })
}

fn with_size(mut generation: Value) -> Value {
    let resolution = generation["data"][0]["resolution"].as_str().unwrap_or_default().to_owned();
    let sides = resolution.split_once('x').map(|(width, height)| (width.parse::<u32>(), height.parse::<u32>()));
    if let Some((Ok(width), Ok(height))) = sides {
        generation["width"] = json!(width);
        generation["height"] = json!(height);
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
            let items = state.charges.iter().filter(is_inside).filter(|_| is_wanted).map(line_item);
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
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": SIGNING_KEY, "kid": "mock", "alg": "EdDSA", "use": "sig"});
    Ok(json!({"keys": [key]}))
}
