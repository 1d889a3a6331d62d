//! A recorded request and its response in JSON: what was sent, without keys and without the bytes of files.

use serde_json::{Value, json};

use super::redaction::{Redaction, cut};
use crate::recorder::{Exchange, RecordedPart, RecordedRequest, RecordedResponse};

/// The maximum number of characters of a name, or of a value of a header.
const MAX_NAME_CHARS: usize = 300;

/// The maximum size of a body that is output as JSON, in bytes; of a larger one, the beginning is output as text.
const MAX_JSON_BYTES: usize = 16 * 1024;

const MAX_PARTS: usize = 100;
const MAX_HEADERS: usize = 50;

pub(super) fn to_json(exchange: &Exchange, redaction: &Redaction) -> Value {
    let request = &exchange.request;
    let headers = request.headers.iter().take(MAX_HEADERS).map(|(name, value)| {
        let value = redaction.header(name, &String::from_utf8_lossy(value.as_bytes()));
        json!({"name": name.as_str(), "value": cut(&value, MAX_NAME_CHARS)})
    });
    json!({
        "number": exchange.number,
        "time": exchange.received.to_string(),
        "method": request.method.as_str(),
        "path": redaction.text(&request.path),
        "query": request.query.as_ref().map(|query| redaction.text(query)),
        "operation_id": request.operation_id,
        "status": request.status,
        "elapsed_ms": exchange.response.as_ref().map(|response| millis(response.elapsed)),
        "headers": headers.collect::<Vec<_>>(),
        "body": body(request, redaction),
        "response": exchange.response.as_ref().map(|response| response_json(response, redaction)),
    })
}

/// The body of a request: its parts, its JSON, or the beginning of its text.
fn body(request: &RecordedRequest, redaction: &Redaction) -> Value {
    if request.body_size == 0 {
        return Value::Null;
    }
    let media_type = request.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or_default();
    let mut json = json!({"media_type": cut(&redaction.text(media_type), MAX_NAME_CHARS), "size": request.body_size});
    if media_type.trim_start().to_ascii_lowercase().starts_with("multipart/") {
        let parts = request.parts.iter().take(MAX_PARTS).map(|part| part_json(part, redaction));
        json["parts"] = parts.collect();
        json["part_count"] = request.parts.len().into();
    } else {
        let is_complete = request.body.len() as u64 == request.body_size;
        content(&mut json, &request.body, is_complete, redaction);
    }
    json
}

fn part_json(part: &RecordedPart, redaction: &Redaction) -> Value {
    let short = |name: &str| cut(&redaction.text(name), MAX_NAME_CHARS);
    json!({
        "name": short(&part.name),
        "file_name": part.file_name.as_deref().map(short),
        "media_type": part.media_type.as_deref().map(short),
        "size": part.size,
        "text": part.text.as_ref().map(|value| redaction.text(value)),
    })
}

fn response_json(response: &RecordedResponse, redaction: &Redaction) -> Value {
    let mut json = json!({"media_type": response.media_type, "size": response.size, "is_cut_off": response.is_cut_off});
    if !response.body.is_empty() {
        content(&mut json, &response.body, response.body.len() == response.size, redaction);
    }
    json
}

/// Adds `json` or `text` to the description of a body.
fn content(description: &mut Value, bytes: &[u8], is_complete: bool, redaction: &Redaction) {
    let decoded = (is_complete && bytes.len() <= MAX_JSON_BYTES).then(|| serde_json::from_slice(bytes).ok()).flatten();
    match decoded {
        Some(value) => description["json"] = value,
        None => description["text"] = redaction.text(&String::from_utf8_lossy(bytes)).into(),
    }
}

fn millis(time: std::time::Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
