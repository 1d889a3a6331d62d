//! Errors of saving an image.
//!
//! The image exists and was billed, so the outcome is `Completed`. A link gives access to the image, so no error contains
//! one.

use std::{io, path::Path, time::Duration};

use bytes::Bytes;
use http::StatusCode;
use reqwest::Url;

use crate::{Error, ErrorKind, Outcome, net::address::NOT_PUBLIC};

/// A link must not be followed.
pub(super) fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, Outcome::Completed, message)
}

pub(super) fn expired(url: &Url) -> Error {
    let message =
        format!("the link to {} has expired: the image is gone, and generating it again costs again", host(url));
    Error::new(ErrorKind::LinkExpired, Outcome::Completed, message)
}

/// A response with status 2xx is not an image.
pub(super) fn no_image(url: &Url, what: &str) -> Error {
    Error::new(
        ErrorKind::UndocumentedResponse,
        Outcome::Completed,
        format!("{} did not send an image: {what}", host(url)),
    )
}

pub(super) fn too_large(url: &Url, limit: u64) -> Error {
    let message = format!("the image at {} is larger than the limit of {limit} bytes", host(url));
    Error::new(ErrorKind::UndocumentedResponse, Outcome::Completed, message)
}

/// A response has a status other than 2xx.
pub(super) fn status(url: &Url, status: StatusCode, retry_after: Option<Duration>, body: Bytes) -> Error {
    let kind = match status.as_u16() {
        // The key is not sent to links, so 401 is not about it.
        401 | 403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited,
        408 | 500..=599 => ErrorKind::Server,
        400..=499 => ErrorKind::InvalidRequest,
        _ => ErrorKind::UndocumentedResponse,
    };
    let message = format!("{} did not send the image", host(url));
    Error::new(kind, Outcome::Completed, message).with_response(status, body, false).with_retry_after(retry_after)
}

pub(super) fn transport(url: &Url, what: &str, error: reqwest::Error) -> Error {
    let message = format!("{what} {}", host(url));
    Error::new(ErrorKind::Transport, Outcome::Completed, message).with_source(error.without_url())
}

pub(super) fn broken_off(url: &Url) -> Error {
    let message = format!("the image broke off at {}", host(url));
    Error::new(ErrorKind::Transport, Outcome::Completed, message)
}

/// The host of a link has an address that is not public.
pub(super) fn not_public(url: &Url) -> Error {
    refused(format!("the link to {} is not followed: {NOT_PUBLIC}", host(url)))
}

/// The end of an image is missing, although the response was complete.
pub(super) fn cut(url: &Url, size_bytes: u64, media_type: &str) -> Error {
    let message = format!("{} sent {size_bytes} bytes of {media_type}, and its end is missing", host(url));
    Error::new(ErrorKind::Transport, Outcome::Completed, message)
}

/// An image passed the safety check, and has no link.
pub(super) fn link_missing(missing: usize, images: usize) -> Error {
    let message = format!("an image has no link; {missing} of {images} images were not saved");
    Error::new(ErrorKind::UndocumentedResponse, Outcome::Completed, message)
}

/// A broken response has no image with a whole link.
pub(super) fn broken_response() -> Error {
    let message = "the response broke off before its first image, so there is nothing to save";
    Error::new(ErrorKind::UndocumentedResponse, Outcome::Completed, message)
}

/// The runtime is shutting down.
pub(super) fn shutting_down() -> Error {
    Error::new(ErrorKind::LocalIo, Outcome::Completed, "nothing can be written: the runtime is shutting down")
}

/// The thread for blocking calls cannot be used.
#[cfg(feature = "blocking")]
pub(super) fn no_thread(error: Error) -> Error {
    Error::new(ErrorKind::LocalIo, Outcome::Completed, "there is no thread to save images with").with_source(error)
}

pub(super) fn idle(url: &Url, timeout: Duration) -> Error {
    let message = format!("{} sent nothing for {} seconds", host(url), timeout.as_secs_f64());
    Error::new(ErrorKind::Transport, Outcome::Completed, message).timed_out()
}

pub(super) fn too_late(url: &Url, deadline: Duration) -> Error {
    let message = format!("the image at {} was not saved within {} seconds", host(url), deadline.as_secs_f64());
    Error::new(ErrorKind::Transport, Outcome::Completed, message).timed_out()
}

/// A file or folder could not be read, created or written.
pub(super) fn local(action: &str, path: &Path, error: &io::Error) -> Error {
    let reason = match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::QuotaExceeded => "the quota is used up".to_owned(),
        io::ErrorKind::FileTooLarge => "the file system does not allow such a large file".to_owned(),
        io::ErrorKind::AlreadyExists => "the file exists, and is not overwritten".to_owned(),
        _ => error.to_string(),
    };
    let message = format!("cannot {action} \"{}\": {reason}; the image is still at its link", path.display());
    // The message contains the cause already; the source keeps its kind.
    Error::new(ErrorKind::LocalIo, Outcome::Completed, message).with_source(io::Error::from(error.kind()))
}

/// Returns the host of a link, the only part that an error may contain.
fn host(url: &Url) -> &str {
    url.host_str().unwrap_or("a link without a host")
}
