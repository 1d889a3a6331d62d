//! Handlers that describe images and turn short prompts into structured ones.
//!
//! They do not read the pixels: the text follows from file name, prompt and size, and is deterministic.

use serde_json::{Value, json};

use super::sources::{check, options, source_size, subject};
use crate::{reply::Reply, request::Call, service::Service, size::Size, token::fingerprint};

pub(super) fn describe(_: &Service, call: &Call) -> Result<Value, Reply> {
    check(call)?;
    let subject = subject(call);
    let shape = match source_size(call) {
        Some(Size { width, height }) if width > height => "wide",
        Some(Size { width, height }) if width < height => "tall",
        _ => "square",
    };
    Ok(json!({"descriptions": [
        {"text": format!("A {shape} image of a {subject} in flat colors under a banded sky.")},
        {"text": format!("An illustration that shows a {subject}.")},
    ]}))
}

pub(super) fn describe_v4(_: &Service, call: &Call) -> Result<Value, Reply> {
    check(call)?;
    let with_boxes = options(call)["include_bbox"] != false;
    Ok(json!({"json_prompt": structured(&subject(call), with_boxes)}))
}

pub(super) fn magic_prompt(_: &Service, call: &Call) -> Result<Value, Reply> {
    check(call)?;
    let subject = subject(call);
    let mut prompt = structured(&subject, false);
    prompt["style_description"] = json!({
        "aesthetics": "calm, graphic",
        "lighting": "soft morning light",
        "medium": "illustration",
    });
    let ratio = match options(call)["aspect_ratio"].as_str() {
        Some(ratio) if ratio != "AUTO" => ratio,
        _ => ["1x1", "16x9", "4x5"][usize::try_from(fingerprint(&subject) % 3).expect("one of three")],
    };
    Ok(json!({"json_prompt": prompt, "aspect_ratio": ratio}))
}

/// Returns a prompt of the 4.0 model; text in quotation marks becomes text in the image.
fn structured(subject: &str, with_boxes: bool) -> Value {
    let quoted = subject.split('"').skip(1).step_by(2).filter(|text| !text.trim().is_empty());
    let texts = quoted.map(|text| json!({"type": "text", "text": text, "desc": "large letters in a plain typeface"}));
    let thing = json!({"type": "obj", "desc": format!("{subject}, in flat colors")});
    let mut elements: Vec<Value> = [thing].into_iter().chain(texts).collect();
    if with_boxes {
        for (element, index) in elements.iter_mut().zip(0..) {
            // From top to bottom, within the canvas of 1000 by 1000.
            let (top, left) = ((100 + 150 * index).min(850), fingerprint(subject) % 300);
            element["bbox"] = json!([top, left, top + 140, left + 600]);
        }
    }
    json!({
        "high_level_description": format!("An illustration of {subject}."),
        "compositional_deconstruction": {"background": "A banded sky.", "elements": elements},
    })
}
