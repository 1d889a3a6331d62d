//! Prints requests and responses with `--debug`, and always the waits between attempts.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use ideogram_client::{
    hook::{Attempt, AttemptOutcome, Hook},
    reqwest::header::HeaderMap,
};

use crate::output::messages::Messages;

/// Observes every attempt of every call. It has no access to the API key.
#[derive(Debug)]
pub(crate) struct Trace {
    messages: Messages,
    debug: bool,
    /// The last error that a note names, and when: many calls at the same time fail for the same reason.
    noted: Mutex<Option<(String, Instant)>>,
}

/// An error that was noted is noted again after this time.
const NOTE_AGAIN: Duration = Duration::from_secs(5);

impl Trace {
    pub(crate) fn new(messages: Messages, debug: bool) -> Self {
        Self { messages, debug, noted: Mutex::default() }
    }
}

impl Hook for Trace {
    fn before(&self, attempt: &Attempt<'_>, headers: &mut HeaderMap) {
        if !self.debug {
            return;
        }
        let request = attempt.request;
        let id = request.operation().id;
        self.messages.debug(&format!("{id}: attempt {}: {} {}", attempt.number, request.method(), request.url()));
        for (name, value) in request.headers().iter().chain(headers.iter()) {
            self.messages.debug(&format!("{id}: > {name}: {}", header_text(value)));
        }
        if request.operation().needs_key {
            self.messages.debug(&format!("{id}: > api-key: [key]"));
        }
        let body = request.json_body().map(|body| String::from_utf8_lossy(body).into_owned());
        for line in body.into_iter().chain(request.parts().iter().map(ToString::to_string)) {
            self.messages.debug(&format!("{id}: > {line}"));
        }
    }

    fn after(&self, attempt: &Attempt<'_>, ended: &AttemptOutcome<'_>) {
        let id = attempt.request.operation().id;
        if self.debug {
            let took = format!("after {:.3} s", ended.elapsed.as_secs_f64());
            let text = match (ended.error, ended.status) {
                (Some(error), _) => format!("{id}: attempt {} failed {took}: {error}", attempt.number),
                (None, Some(status)) => format!("{id}: {status} {took}"),
                (None, None) => format!("{id}: ended {took}"),
            };
            self.messages.debug(&text);
            for (name, value) in ended.headers.into_iter().flatten() {
                self.messages.debug(&format!("{id}: < {name}: {}", header_text(value)));
            }
        }
        if let (Some(wait), Some(error)) = (ended.next_in, ended.error) {
            let error = error.to_string();
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            if noted.as_ref().is_none_or(|(last, at)| *last != error || at.elapsed() > NOTE_AGAIN) {
                self.messages.note(&format!("{error}; next attempt in {:.1} s", wait.as_secs_f64()));
                *noted = Some((error, Instant::now()));
            }
        }
    }
}

fn header_text(value: &ideogram_client::reqwest::header::HeaderValue) -> String {
    if value.is_sensitive() { "[secret]".to_owned() } else { String::from_utf8_lossy(value.as_bytes()).into_owned() }
}
