//! The response of a call.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::request::Request;

/// A decoded response with its status, headers and raw body.
///
/// The body also has the properties that this version does not know.
#[derive(Clone)]
pub struct Response<T> {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    value: T,
    request: Request,
    stored_at: Option<PathBuf>,
}

/// A successful response, not yet decoded.
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
    pub(crate) fn new(response: RawResponse, value: T, request: Request) -> Self {
        let RawResponse { status, headers, body, stored_at, .. } = response;
        Self { status, headers, body, value, request, stored_at }
    }

    /// The status, always 2xx.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers, without the API key if the server echoed it.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body as it arrived, if it is JSON in UTF-8. If it arrived compressed or in another encoding, this is the
    /// decoded text; a stored response ([`stored_at`](Self::stored_at)) has the original bytes.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The path of the stored response, if responses are stored
    /// ([`store_responses_in`](crate::CallOptions::store_responses_in)) and the call was a paid one.
    pub fn stored_at(&self) -> Option<&Path> {
        self.stored_at.as_deref()
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

impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Response");
        debug.field("status", &self.status.as_u16()).field("body_bytes", &self.body.len());
        debug.field("value", &self.value).finish_non_exhaustive()
    }
}
