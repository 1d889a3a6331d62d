//! JSON bodies.

use futures_util::StreamExt;
use serde_json::Value;

use super::Intake;
use crate::reply::Reply;

/// A JSON body is kept in memory whole.
const LARGEST_JSON: u64 = 4 * 1024 * 1024;

pub(super) async fn read(intake: &Intake) -> Result<Value, Reply> {
    intake.limit_to(LARGEST_JSON);
    let mut body = Vec::new();
    let mut chunks = intake.clone();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.map_err(|error| intake.refusal(&error.to_string()))?);
    }
    serde_json::from_slice(&body).map_err(|error| Reply::bad_request(&format!("the body is not JSON: {error}")))
}
