//! A response with everything that came with it.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::request::Request;

/// A decoded response beside its status, its headers and its body.
///
/// The body holds what the document does not know yet: members that the service added since.
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
    /// Attempts made, this one included.
    pub(crate) attempts: u32,
    /// How long they took, with the waits between them.
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

    /// The headers, without the API key should the server have repeated it.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body as it came, if that is JSON in UTF-8. Should it have come compressed or in another encoding, although
    /// nobody requested it, it is the text inside; a stored response ([`stored_at`](Self::stored_at)) has the bytes.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Where the response was written as it came, if responses are kept
    /// ([`store_responses_in`](crate::CallOptions::store_responses_in)) and the call was a paid one.
    pub fn stored_at(&self) -> Option<&Path> {
        self.stored_at.as_deref()
    }

    /// The decoded response.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The decoded response, alone.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Response");
        shown.field("status", &self.status.as_u16()).field("body_bytes", &self.body.len());
        shown.field("value", &self.value).finish_non_exhaustive()
    }
}
