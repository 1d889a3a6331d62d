//! Handlers that create images, from prompts and from other images.
//!
//! All operations share one function: prompt, seed and size define an image; the document defines how many images and
//! which sizes there are. Only operations that differ have a function of their own.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    models,
    sources::{check, is_marked, options, source_size, subject, unreadable},
};
use crate::{
    clock::wire,
    document::Document,
    images::{Background, ImageSpec, MAX_SIDE},
    reply::Reply,
    request::Call,
    service::Service,
    size::Size,
    token::{fingerprint, scramble},
};

/// The minimum side of an image in pixels: the pattern of `upscaled_resolution` requires two digits for a side.
const MIN_SIDE: u32 = 10;

/// Texts that magic prompt appends.
const EMBELLISHMENTS: [&str; 4] = [
    "in soft morning light",
    "as a finely detailed illustration",
    "against a wide open sky",
    "with warm, muted colors",
];

/// Properties of the images of one call.
pub(super) struct Plan {
    pub(super) size: Size,
    pub(super) upscaled: Option<Size>,
    pub(super) style: Option<Value>,
    pub(super) background: Background,
}

impl Plan {
    pub(super) fn of(call: &Call) -> Self {
        Self { size: size(call), upscaled: None, style: None, background: Background::Sky }
    }
}

/// Handles generate and remix with Ideogram 4.0.
pub(super) fn v4(service: &Service, call: &Call) -> Result<Value, Reply> {
    refuse_flash(call)?;
    let mut response = respond(service, call, &Plan::of(call))?;
    response["response_type"] = json!("url");
    Ok(response)
}

/// Handles all operations of Ideogram 3.0 except those below.
pub(super) fn v3(service: &Service, call: &Call) -> Result<Value, Reply> {
    let options = options(call);
    let has_model = has_custom_model(service, call)?;
    let style = match options.get("style_type") {
        Some(style) => Some(style.clone()),
        None if has_model => Some(json!("CUSTOM")),
        None => options.get("style_codes").is_none().then(|| json!("GENERAL")),
    };
    respond(service, call, &Plan { style, ..Plan::of(call) })
}

/// Returns whether a call names a custom model; refuses one that is not ready.
pub(super) fn has_custom_model(service: &Service, call: &Call) -> Result<bool, Reply> {
    match options(call)["custom_model_uri"].as_str() {
        Some(uri) if !models::is_ready(service, uri) => {
            Err(Reply::error(StatusCode::BAD_REQUEST, "The custom model does not exist or is not ready."))
        }
        model => Ok(model.is_some()),
    }
}

/// The number in a factor such as `x4` or `X4`.
pub(super) fn upscale_factor(factor: &Value) -> Option<u32> {
    factor.as_str()?.trim_start_matches(['x', 'X']).parse().ok()
}

/// Handles generate with a transparent background.
pub(super) fn transparent(service: &Service, call: &Call) -> Result<Value, Reply> {
    refuse_flash(call)?;
    let plan = Plan { background: Background::Transparent, ..Plan::of(call) };
    let factor = upscale_factor(&options(call)["upscale_factor"]).unwrap_or(1);
    let upscaled = (factor > 1).then(|| plan.size.times(factor));
    respond(service, call, &Plan { upscaled, ..plan })
}

/// Handles edit by instruction.
pub(super) fn edit(service: &Service, call: &Call) -> Result<Value, Reply> {
    let now = service.now();
    let links = options(call)["image_urls"].as_array().into_iter().flatten();
    if !links.filter_map(Value::as_str).all(|link| service.links.accepts(link, now)) {
        return Err(unreadable());
    }
    let is_transparent = options(call)["transparent_background"] == true;
    let background = if is_transparent { Background::Transparent } else { Background::Sky };
    respond(service, call, &Plan { background, ..Plan::of(call) })
}

/// Handles the legacy operations.
pub(super) fn legacy(service: &Service, call: &Call) -> Result<Value, Reply> {
    respond(service, call, &Plan { style: options(call).get("style_type").cloned(), ..Plan::of(call) })
}

/// Handles the legacy edit, which works with the 2.0 models only.
pub(super) fn legacy_edit(service: &Service, call: &Call) -> Result<Value, Reply> {
    match call.text("model") {
        "V_2" | "V_2_TURBO" => legacy(service, call),
        model => {
            let text = format!("The model {model} does not support editing.");
            Err(Reply::error(StatusCode::BAD_REQUEST, &text))
        }
    }
}

/// Doubles the size of an image, up to the maximum.
pub(super) fn upscale(service: &Service, call: &Call) -> Result<Value, Reply> {
    respond(service, call, &upscaled(call, 2))
}

/// Returns a plan whose images are enlarged, up to the maximum.
pub(super) fn upscaled(call: &Call, factor: u32) -> Plan {
    let plan = Plan::of(call);
    let size = plan.size.times(factor).within(MAX_SIDE).at_least(MIN_SIDE);
    Plan { upscaled: Some(size), ..plan }
}

pub(super) fn remove_background(service: &Service, call: &Call) -> Result<Value, Reply> {
    let mut response = respond(service, call, &Plan { background: Background::Transparent, ..Plan::of(call) })?;
    response["data"] = only(&response["data"], &["url", "is_image_safe"]);
    Ok(response)
}

/// Returns images with these properties alone.
pub(super) fn only(images: &Value, names: &[&str]) -> Value {
    let property = |image: &Value, name: &str| (name.to_owned(), image[name].clone());
    let image = |image: &Value| -> Value { names.iter().map(|name| property(image, name)).collect() };
    images.as_array().into_iter().flatten().map(image).collect()
}

/// Returns text blocks derived from the subject of an image, and two images of the same size.
pub(super) fn layerize_text(service: &Service, call: &Call) -> Result<Value, Reply> {
    check(call)?;
    let now = service.now();
    let (text, size, seed) = (subject(call), size(call), first_seed(service, call));
    let link = |about: &str, background| service.links.issue(image(about, seed, size, background), now);
    let blocks =
        [("heading", text.to_uppercase(), 10, "bold"), ("caption", format!("A {text}\nby the mock"), 70, "italic")];
    let block = |(role, text, top, formatting)| {
        let [x, y, width, height] = [(size.width, 10), (size.height, top), (size.width, 80), (size.height, 20)]
            .map(|(side, percent)| u64::from(side) * percent / 100);
        json!({
            "x": x, "y": y, "width": width, "height": height,
            "text": text, "alignment": "center", "formatting": [formatting], "angle": 0.0,
            "font_name": "Inter", "font_alternatives": ["Roboto"], "font_size": height / 2, "line_height": 1.2,
            "color": "#212121", "role": role,
        })
    };
    Ok(json!({
        "base_image_url": link(&text, Background::Sky),
        "original_image_url": link(&format!("{text} with its text"), Background::Sky),
        "seed": seed,
        "text_blocks": blocks.map(block),
    }))
}

/// Returns the response that all operations share.
pub(super) fn respond(service: &Service, call: &Call, plan: &Plan) -> Result<Value, Reply> {
    check(call)?;
    let now = service.now();
    let (prompt, first_seed) = (used_prompt(call), first_seed(service, call));
    let image = |index| {
        let seed = seed_from(u64::from(first_seed) + u64::from(index));
        let is_safe = !is_withheld(call, index);
        let image = image(&prompt, seed, plan.upscaled.unwrap_or(plan.size), plan.background);
        let mut response = json!({
            "prompt": prompt,
            "resolution": plan.size.to_string(),
            "is_image_safe": is_safe,
            "seed": seed,
            "url": is_safe.then(|| service.links.issue(image, now)),
        });
        let upscaled = plan.upscaled.map(|size| json!(size.to_string()));
        for (name, value) in [("upscaled_resolution", upscaled), ("style_type", plan.style.clone())] {
            if let Some(value) = value {
                response[name] = value;
            }
        }
        response
    };
    let count = call.operation.images.count(&call.body);
    Ok(json!({"created": wire(now), "data": (0..count).map(image).collect::<Vec<_>>()}))
}

fn image(prompt: &str, seed: u32, size: Size, background: Background) -> ImageSpec {
    let prompt_hash = u32::try_from(fingerprint(prompt) >> 32).expect("32 bits");
    ImageSpec { prompt_hash, seed, size: size.within(MAX_SIDE), background }
}

/// Returns the seed of the first image: the one in the request, or one that the server picks.
fn first_seed(service: &Service, call: &Call) -> u32 {
    let requested = options(call)["seed"].as_u64().and_then(|seed| seed.try_into().ok());
    requested.unwrap_or_else(|| seed_from(scramble(service.links.issued().into()) >> 33))
}

/// Returns a seed from any number: seeds wrap around to zero.
fn seed_from(number: u64) -> u32 {
    let seeds = u64::from(Document::embedded().max_seed()) + 1;
    u32::try_from(number % seeds).expect("the maximum has 32 bits")
}

/// Returns the size before upscaling: as requested, or the operation's nearest to the ratio or to the source image.
fn size(call: &Call) -> Size {
    let options = options(call);
    let requested = |name: &str| options[name].as_str().and_then(Size::read);
    if let Some(size) = requested("resolution").or_else(|| requested("size")) {
        return size;
    }
    let source = source_size(call).map(|size| size.within(MAX_SIDE)).filter(|_| !call.operation.takes_ratio);
    let shape = requested("aspect_ratio").map(Size::enlarged).or(source).unwrap_or(Size::SQUARE);
    shape.nearest_in(&call.operation.sizes).unwrap_or_else(|| shape.at_least(MIN_SIDE))
}

/// Returns the prompt in use: magic prompt rewrites it when it is on, and always for the `text_prompt` of 4.0.
fn used_prompt(call: &Call) -> String {
    let (subject, options) = (subject(call), options(call));
    let is_on =
        ["magic_prompt", "magic_prompt_option"].iter().any(|name| options[name] == "ON" || options[name] == "on");
    if !is_on && options["text_prompt"].is_null() {
        return subject;
    }
    let choice = fingerprint(&subject) % 4;
    let embellishment = EMBELLISHMENTS[usize::try_from(choice).expect("one of four")];
    format!("{}, {embellishment}.", subject.trim_end_matches(['.', ' ']))
}

/// Returns whether the safety check withholds an image: all images of a marked call, or every second one.
fn is_withheld(call: &Call, index: u32) -> bool {
    let mut names = call.files.iter().map(|file| &*file.file_name);
    let subject = subject(call);
    let marked = is_marked(&subject, "withheld") || names.any(|name| is_marked(name, "withheld"));
    marked && (index % 2 == 1 || !is_marked(&subject, "some withheld"))
}

fn refuse_flash(call: &Call) -> Result<(), Reply> {
    if options(call)["rendering_speed"] == "FLASH" {
        return Err(Reply::error(StatusCode::BAD_REQUEST, "This operation does not support the speed FLASH."));
    }
    Ok(())
}
