//! An answer with everything that came with it.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::Request;

/// A decoded answer beside its status, its headers and its body.
///
/// The body holds what the document does not know yet: members that the service added since.
#[derive(Clone)]
pub struct Response<T> {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    value: T,
    request: Request,
    kept_at: Option<PathBuf>,
}

/// A successful answer, not yet decoded.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) kept_at: Option<PathBuf>,
    /// Attempts made, this one included.
    pub(crate) attempts: u32,
    /// How long they took, with the waits between them.
    pub(crate) elapsed: Duration,
}

impl<T> Response<T> {
    pub(crate) fn new(answer: Answer, value: T, request: Request) -> Self {
        let Answer { status, headers, body, kept_at, .. } = answer;
        Self { status, headers, body, value, request, kept_at }
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
    /// nobody asked for that, it is the text inside; a stored response ([`kept_at`](Self::kept_at)) has the bytes.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// What was asked.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Where the answer was written as it came, if answers are kept
    /// ([`keep_answers_in`](crate::CallOptions::keep_answers_in)) and the call was a paid one.
    pub fn kept_at(&self) -> Option<&Path> {
        self.kept_at.as_deref()
    }

    /// The decoded answer.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The decoded answer, alone.
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
