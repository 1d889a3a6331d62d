//! From a prepared request to a decoded response: a call, made of attempts.
//!
//! Start at [`call`]. A call acquires permits for its images; then attempts follow each other as [`retry`] decides.
//! [`attempt`](super::attempt) makes one attempt.

use std::{
    any::TypeId,
    panic,
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::{Instant, sleep, timeout, timeout_at},
};
use tracing::{Instrument as _, Span, field::Empty};

use super::{
    attempt::{self, Failed, attempt},
    progress::Stalled,
    response::RawResponse,
    retry::{Event, State, Stop, decide},
    status::error_of,
    stored_response,
};
use crate::{
    Client, Error, ErrorKind, Outcome, Response,
    client::Permit,
    hook::{Attempt, AttemptOutcome},
    net::body_text::{MAX_TEXT_BYTES, text_of},
    operation::Billing,
    request::{FileInfo, Mode, Request},
};

/// A wait for permits that is longer than this is logged.
const LONG_WAIT: Duration = Duration::from_secs(30);

/// Longer than any sensible deadline, and short enough to be added to any instant.
const MAX_DEADLINE: Duration = Duration::from_secs(10 * 365 * 86_400);

/// `Instant::now() + time`, saturating instead of panicking on overflow.
pub(crate) fn deadline_in(time: Duration) -> Instant {
    Instant::now() + time.min(MAX_DEADLINE)
}

/// Sends a request and decodes its response.
pub(crate) async fn call<T: DeserializeOwned + 'static>(
    client: &Client,
    request: Request,
) -> Result<Response<T>, Error> {
    Ok(call_with_permit(client, request).await?.0)
}

/// Like [`call`], and returns the permits for images in flight, too: a job needs them until it has ended.
pub(crate) async fn call_with_permit<T: DeserializeOwned + 'static>(
    client: &Client,
    request: Request,
) -> Result<(Response<T>, ImagePermit), Error> {
    let (operation, mode) = (request.operation(), request.mode());
    let span = call_span(&request);
    let response = exchange(client, &request).instrument(span.clone()).await;
    let decoded = response.and_then(|(response, permit)| Ok((decode::<T>(client, response, request)?, permit)));
    let decoded = decoded.map_err(|error| {
        let error = error.in_operation(operation);
        if mode == Mode::Quote { error.of_quote() } else { error }
    });
    let failed = decoded.as_ref().err();
    let status =
        decoded.as_ref().map(|(response, _)| response.status()).ok().or_else(|| failed.and_then(Error::status));
    record(&span, status, failed);
    span.in_scope(|| match &decoded {
        Ok((response, _)) => {
            let elapsed_ms = response.elapsed().as_millis();
            tracing::info!(operation = operation.id, attempts = response.attempts(), elapsed_ms, "succeeded");
        }
        Err(error) => {
            let (kind, outcome) = (error.kind().name(), error.outcome().name());
            tracing::warn!(operation = operation.id, attempts = error.attempts(), kind, outcome, "failed: {error}");
        }
    });
    decoded
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

/// Makes attempts until one succeeds or a retry is not allowed.
async fn exchange(client: &Client, request: &Request) -> Result<(RawResponse, ImagePermit), Error> {
    let settings = client.settings();
    settings.check()?;
    request.check_mode()?;
    let infos = Arc::from(request.inspect_files().await?);
    if let Some(folder) = response_folder(client, request) {
        stored_response::check_folder(folder).await.map_err(|error| {
            let message = format!(
                "nothing was sent, since its response could not be stored in \"{}\": {error}",
                folder.display()
            );
            Error::new(ErrorKind::LocalIo, Outcome::NotSent, message).with_source(error)
        })?;
    }
    let permit = Arc::new(acquire(client, request.images()).await?);
    let start = Instant::now();
    let deadline = deadline_in(settings.deadline);
    let mut earlier = Outcome::NotSent;
    let mut number = 0;
    loop {
        number += 1;
        let waiting = timeout_at(deadline, attempt_slot(client, request)).await;
        let slot = waiting.map_err(|_| no_slot(settings.deadline).after(number - 1, start.elapsed(), earlier))?;
        let permits = Arc::new((Arc::clone(&permit), slot));
        let result = observed(client, request, &infos, &permits, number, deadline).await;
        drop(permits);
        match result {
            Ok(mut response) => {
                (response.attempts, response.elapsed) = (number, start.elapsed());
                return Ok((response, permit));
            }
            Err((error, Ok(after))) => {
                tracing::info!(after_ms = after.as_millis(), kind = error.kind().name(), "retrying");
                if matches!(error.outcome(), Outcome::Unknown | Outcome::Completed) {
                    earlier = Outcome::Unknown;
                }
                sleep(after).await;
            }
            Err((error, Err(stop))) => return Err(error.not_retried(stop).after(number, start.elapsed(), earlier)),
        }
    }
}

/// Waits for the permits for the images of a call, up to the timeout for them.
async fn acquire(client: &Client, images: u32) -> Result<Option<Permit>, Error> {
    let limiter = &client.inner().limiter;
    let permit = async {
        let mut acquiring = pin!(limiter.acquire(images));
        match timeout(LONG_WAIT, acquiring.as_mut()).await {
            Ok(permit) => permit,
            Err(_) => {
                let in_flight = limiter.acquired();
                tracing::warn!(
                    images,
                    in_flight,
                    "waiting for permits; jobs that were submitted hold theirs until their end is seen"
                );
                acquiring.await
            }
        }
    };
    let Some(limit) = client.settings().permit_timeout else { return Ok(permit.await) };
    timeout_at(deadline_in(limit), permit).await.map_err(|_| {
        let in_flight = client.images_in_flight();
        let seconds = limit.as_secs_f64();
        let message = format!("{in_flight} images are in flight, and no permit was free within {seconds:.1} s");
        Error::new(ErrorKind::RateLimited, Outcome::NotSent, message).timed_out()
    })
}

/// Waits for a slot for one attempt of a call that makes no image. The limiter holds back all others.
async fn attempt_slot(client: &Client, request: &Request) -> Option<OwnedSemaphorePermit> {
    if request.images() > 0 {
        return None;
    }
    Arc::clone(&client.inner().attempts).acquire_owned().await.ok()
}

fn no_slot(deadline: Duration) -> Error {
    let seconds = deadline.as_secs_f64();
    let message = format!("too many calls of this client are in flight: none of them ended within {seconds:.1} s");
    Error::new(ErrorKind::Transport, Outcome::NotSent, message).timed_out()
}

/// The permits for the images of a call, if it makes any.
pub(crate) type ImagePermit = Arc<Option<Permit>>;

/// The permits of an attempt: those for images in flight, or a slot.
type Permits = Arc<(ImagePermit, Option<OwnedSemaphorePermit>)>;

/// Makes one attempt with its hooks and its span, and decides what follows a failure: a backoff, or no retry.
async fn observed(
    client: &Client,
    request: &Request,
    infos: &Arc<[Option<FileInfo>]>,
    permits: &Permits,
    number: u32,
    deadline: Instant,
) -> Result<RawResponse, (Error, Result<Duration, Stop>)> {
    let settings = client.settings();
    let observed = Attempt { request, number };
    let mut headers = settings.headers.clone();
    for hook in &settings.hooks {
        hook.before(&observed, &mut headers);
    }
    let start = Instant::now();
    let span = attempt_span(request, number);
    let result = match response_folder(client, request) {
        None => attempt(client, request, infos, headers, deadline, None).instrument(span.clone()).await,
        // The response is billed even if the caller drops the call or has no more time, so the attempt continues in a task
        // of its own.
        Some(folder) => {
            let (client, request) = (client.clone(), request.clone());
            let (infos, held) = (Arc::clone(infos), Arc::new(Mutex::new(Some(Arc::clone(permits)))));
            let (overdue, timeout) = oneshot::channel();
            let releasing = Arc::clone(&held);
            let detached = async move {
                let _held = held;
                attempt_and_store(&client, &request, &infos, headers, deadline, overdue).await
            };
            let task = tokio::spawn(detached.instrument(span.clone()));
            let joined = match select(timeout, task).await {
                Either::Left((Ok(stalled), _)) => {
                    // The connection may be dead, and other calls must not wait for it.
                    releasing.lock().unwrap_or_else(PoisonError::into_inner).take();
                    Ok(Err(attempt::goes_on(stalled, folder)))
                }
                Either::Left((Err(_), task)) => task.await,
                Either::Right((joined, _)) => joined,
            };
            match joined {
                Ok(result) => result,
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
        may_run_twice: request.may_run_twice(),
        is_reusable: request.is_reusable(),
        attempts: number,
        time_left: deadline.saturating_duration_since(Instant::now()),
        roll: fastrand::f64(),
    };
    let result = result.map_err(|Failed { error, event, .. }| {
        if let (Event::Status { code: 429, .. }, Some(allowed)) = (event, error.max_inflight()) {
            client.inner().limiter.lower_to(allowed);
        }
        (error, decide(&settings.policy, &state, event))
    });
    let elapsed = start.elapsed();
    let outcome = match &result {
        Ok(RawResponse { status, headers, .. }) => {
            AttemptOutcome { elapsed, status: Some(*status), headers: Some(headers), error: None, next_in: None }
        }
        Err((error, next)) => {
            AttemptOutcome { elapsed, status: error.status(), headers: None, error: Some(error), next_in: next.ok() }
        }
    };
    record(&span, outcome.status, outcome.error);
    for hook in &settings.hooks {
        hook.after(&observed, &outcome);
    }
    result
}

/// Returns the folder for the response of a call, if it is a paid call and responses are stored.
fn response_folder<'c>(client: &'c Client, request: &Request) -> Option<&'c Path> {
    let folder = client.settings().store_responses_in.as_deref()?;
    (request.billing() == Billing::Paid).then_some(folder)
}

/// Makes one attempt, and stores what arrives of its response, complete or not.
async fn attempt_and_store(
    client: &Client,
    request: &Request,
    infos: &[Option<FileInfo>],
    headers: HeaderMap,
    deadline: Instant,
    overdue: oneshot::Sender<Stalled>,
) -> Result<RawResponse, Failed> {
    match attempt(client, request, infos, headers, deadline, Some(overdue)).await {
        Ok(mut response) => {
            match store(client, request, infos, response.status, &response.headers, &response.body).await {
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
        Err(mut failed) => {
            if let (Some(status), Some(body)) = (failed.error.status(), failed.error.body())
                && status.is_success()
            {
                // If it cannot be stored, the error still contains it.
                let stored = store(client, request, infos, status, &failed.headers, body).await;
                failed.error = failed.error.stored_in(stored.unwrap_or_default());
            }
            Err(failed)
        }
    }
}

async fn store(
    client: &Client,
    request: &Request,
    infos: &[Option<FileInfo>],
    status: StatusCode,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Option<PathBuf>, Error> {
    let Some(folder) = response_folder(client, request) else { return Ok(None) };
    let body = redacted(client, body.clone());
    let call = Arc::new(request.call_summary(infos));
    stored_response::write(folder, call, status, headers, body).await.map(Some).map_err(|error| {
        let message = format!("cannot store the response in \"{}\": {error}", folder.display());
        Error::new(ErrorKind::LocalIo, Outcome::Completed, message).with_source(error)
    })
}

/// The body without the API key.
pub(crate) fn redacted(client: &Client, body: Bytes) -> Bytes {
    client.inner().api_key.redact_body(body)
}

fn decode<T: DeserializeOwned + 'static>(
    client: &Client,
    mut response: RawResponse,
    request: Request,
) -> Result<Response<T>, Error> {
    let mut decoded = decode_body(&response.body);
    if decoded.is_err() {
        // It may be compressed or in another encoding.
        let text = text_of(&response.body, client.settings().max_response_bytes.min(MAX_TEXT_BYTES)).text;
        if text.as_bytes() != response.body.as_ref()
            && let Ok(value) = decode_body(text.as_bytes())
        {
            (decoded, response.body) = (Ok(value), Bytes::from(text.into_owned()));
        }
    }
    if let Some(error) = late_failure(client, &response, &request) {
        return Err(error);
    }
    match decoded {
        Ok(value) => Ok(Response::new(response, value, request)),
        Err(error) => Err(undocumented(client, response, &error)),
    }
}

/// The error of a call that failed after its response had begun: the body holds the status that the response would have
/// had.
fn late_failure(client: &Client, response: &RawResponse, request: &Request) -> Option<Error> {
    let property = request.operation().status_property?;
    let body: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
    let status = u16::try_from(body.get(property)?.as_u64()?).ok()?;
    let status = StatusCode::from_u16(status).ok().filter(|status| !status.is_success())?;
    let error = error_of(status, None, response.body.clone(), true, &client.inner().api_key);
    let error = error.stored_in(response.stored_at.clone());
    Some(error.after(response.attempts, response.elapsed, Outcome::NotSent))
}

fn decode_body<T: DeserializeOwned + 'static>(body: &[u8]) -> serde_json::Result<T> {
    if body.is_empty() {
        return serde_json::from_str("null");
    }
    serde_json::from_slice(body).or_else(|error| {
        // `()` stands for a response that the document does not describe: it accepts any body.
        if TypeId::of::<T>() == TypeId::of::<()>() { serde_json::from_str("null") } else { Err(error) }
    })
}

/// The error of a response that cannot be decoded. The decoder quotes the response, which may contain signed links or
/// the key, so its quotes are left out.
fn undocumented(client: &Client, response: RawResponse, error: &serde_json::Error) -> Error {
    let message = format!("the response is not what the document describes: {}", without_quotes(&error.to_string()));
    let error = Error::new(ErrorKind::UndocumentedResponse, Outcome::Completed, message);
    let error =
        error.with_response(response.status, redacted(client, response.body), true).stored_in(response.stored_at);
    error.after(response.attempts, response.elapsed, Outcome::NotSent)
}

/// Removes the text between the first and the last quotation mark.
fn without_quotes(text: &str) -> String {
    match (text.find('"'), text.rfind('"')) {
        (Some(first), Some(last)) if first < last => format!("{}…{}", &text[..=first], &text[last..]),
        _ => text.to_owned(),
    }
}
