//! What happens between `send()` and the response: one operation, made of attempts.
//!
//! Start at [`call`]. A call waits for its places among the images in the making; then attempts follow each other as
//! [`retry`] decides. What one attempt does is in [`attempt`](super::attempt).

use std::{
    any::TypeId,
    panic,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep},
};
use tracing::{Instrument as _, Span, field::Empty};

use super::{
    attempt::{Failed, attempt},
    response::RawResponse,
    retry::{self, BodyReuse, Decision, Event, RetrySafety, State},
    stored_response,
};
use crate::{
    Client, Error, ErrorKind, Outcome, Response,
    client::Permit,
    hook::{Attempt, AttemptOutcome},
    net::body_text::{MAX_TEXT_BYTES, text_of},
    operation::Billing,
    request::{FileInfo, Request},
};

/// Longer than any deadline that somebody means, and short enough to be added to any instant.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 86_400);

/// `Instant::now() + time`, saturating instead of panicking on overflow.
pub(crate) fn deadline_in(time: Duration) -> Instant {
    Instant::now() + time.min(FOREVER)
}

/// Sends a request and decodes its response.
pub(crate) async fn call<T: DeserializeOwned + 'static>(
    client: &Client,
    request: Request,
) -> Result<Response<T>, Error> {
    let operation = request.operation();
    let span = call_span(&request);
    let response = exchange(client, &request).instrument(span.clone()).await;
    let decoded = response.and_then(|response| decode(client, response, request));
    let failed = decoded.as_ref().err();
    let status = decoded.as_ref().map(Response::status).ok().or_else(|| failed.and_then(Error::status));
    record(&span, status, failed);
    decoded.map_err(|error| error.in_operation(operation))
}

/// One span per operation, with OpenTelemetry's names for the fields of an HTTP client.
fn call_span(request: &Request) -> Span {
    let operation = request.operation();
    tracing::info_span!(
        "call",
        otel.kind = "client",
        otel.name = operation.id,
        http.request.method = operation.method,
        url.template = operation.path,
        http.response.status_code = Empty,
        "error.type" = Empty,
    )
}

fn attempt_span(request: &Request, number: u32) -> Span {
    let operation = request.operation();
    let url = request.base_url();
    tracing::info_span!(
        "attempt",
        otel.kind = "client",
        http.request.method = operation.method,
        http.request.resend_count = number - 1,
        url.template = operation.path,
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        http.response.status_code = Empty,
        "error.type" = Empty,
    )
}

fn record(span: &Span, status: Option<StatusCode>, failed: Option<&Error>) {
    if let Some(status) = status {
        span.record("http.response.status_code", status.as_u16());
    }
    if let Some(error) = failed {
        span.record("error.type", error.kind().name());
    }
}

/// Attempts, until one is answered or no further one is allowed.
async fn exchange(client: &Client, request: &Request) -> Result<RawResponse, Error> {
    let settings = client.settings();
    settings.check()?;
    let infos = Arc::from(request.inspect_files().await?);
    let permit = Arc::new(client.inner().limiter.acquire(request.images()).await);
    // Waited for before the clock starts; later attempts wait on the call's own time.
    let mut first_place = place(client, request).await;

    let start = Instant::now();
    let deadline = deadline_in(settings.deadline);
    let mut earlier = Outcome::NotSent;
    let mut number = 0;
    loop {
        number += 1;
        let place = match first_place.take() {
            Some(place) => Some(place),
            None => place(client, request).await,
        };
        let permits = Arc::new((Arc::clone(&permit), place));
        let (made, next) = observed(client, request, &infos, &permits, number, deadline).await;
        drop(permits);
        match (made, next) {
            (Ok(mut response), _) => {
                (response.attempts, response.elapsed) = (number, start.elapsed());
                return Ok(response);
            }
            (Err(error), Decision::Retry { after }) => {
                tracing::debug!(after_ms = after.as_millis(), "sending again");
                if matches!(error.outcome(), Outcome::Unknown | Outcome::Completed) {
                    earlier = Outcome::Unknown;
                }
                sleep(after).await;
            }
            (Err(error), Decision::Stop(stop)) => {
                return Err(error.after(number, start.elapsed(), Some(stop), earlier));
            }
        }
    }
}

/// Room for one attempt of a call that makes no image. Others wait at the limiter.
async fn place(client: &Client, request: &Request) -> Option<OwnedSemaphorePermit> {
    if request.images() > 0 {
        return None;
    }
    Arc::clone(&client.inner().attempts).acquire_owned().await.ok()
}

/// What a call holds while an attempt runs: images in flight, and room for the attempt.
type Permits = Arc<(Arc<Option<Permit>>, Option<OwnedSemaphorePermit>)>;

/// One attempt, as hooks and spans see it, and what is to follow if it failed.
async fn observed(
    client: &Client,
    request: &Request,
    infos: &Arc<[Option<FileInfo>]>,
    permits: &Permits,
    number: u32,
    deadline: Instant,
) -> (Result<RawResponse, Error>, Decision) {
    let settings = client.settings();
    let seen = Attempt { request, number };
    let mut headers = settings.headers.clone();
    for hook in &settings.hooks {
        hook.before(&seen, &mut headers);
    }
    let start = Instant::now();
    let span = attempt_span(request, number);
    let made = match keeps_in(client, request) {
        None => attempt(client, request, infos, headers, deadline).instrument(span.clone()).await,
        // Whoever drops the call has paid for its response all the same: this attempt goes on to its end, with its
        // places.
        Some(_) => {
            let (client, request) = (client.clone(), request.clone());
            let (infos, permits) = (Arc::clone(infos), Arc::clone(permits));
            let outliving = async move {
                let _permits = permits;
                attempt_and_keep(&client, &request, &infos, headers, deadline).await
            };
            match tokio::spawn(outliving.instrument(span.clone())).await {
                Ok(made) => made,
                Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
                Err(_) => Err(Failed::finally(Error::new(
                    ErrorKind::Transport,
                    Outcome::Unknown,
                    "the runtime shut down before a response arrived",
                ))),
            }
        }
    };

    let state = State {
        safety: RetrySafety::of(request.operation()),
        body: if request.is_reusable() { BodyReuse::Whole } else { BodyReuse::UsedUp },
        attempts: number,
        time_left: deadline.saturating_duration_since(Instant::now()),
        roll: fastrand::f64(),
    };
    let (made, next) = match made {
        Ok(response) => (Ok(response), Decision::Stop(retry::Stop::Pointless)),
        Err(Failed { error, event }) => {
            if let (Event::Status { code: 429, .. }, Some(allowed)) = (event, error.max_inflight()) {
                client.inner().limiter.lower_to(allowed);
            }
            (Err(error), retry::decide(&settings.policy, &state, event))
        }
    };
    let error = made.as_ref().err();
    let status = made.as_ref().map(|response| response.status).ok().or_else(|| error.and_then(Error::status));
    record(&span, status, error);
    let headers: Option<&HeaderMap> = made.as_ref().ok().map(|response| &response.headers);
    let next_in = match next {
        Decision::Retry { after } => Some(after),
        Decision::Stop(_) => None,
    };
    let ended = AttemptOutcome { elapsed: start.elapsed(), status, headers, error, next_in };
    for hook in &settings.hooks {
        hook.after(&seen, &ended);
    }
    (made, next)
}

/// Where the response of a call is kept, if it is a paid one and that was requested.
fn keeps_in<'c>(client: &'c Client, request: &Request) -> Option<&'c Path> {
    let folder = client.settings().store_responses_in.as_deref()?;
    (request.operation().billing == Billing::Paid).then_some(folder)
}

/// One attempt, and what has arrived of its response on disk, whole or not.
async fn attempt_and_keep(
    client: &Client,
    request: &Request,
    infos: &[Option<FileInfo>],
    headers: HeaderMap,
    deadline: Instant,
) -> Result<RawResponse, Failed> {
    match attempt(client, request, infos, headers, deadline).await {
        Ok(mut response) => {
            match keep(client, request, infos, response.status, &response.headers, &response.body).await {
                Ok(stored_at) => {
                    response.stored_at = stored_at;
                    Ok(response)
                }
                // The images are paid for, and this may be the only copy of their links.
                Err(error) => {
                    Err(Failed::finally(error.with_response(response.status, redacted(client, response.body), true)))
                }
            }
        }
        Err(Failed { error, event }) => match (error.status(), error.body(), error.headers()) {
            (Some(status), Some(body), Some(headers)) if status.is_success() => {
                // If it cannot be kept, it is still in the error.
                let stored_at = keep(client, request, infos, status, headers, body).await.unwrap_or_default();
                Err(Failed { error: error.stored_in(stored_at), event })
            }
            _ => Err(Failed { error, event }),
        },
    }
}

async fn keep(
    client: &Client,
    request: &Request,
    infos: &[Option<FileInfo>],
    status: StatusCode,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Option<PathBuf>, Error> {
    let Some(folder) = keeps_in(client, request) else { return Ok(None) };
    let body = redacted(client, body.clone());
    stored_response::write(folder, request.summarize(infos), status, headers, body).await.map(Some).map_err(|error| {
        let message = format!("the response cannot be kept in \"{}\": {error}", folder.display());
        Error::new(ErrorKind::LocalIo, Outcome::Completed, message).with_source(error)
    })
}

fn redacted(client: &Client, body: Bytes) -> Bytes {
    client.inner().api_key.redact_body(body)
}

fn decode<T: DeserializeOwned + 'static>(
    client: &Client,
    mut response: RawResponse,
    request: Request,
) -> Result<Response<T>, Error> {
    match decode_body(&response.body) {
        Ok(value) => Ok(Response::new(response, value, request)),
        Err(error) => {
            // It may have come compressed or in another encoding.
            let text = text_of(&response.body, client.settings().max_response_bytes.min(MAX_TEXT_BYTES)).text;
            if text.as_bytes() != response.body.as_ref()
                && let Ok(value) = decode_body(text.as_bytes())
            {
                response.body = Bytes::from(text.into_owned());
                return Ok(Response::new(response, value, request));
            }
            Err(undocumented(client, response, &error))
        }
    }
}

fn decode_body<T: DeserializeOwned + 'static>(body: &[u8]) -> serde_json::Result<T> {
    if body.is_empty() {
        return serde_json::from_str("null");
    }
    serde_json::from_slice(body).or_else(|error| {
        // `()` stands for a response that the document does not describe: any body will do.
        if TypeId::of::<T>() == TypeId::of::<()>() { serde_json::from_str("null") } else { Err(error) }
    })
}

/// The decoder quotes the response, which holds signed links, and may repeat the key: what it quotes stays in the body.
fn undocumented(client: &Client, response: RawResponse, error: &serde_json::Error) -> Error {
    let message = format!("the response is not what the document describes: {}", without_quotes(&error.to_string()));
    let error = Error::new(ErrorKind::UndocumentedResponse, Outcome::Completed, message);
    let error =
        error.with_response(response.status, redacted(client, response.body), true).stored_in(response.stored_at);
    error.after(response.attempts, response.elapsed, None, Outcome::NotSent)
}

/// A text without what stands between its first and its last quotation mark.
fn without_quotes(text: &str) -> String {
    match (text.find('"'), text.rfind('"')) {
        (Some(first), Some(last)) if first < last => format!("{}…{}", &text[..=first], &text[last..]),
        _ => text.to_owned(),
    }
}
