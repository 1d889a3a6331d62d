//! Fetches a picture into a file.

use std::{
    io::Write as _,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use reqwest::{Response, Url};
use tempfile::NamedTempFile;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    failure, link,
    media_type::MediaType,
    settings::Settings,
    target::{Target, on_disk},
};
use crate::{
    Client, Error, Outcome,
    retry::{Bearing, BodyLeft, Decision, Event, Policy, State, decide},
    runtime::{deadline_in, retry_after},
    signature::SIGNATURE_BYTES,
};

/// So much is gathered before it goes to the disk.
const WRITE_BYTES: usize = 512 * 1024;
/// Of a refusal, no more than this is kept.
const REFUSAL_BYTES: usize = 4 * 1024;
/// The end of a picture, with the mark of its format somewhere in it.
const TAIL_BYTES: usize = 64;
const MOST_REDIRECTS: usize = 5;

/// A picture that has arrived.
pub(super) struct Received {
    pub(super) part: NamedTempFile,
    pub(super) media_type: MediaType,
    pub(super) size_bytes: u64,
}

/// One picture to fetch.
pub(super) struct Download<'d> {
    pub(super) client: &'d Client,
    pub(super) url: Url,
    pub(super) target: &'d Target,
    pub(super) settings: &'d Settings,
    /// Told how many bytes have arrived, and how many there will be.
    pub(super) on_bytes: &'d (dyn Fn(u64, Option<u64>) + Send + Sync),
}

/// Why an attempt failed, and whether another one may do better.
struct Failed {
    error: Error,
    event: Event,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, event: Event::Final }
    }
}

impl Download<'_> {
    /// Fetches the picture; downloads are free, so what may pass is tried again.
    pub(super) async fn run(&self) -> Result<Received, Error> {
        link::check(&self.url, self.client.base_url())?;
        if link::has_expired(&self.url, SystemTime::now()) {
            return Err(failure::expired(&self.url));
        }
        // Made on first use, which takes a moment that is not the host's.
        self.client.inner().links.client(&self.url)?;
        let begun = Instant::now();
        let deadline = deadline_in(self.settings.deadline);
        let policy = self.client.settings().policy;
        let policy = Policy { attempts: self.settings.attempts.unwrap_or(policy.attempts), ..policy };
        let mut attempts = 1;
        loop {
            let Ok(result) = timeout_at(deadline, self.attempt()).await else {
                let error = failure::too_late(&self.url, self.settings.deadline);
                return Err(error.after(attempts, begun.elapsed(), None, Outcome::Completed));
            };
            let failed = match result {
                Ok(received) => return Ok(received),
                Err(failed) => failed,
            };
            let state = State {
                bearing: Bearing::Repeatable,
                body: BodyLeft::Whole,
                attempts,
                time_left: deadline.saturating_duration_since(Instant::now()),
                roll: fastrand::f64(),
            };
            match decide(&policy, &state, failed.event) {
                Decision::Repeat { after } => sleep(after).await,
                Decision::Stop(stop) => {
                    return Err(failed.error.after(attempts, begun.elapsed(), Some(stop), Outcome::Completed));
                }
            }
            attempts += 1;
        }
    }

    async fn attempt(&self) -> Result<Received, Failed> {
        (self.on_bytes)(0, None);
        // A folder that cannot be written is found out before anything is asked for.
        let target = self.target.clone();
        let part = on_disk(move || target.part()).await?;
        let response = self.ask().await?;
        self.receive(part, response).await
    }

    /// The answer with the picture. Each redirect is looked at as the link was.
    async fn ask(&self) -> Result<Response, Failed> {
        let mut url = self.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let client = self.client.inner().links.client(&url)?;
            let asked = client.get(url.clone()).header(header::ACCEPT_ENCODING, "identity").send();
            let response = match timeout(self.settings.idle_timeout, asked).await {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => return Err(passing(failure::transport(&url, "no answer from", error))),
                Err(_) => return Err(passing(failure::idle(&url, self.settings.idle_timeout))),
            };
            let status = response.status();
            // Of the others, 206 would be a part of a picture.
            if matches!(status, StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION) {
                return Ok(response);
            }
            let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
            match location {
                Some(location) if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) => {
                    url = link::redirected(&url, location, self.client.base_url())?;
                }
                _ => return Err(self.refused(&url, response).await),
            }
        }
        Err(failure::refused(format!("the link redirects more than {MOST_REDIRECTS} times")).into())
    }

    /// The failure that another status than 2xx is.
    async fn refused(&self, url: &Url, mut response: Response) -> Failed {
        let status = response.status();
        // Nothing says which status an expired link has, so every refusal that lasts is one by then.
        let lasts = status.is_client_error() && !matches!(status.as_u16(), 408 | 429);
        let no_longer = lasts && link::is_past(&self.url, SystemTime::now(), Duration::ZERO);
        if status == StatusCode::GONE || no_longer {
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
        Failed { error: failure::status(url, status, retry_after, body), event }
    }

    async fn receive(&self, mut part: NamedTempFile, mut response: Response) -> Result<Received, Failed> {
        let url = &self.url;
        let limit = self.settings.size_limit_bytes;
        let total = response.content_length();
        if total.is_some_and(|total| total > limit) {
            return Err(failure::too_large(url, limit).into());
        }
        if let Some(encoding) = encoding(response.headers()) {
            return Err(
                failure::no_picture(url, &format!("it is encoded as {encoding}, which was not asked for")).into()
            );
        }
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let no_picture = |what: String| failure::no_picture(url, &what);

        // Otherwise only the end of the connection says where the picture ends, and that comes early when it breaks.
        let is_framed = total.is_some() || response.headers().contains_key(header::TRANSFER_ENCODING);

        let (mut size_bytes, mut media_type, mut waiting) = (0_u64, None, BytesMut::new());
        let (mut head, mut tail) = (Bytes::new(), Vec::new());
        loop {
            let chunk = match timeout(self.settings.idle_timeout, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => break,
                Ok(Err(error)) => {
                    return Err(passing(failure::transport(url, "the picture broke off at", error)));
                }
                Err(_) => return Err(passing(failure::idle(url, self.settings.idle_timeout))),
            };
            size_bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            if size_bytes > limit {
                return Err(failure::too_large(url, limit).into());
            }
            waiting.extend_from_slice(&chunk);
            if media_type.is_none() && waiting.len() >= SIGNATURE_BYTES {
                media_type = Some(MediaType::of(&waiting, content_type.as_deref()).map_err(no_picture)?);
                head = Bytes::copy_from_slice(&waiting[..SIGNATURE_BYTES]);
            }
            tail.extend_from_slice(&chunk[chunk.len().saturating_sub(TAIL_BYTES)..]);
            tail.drain(..tail.len().saturating_sub(TAIL_BYTES));
            if waiting.len() >= WRITE_BYTES {
                part = self.write(part, waiting.split().freeze()).await?;
            }
            (self.on_bytes)(size_bytes, total);
        }
        let media_type = match media_type {
            Some(media_type) => media_type,
            None => MediaType::of(&waiting, content_type.as_deref()).map_err(no_picture)?,
        };
        if !is_framed && !media_type.is_whole(&head, &tail, size_bytes) {
            return Err(passing(failure::broken_off(url)));
        }
        part = self.write(part, waiting.freeze()).await?;
        Ok(Received { part, media_type, size_bytes })
    }

    async fn write(&self, mut part: NamedTempFile, bytes: Bytes) -> Result<NamedTempFile, Error> {
        let folder = self.target.folder.clone();
        on_disk(move || match part.write_all(&bytes) {
            Ok(()) => Ok(part),
            Err(error) => Err(failure::local("write into", &folder, &error)),
        })
        .await
    }
}

/// A failure that may be over by the next attempt.
fn passing(error: Error) -> Failed {
    Failed { error, event: Event::Interrupted }
}

/// The encoding of an answer, if it has one that hides what it is.
fn encoding(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_ENCODING)?;
    let value = String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase();
    (!value.is_empty() && value != "identity").then_some(value)
}
