//! Sends a request and reads its answer.

use std::{
    error::Error as StdError,
    io,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::{
    Client, Error, ErrorKind, Outcome, Part, PartContent, Request, Response,
    file::{FileInfo, ReadFailure},
    generated::operations,
    request::Body,
};

/// An error's body is for people; more than this of it helps nobody.
const ERROR_BODY_LIMIT_BYTES: usize = 64 * 1024;

/// Sends a request and decodes its answer.
pub(crate) async fn call<T: DeserializeOwned>(client: &Client, request: Request) -> Result<Response<T>, Error> {
    let operation = request.operation();
    let answer = exchange(client, &request).await.map_err(|error| error.in_operation(operation))?;
    // An operation without a documented answer is decoded to `()`, which JSON writes as `null`, whatever came.
    let no_answer = size_of::<T>() == 0 || answer.body.is_empty();
    let json: &[u8] = if no_answer { b"null" } else { &answer.body };
    match serde_json::from_slice(json) {
        Ok(value) => Ok(Response::new(answer.status, answer.headers, answer.body, value)),
        Err(error) => Err(undocumented(client, answer, &error).in_operation(operation)),
    }
}

/// The decoder quotes the answer, and that may repeat the key: its error goes into the text, without the key.
fn undocumented(client: &Client, answer: Answer, error: &serde_json::Error) -> Error {
    let api_key = &client.inner().api_key;
    let reason = api_key.redact(Bytes::from(error.to_string()));
    let message = format!("the answer is not what the document describes: {}", String::from_utf8_lossy(&reason));
    let error = Error::new(ErrorKind::UndocumentedAnswer, Outcome::Completed, message);
    error.with_answer(answer.status, api_key.redact(answer.body), true)
}

/// A successful answer, not yet decoded.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

async fn exchange(client: &Client, request: &Request) -> Result<Answer, Error> {
    let infos = inspect_files(request).await?;
    let attempt = attempt(client, request, &infos)?;
    let response = client.inner().http.execute(attempt).await.map_err(transport_error)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let limit = if status.is_success() { client.inner().answer_limit_bytes } else { ERROR_BODY_LIMIT_BYTES };
    let read = read_body(response, limit).await;
    let api_key = &client.inner().api_key;
    let stopped = match (status.is_success(), read.end) {
        (true, Ok(())) => return Ok(Answer { status, headers, body: read.body }),
        (true, Err(stopped)) => stopped,
        (false, end) => {
            return Err(Error::from_status(status, retry_after(&headers), read.body, end.is_ok(), api_key));
        }
    };
    // It ran: the service answered 2xx. What is missing is the rest of its answer.
    let error = match stopped {
        Stopped::AtLimit => {
            let message = format!("the answer is larger than the limit of {limit} bytes");
            Error::new(ErrorKind::UndocumentedAnswer, Outcome::Completed, message)
        }
        Stopped::Broken(error) => {
            let error = error.without_url();
            Error::new(ErrorKind::Transport, Outcome::Completed, "the answer broke off").with_source(error)
        }
    };
    Err(error.with_answer(status, api_key.redact_cut(read.body), false))
}

/// Looks at every file of a multipart body, before anything is sent.
async fn inspect_files(request: &Request) -> Result<Vec<Option<FileInfo>>, Error> {
    let mut infos = Vec::with_capacity(request.parts().len());
    for part in request.parts() {
        infos.push(match &part.content {
            PartContent::File(file) => Some(file.inspect().await.map_err(|error| unreadable(part, &error))?),
            _ => None,
        });
    }
    Ok(infos)
}

fn unreadable(part: &Part, error: &io::Error) -> Error {
    let shown = match &part.content {
        PartContent::File(file) => {
            file.path().map_or_else(|| file.name().into_owned(), |path| path.display().to_string())
        }
        _ => String::new(),
    };
    let message = format!("`{}`: cannot send \"{shown}\": {error}", part.name);
    // The cause is in the message already; its kind is what a caller may still want.
    Error::new(ErrorKind::LocalIo, Outcome::NotSent, message).with_source(io::Error::from(error.kind()))
}

/// The request for one attempt: files are opened anew for each.
fn attempt(client: &Client, request: &Request, infos: &[Option<FileInfo>]) -> Result<reqwest::Request, Error> {
    let inner = client.inner();
    let mut builder = inner
        .http
        .request(request.method(), request.url())
        .timeout(inner.timeout)
        .headers(request.headers().clone())
        .header(header::ACCEPT, HeaderValue::from_static("application/json"));
    if let Some(name) = operations::API_KEY_HEADER {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("the rules check header names");
        builder = builder.header(name, inner.api_key.header());
    }
    builder = match request.body() {
        Body::Empty => builder,
        Body::Json(json) => builder.body(json.clone()),
        Body::Multipart(parts) => {
            let mut form = reqwest::multipart::Form::new();
            for (part, info) in parts.iter().zip(infos) {
                form = form.part(part.name, form_part(part, info.as_ref())?);
            }
            builder.multipart(form)
        }
    };
    builder.build().map_err(|error| {
        let message = "the request cannot be built";
        Error::new(ErrorKind::InvalidArgument, Outcome::NotSent, message).with_source(error.without_url())
    })
}

fn form_part(part: &Part, info: Option<&FileInfo>) -> Result<reqwest::multipart::Part, Error> {
    let invalid_media_type =
        |media_type: &str| Error::invalid_argument(format!("`{}`: `{media_type}` is not a media type", part.name));
    match (&part.content, info) {
        (PartContent::File(file), Some(info)) => {
            let body = file.open(info.size_bytes).map_err(|error| unreadable(part, &error))?;
            let sent = match info.size_bytes {
                Some(size) => reqwest::multipart::Part::stream_with_length(body, size),
                None => reqwest::multipart::Part::stream(body),
            };
            let sent = sent.file_name(info.name.clone());
            sent.mime_str(&info.media_type).map_err(|_| invalid_media_type(&info.media_type))
        }
        (PartContent::Json { text, media_type: Some(media_type) }, _) => {
            let sent = reqwest::multipart::Part::text(text.clone());
            sent.mime_str(media_type).map_err(|_| invalid_media_type(media_type))
        }
        (PartContent::Text(text) | PartContent::Json { text, .. }, _) => {
            Ok(reqwest::multipart::Part::text(text.clone()))
        }
        (PartContent::File(file), None) => {
            Err(Error::new(ErrorKind::LocalIo, Outcome::NotSent, format!("\"{}\" was not looked at", file.name())))
        }
    }
}

/// Why no answer arrived, and whether the request can have.
fn transport_error(error: reqwest::Error) -> Error {
    let error = error.without_url();
    if let Some(failure) = read_failure(&error) {
        let message = format!("a file could not be read while it was sent: {failure}");
        return Error::new(ErrorKind::LocalIo, Outcome::Unknown, message).with_source(error);
    }
    let (outcome, message) = if error.is_connect() {
        (Outcome::NotSent, "no connection to the service")
    } else if error.is_timeout() {
        (Outcome::Unknown, "no answer in time; the call may have run, so look before calling again")
    } else {
        (
            Outcome::Unknown,
            "the connection broke before an answer arrived; the call may have run, so look before calling again",
        )
    };
    Error::new(ErrorKind::Transport, outcome, message).with_source(error)
}

/// The local file behind a request that broke off, if it was one.
fn read_failure(error: &reqwest::Error) -> Option<&ReadFailure> {
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(current) = cause {
        if let Some(failure) = current.downcast_ref() {
            return Some(failure);
        }
        cause = current.source();
    }
    None
}

/// What was read of a body, and how the reading ended.
struct Read {
    body: Bytes,
    end: Result<(), Stopped>,
}

enum Stopped {
    AtLimit,
    Broken(reqwest::Error),
}

async fn read_body(mut response: reqwest::Response, limit: usize) -> Read {
    let expected = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut body = BytesMut::with_capacity(expected.min(limit).min(1024 * 1024));
    let end = loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                body.extend_from_slice(&chunk[..limit - body.len()]);
                break Err(Stopped::AtLimit);
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break Ok(()),
            Err(error) => break Err(Stopped::Broken(error)),
        }
    };
    Read { body: body.freeze(), end }
}

/// Seconds, or a date; a date that has passed asks for no wait.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}
