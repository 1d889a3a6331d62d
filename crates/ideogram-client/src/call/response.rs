//! The response of a call.

use std::{
    fmt,
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header::LINK};
use serde::Deserialize;

use super::stored_response::CallSummary;
use crate::request::Request;

/// A decoded response with its status, headers and raw body.
///
/// It dereferences to the decoded response: `response.data` is `response.value().data`. To store it as JSON, write
/// [`Response::body`], which also has the properties that this version does not know.
#[derive(Clone)]
pub struct Response<T> {
    raw: RawResponse,
    value: T,
    request: Request,
    started_by: Option<Arc<CallSummary>>,
}

/// A successful response, not yet decoded.
#[derive(Clone)]
pub(crate) struct RawResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) stored_at: Option<PathBuf>,
    /// The number of attempts, including this one.
    pub(crate) attempts: u32,
    /// The duration of all attempts and the backoffs between them.
    pub(crate) elapsed: Duration,
}

impl<T> Response<T> {
    pub(crate) fn new(raw: RawResponse, value: T, request: Request) -> Self {
        Self { raw, value, request, started_by: None }
    }

    /// Sets the call that started the job of this response, and the path of the stored response.
    pub(crate) fn of_job(mut self, started_by: Option<Arc<CallSummary>>, stored_at: Option<PathBuf>) -> Self {
        (self.started_by, self.raw.stored_at) = (started_by, stored_at);
        self
    }

    pub(crate) fn started_by(&self) -> Option<&CallSummary> {
        self.started_by.as_deref()
    }

    /// The status, always 2xx.
    pub fn status(&self) -> StatusCode {
        self.raw.status
    }

    /// The headers, without the API key if the server echoed it.
    pub fn headers(&self) -> &HeaderMap {
        &self.raw.headers
    }

    /// The body as it arrived, if it is JSON in UTF-8. If it arrived compressed or in another encoding, this is the
    /// decoded text; a stored response ([`stored_at`](Self::stored_at)) has the original bytes.
    pub fn body(&self) -> &Bytes {
        &self.raw.body
    }

    /// The request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The number of attempts; more than one if the call was retried.
    pub fn attempts(&self) -> u32 {
        self.raw.attempts
    }

    /// The duration of the call: all attempts and the backoffs between them.
    pub fn elapsed(&self) -> Duration {
        self.raw.elapsed
    }

    /// The path of the stored response, if responses are stored
    /// ([`store_responses_in`](crate::CallOptions::store_responses_in)) and the call was a paid one.
    pub fn stored_at(&self) -> Option<&Path> {
        self.raw.stored_at.as_deref()
    }

    /// The announcement of the service in the response, such as an operation that replaces this one: the property
    /// `notice` of the body. Operations of the first API version have it since October 2026.
    pub fn notice(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Announcement {
            notice: String,
        }
        serde_json::from_slice::<Announcement>(&self.raw.body).ok().map(|body| body.notice)
    }

    /// The page of the operation that replaces this one: the target of the `Link` header with the relation
    /// `successor-version` (RFC 5829).
    pub fn successor(&self) -> Option<&str> {
        let headers = self.raw.headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
        headers.flat_map(links).find(|(_, parameters)| is_successor(parameters)).map(|(target, _)| target)
    }

    /// The decoded response.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Returns the decoded response only.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Response");
        debug.field("status", &self.raw.status.as_u16()).field("body_bytes", &self.raw.body.len());
        debug.field("value", &self.value).finish_non_exhaustive()
    }
}

/// Returns the targets of a `Link` header, each with its parameters (RFC 8288).
fn links(header: &str) -> Vec<(&str, &str)> {
    let mut links = Vec::new();
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((target, after)) = after.split_once('>') else { break };
        let mut is_quoted = false;
        let end = after.find(|character| {
            is_quoted ^= character == '"';
            character == ',' && !is_quoted
        });
        let (parameters, next) = after.split_at(end.unwrap_or(after.len()));
        links.push((target, parameters));
        rest = next;
    }
    links
}

fn is_successor(parameters: &str) -> bool {
    parameters.split(';').any(|parameter| {
        parameter.split_once('=').is_some_and(|(name, relations)| {
            let mut relations = relations.trim().trim_matches('"').split_ascii_whitespace();
            name.trim().eq_ignore_ascii_case("rel") && relations.any(|it| it.eq_ignore_ascii_case("successor-version"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_successor_is_found_among_links_of_any_form() {
        let successor = |header| links(header).into_iter().find(|link| is_successor(link.1)).map(|link| link.0);
        for header in [
            "<https://a.test/x>; rel=\"successor-version\"",
            "<https://a.test/x>;REL=Successor-Version",
            "<https://b.test/?a,b>; rel=\"next\"; title=\"x, y\", <https://a.test/x> ; rel=\"up successor-version\"",
        ] {
            assert_eq!(successor(header), Some("https://a.test/x"), "{header}");
        }
        for header in
            ["", "<", "<https://a.test/x>", "<https://a.test/x>; rel=next", "https://a.test; rel=successor-version"]
        {
            assert_eq!(successor(header), None, "{header}");
        }
    }
}
