//! Verifies webhooks with the keys that the service publishes now.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tokio::{sync::Mutex, time::Instant};

use super::{
    delivery::Delivery,
    keys::KeySet,
    verify::{DEFAULT_TOLERANCE, Signed, VerifyError},
};
use crate::{CallOptions, Client, Error, ErrorKind, Outcome, generated::operations};

/// The maximum age of fetched keys that are used.
const MAX_KEY_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// The minimum time between two fetches: forged webhooks must not make the receiver call the service at will.
const MIN_FETCH_INTERVAL: Duration = Duration::from_secs(60);
/// How long a fetch may take. The sender of the webhook waits.
const FETCH_DEADLINE: Duration = Duration::from_secs(10);

/// Verifies webhooks, and fetches the keys for it.
///
/// Keys are fetched with the first webhook of the right form, and used for 24 hours. If they do not verify a webhook, they
/// are fetched again, but at most once a minute. While the service cannot be reached, the keys that were fetched last are
/// used, however old they are.
///
/// Cheap to clone: clones share the keys. The API key of the client is not sent.
#[derive(Clone, Debug)]
pub struct Receiver {
    shared: Arc<Shared>,
    tolerance: Duration,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    /// The keys that were fetched last. Deliveries that they verify wait for nobody.
    fetched: RwLock<Option<Arc<Fetched>>>,
    /// The last fetch. Held during a fetch, so that there is one at a time.
    last: Mutex<Option<Attempt>>,
}

#[derive(Debug)]
struct Fetched {
    keys: KeySet,
    at: Instant,
}

#[derive(Debug)]
struct Attempt {
    at: Instant,
    error: Option<Arc<Error>>,
}

/// Why a webhook was not received.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// It is not a valid webhook of the service.
    #[error(transparent)]
    Refused(#[from] VerifyError),
    /// The keys could not be fetched, now or within the last minute, and none were fetched before. The webhook may be
    /// valid: with [`ReceiveError::status`], the service delivers it again.
    #[error("the keys that verify webhooks cannot be fetched")]
    KeysUnavailable(#[source] Arc<Error>),
}

impl ReceiveError {
    /// The status for the response: 400 to a webhook that is refused, 503 if the keys are not available. The service
    /// delivers again after both, a limited number of times.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Refused(_) => StatusCode::BAD_REQUEST,
            Self::KeysUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Receiver {
    /// Creates a receiver without keys, which fetches them with this client.
    pub fn new(client: &Client) -> Self {
        let client = client.with(CallOptions::new().deadline(FETCH_DEADLINE));
        Self {
            shared: Arc::new(Shared { client, fetched: RwLock::default(), last: Mutex::default() }),
            tolerance: DEFAULT_TOLERANCE,
        }
    }

    /// Sets how far the time of a delivery may differ from the clock; see
    /// [`Verifier::tolerance`](super::Verifier::tolerance).
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Verifies a webhook: its headers, its raw body, and its time against the clock of this machine.
    ///
    /// Dropping the future does not stop a fetch of keys that it has started.
    ///
    /// # Errors
    ///
    /// [`ReceiveError::Refused`] if it is not a valid webhook, and [`ReceiveError::KeysUnavailable`] if that cannot be
    /// decided.
    pub async fn receive(&self, headers: &HeaderMap, body: impl Into<Bytes>) -> Result<Delivery, ReceiveError> {
        // Before keys are fetched: what has not even the form of a webhook causes no call.
        let signed = Signed::read(headers, body.into(), SystemTime::now(), self.tolerance)?;
        let known = self.shared.fetched().filter(|fetched| fetched.at.elapsed() < MAX_KEY_AGE);
        let known = match known {
            Some(known) => known,
            None => self.fetch(None).await?,
        };
        match signed.check(&known.keys) {
            Err(error) if error.is_about_keys() => {
                let newer = self.fetch(Some(&known)).await?;
                if Arc::ptr_eq(&newer, &known) {
                    return Err(error.into());
                }
                signed.check(&newer.keys)?;
            }
            checked => checked?,
        }
        Ok(signed.into_delivery()?)
    }

    /// Fetches keys, unless others than `known` were fetched meanwhile or the last fetch was just now, and returns the
    /// latest.
    async fn fetch(&self, known: Option<&Arc<Fetched>>) -> Result<Arc<Fetched>, ReceiveError> {
        let (shared, known) = (Arc::clone(&self.shared), known.cloned());
        // A server drops this future when the sender goes away, and the keys are for all senders.
        let fetch = tokio::spawn(async move { shared.fetch(known.as_ref()).await });
        let stopped = |error| {
            let message = "the runtime ended while keys were fetched";
            Arc::new(Error::new(ErrorKind::Transport, Outcome::Unknown, message).with_source(error))
        };
        fetch.await.unwrap_or_else(|error| Err(stopped(error))).map_err(ReceiveError::KeysUnavailable)
    }
}

impl Shared {
    fn fetched(&self) -> Option<Arc<Fetched>> {
        self.fetched.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn fetch(&self, known: Option<&Arc<Fetched>>) -> Result<Arc<Fetched>, Arc<Error>> {
        let mut last = self.last.lock().await;
        let latest = self.fetched();
        if let Some(latest) = &latest
            && known.is_some_and(|known| !Arc::ptr_eq(known, latest))
        {
            return Ok(Arc::clone(latest));
        }
        let is_due = last.as_ref().is_none_or(|last| last.at.elapsed() >= MIN_FETCH_INTERVAL);
        if is_due {
            let at = Instant::now();
            let error = match self.key_set().await {
                Ok(keys) => {
                    let fetched = Arc::new(Fetched { keys, at });
                    *self.fetched.write().unwrap_or_else(PoisonError::into_inner) = Some(fetched);
                    None
                }
                Err(error) => Some(Arc::new(error)),
            };
            *last = Some(Attempt { at, error });
        }
        // Keys that were fetched earlier are better than none.
        let error = || last.as_ref().and_then(|last| last.error.clone());
        self.fetched().ok_or_else(|| error().expect("a fetch has keys or an error"))
    }

    async fn key_set(&self) -> Result<KeySet, Error> {
        // As JSON: a malformed key must not make the others useless.
        let response = self.client.call(operations::GET_WEBHOOK_SIGNING_JWKS.id)?.send().await?;
        Ok(KeySet::from_json(&response))
    }
}
