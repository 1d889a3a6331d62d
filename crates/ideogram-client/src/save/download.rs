//! Downloads an image into a file.

use std::{io::Write as _, time::SystemTime};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, StatusCode, header};
use reqwest::{Response, Url};
use tempfile::NamedTempFile;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    failure,
    link::{self, Rules},
    media_type::MediaType,
    saved::Received,
    settings::Settings,
    target::{Target, on_disk},
    unpack::{Unpacked, may_be_packed, unpack},
};
use crate::{
    Client, Error, Outcome,
    call::retry::{Event, Policy, State, decide},
    call::{deadline_in, retry_after},
    net::address::is_not_public,
    values::file_type::SIGNATURE_BYTES,
};

/// The number of bytes that are buffered before they are written.
const WRITE_BYTES: usize = 512 * 1024;
/// The maximum size of the body of a refusal.
const REFUSAL_BYTES: usize = 4 * 1024;
const MAX_REDIRECTS: usize = 5;

/// The download of one image.
pub(super) struct Download<'d> {
    pub(super) client: &'d Client,
    pub(super) rules: Rules<'d>,
    pub(super) url: Url,
    pub(super) target: &'d Target,
    pub(super) settings: &'d Settings,
    /// Called with the bytes that have arrived, and the size if it is known.
    pub(super) on_bytes: &'d (dyn Fn(u64, Option<u64>) + Send + Sync),
}

/// A failed attempt, or a failed download.
pub(super) struct Failed {
    pub(super) error: Error,
    event: Event,
    /// The incomplete image with the most bytes, from a response that was complete.
    pub(super) cut: Option<Received>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, event: Event::Final, cut: None }
    }
}

impl Download<'_> {
    /// Downloads the image, with retries.
    pub(super) async fn run(&self) -> Result<Received, Failed> {
        self.rules.check(&self.url)?;
        // Built on first use, before the deadline starts.
        self.stack(&self.url)?;
        let begun = Instant::now();
        let deadline = deadline_in(self.settings.deadline);
        let policy = self.client.settings().policy;
        let policy = Policy { attempts: self.settings.attempts.unwrap_or(policy.attempts), ..policy };
        let mut attempts = 1;
        let mut cut: Option<Received> = None;
        loop {
            let Ok(result) = timeout_at(deadline, self.attempt()).await else {
                let error = failure::too_late(&self.url, self.settings.deadline);
                let error = error.after(attempts, begun.elapsed(), Outcome::Completed);
                return Err(Failed { cut, ..error.into() });
            };
            let mut failed = match result {
                Ok(received) => return Ok(received),
                Err(failed) => failed,
            };
            if let Some(more) = failed.cut.take()
                && cut.as_ref().is_none_or(|cut| cut.size_bytes < more.size_bytes)
            {
                cut = Some(more);
            }
            let state = State {
                may_run_twice: true,
                is_reusable: true,
                attempts,
                time_left: deadline.saturating_duration_since(Instant::now()),
                roll: fastrand::f64(),
            };
            match decide(&policy, &state, failed.event) {
                Ok(after) => sleep(after).await,
                Err(stop) => {
                    let error = failed.error.not_retried(stop).after(attempts, begun.elapsed(), Outcome::Completed);
                    return Err(Failed { cut, ..error.into() });
                }
            }
            attempts += 1;
        }
    }

    async fn attempt(&self) -> Result<Received, Failed> {
        (self.on_bytes)(0, None);
        // Before the request, so that a folder that cannot be written fails early.
        let target = self.target.clone();
        let part = on_disk(move || target.new_part().map_err(|error| target.cannot_write(&error))).await?;
        let response = self.request().await?;
        self.receive(part, response).await
    }

    /// Requests the image. Each redirect is checked like the link.
    async fn request(&self) -> Result<Response, Failed> {
        let mut url = self.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let sent = self.stack(&url)?.get(url.clone()).header(header::ACCEPT_ENCODING, "identity").send();
            let response = match timeout(self.settings.idle_timeout, sent).await {
                Ok(Ok(response)) => response,
                Ok(Err(error)) if is_not_public(&error) => return Err(failure::not_public(&url).into()),
                Ok(Err(error)) => return Err(transient(failure::transport(&url, "no response from", error))),
                Err(_) => return Err(transient(failure::idle(&url, self.settings.idle_timeout))),
            };
            let status = response.status();
            // Not 206, which would be a part of an image.
            if matches!(status, StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION) {
                return Ok(response);
            }
            match response.headers().get(header::LOCATION) {
                Some(location) if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) => {
                    url = self.rules.redirected(&url, location.as_bytes())?;
                }
                _ => return Err(self.refused(&url, response).await),
            }
        }
        Err(failure::refused(format!("the link redirects more than {MAX_REDIRECTS} times")).into())
    }

    fn stack(&self, url: &Url) -> Result<&reqwest::Client, Error> {
        self.client.inner().links.client(url, self.rules.is_own(url))
    }

    /// Returns the failure of a response with another status.
    async fn refused(&self, url: &Url, mut response: Response) -> Failed {
        let status = response.status();
        // The status of an expired link is not documented, so every permanent refusal after the expiry counts.
        let is_permanent = status.is_client_error() && !matches!(status.as_u16(), 408 | 429);
        let is_expired = is_permanent && link::is_past(&self.url, SystemTime::now());
        if status == StatusCode::GONE || is_expired {
            return failure::expired(url).into();
        }
        let retry_after = retry_after(response.headers());
        let event = Event::Status { code: status.as_u16(), retry_after };
        let mut body = BytesMut::new();
        while body.len() < REFUSAL_BYTES
            && let Ok(Ok(Some(chunk))) = timeout(self.settings.idle_timeout, response.chunk()).await
        {
            body.extend_from_slice(&chunk);
        }
        body.truncate(REFUSAL_BYTES);
        let body = self.client.inner().api_key.redact_cut(body.freeze());
        Failed { event, ..failure::status(url, status, retry_after, body).into() }
    }

    async fn receive(&self, mut part: NamedTempFile, mut response: Response) -> Result<Received, Failed> {
        let url = &self.url;
        let limit = self.settings.size_limit_bytes;
        let total = response.content_length();
        if total.is_some_and(|total| total > limit) {
            return Err(failure::too_large(url, limit).into());
        }
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let no_image = |what: String| failure::no_image(url, &what);

        // Without framing, the image ends with the connection, and a broken connection looks like its end.
        let is_framed = total.is_some() || response.headers().contains_key(header::TRANSFER_ENCODING);
        // The header is often wrong; the bytes decide later.
        let codings = response.headers().get_all(header::CONTENT_ENCODING);
        let label = codings.iter().map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b',');

        let (mut size_bytes, mut is_checked, mut waiting) = (0_u64, false, BytesMut::new());
        loop {
            let chunk = match timeout(self.settings.idle_timeout, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => break,
                Ok(Err(error)) => {
                    return Err(transient(failure::transport(url, "the image broke off at", error)));
                }
                Err(_) => return Err(transient(failure::idle(url, self.settings.idle_timeout))),
            };
            size_bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            if size_bytes > limit {
                return Err(failure::too_large(url, limit).into());
            }
            waiting.extend_from_slice(&chunk);
            if !is_checked && waiting.len() >= SIGNATURE_BYTES {
                // A long page is refused after its first bytes.
                if !may_be_packed(&waiting, &label) {
                    MediaType::of(&waiting, content_type.as_deref()).map_err(no_image)?;
                }
                is_checked = true;
            }
            if waiting.len() >= WRITE_BYTES {
                part = self.write(part, waiting.split().freeze()).await?;
            }
            (self.on_bytes)(size_bytes, total);
        }
        part = self.write(part, waiting.freeze()).await?;
        let target = self.target.clone();
        let unpacked =
            on_disk(move || unpack(part, limit, || target.new_part()).map_err(|error| target.cannot_write(&error)))
                .await?;
        let Some(Unpacked { part, size_bytes, head, is_complete }) = unpacked else {
            return Err(failure::too_large(url, limit).into());
        };
        let media_type = MediaType::of(&head, content_type.as_deref()).map_err(no_image)?;
        let received = Received { part, media_type, size_bytes };
        if is_complete {
            return Ok(received);
        }
        if !is_framed {
            return Err(transient(failure::broken_off(url)));
        }
        let error = failure::cut(url, size_bytes, &received.media_type.name);
        Err(Failed { error, event: Event::Interrupted, cut: Some(received) })
    }

    async fn write(&self, mut part: NamedTempFile, bytes: Bytes) -> Result<NamedTempFile, Error> {
        let target = self.target.clone();
        on_disk(move || match part.write_all(&bytes) {
            Ok(()) => Ok(part),
            Err(error) => Err(target.cannot_write(&error)),
        })
        .await
    }
}

/// Returns a failure that a retry may avoid.
fn transient(error: Error) -> Failed {
    Failed { event: Event::Interrupted, ..error.into() }
}
