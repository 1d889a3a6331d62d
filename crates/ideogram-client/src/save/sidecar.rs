//! Sidecars: the JSON file next to an image that says how it was made.

use std::{fs, path::Path, sync::Arc};

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::{Provenance, image_ref::ImageRef, media_type::MediaType};
use crate::{ApiKey, Timestamp};

/// What the sidecars of a response have in common.
pub(super) struct Sidecar {
    pub(super) origin: Arc<Provenance>,
    /// Redacted, if the server echoed it in the response.
    pub(super) api_key: ApiKey,
}

#[derive(Serialize)]
struct Form<'s> {
    /// The name of the image's file.
    file: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'s str>,
    /// The position in the response, from 1.
    image: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<&'s Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'s str>,
    media_type: &'s str,
    size_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    link_expires: Option<Timestamp>,
    /// The item of the response, with the link.
    item: &'s Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'s Value>,
}

/// Reads a sidecar; `None` for other files.
pub(super) fn read(path: &Path) -> Option<Value> {
    let json: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    (json.get("file")?.is_string() && json.get("item").is_some()).then_some(json)
}

impl Sidecar {
    /// Returns the content of the file.
    pub(super) fn render(&self, image: &ImageRef, file: &str, media_type: &MediaType, size_bytes: u64) -> Bytes {
        let Self { origin, api_key } = self;
        let form = Form {
            file,
            operation: origin.operation.as_deref(),
            image: image.number(),
            role: image.role(),
            created: image.created(),
            seed: image.seed(),
            prompt: image.prompt(),
            media_type: &media_type.name,
            size_bytes,
            link_expires: image.expires(),
            item: image.item(),
            request: origin.request.as_ref(),
        };
        let mut json = serde_json::to_vec_pretty(&form).expect("text, numbers and JSON serialize");
        json.push(b'\n');
        api_key.redact(Bytes::from(json))
    }
}
