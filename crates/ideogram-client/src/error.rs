//! The error of a call.
//!
//! Two independent questions matter after a failure: what to do next ([`Error::kind`]), and whether the call ran
//! ([`Error::outcome`]). The API has no idempotency key, so calling again may cost again.

use std::{
    borrow::Cow,
    error::Error as StdError,
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    call::retry::{Stop, may_run_twice},
    net::body_text::{MAX_TEXT_BYTES, text_of},
    operation::{Billing, Operation},
};

/// The maximum length of a message, in characters.
const MAX_MESSAGE_CHARS: usize = 400;

/// Why a call has no result. Its cause is in [`source`](StdError::source).
pub struct Error(Box<Parts>);

struct Parts {
    kind: ErrorKind,
    outcome: Outcome,
    operation: Option<&'static Operation>,
    is_quote: bool,
    message: String,
    response: Option<ErrorResponse>,
    stored_at: Option<PathBuf>,
    attempts: u32,
    elapsed: Duration,
    stop: Stop,
    is_timeout: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The response that came with an error, complete or not.
struct ErrorResponse {
    status: StatusCode,
    retry_after: Option<Duration>,
    body: Bytes,
    complete: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// 401: the key is missing, wrong, or paused because its balance reached zero. Check the key.
    Authentication,
    /// 402: the balance does not cover the call. Top up, then call again.
    Payment,
    /// 403: the account may not do this.
    Forbidden,
    /// 404: it does not exist, or is not visible to this key.
    NotFound,
    /// Other 4xx, and 422 for another reason than safety: the request is wrong. Change it; an unchanged request fails
    /// again.
    InvalidRequest,
    /// 422, unless the body gives another reason: a prompt or image failed the safety check. Change it; an unchanged
    /// request fails again.
    Safety,
    /// Too many images are in flight: 429, or no permit was free in time. Nothing ran; wait, then call again.
    RateLimited,
    /// 408 or 5xx: the service failed. See [`Error::outcome`] before calling again.
    Server,
    /// No complete response arrived. See [`Error::outcome`] before calling again.
    Transport,
    /// A response that the document does not describe. The raw body is in the error.
    UndocumentedResponse,
    /// A value was refused before the call was sent, or a link before it was followed.
    InvalidArgument,
    /// A local file could not be read or written.
    LocalIo,
    /// The link to an image has expired: the image is gone, and generating it again costs again.
    LinkExpired,
}

/// Whether the call ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// Nothing reached the service. Calling again costs nothing twice.
    NotSent,
    /// The service refused the call before running it: not billed, nothing changed. Calling again costs nothing twice;
    /// whether it can succeed depends on the [`ErrorKind`].
    Declined,
    /// The call may have run and been billed. Check what the service has before calling again.
    Unknown,
    /// The call ran, and was billed if it costs, but its response could not be read or stored. The raw body is in the
    /// error.
    Completed,
}

impl ErrorKind {
    /// Returns a short name for logs and metrics, such as `rate_limited`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Payment => "payment",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::InvalidRequest => "invalid_request",
            Self::Safety => "safety",
            Self::RateLimited => "rate_limited",
            Self::Server => "server",
            Self::Transport => "transport",
            Self::UndocumentedResponse => "undocumented_response",
            Self::InvalidArgument => "invalid_argument",
            Self::LocalIo => "local_io",
            Self::LinkExpired => "link_expired",
        }
    }
}

impl Outcome {
    /// Returns a short name for logs and metrics, such as `not_sent`.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Declined => "declined",
            Self::Unknown => "unknown",
            Self::Completed => "completed",
        }
    }
}

macro_rules! as_its_name {
    ($($kind:ty),*) => {$(
        impl fmt::Display for $kind {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.name())
            }
        }
    )*};
}

as_its_name!(ErrorKind, Outcome);

impl Error {
    /// What to do next.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the call may have run and been billed.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Returns whether the call may have run, and been billed if it costs: the outcome is [`Outcome::Unknown`] or
    /// [`Outcome::Completed`]. Check what the service has before calling again. An error of
    /// [`Client::save`](crate::Client::save) is about an image of a call that ran; saving again costs nothing.
    pub fn may_have_run(&self) -> bool {
        !matches!(self.0.outcome, Outcome::NotSent | Outcome::Declined)
    }

    /// Returns whether calling again cannot cost twice or create anything twice: the call did not run
    /// ([`Error::may_have_run`] is false), or its operation is free and safe to retry.
    ///
    /// This does not mean that the same call succeeds: a declined prompt is declined again. [`Error::is_transient`]
    /// says that.
    pub fn is_safe_to_retry(&self) -> bool {
        !self.may_have_run() || self.is_harmless()
    }

    /// Returns whether the call may run twice.
    fn is_harmless(&self) -> bool {
        self.0.is_quote || self.0.operation.is_some_and(may_run_twice)
    }

    /// Whether the call is billed if it has run.
    fn is_billed(&self) -> bool {
        !self.0.is_quote && self.0.operation.is_some_and(|operation| operation.billing == Billing::Paid)
    }

    /// Returns whether the same call can succeed later without a change: the kind is [`ErrorKind::RateLimited`],
    /// [`ErrorKind::Server`] or [`ErrorKind::Transport`]. Call again only if [`Error::is_safe_to_retry`].
    pub fn is_transient(&self) -> bool {
        matches!(self.0.kind, ErrorKind::RateLimited | ErrorKind::Server | ErrorKind::Transport)
    }

    /// Returns whether too many images are in flight: the service declined the call (429), or no permit was free in time
    /// ([`permit_timeout`](crate::CallOptions::permit_timeout)). Nothing ran; call again after [`Error::retry_after`], if
    /// the service sent it.
    pub fn is_rate_limited(&self) -> bool {
        self.0.kind == ErrorKind::RateLimited
    }

    /// Returns whether time ran out: a connection, an idle or a response timeout, or the deadline of the call. A
    /// status 408 or 504 counts, too: the service or its gateway gave up. [`Error::outcome`] says whether the call may
    /// have run.
    pub fn is_timeout(&self) -> bool {
        let by_status = matches!(self.status(), Some(StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT));
        by_status || self.0.is_timeout || self.source().is_some_and(is_timeout)
    }

    /// Returns whether the key was missing, wrong or paused (401).
    pub fn is_authentication(&self) -> bool {
        self.0.kind == ErrorKind::Authentication
    }

    /// Returns whether the service found nothing of that id that is visible to this key (404).
    pub fn is_not_found(&self) -> bool {
        self.0.kind == ErrorKind::NotFound
    }

    /// The operation that was called; `None` for errors outside of a call.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.0.operation
    }

    /// The status, if a response arrived.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.response.as_ref().map(|response| response.status)
    }

    /// The body, if a response arrived: cut at a limit (see [`Error::body_is_complete`]), and without the API key if the
    /// server echoed it. [`Client::save_all`](crate::Client::save_all) takes the error as a response, and saves the images
    /// whose links are whole.
    pub fn body(&self) -> Option<&Bytes> {
        self.0.response.as_ref().map(|response| &response.body)
    }

    /// Whether [`Error::body`] is complete.
    pub fn body_is_complete(&self) -> bool {
        self.0.response.as_ref().is_some_and(|response| response.complete)
    }

    /// The text of the body. Content codings and text encodings are decoded, also if no header declares them.
    pub fn body_text(&self) -> Option<Cow<'_, str>> {
        self.body().map(|body| text_of(body, MAX_TEXT_BYTES).text)
    }

    /// Decodes the text of the body as JSON of a type, such as `types::ErrorBody`; `None` if it is not of that form.
    pub fn decode_body<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.body_text()?).ok()
    }

    /// The service's code for the reason of a refusal: `insufficient_funds`, `inflight_limit`, ...
    pub fn reject_reason(&self) -> Option<String> {
        let body: Value = self.decode_body()?;
        body.get("reject_reason")?.as_str().map(str::to_owned)
    }

    /// The number of images in flight that the service allows the organization, if the response names it.
    pub(crate) fn max_inflight(&self) -> Option<u32> {
        let body: Value = self.decode_body()?;
        u32::try_from(body.get("max_inflight_requests")?.as_u64()?).ok()
    }

    /// The `Retry-After` of the response.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.response.as_ref()?.retry_after
    }

    /// The number of attempts; 0 if the request was refused before the first.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The duration of the call: all attempts and the backoffs between them.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// The path of the stored response, if responses are stored ([`store_responses_in`]) and one arrived.
    ///
    /// [`store_responses_in`]: crate::CallOptions::store_responses_in
    pub fn stored_at(&self) -> Option<&Path> {
        self.0.stored_at.as_deref()
    }

    /// Creates an error without a response, for tests of code that maps errors, and for stand-ins of a call.
    ///
    /// ```
    /// use ideogram_client::{Error, ErrorKind, Outcome};
    ///
    /// let error = Error::new(ErrorKind::Transport, Outcome::Unknown, "the connection broke");
    /// assert!(error.may_have_run());
    /// ```
    pub fn new(kind: ErrorKind, outcome: Outcome, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            outcome,
            operation: None,
            is_quote: false,
            message: one_line(&message.into()),
            response: None,
            stored_at: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            stop: Stop::Implied,
            is_timeout: false,
            source: None,
        }))
    }

    /// The error of a value that is refused before a call. Generated code calls it.
    pub(crate) fn invalid_argument(message: String) -> Self {
        Self::new(ErrorKind::InvalidArgument, Outcome::NotSent, message)
    }

    pub(crate) fn with_response(mut self, status: StatusCode, body: Bytes, complete: bool) -> Self {
        self.0.response = Some(ErrorResponse { status, retry_after: None, body, complete });
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        if let Some(response) = &mut self.0.response {
            response.retry_after = wait;
        }
        self
    }

    pub(crate) fn with_note(mut self, note: &str) -> Self {
        self.0.message = format!("{}; {}", self.0.message, one_line(note));
        self
    }

    /// Marks an error as one that [`Error::is_timeout`] reports.
    pub(crate) fn timed_out(mut self) -> Self {
        self.0.is_timeout = true;
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn stored_in(mut self, path: Option<PathBuf>) -> Self {
        self.0.stored_at = path;
        self
    }

    /// Makes the error of the last attempt the error of the whole call.
    pub(crate) fn after(mut self, attempts: u32, elapsed: Duration, earlier: Outcome) -> Self {
        self.0.attempts = attempts;
        self.0.elapsed = elapsed;
        // The call may have run if one of its attempts may have.
        if earlier == Outcome::Unknown && matches!(self.0.outcome, Outcome::NotSent | Outcome::Declined) {
            self.0.outcome = Outcome::Unknown;
        }
        self
    }

    pub(crate) fn not_retried(mut self, stop: Stop) -> Self {
        self.0.stop = stop;
        self
    }

    /// Marks the error of a quote, which never runs the call.
    pub(crate) fn of_quote(mut self) -> Self {
        self.0.is_quote = true;
        self
    }

    pub(crate) fn in_operation(mut self, operation: &'static Operation) -> Self {
        self.0.operation = Some(operation);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(formatter, "{operation}: ")?;
        }
        if let Some(status) = self.status() {
            let status = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("status"));
            // Pages of gateways have the status in their title.
            if !self.0.message.starts_with(&status) {
                write!(formatter, "{status}: ")?;
            }
        }
        formatter.write_str(&self.0.message)?;
        // The other outcomes need no note.
        if self.0.outcome == Outcome::Unknown && self.0.operation.is_some() && !self.is_harmless() {
            formatter.write_str("; the call may have run: check before calling again")?;
        }
        if self.0.outcome == Outcome::Completed && self.is_billed() {
            formatter.write_str("; the call ran, and may be billed")?;
        }
        formatter.write_str(match self.0.stop {
            Stop::Implied => "",
            Stop::Body => "; not retried: its body contains a reader, which can be read only once",
            Stop::LongWait => "; not retried: `Retry-After` is longer than the maximum backoff",
            Stop::Deadline => "; not retried: the deadline leaves no time for it",
        })?;
        if self.0.attempts > 1 {
            write!(formatter, " ({} attempts in {:.1} s)", self.0.attempts, self.0.elapsed.as_secs_f64())?;
        }
        Ok(())
    }
}

/// Returns whether an error or one of its sources is a timeout of the HTTP stack or of the system.
fn is_timeout(source: &(dyn StdError + 'static)) -> bool {
    let by_http = source.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout);
    let by_system = || source.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
    by_http || by_system() || source.source().is_some_and(is_timeout)
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Error");
        debug.field("kind", &self.0.kind).field("outcome", &self.0.outcome);
        if let Some(operation) = self.0.operation {
            debug.field("operation", &operation.id);
        }
        if let Some(response) = &self.0.response {
            debug.field("status", &response.status.as_u16()).field("body_bytes", &response.body.len());
        }
        if self.0.attempts > 0 {
            debug.field("attempts", &self.0.attempts).field("elapsed", &self.0.elapsed);
        }
        if let Some(path) = &self.0.stored_at {
            debug.field("stored_at", path);
        }
        debug.field("message", &self.0.message).field("source", &self.0.source).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Returns one printable line of bounded length.
fn one_line(text: &str) -> String {
    let printable = |character: char| if character.is_control() { ' ' } else { character };
    let line: String = text.chars().take(4 * MAX_MESSAGE_CHARS).map(printable).collect();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MAX_MESSAGE_CHARS {
        return line;
    }
    line.chars().take(MAX_MESSAGE_CHARS).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{generated::operations, operation::Retry};

    #[test]
    fn kinds_and_outcomes_are_written_as_their_names() {
        let json = serde_json::json!({"kind": ErrorKind::RateLimited, "outcome": Outcome::NotSent});

        assert_eq!(json.to_string(), r#"{"kind":"rate_limited","outcome":"not_sent"}"#);
        assert_eq!(serde_json::from_value::<Outcome>(json["outcome"].clone()).unwrap(), Outcome::NotSent);
        let kinds = [
            ErrorKind::Authentication,
            ErrorKind::Payment,
            ErrorKind::Forbidden,
            ErrorKind::NotFound,
            ErrorKind::InvalidRequest,
            ErrorKind::Safety,
            ErrorKind::RateLimited,
            ErrorKind::Server,
            ErrorKind::Transport,
            ErrorKind::UndocumentedResponse,
            ErrorKind::InvalidArgument,
            ErrorKind::LocalIo,
            ErrorKind::LinkExpired,
        ];
        for kind in kinds {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(serde_json::from_value::<ErrorKind>(kind.name().into()).unwrap(), kind);
        }
        assert_eq!(format!("{:>8} {}", Outcome::Unknown, ErrorKind::Safety), " unknown safety");
    }

    #[test]
    fn predicates_follow_the_outcome() {
        for (outcome, may_have_run) in [
            (Outcome::NotSent, false),
            (Outcome::Declined, false),
            (Outcome::Unknown, true),
            (Outcome::Completed, true),
        ] {
            let error = || Error::new(ErrorKind::Transport, outcome, "x");
            assert_eq!(error().may_have_run(), may_have_run, "{outcome:?}");
            for operation in operations::ALL {
                let is_harmless = operation.billing == Billing::Free && operation.retry == Retry::Safe;
                let safe = error().in_operation(operation).is_safe_to_retry();
                assert_eq!(safe, !may_have_run || is_harmless, "{outcome:?} {operation}");
            }
            assert_eq!(error().is_safe_to_retry(), !may_have_run, "an error outside of an operation: {outcome:?}");
        }
    }
}
