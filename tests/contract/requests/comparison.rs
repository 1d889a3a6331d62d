//! Compares a request with the document, from its first line to its last part.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    calls::content,
    description::{Document, Operation},
};
use crate::raw_server::{KEY, RawRequest};

/// One part of a multipart body.
#[derive(Debug)]
struct Part {
    name: String,
    file_name: Option<String>,
    media_type: Option<String>,
    content: String,
}

fn parts(request: &RawRequest) -> Option<Vec<Part>> {
    let [content_type] = request.header("content-type")[..] else { return None };
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=")?;
    let body = String::from_utf8(request.body.clone()).ok()?;
    let body = body.strip_prefix(&format!("--{boundary}\r\n"))?.strip_suffix(&format!("\r\n--{boundary}--\r\n"))?;
    body.split(&format!("\r\n--{boundary}\r\n")).map(part).collect()
}

fn part(text: &str) -> Option<Part> {
    let (head, content) = text.split_once("\r\n\r\n")?;
    let headers: BTreeMap<String, &str> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    let disposition = headers.get("content-disposition")?.strip_prefix("form-data; name=\"")?.strip_suffix('"')?;
    let (name, file_name) = match disposition.split_once("\"; filename=\"") {
        Some((name, file_name)) => (name, Some(file_name.to_owned())),
        None => (disposition, None),
    };
    let media_type = headers.get("content-type").map(|&media_type| media_type.to_owned());
    Some(Part { name: name.to_owned(), file_name, media_type, content: content.to_owned() })
}

/// A parameter as a query has it.
fn encoded(name: &str, value: &str) -> String {
    let url = reqwest::Url::parse_with_params("http://localhost", [(name, value)]).unwrap();
    url.query().unwrap().to_owned()
}

/// The text of a scalar in a path, a query or a part.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The items of an array, or the value itself.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let one = (!value.is_array()).then_some(value);
    value.as_array().into_iter().flatten().chain(one)
}

macro_rules! ensure {
    ($condition:expr, $($text:tt)*) => {
        if !$condition {
            return Err(format!($($text)*));
        }
    };
}

/// Compares a request with the document's description of the operation.
pub(super) fn compare(
    document: &Document,
    operation: &Operation<'_>,
    arguments: &Value,
    request: &RawRequest,
) -> Result<(), String> {
    let mut rest = arguments.as_object().unwrap().clone();
    let mut path = operation.path.to_owned();
    for (name, _) in operation.parameters_in("path") {
        path = path.replace(&format!("{{{name}}}"), &text(&rest.remove(name).unwrap_or_default()));
    }
    let mut query = Vec::new();
    for (name, schema) in operation.parameters_in("query") {
        if let Some(value) = rest.remove(name) {
            ensure!(value.is_array() == (schema["type"] == "array"), "`{name}` is one value or several");
            query.extend(each(&value).map(|value| encoded(name, &text(value))));
        }
    }
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let line = format!("{} {path}{query}", operation.method);
    ensure!(request.line() == line, "the request line is `{}` and should be `{line}`", request.line());

    let scheme = &document.0["components"]["securitySchemes"]["ApiKey"];
    ensure!(scheme["in"] == "header", "the key is not a header");
    let key = request.header(scheme["name"].as_str().unwrap_or_default());
    let expected: &[&str] = if operation.needs_key { &[KEY] } else { &[] };
    ensure!(key == expected, "the key is sent {} times", key.len());
    for foreign in ["api-version", "authorization"] {
        ensure!(request.header(foreign).is_empty(), "the header `{foreign}` is sent");
    }
    let unknown: Vec<_> = operation
        .parameters
        .iter()
        .filter(|parameter| parameter["in"] != "path" && parameter["in"] != "query")
        .collect();
    ensure!(unknown.is_empty(), "this test does not support these parameters: {unknown:?}");

    match operation.body {
        None => {
            ensure!(request.body.is_empty() && request.header("content-type").is_empty(), "a body is sent");
            ensure!(rest.is_empty(), "{rest:?} cannot be sent");
            Ok(())
        }
        Some(("application/json", _)) => {
            let media_type = request.header("content-type");
            ensure!(media_type == ["application/json"], "the media type is {media_type:?}");
            let sent: Value = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
            ensure!(sent == Value::Object(rest.clone()), "{sent} is sent instead of {rest:?}");
            Ok(())
        }
        Some(("multipart/form-data", body)) => {
            let mut parts = parts(request).ok_or("the body is not multipart")?;
            // Only parts of one name have an order.
            parts.sort_by(|left, right| left.name.cmp(&right.name));
            compare_parts(document, body, &rest, &parts)
        }
        Some((other, _)) => Err(format!("this test does not support bodies of `{other}`")),
    }
}

fn compare_parts(
    document: &Document,
    body: &Value,
    arguments: &Map<String, Value>,
    parts: &[Part],
) -> Result<(), String> {
    let properties = &document.resolved(&body["schema"])["properties"];
    let mut expected: Vec<_> =
        arguments.iter().flat_map(|(name, value)| each(value).map(move |it| (name, it))).collect();
    expected.sort_by_key(|(name, _)| *name);
    let names = |names: Vec<&str>| names.join(", ");
    let sent = names(parts.iter().map(|part| part.name.as_str()).collect());
    let wanted = names(expected.iter().map(|(name, _)| name.as_str()).collect());
    ensure!(sent == wanted, "the parts are {sent} and should be {wanted}");

    for (part, (name, value)) in parts.iter().zip(expected) {
        let mut schema = document.resolved(&properties[name]);
        ensure!(arguments[name].is_array() == (schema["type"] == "array"), "`{name}` is one part or several");
        if schema["type"] == "array" {
            schema = document.resolved(&schema["items"]);
        }
        let media_type = part.media_type.as_deref();
        if schema["format"] == "binary" {
            let file_name = text(value);
            let by_name = match file_name.rsplit_once('.') {
                Some((_, "png")) => "image/png",
                Some((_, "jpg")) => "image/jpeg",
                Some((_, "webp")) => "image/webp",
                Some((_, "otf")) => "font/otf",
                _ => "text/plain",
            };
            ensure!(part.file_name.as_ref() == Some(&file_name), "{part:?} should be the file `{file_name}`");
            ensure!(media_type == Some(by_name), "{part:?} should be of `{by_name}`");
            ensure!(part.content == content(&file_name), "{part:?} is not the content of the file");
            continue;
        }
        ensure!(part.file_name.is_none(), "{part:?} should not be a file");
        if schema["type"] == "object" || schema.get("oneOf").is_some() {
            let sent: Value = serde_json::from_str(&part.content).map_err(|error| format!("{part:?}: {error}"))?;
            ensure!(sent == *value, "{part:?} should be {value}");
            let wanted = body["encoding"][name]["contentType"].as_str();
            ensure!(media_type == wanted, "{part:?} should be of {wanted:?}");
        } else {
            let values = schema["enum"].as_array();
            ensure!(values.is_none_or(|values| values.contains(value)), "the document has no {value} for `{name}`");
            let is_of_type = match schema["type"].as_str() {
                Some("string") => value.is_string(),
                Some("integer") => value.is_i64(),
                Some("number") => value.is_number(),
                Some("boolean") => value.is_boolean(),
                _ => false,
            };
            ensure!(is_of_type, "the document has another type for `{name}` than that of {value}");
            ensure!(part.content == text(value), "{part:?} should be {value}");
            ensure!(media_type.is_none_or(|it| it == "text/plain"), "{part:?} should be plain text");
        }
    }
    Ok(())
}
