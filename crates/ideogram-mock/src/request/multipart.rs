//! Multipart bodies, read part by part with at most one file in memory.

use std::io;

use axum::{
    body::Body,
    extract::{
        FromRequest, Multipart, Request,
        multipart::{Field, MultipartError},
    },
};
use http::{StatusCode, request};
use serde_json::{Map, Value};

use super::{BodyStream, ReceivedFile};
use crate::{
    content::FileReader,
    document::{FormRules, PartKind, PartRule},
    recorder::{Record, RecordedPart},
    reply::Reply,
};

/// The maximum size of a part that is not a file, in bytes.
const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// The maximum number of parts in a body.
const MAX_PARTS: usize = 2000;

/// Reads a form: its properties as a JSON object, with file names in place of files, and its files. Texts become values of
/// the types in `rules`; the schema is checked later.
pub(super) async fn read(
    rules: &FormRules,
    head: &request::Parts,
    stream: &BodyStream,
    record: &Record,
) -> Result<(Value, Vec<ReceivedFile>), Reply> {
    let malformed = |error: MultipartError| stream.refusal(&format!("malformed multipart body: {}", error.body_text()));
    let request = Request::from_parts(head.clone(), Body::from_stream(stream.clone()));
    let mut multipart =
        Multipart::from_request(request, &()).await.map_err(|error| Reply::bad_request(&error.body_text()))?;
    let mut properties = Map::new();
    let mut files = Vec::new();
    let mut count = 0;
    while let Some(field) = multipart.next_field().await.map_err(malformed)? {
        count += 1;
        if count > MAX_PARTS {
            return Err(Reply::bad_request(&format!("the body has more than {MAX_PARTS} parts")));
        }
        let name = field.name().unwrap_or_default().to_owned();
        let Some(rule) = rules.rule(&name) else {
            let detail = format!("the operation has no part '{name}', only {}", rules.names());
            return Err(Reply::bad_request(&detail));
        };
        let value = match rule.kind {
            PartKind::File => {
                let file = read_file(field, rule, record, malformed).await?;
                let file_name = file.file_name.clone();
                files.push(file);
                Value::String(file_name)
            }
            PartKind::Json => {
                let text = read_text(field, rule, record, malformed).await?;
                let json = serde_json::from_str(&text);
                json.map_err(|error| Reply::bad_request(&format!("the part '{name}' is not JSON: {error}")))?
            }
            PartKind::Text(scalar) => scalar.read(read_text(field, rule, record, malformed).await?),
        };
        match properties.get_mut(&name) {
            None if rule.repeated => _ = properties.insert(name, Value::Array(vec![value])),
            None => _ = properties.insert(name, value),
            Some(Value::Array(earlier)) if rule.repeated => earlier.push(value),
            Some(_) => return Err(Reply::bad_request(&format!("the part '{name}' is repeated"))),
        }
    }
    Ok((Value::Object(properties), files))
}

async fn read_file(
    mut field: Field<'_>,
    rule: &PartRule,
    record: &Record,
    malformed: impl Fn(MultipartError) -> Reply,
) -> Result<ReceivedFile, Reply> {
    let Some(file_name) = field.file_name().filter(|name| !name.is_empty()).map(str::to_owned) else {
        return Err(Reply::bad_request(&format!("the part '{}' is a file and needs a file name", rule.name)));
    };
    let media_type = field.content_type().map(str::to_owned);
    let mut reader = FileReader::new(&file_name);
    while let Some(chunk) = field.chunk().await.map_err(&malformed)? {
        reader.push(&chunk).map_err(|error| inspection_failed(&error))?;
    }
    let size = reader.size();
    let name = rule.name.clone();
    record.add_part(RecordedPart { name, file_name: Some(file_name.clone()), media_type, size, text: None });
    let content = reader.finish().await.map_err(|error| inspection_failed(&error))?;
    Ok(ReceivedFile { part: rule.name.clone(), file_name, size, content })
}

async fn read_text(
    mut field: Field<'_>,
    rule: &PartRule,
    record: &Record,
    malformed: impl Fn(MultipartError) -> Reply,
) -> Result<String, Reply> {
    let name = &rule.name;
    if field.file_name().is_some() {
        return Err(Reply::bad_request(&format!("the part '{name}' is not a file and must not have a file name")));
    }
    let media_type = field.content_type().map(str::to_owned);
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(&malformed)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_TEXT_BYTES {
            let detail = format!("the part '{name}' is longer than {MAX_TEXT_BYTES} bytes");
            return Err(Reply::problem(StatusCode::PAYLOAD_TOO_LARGE, &detail));
        }
    }
    let size = bytes.len() as u64;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| Reply::bad_request(&format!("the part '{name}' is not UTF-8")))?;
    record.add_part(RecordedPart { name: name.clone(), file_name: None, media_type, size, text: Some(text.clone()) });
    Ok(text)
}

/// The server could not inspect a file, for example because the disk is full.
fn inspection_failed(error: &io::Error) -> Reply {
    Reply::error(StatusCode::INTERNAL_SERVER_ERROR, &format!("could not inspect an uploaded file: {error}"))
}
