//! The inspector: a page that shows the state of the server, and the same state as JSON for programs.
//!
//! Start at [`respond`]. All paths begin with [`PREFIX`], which no path of the document does. Requests to the inspector are
//! not recorded, need no key, and their responses contain none: see [`redaction`]. What changes the server is refused to other web pages:
//! see [`access`].

mod access;
mod exchange;
mod page;
mod redaction;
mod scenarios;
mod snapshot;

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, Method, StatusCode, header, request};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use crate::{reply::Reply, service::Shared};

/// The beginning of all paths of the inspector.
const PREFIX: &str = "/__mock";

/// The maximum size of the body of a request to the inspector, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Moves the clock of the service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: f64,
}

/// Whether a path belongs to the inspector.
pub(crate) fn has(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Responds to a request to the inspector.
pub(crate) async fn respond(shared: &Shared, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let reply = match access::check(&head) {
        Ok(()) => reply(shared, &head, body).await.unwrap_or_else(|refusal| refusal),
        Err(refusal) => refusal,
    };
    let mut response = reply.into_response();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn reply(shared: &Shared, head: &request::Parts, body: Body) -> Result<Reply, Reply> {
    let path = head.uri.path();
    let method = if head.method == Method::HEAD { &Method::GET } else { &head.method };
    match (path.strip_prefix(PREFIX).unwrap_or_default(), method.as_str()) {
        ("" | "/", "GET") => Ok(page::reply()),
        ("/health", "GET") => Ok(Reply::success(&json!({"status": "ok"}))),
        ("/state", "GET") => Ok(Reply::success(&snapshot::take(shared, after(head)?))),
        ("/scenarios", "POST") => {
            let scenarios::Named(scenario) = json_body(head, body).await?;
            shared.service.scenario.set(scenario);
            Ok(Reply::success(&json!({"scenario": scenarios::Named(shared.service.scenario.get())})))
        }
        ("/time", "POST") => {
            let Advance { advance_seconds } = json_body(head, body).await?;
            let time = Duration::try_from_secs_f64(advance_seconds);
            shared.service.store.clock.advance(time.map_err(|error| Reply::bad_request(&error.to_string()))?);
            Ok(Reply::success(&json!({"time": snapshot::time(shared)})))
        }
        ("/requests", "DELETE") => {
            shared.recorder.clear();
            Ok(Reply::success(&json!({"requests": []})))
        }
        ("" | "/" | "/health" | "/state" | "/scenarios" | "/time" | "/requests", method) => {
            let detail = format!("'{path}' has no method {method}");
            Err(Reply::problem(StatusCode::METHOD_NOT_ALLOWED, &detail))
        }
        _ => Err(Reply::problem(StatusCode::NOT_FOUND, &format!("the inspector has no path '{path}'"))),
    }
}

/// The number of the last request that the caller already knows: `after` in the query.
fn after(head: &request::Parts) -> Result<u64, Reply> {
    let mut pairs = head.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let after = pairs.find(|(name, _)| *name == "after").map(|(_, value)| value.parse());
    after.unwrap_or(Ok(0)).map_err(|_| Reply::bad_request("'after' is the number of a request"))
}

async fn json_body<T: DeserializeOwned>(head: &request::Parts, body: Body) -> Result<T, Reply> {
    access::check_json(head)?;
    let body = to_bytes(body, MAX_BODY_BYTES).await;
    let body = body.map_err(|_| Reply::problem(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 64 KiB"))?;
    serde_json::from_slice(&body).map_err(|error| Reply::bad_request(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    #[test]
    fn no_operation_has_a_path_of_the_inspector() {
        for path in [PREFIX, "/__mock/state", "/__mock/requests"] {
            assert!(has(path) && Document::embedded().route(path).is_none(), "{path}");
        }
        assert!(!has("/__mocked") && !has("/datasets"));
    }
}
