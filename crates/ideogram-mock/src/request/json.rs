//! JSON bodies.

use futures_util::StreamExt;
use serde_json::Value;

use super::BodyStream;
use crate::reply::Reply;

/// A JSON body is held in memory.
const MAX_JSON_BYTES: u64 = 4 * 1024 * 1024;

pub(super) async fn read(stream: &BodyStream) -> Result<Value, Reply> {
    stream.limit_to(MAX_JSON_BYTES);
    let mut body = Vec::new();
    let mut chunks = stream.clone();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.map_err(|error| stream.refusal(&error.to_string()))?);
    }
    serde_json::from_slice(&body).map_err(|error| Reply::bad_request(&format!("the body is not JSON: {error}")))
}
