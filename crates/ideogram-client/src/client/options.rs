//! Options of a call: attempts, timeouts, headers, where its response is stored.
//!
//! [`CallOptions`] holds the changes; [`Settings`] holds every value, for the code that sends calls.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::hook::Hook;
use crate::{Error, Validation, call::retry::Policy, generated::operations};

/// Short enough to notice a dead connection, long enough for a change of network.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Images are drawn while the call waits: usually for seconds, for minutes with several images of high quality.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(300);
/// A hundred images over a slow line take long; a call that makes progress is not dead.
const DEADLINE: Duration = Duration::from_secs(3600);
const ATTEMPTS: u32 = 4;
const INITIAL_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// Far above any observed response; a dataset of 100,000 files takes about 8 MB.
const MAX_RESPONSE_BYTES: usize = 64 * 1024 * 1024;

/// Headers that the client writes itself; a second one would change where a request ends or how it is read.
const RESERVED: [HeaderName; 5] =
    [header::ACCEPT_ENCODING, header::CONTENT_LENGTH, header::CONTENT_TYPE, header::HOST, header::TRANSFER_ENCODING];

/// Options of calls. An option that is not set keeps the client's value.
///
/// ```no_run
/// # async fn example(client: &ideogram_client::Client) -> Result<(), ideogram_client::Error> {
/// use std::time::Duration;
///
/// use ideogram_client::CallOptions;
///
/// let quick = client.with(CallOptions::new().attempts(1).deadline(Duration::from_secs(30)));
/// let dataset = quick.get_dataset().dataset_id("abc").send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct CallOptions {
    attempts: Option<u32>,
    initial_backoff: Option<Duration>,
    max_backoff: Option<Duration>,
    deadline: Option<Duration>,
    permit_timeout: Option<Duration>,
    idle_timeout: Option<Duration>,
    response_timeout: Option<Duration>,
    max_response_bytes: Option<usize>,
    validation: Option<Validation>,
    store_responses_in: Option<PathBuf>,
    on_upload: Option<OnUpload>,
    headers: HeaderMap,
    hooks: Vec<Arc<dyn Hook>>,
    /// Why an option cannot be used.
    invalid: Option<String>,
}

/// Called with the bytes of a body that were sent, and the size of the body if it is known.
pub(crate) type OnUpload = Arc<dyn Fn(u64, Option<u64>) + Send + Sync>;

impl CallOptions {
    /// Returns options of which none is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum number of attempts of a call, including the first: 4 by default; 1 sends it once.
    ///
    /// A call that is free and safe to retry is retried when the connection fails, a timeout passes, a response breaks
    /// off, and after 408, 429, 500, 502, 503 and 504. Every other call is retried only if no connection was
    /// established, or after 429: then it has not run, and is not billed.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Sets the maximum backoff after the first attempt: 1 second by default, and four times that after 429. It doubles
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

    /// Sets how long a call may take with all its attempts and backoffs: 1 hour by default. The time begins when the call
    /// has its permits for images in flight ([`permit_timeout`](Self::permit_timeout) bounds the wait for them); until
    /// then nothing is sent, and dropping the call costs nothing. For a call that makes no image, it begins at once, and
    /// bounds the wait behind other calls too.
    ///
    /// Waits for jobs and trainings consist of many calls, and have a deadline of their own, such as
    /// [`Wait::deadline`](crate::job::Wait::deadline).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets how long a call may wait for its permits for images in flight: without a limit by default. Jobs hold permits
    /// until their end is seen ([`Job`](crate::Job)), so a program that submits many jobs must wait for the first of them, or
    /// set this. A call that waits
    /// longer fails with [`ErrorKind::RateLimited`](crate::ErrorKind::RateLimited) and
    /// [`Outcome::NotSent`](crate::Outcome::NotSent). With a deadline, it bounds the whole time of a call that
    /// makes images.
    pub fn permit_timeout(mut self, timeout: Duration) -> Self {
        self.permit_timeout = Some(timeout);
        self
    }

    /// Sets how long a request or a response may make no progress: 1 minute by default. A slow upload that makes progress
    /// is not interrupted.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Sets how long the service may take from the end of a request to the beginning of its response: 5 minutes by
    /// default. It draws images in that time.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = Some(timeout);
        self
    }

    /// Sets the maximum size of a response: 64 MiB by default. A larger response fails the call.
    pub fn max_response_bytes(mut self, limit: usize) -> Self {
        self.max_response_bytes = Some(limit);
        self
    }

    /// Sets whether requests are checked against the document before they are sent.
    pub fn validation(mut self, validation: Validation) -> Self {
        self.validation = Some(validation);
        self
    }

    /// Writes the response of every paid call, with the request, into this folder before it is decoded. The folder is
    /// created if necessary. Each response is a file of its own, readable by its owner only;
    /// [`StoredResponse`](crate::StoredResponse) reads it. If a response cannot be written, the error contains it.
    ///
    /// Before a paid call is sent, a file is created in the folder and removed: if the folder cannot be written, nothing is
    /// sent.
    ///
    /// After it was sent, a paid call continues in the background while the runtime runs: without another limit if its
    /// future was dropped, up to 10 minutes after a timeout. Its response is written, too; it is not retried. A dropped call
    /// holds its permits for images in flight until then, a call that timed out releases them at once.
    pub fn store_responses_in(mut self, folder: impl AsRef<Path>) -> Self {
        self.store_responses_in = Some(folder.as_ref().to_owned());
        self
    }

    /// Calls `observer` with the bytes of the body that were sent, and with the size of the body if it is known. It is
    /// called often and in the task that sends, so it should be quick. Each attempt starts at 0.
    pub fn on_upload(mut self, observer: impl Fn(u64, Option<u64>) + Send + Sync + 'static) -> Self {
        self.on_upload = Some(Arc::new(observer));
        self
    }

    /// Adds a header to every request, such as a trace id. The client itself writes the headers that describe the body
    /// and the header with the API key: with one of these, the call fails before it is sent.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        match (name.try_into(), value.try_into()) {
            (Ok(name), Ok(_)) if is_reserved(&name) => {
                self.invalid = Some(format!("the header `{name}` is written by the client itself"));
            }
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
            }
            (Ok(name), Err(_)) => {
                self.invalid = Some(format!("the value of the header `{name}` is not valid"));
            }
            (Err(_), _) => self.invalid = Some("the name of a header is not valid".to_owned()),
        }
        self
    }

    /// Adds a hook that observes every attempt. It runs after the hooks of the client.
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
            .field("permit_timeout", &self.permit_timeout)
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

/// Returns whether the client writes a header itself.
pub(crate) fn is_reserved(name: &HeaderName) -> bool {
    RESERVED.contains(name) || operations::API_KEY_HEADER.is_some_and(|key| name.as_str().eq_ignore_ascii_case(key))
}

/// The value of every option of a call.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) policy: Policy,
    pub(crate) deadline: Duration,
    pub(crate) permit_timeout: Option<Duration>,
    pub(crate) idle_timeout: Duration,
    pub(crate) response_timeout: Duration,
    pub(crate) max_response_bytes: usize,
    pub(crate) validation: Validation,
    pub(crate) store_responses_in: Option<PathBuf>,
    pub(crate) on_upload: Option<OnUpload>,
    pub(crate) headers: HeaderMap,
    pub(crate) hooks: Vec<Arc<dyn Hook>>,
    invalid: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Policy { attempts: ATTEMPTS, initial_backoff: INITIAL_BACKOFF, max_backoff: MAX_BACKOFF },
            deadline: DEADLINE,
            permit_timeout: None,
            idle_timeout: IDLE_TIMEOUT,
            response_timeout: RESPONSE_TIMEOUT,
            max_response_bytes: MAX_RESPONSE_BYTES,
            validation: Validation::On,
            store_responses_in: None,
            on_upload: None,
            headers: HeaderMap::new(),
            hooks: Vec::new(),
            invalid: None,
        }
    }
}

impl Settings {
    /// Returns these settings with the changes of the options.
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
            permit_timeout: options.permit_timeout.or(self.permit_timeout),
            idle_timeout: options.idle_timeout.unwrap_or(self.idle_timeout),
            response_timeout: options.response_timeout.unwrap_or(self.response_timeout),
            max_response_bytes: options.max_response_bytes.unwrap_or(self.max_response_bytes),
            validation: options.validation.unwrap_or_else(|| self.validation.clone()),
            store_responses_in: options.store_responses_in.or_else(|| self.store_responses_in.clone()),
            on_upload: options.on_upload.or_else(|| self.on_upload.clone()),
            headers,
            hooks,
            invalid: options.invalid.or_else(|| self.invalid.clone()),
        }
    }

    /// Returns an error if an option cannot be used.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.invalid.clone().map_or(Ok(()), |reason| Err(Error::invalid_argument(reason)))
    }
}
