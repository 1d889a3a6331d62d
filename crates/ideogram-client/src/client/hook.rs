//! Hooks around every attempt: for the caller's logs, metrics and trace headers.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use crate::{Error, request::Request};

/// Sees every attempt of a call before and after it is made. Both methods do nothing unless you say otherwise.
///
/// They run in the task that calls, so they should be quick. The API key is in nothing that they see.
pub trait Hook: Send + Sync {
    /// Before an attempt. Headers that you add are sent with it, except those that are the client's own.
    fn before(&self, _attempt: &Attempt<'_>, _headers: &mut HeaderMap) {}

    /// After an attempt.
    fn after(&self, _attempt: &Attempt<'_>, _ended: &AttemptOutcome<'_>) {}
}

/// An attempt to make a call.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// What is sent.
    pub request: &'a Request,
    /// Which attempt it is, from 1.
    pub number: u32,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttemptOutcome<'a> {
    /// How long it took, the reading of the response included.
    pub elapsed: Duration,
    /// The status, if a response arrived.
    pub status: Option<StatusCode>,
    /// The headers of a successful response.
    pub headers: Option<&'a HeaderMap>,
    /// What went wrong, if something did.
    pub error: Option<&'a Error>,
    /// How long the call now waits before it is sent again; `None` if it is not.
    pub next_in: Option<Duration>,
}
