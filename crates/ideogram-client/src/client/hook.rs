//! Hooks around every attempt, for logs, metrics and trace headers.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use crate::{Error, request::Request};

/// Observes every attempt of a call. Both methods do nothing by default.
///
/// They run in the task of the call, so they should be quick. They never receive the API key.
pub trait Hook: Send + Sync {
    /// Runs before an attempt. Headers that you add are sent, except those that the client writes itself.
    fn before(&self, _attempt: &Attempt<'_>, _headers: &mut HeaderMap) {}

    /// Runs after an attempt.
    fn after(&self, _attempt: &Attempt<'_>, _outcome: &AttemptOutcome<'_>) {}
}

/// An attempt of a call.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The request.
    pub request: &'a Request,
    /// The number of the attempt, from 1.
    pub number: u32,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttemptOutcome<'a> {
    /// The duration of the attempt, including the reading of the response.
    pub elapsed: Duration,
    /// The status, if a response arrived.
    pub status: Option<StatusCode>,
    /// The headers of a successful response.
    pub headers: Option<&'a HeaderMap>,
    /// The error, if the attempt failed.
    pub error: Option<&'a Error>,
    /// The backoff before the next attempt; `None` if the call is not retried.
    pub next_in: Option<Duration>,
}
