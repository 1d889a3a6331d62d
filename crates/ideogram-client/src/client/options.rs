//! What can be set for one call: attempts, time-outs, headers, what becomes of its response.
//!
//! [`CallOptions`] says what is to be different; [`Settings`] is everything, as the runtime reads it.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::hook::Hook;
use crate::{Error, Validation, call::retry::Policy, generated::operations};

/// Short enough to tell a dead connection, long enough for a network that changes over.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Images are made while the call waits: usually seconds; several images of high quality take minutes.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(300);
/// A hundred images over a slow line take their time; a call that moves is not dead.
const DEADLINE: Duration = Duration::from_secs(3600);
/// Three repeats: within seconds after a failure, within half a minute after 429.
const ATTEMPTS: u32 = 4;
const INITIAL_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// Far above any response that was seen; a dataset of 100 000 files takes about 8 MB.
const MAX_RESPONSE_BYTES: usize = 64 * 1024 * 1024;

/// Headers that the runtime writes; one more of them would change where a request ends or what it holds.
const OURS: [HeaderName; 5] =
    [header::ACCEPT_ENCODING, header::CONTENT_LENGTH, header::CONTENT_TYPE, header::HOST, header::TRANSFER_ENCODING];

/// What is different for some calls. What is not set stays as the client has it.
///
/// ```no_run
/// # async fn example(client: &ideogram_client::Client) -> Result<(), ideogram_client::Error> {
/// use std::time::Duration;
///
/// use ideogram_client::CallOptions;
///
/// let hasty = client.with(CallOptions::new().attempts(1).deadline(Duration::from_secs(30)));
/// let dataset = hasty.get_dataset().dataset_id("abc").send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct CallOptions {
    attempts: Option<u32>,
    initial_backoff: Option<Duration>,
    max_backoff: Option<Duration>,
    deadline: Option<Duration>,
    idle_timeout: Option<Duration>,
    response_timeout: Option<Duration>,
    max_response_bytes: Option<usize>,
    validation: Option<Validation>,
    store_responses_in: Option<PathBuf>,
    on_upload: Option<OnUpload>,
    headers: HeaderMap,
    hooks: Vec<Arc<dyn Hook>>,
    refused: Option<String>,
}

/// Called with how many bytes of a body have been handed to the network, and of how many if that is known.
pub(crate) type OnUpload = Arc<dyn Fn(u64, Option<u64>) + Send + Sync>;

impl CallOptions {
    /// Nothing different.
    pub fn new() -> Self {
        Self::default()
    }

    /// Most attempts of a call, the first included: 4 by default; 1 sends exactly once.
    ///
    /// A free call that is safe to repeat is sent again when the connection fails, a time-out passes, a response breaks
    /// off, or after 408, 429, 500, 502, 503 and 504. Any other call is sent again only when no connection was
    /// established, or after 429: it has not run then, and is not billed.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Sets the longest backoff after the first attempt: 1 second by default, and four times that after 429. It doubles
    /// with each attempt. The backoff itself is a random time between zero and this value (full jitter), so that
    /// callers do not retry all at once.
    pub fn initial_backoff(mut self, backoff: Duration) -> Self {
        self.initial_backoff = Some(backoff);
        self
    }

    /// Sets the maximum backoff between two attempts: 1 minute by default. If the `Retry-After` of a response is
    /// longer, the call ends with that response.
    pub fn max_backoff(mut self, backoff: Duration) -> Self {
        self.max_backoff = Some(backoff);
        self
    }

    /// How long a call may take with all its attempts and waits: 1 hour by default. It begins when the call has its
    /// places among the images in the making; until then nothing is sent, and dropping the call costs nothing.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// How long nothing may move while a request or a response is under way: 1 minute by default. A slow upload that
    /// moves is not dead.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// How long the service may take from the end of a request to the beginning of its response: 5 minutes by default.
    /// It makes images in that time.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = Some(timeout);
        self
    }

    /// How large a response may be: 64 MiB by default. Reading stops there, and the call fails.
    pub fn max_response_bytes(mut self, limit: usize) -> Self {
        self.max_response_bytes = Some(limit);
        self
    }

    /// Whether requests are checked against the document before they are sent.
    pub fn validation(mut self, validation: Validation) -> Self {
        self.validation = Some(validation);
        self
    }

    /// Writes the response of every paid call into this folder before it is decoded, with the request. The folder
    /// is made if need be; each response is a file of its own, readable by you alone, and
    /// [`StoredResponse`](crate::StoredResponse) reads it. A response that cannot be written is in the error that says
    /// so.
    ///
    /// A call that is dropped after it was sent goes on to its end, keeps its places among the images in the making
    /// until then, and its response is written too; it is not sent another time.
    pub fn store_responses_in(mut self, folder: impl AsRef<Path>) -> Self {
        self.store_responses_in = Some(folder.as_ref().to_owned());
        self
    }

    /// Tells how many bytes of a request's body have been handed to the network, and of how many. Called often, and
    /// from the task that sends: it should be quick. A new attempt begins at 0 again.
    pub fn on_upload(mut self, observer: impl Fn(u64, Option<u64>) + Send + Sync + 'static) -> Self {
        self.on_upload = Some(Arc::new(observer));
        self
    }

    /// A header for every request, such as a trace id. Those that say where a request ends and what it holds, and the
    /// one that carries the API key, are the client's own: naming one of them makes the call fail before it is sent.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        match (name.try_into(), value.try_into()) {
            (Ok(name), Ok(_)) if is_ours(&name) => {
                self.refused = Some(format!("the header `{name}` is written by the client itself"));
            }
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
            }
            (Ok(name), Err(_)) => {
                self.refused = Some(format!("the value of the header `{name}` cannot stand in a header"));
            }
            (Err(_), _) => self.refused = Some("a header has a name that cannot be one".to_owned()),
        }
        self
    }

    /// Sees every attempt before and after it is made. Hooks of the client are kept; this one comes after them.
    pub fn hook(mut self, hook: impl Hook + 'static) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }
}

impl fmt::Debug for CallOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values of headers may be secrets of other services.
        let headers: Vec<_> = self.headers.keys().map(HeaderName::as_str).collect();
        formatter
            .debug_struct("CallOptions")
            .field("attempts", &self.attempts)
            .field("initial_backoff", &self.initial_backoff)
            .field("max_backoff", &self.max_backoff)
            .field("deadline", &self.deadline)
            .field("idle_timeout", &self.idle_timeout)
            .field("response_timeout", &self.response_timeout)
            .field("max_response_bytes", &self.max_response_bytes)
            .field("validation", &self.validation)
            .field("store_responses_in", &self.store_responses_in)
            .field("headers", &headers)
            .field("hooks", &self.hooks.len())
            .finish_non_exhaustive()
    }
}

/// Whether a header is written by the client itself.
pub(crate) fn is_ours(name: &HeaderName) -> bool {
    OURS.contains(name) || operations::API_KEY_HEADER.is_some_and(|ours| name.as_str().eq_ignore_ascii_case(ours))
}

/// Everything that can be set for a call.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) policy: Policy,
    pub(crate) deadline: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) response_timeout: Duration,
    pub(crate) max_response_bytes: usize,
    pub(crate) validation: Validation,
    pub(crate) store_responses_in: Option<PathBuf>,
    pub(crate) on_upload: Option<OnUpload>,
    pub(crate) headers: HeaderMap,
    pub(crate) hooks: Vec<Arc<dyn Hook>>,
    refused: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Policy { attempts: ATTEMPTS, initial_backoff: INITIAL_BACKOFF, max_backoff: MAX_BACKOFF },
            deadline: DEADLINE,
            idle_timeout: IDLE_TIMEOUT,
            response_timeout: RESPONSE_TIMEOUT,
            max_response_bytes: MAX_RESPONSE_BYTES,
            validation: Validation::On,
            store_responses_in: None,
            on_upload: None,
            headers: HeaderMap::new(),
            hooks: Vec::new(),
            refused: None,
        }
    }
}

impl Settings {
    /// These settings, with what the options make different.
    pub(crate) fn with(&self, options: CallOptions) -> Self {
        let mut headers = self.headers.clone();
        headers.extend(options.headers);
        let mut hooks = self.hooks.clone();
        hooks.extend(options.hooks);
        Self {
            policy: Policy {
                attempts: options.attempts.unwrap_or(self.policy.attempts),
                initial_backoff: options.initial_backoff.unwrap_or(self.policy.initial_backoff),
                max_backoff: options.max_backoff.unwrap_or(self.policy.max_backoff),
            },
            deadline: options.deadline.unwrap_or(self.deadline),
            idle_timeout: options.idle_timeout.unwrap_or(self.idle_timeout),
            response_timeout: options.response_timeout.unwrap_or(self.response_timeout),
            max_response_bytes: options.max_response_bytes.unwrap_or(self.max_response_bytes),
            validation: options.validation.unwrap_or_else(|| self.validation.clone()),
            store_responses_in: options.store_responses_in.or_else(|| self.store_responses_in.clone()),
            on_upload: options.on_upload.or_else(|| self.on_upload.clone()),
            headers,
            hooks,
            refused: options.refused.or_else(|| self.refused.clone()),
        }
    }

    /// Whether all that was set can be used.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.refused.clone().map_or(Ok(()), |reason| Err(Error::invalid_argument(reason)))
    }
}
