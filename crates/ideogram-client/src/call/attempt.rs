//! One attempt: sends a request, and returns its response or how far the request came.

use std::{
    error::Error as StdError,
    io, iter, mem,
    path::Path,
    pin::{Pin, pin},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use reqwest::multipart;
use tokio::{sync::oneshot, time::Instant};

use super::{
    progress::{OVERTIME, Progress, Stalled, Watched},
    response::RawResponse,
    retry::Event,
    status,
};
use crate::{
    Client, Error, ErrorKind, Outcome, client,
    generated::operations,
    request::{Body, FileInfo, Part, PartContent, Request},
    values::file::ReadFailure,
};

/// The body of an error is for people, who do not read more than this.
const ERROR_BODY_LIMIT_BYTES: usize = 64 * 1024;

/// The next step behind a proxy that signs connections with its own certificate.
const TRUST: &str = if cfg!(all(unix, not(target_vendor = "apple"))) {
    "if a proxy of your network signs it, set the environment variable SSL_CERT_FILE to a file with its certificate authority"
} else {
    "if a proxy of your network signs it, add its certificate authority to those that the system trusts"
};
/// Errors of the HTTP stack about proxies that would refuse the next attempt, too.
const PERMANENT_PROXY_ERRORS: [&str; 10] = [
    "proxy authorization required",
    "unsupported scheme",
    "unknown proxy scheme",
    "invalid URL, scheme",
    "does not support user/pass authentication",
    "implements authentication incorrectly",
    "credentials not accepted",
    "connection not allowed",
    "command not supported",
    "address type not supported",
];
/// Errors of the HTTP stack about a proxy that may work later.
const PROXY_ERRORS: [&str; 3] = ["tunnel error", "SOCKS error", "connecting to socks proxy"];
/// The next step for both.
const PROXY_VARIABLES: &str = "check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY in the environment";

pub(super) struct Failed {
    pub(super) error: Error,
    pub(super) event: Event,
    /// The headers of a successful response that is not complete.
    pub(super) headers: HeaderMap,
}

impl Failed {
    fn new(error: Error, event: Event) -> Self {
        Self { error, event, headers: HeaderMap::new() }
    }

    pub(super) fn finally(error: Error) -> Self {
        Self::new(error, Event::Final)
    }
}

/// Sends the request once and reads the response. With `overdue`, it goes on after a timeout ([`Progress::new`]).
pub(super) async fn attempt(
    client: &Client,
    request: &Request,
    infos: &[Option<FileInfo>],
    headers: HeaderMap,
    deadline: Instant,
    overdue: Option<oneshot::Sender<Stalled>>,
) -> Result<RawResponse, Failed> {
    let start = Instant::now();
    let has_body = match request.body() {
        Body::Empty => false,
        Body::Json(json) => !json.is_empty(),
        Body::Multipart(parts) => !parts.is_empty(),
    };
    let progress = Progress::new(client.settings(), deadline, has_body, overdue);
    let built = build(client, request, infos, headers, &progress).map_err(Failed::finally)?;

    // One timer for the whole attempt: it checks the progress when it fires.
    let mut stalled = pin!(progress.stalled());
    let sent = pin!(client.inner().http.execute(built));
    let mut response = match select(sent, stalled.as_mut()).await {
        Either::Left((Ok(response), _)) => response,
        Either::Left((Err(error), _)) => return Err(transport_failure(error, &progress)),
        Either::Right((stalled, _)) => return Err(timed_out(stalled, &progress)),
    };
    progress.received();

    let (status, mut headers) = (response.status(), mem::take(response.headers_mut()));
    let limit = if status.is_success() { client.settings().max_response_bytes } else { ERROR_BODY_LIMIT_BYTES };
    let read = read_body(response, limit, &progress, stalled).await;
    let api_key = &client.inner().api_key;
    api_key.redact_headers(&mut headers);
    let stopped = match (status.is_success(), read.end) {
        (true, Ok(())) => {
            let elapsed = start.elapsed();
            return Ok(RawResponse { status, headers, body: read.body, stored_at: None, attempts: 1, elapsed });
        }
        (true, Err(stopped)) => stopped,
        (false, end) => {
            let retry_after = retry_after(&headers);
            let error = status::error_of(status, retry_after, read.body, end.is_ok(), api_key);
            return Err(Failed::new(error, Event::Status { code: status.as_u16(), retry_after }));
        }
    };
    // The call ran: the status is 2xx. The rest of the response is missing.
    let (error, event) = match stopped {
        Stopped::AtLimit => {
            let message = format!("the response is larger than the limit of {limit} bytes");
            (Error::new(ErrorKind::UndocumentedResponse, Outcome::Completed, message), Event::Final)
        }
        Stopped::Broken(error) => {
            let error = Error::new(ErrorKind::Transport, Outcome::Completed, "the response broke off")
                .with_source(error.without_url());
            (error, Event::Interrupted)
        }
        Stopped::Stalled(stalled) => {
            let message = format!("the response did not end: {}", describe(stalled));
            (Error::new(ErrorKind::Transport, Outcome::Completed, message).timed_out(), Event::Interrupted)
        }
    };
    let body = api_key.redact_cut(api_key.redact_body(read.body));
    Err(Failed { error: error.with_response(status, body, false), event, headers })
}

/// Builds the request of one attempt, which opens its files.
fn build(
    client: &Client,
    request: &Request,
    infos: &[Option<FileInfo>],
    mut headers: HeaderMap,
    progress: &Arc<Progress>,
) -> Result<reqwest::Request, Error> {
    // A hook may have added headers that the client writes itself.
    let reserved: Vec<HeaderName> = headers.keys().filter(|name| client::is_reserved(name)).cloned().collect();
    for name in reserved {
        headers.remove(name);
    }
    headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json"));
    // Without it, any coding would be acceptable.
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.extend(request.headers().clone());

    let inner = client.inner();
    let mut builder = inner.http.request(request.method(), request.url()).headers(headers);
    let needs_key = request.operation().needs_key;
    if needs_key && inner.api_key.is_none() {
        return Err(Error::invalid_argument(
            "this client was built without an API key, and the operation needs one".to_owned(),
        ));
    }
    if let Some(name) = operations::API_KEY_HEADER.filter(|_| needs_key) {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("the rules check header names");
        builder = builder.header(name, inner.api_key.header());
    }
    builder = match request.body() {
        Body::Empty => builder,
        Body::Json(json) => builder.body(json.clone()),
        Body::Multipart(parts) => {
            let mut form = multipart::Form::new();
            for (part, info) in parts.iter().zip(infos) {
                form = form.part(part.name.clone(), form_part(part, info.as_ref())?);
            }
            builder.multipart(form)
        }
    };
    let mut built = builder.build().map_err(|error| {
        let message = "the request cannot be built";
        Error::new(ErrorKind::InvalidArgument, Outcome::NotSent, message).with_source(error.without_url())
    })?;
    if let Some(body) = built.body_mut().take() {
        let announced =
            built.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let watched = Watched::new(body, announced, Arc::clone(progress), client.settings().on_upload.clone());
        *built.body_mut() = Some(reqwest::Body::wrap(watched));
    }
    Ok(built)
}

fn form_part(part: &Part, info: Option<&FileInfo>) -> Result<multipart::Part, Error> {
    let (sent, media_type) = match (&part.content, info) {
        (PartContent::Text(text), _) => (multipart::Part::text(text.clone()), None),
        (PartContent::Json { text, media_type }, _) => (multipart::Part::text(text.clone()), *media_type),
        (PartContent::File(file), Some(info)) => {
            let body = file.open(info.size_bytes).map_err(|error| part.unreadable(&error))?;
            let sent = match info.size_bytes {
                Some(size) => multipart::Part::stream_with_length(body, size),
                None => multipart::Part::stream(body),
            };
            (sent.file_name(info.name.clone()), Some(info.media_type.as_str()))
        }
        (PartContent::File(file), None) => {
            let message = format!("\"{}\" was not inspected", file.name());
            return Err(Error::new(ErrorKind::LocalIo, Outcome::NotSent, message));
        }
    };
    let Some(media_type) = media_type else { return Ok(sent) };
    let invalid = |_| Error::invalid_argument(format!("`{}`: `{media_type}` is not a media type", part.name));
    sent.mime_str(media_type).map_err(invalid)
}

/// The failure of an attempt without a response.
fn transport_failure(error: reqwest::Error, progress: &Progress) -> Failed {
    let error = error.without_url();
    if error.is_connect() {
        if let Some(message) = permanent(&error) {
            return Failed::finally(Error::new(ErrorKind::Transport, Outcome::NotSent, message).with_source(error));
        }
        let is_of_proxy = |text: String| PROXY_ERRORS.iter().any(|proxy| text.contains(proxy));
        let by_proxy = causes(&error).map(ToString::to_string).any(is_of_proxy);
        let message = if by_proxy {
            format!("no connection to the service through the proxy; {PROXY_VARIABLES}")
        } else {
            "no connection to the service".to_owned()
        };
        let error = Error::new(ErrorKind::Transport, Outcome::NotSent, message).with_source(error);
        return Failed::new(error, Event::NotConnected);
    }
    let outcome = if progress.has_left() { Outcome::Unknown } else { Outcome::NotSent };
    let unreadable = causes(&error).find_map(|cause| cause.downcast_ref().map(ReadFailure::to_string));
    if let Some(failure) = unreadable {
        let message = format!("a file could not be read while it was sent: {failure}");
        return Failed::finally(Error::new(ErrorKind::LocalIo, outcome, message).with_source(error));
    }
    let message =
        if error.is_timeout() { "no response in time" } else { "the connection broke before a response arrived" };
    Failed::new(Error::new(ErrorKind::Transport, outcome, message).with_source(error), Event::Interrupted)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    iter::successors(error.source(), |&cause| cause.source())
}

/// Returns why no connection can be established, with the next step, if a retry would not help.
fn permanent(error: &reqwest::Error) -> Option<String> {
    causes(error).find_map(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        let inner = io.and_then(io::Error::get_ref);
        let text = inner.map_or_else(|| cause.to_string(), ToString::to_string);
        // An error of the TLS library about the data it received; a broken connection has other kinds.
        let is_tls = inner.is_some() && io.is_some_and(|error| error.kind() == io::ErrorKind::InvalidData);
        if text.contains("certificate") {
            return Some(format!("the certificate of the service is not trusted: {text}; {TRUST}"));
        }
        if is_tls || text.contains("invalid dns name") {
            return Some(format!("no TLS connection to the service: {text}"));
        }
        let is_of_proxy = PERMANENT_PROXY_ERRORS.iter().any(|permanent| text.contains(permanent));
        is_of_proxy.then(|| format!("the proxy cannot be used: {text}; {PROXY_VARIABLES}"))
    })
}

fn timed_out(stalled: Stalled, progress: &Progress) -> Failed {
    let outcome = if progress.give_up() { Outcome::Unknown } else { Outcome::NotSent };
    let message = format!("no response in time: {}", describe(stalled));
    Failed::new(Error::new(ErrorKind::Transport, outcome, message).timed_out(), Event::Interrupted)
}

/// The failure of a call whose attempt goes on.
pub(super) fn goes_on(stalled: Stalled, folder: &Path) -> Failed {
    let message = format!(
        "no response in time: {}; if it arrives within {} minutes and the program still runs, it is stored in \"{}\"",
        describe(stalled),
        OVERTIME.as_secs() / 60,
        folder.display()
    );
    let error = Error::new(ErrorKind::Transport, Outcome::Unknown, message).timed_out();
    // A retry would be another call beside this one.
    Failed::finally(error)
}

fn describe(stalled: Stalled) -> String {
    match stalled {
        Stalled::Deadline => "the deadline of the call has passed".to_owned(),
        Stalled::NoResponse(timeout) => format!("no response began within {:.1} s", timeout.as_secs_f64()),
        Stalled::Idle(timeout) => format!("no progress for {:.1} s", timeout.as_secs_f64()),
    }
}

/// The bytes read of a body, and how the reading ended.
struct Read {
    body: Bytes,
    end: Result<(), Stopped>,
}

enum Stopped {
    AtLimit,
    Broken(reqwest::Error),
    Stalled(Stalled),
}

async fn read_body(
    mut response: reqwest::Response,
    limit: usize,
    progress: &Progress,
    stalled: Pin<&mut impl Future<Output = Stalled>>,
) -> Read {
    let expected = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut body = BytesMut::with_capacity(expected.min(limit).min(1024 * 1024));
    let reading = async {
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                    body.extend_from_slice(&chunk[..limit - body.len()]);
                    return Err(Stopped::AtLimit);
                }
                Ok(Some(chunk)) => {
                    progress.received();
                    body.extend_from_slice(&chunk);
                }
                Ok(None) => return Ok(()),
                Err(error) => return Err(Stopped::Broken(error)),
            }
        }
    };
    let end = match select(pin!(reading), stalled).await {
        Either::Left((end, _)) => end,
        Either::Right((stalled, _)) => Err(Stopped::Stalled(stalled)),
    };
    Read { body: body.freeze(), end }
}

/// Returns the `Retry-After` of a response, in seconds or as a date; zero for a date in the past. A date is compared
/// with the `Date` of the response, if it has one.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let date = |name| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok();
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = date(header::DATE).unwrap_or_else(SystemTime::now);
    Some(date(header::RETRY_AFTER)?.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(value: &str) -> Option<Duration> {
        retry_after(&HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_str(value).unwrap())]))
    }

    #[test]
    fn retry_after_is_a_number_of_seconds_or_a_date() {
        let in_a_minute = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));

        assert_eq!(waits(" 120 "), Some(Duration::from_secs(120)));
        assert!((55..=60).contains(&waits(&in_a_minute).unwrap().as_secs()));
        assert_eq!(waits("Thu, 01 Jan 1998 00:00:00 GMT"), Some(Duration::ZERO));
        for garbage in ["", "soon", "-1", "1.5", "99999999999999999999"] {
            assert_eq!(waits(garbage), None, "{garbage}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn a_date_is_compared_with_the_date_of_the_response() {
        let dates =
            [(header::DATE, "Thu, 01 Jan 1998 00:00:00 GMT"), (header::RETRY_AFTER, "Thu, 01 Jan 1998 00:00:30 GMT")];
        let headers = dates.map(|(name, date)| (name, HeaderValue::from_static(date)));

        assert_eq!(retry_after(&HeaderMap::from_iter(headers)), Some(Duration::from_secs(30)));
    }
}
