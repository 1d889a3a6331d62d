//! An answer with everything that came with it.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

/// A decoded answer beside its status, its headers and its raw body.
///
/// The raw body holds what the document does not know yet: members that the service added since.
#[derive(Clone)]
pub struct Response<T> {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    value: T,
}

impl<T> Response<T> {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, body: Bytes, value: T) -> Self {
        Self { status, headers, body, value }
    }

    /// The status, always 2xx.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body as it came.
    pub fn body(&self) -> &Bytes {
        &self.body
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
