//! The wait for a job.

use std::{
    fmt,
    future::IntoFuture,
    marker::PhantomData,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Origin;
use crate::{
    Client, Error, ErrorKind, Outcome, Response,
    call::{call, redacted, stored_response},
    net::stack::is_loopback,
    polling::{Polling, last},
    request::Request,
};

/// The first interval: an image takes some seconds.
const FIRST_INTERVAL: Duration = Duration::from_secs(1);
/// The first interval for a server on this machine, such as the mock server.
const FIRST_INTERVAL_LOOPBACK: Duration = Duration::from_millis(25);
/// The maximum interval.
const MAX_INTERVAL: Duration = Duration::from_secs(10);
/// Far longer than the service needs for images.
pub(crate) const DEADLINE: Duration = Duration::from_secs(15 * 60);

/// A wait for a job; see [`Job::wait`](super::Job::wait). Awaiting it returns the response with the images;
/// [`Wait::states`] returns every observed state.
///
/// It survives lost connections, failures of the service and rate limits, whose `Retry-After` it honors up to ten
/// minutes. It changes nothing, so it can be dropped and started again at any time.
#[must_use = "it waits for nothing until it is awaited, or `states()` is read"]
pub struct Wait<T> {
    client: Client,
    poll: Result<Request, Error>,
    origin: Option<Origin>,
    max_interval: Duration,
    deadline: Duration,
    finished: PhantomData<fn() -> T>,
}

/// The result of one poll.
#[derive(Debug)]
#[non_exhaustive]
pub struct JobProgress<T> {
    /// The observed state.
    pub state: JobState<T>,
    /// The time since the wait began.
    pub elapsed: Duration,
    /// The time until the next poll; `None` after the last one.
    pub next_poll_in: Option<Duration>,
}

/// The observed state of a job.
#[expect(clippy::large_enum_variant, reason = "there is one for each poll")]
#[derive(Debug)]
#[non_exhaustive]
pub enum JobState<T> {
    /// It has not ended. The text is the status, as the service names it.
    Running(String),
    /// It has ended, and the response has its images.
    Completed(Response<T>),
    /// The poll failed: the service could not be reached, failed, or does not know the job yet. The wait continues.
    PollFailed(Error),
}

/// Why a wait ended without images.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The job failed: it has no images, and is not billed. Submitting it again starts another job.
    #[error("the generation {id} failed{}; it is not billed", because(.reason.as_deref()))]
    #[non_exhaustive]
    Failed {
        /// The id of the job.
        id: String,
        /// The reason, in a word of the service such as `content_policy_violation`.
        reason: Option<String>,
    },
    /// The deadline has passed. The job runs on and is billed when it completes; waiting again is free.
    #[error("the generation {id} had not ended after {} seconds; it runs on, and waiting again is free", .elapsed.as_secs())]
    #[non_exhaustive]
    DeadlinePassed {
        /// The id of the job.
        id: String,
        /// The duration of the wait.
        elapsed: Duration,
        /// Why the last poll failed, if it did.
        #[source]
        last_error: Option<Error>,
    },
    /// The service refused a poll, for example because the key is wrong or the id does not exist, or its response could not
    /// be read. Waiting longer does not help; the job runs on, if there is one.
    #[error("cannot get the state of the generation {id}; if there is one, it runs on")]
    #[non_exhaustive]
    Poll {
        /// The id of the job.
        id: String,
        /// The failure of the poll.
        #[source]
        error: Error,
    },
    /// The job was not accepted, or it has ended, and its response could not be stored or its images not be saved.
    /// [`Error::outcome`] says whether a job may run.
    #[error(transparent)]
    Call(#[from] Error),
}

/// Beginnings of words in the reasons of failures that concern the content of a request.
const CONTENT: [&str; 6] = ["content", "policy", "safe", "moderat", "copyright", "prohibited"];

impl JobError {
    /// What to do next. A failed job is [`ErrorKind::Safety`] if its reason concerns the content, and otherwise
    /// [`ErrorKind::Server`]; a deadline that has passed is [`ErrorKind::Transport`].
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Failed { .. } if self.is_safety() => ErrorKind::Safety,
            Self::Failed { .. } => ErrorKind::Server,
            Self::DeadlinePassed { .. } => ErrorKind::Transport,
            Self::Poll { error, .. } | Self::Call(error) => error.kind(),
        }
    }

    /// Whether the call that started the job ran: [`Outcome::Declined`] if the job failed, since then it is not billed, and
    /// [`Outcome::Unknown`] while its end was not seen.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Failed { .. } => Outcome::Declined,
            Self::DeadlinePassed { .. } | Self::Poll { .. } => Outcome::Unknown,
            Self::Call(error) => error.outcome(),
        }
    }

    /// The id of the job; `None` if the error is a [`JobError::Call`].
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Failed { id, .. } | Self::DeadlinePassed { id, .. } | Self::Poll { id, .. } => Some(id),
            Self::Call(_) => None,
        }
    }

    /// Returns whether the job failed for its content, such as a prompt that the safety check declines: the same request
    /// would fail again. It is read from the words of the reason, of which the service publishes no list.
    pub fn is_safety(&self) -> bool {
        let Self::Failed { reason: Some(reason), .. } = self else { return false };
        let words = reason.to_lowercase();
        words
            .split(|character: char| !character.is_alphanumeric())
            .any(|word| CONTENT.iter().any(|it| word.starts_with(it)) || word.starts_with("unsafe"))
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(" ({})", reason.escape_debug())).unwrap_or_default()
}

/// Waits for the job that a request polls.
pub(crate) fn wait<T>(client: &Client, poll: Request) -> Wait<T> {
    Wait::new(client.clone(), Ok(poll), None)
}

impl<T> Wait<T> {
    pub(super) fn new(client: Client, poll: Result<Request, Error>, origin: Option<Origin>) -> Self {
        let (max_interval, deadline, finished) = (MAX_INTERVAL, DEADLINE, PhantomData);
        Self { client, poll, origin, max_interval, deadline, finished }
    }

    /// Sets how long to wait, from the first poll: 15 minutes by default. There is a last poll at the deadline, which may
    /// take ten more seconds. The job itself runs on.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the maximum interval between two polls: 10 seconds by default. The first interval is 1 second (25
    /// milliseconds for a server on this machine), and each is half as long again, with a jitter of a tenth.
    pub fn poll_every(mut self, interval: Duration) -> Self {
        self.max_interval = interval;
        self
    }
}

impl<T: DeserializeOwned + Send + 'static> Wait<T> {
    /// Returns a stream with one item for each poll, for a progress display. The last item is an error, or a state that
    /// is [`JobState::Completed`]. Nothing is sent before the stream is read.
    pub fn states(self) -> impl Stream<Item = Result<JobProgress<T>, JobError>> + Send + use<T> {
        let Self { client, poll, origin, max_interval, deadline, finished: _ } = self;
        let first = if is_loopback(client.base_url()) { FIRST_INTERVAL_LOOPBACK } else { FIRST_INTERVAL };
        let polling = Polling::new(first, max_interval.max(FIRST_INTERVAL_LOOPBACK), Some(deadline));
        let begin = Watch { client, poll, origin, polling };
        stream::try_unfold(Some(begin), async |watch| match watch {
            Some(watch) => watch.next().await.map(Some),
            None => Ok(None),
        })
    }

    /// Like awaiting the job, for programs without `async`.
    ///
    /// # Errors
    ///
    /// Those of awaiting the job.
    #[cfg(feature = "blocking")]
    pub fn wait_blocking(self) -> Result<Response<T>, JobError> {
        let client = self.client.clone();
        client.block_on(self.into_future())?
    }
}

impl<T: DeserializeOwned + Send + 'static> IntoFuture for Wait<T> {
    type Output = Result<Response<T>, JobError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(last(self.states(), |progress| match progress.state {
            JobState::Completed(response) => Some(response),
            _ => None,
        }))
    }
}

impl<T> fmt::Debug for Wait<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Wait");
        debug.field("max_interval", &self.max_interval).field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// The state of a wait between two polls.
struct Watch {
    client: Client,
    poll: Result<Request, Error>,
    origin: Option<Origin>,
    polling: Polling,
}

impl Watch {
    /// Releases the permits of the job: its images are no longer in flight.
    fn release(&self) {
        if let Some(origin) = &self.origin {
            origin.permit.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }

    /// Replaces the stored response with the id by one with the images, and returns its path.
    async fn store(&self, status: StatusCode, headers: HeaderMap, body: Bytes) -> Result<Option<PathBuf>, Error> {
        let Some(Origin { started_by: call, stored_at: Some(earlier), .. }) = &self.origin else { return Ok(None) };
        let folder = earlier.parent().unwrap_or(Path::new(""));
        let body = redacted(&self.client, body);
        let written = stored_response::write(folder, Arc::clone(call), status, &headers, body.clone()).await;
        let path = written.map_err(|error| {
            let message = format!("cannot store the response in \"{}\": {error}", folder.display());
            let error = Error::new(ErrorKind::LocalIo, Outcome::Completed, message).with_source(error);
            error.with_response(status, body, true)
        })?;
        // If it stays, waiting for the job again is free.
        let _ = tokio::fs::remove_file(earlier).await;
        Ok(Some(path))
    }

    /// Waits and polls. Returns the state, and the rest of the wait if it has not ended.
    async fn next<T>(mut self) -> Result<(JobProgress<T>, Option<Self>), JobError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let poll = match &self.poll {
            Ok(poll) => poll.clone(),
            Err(_) => return Err(self.poll.expect_err("it is an error").into()),
        };
        let (operation, id) = (poll.operation(), poll.id_in_path().to_owned());
        let client = self.client.clone();
        let polled = self.polling.next(|| async move { poll_once::<T>(&client, poll).await }).await;
        let polled = polled.map_err(|error| JobError::Poll { id: id.clone(), error })?;
        let elapsed = self.polling.elapsed();
        let state = match polled {
            Err(failure) => JobState::PollFailed(failure),
            Ok((response, status)) => match &operation.poll {
                Some(marks) if status == marks.completed => {
                    self.release();
                    let (status, headers, body) =
                        (response.status(), response.headers().clone(), response.body().clone());
                    let stored_at = self.store(status, headers, body).await?;
                    let state =
                        JobState::Completed(response.of_job(self.origin.map(|origin| origin.started_by), stored_at));
                    return Ok((JobProgress { state, elapsed, next_poll_in: None }, None));
                }
                Some(marks) if status == marks.failed => {
                    self.release();
                    let reason = marks.reason.and_then(|reason| text_in(response.body(), reason));
                    return Err(JobError::Failed { id, reason });
                }
                _ => JobState::Running(status),
            },
        };
        let failure = if let JobState::PollFailed(failure) = &state { Some(failure) } else { None };
        match (self.polling.plan(failure), state) {
            (Some(wait), state) => Ok((JobProgress { state, elapsed, next_poll_in: Some(wait) }, Some(self))),
            (None, JobState::PollFailed(last_error)) => {
                Err(JobError::DeadlinePassed { id, elapsed, last_error: Some(last_error) })
            }
            (None, _) => Err(JobError::DeadlinePassed { id, elapsed, last_error: None }),
        }
    }
}

/// Returns the response of one poll with the status of the job in it.
async fn poll_once<T: DeserializeOwned + 'static>(
    client: &Client,
    poll: Request,
) -> Result<(Response<T>, String), Error> {
    let operation = poll.operation();
    let response = call::<T>(client, poll).await?;
    let status = operation.poll.as_ref().and_then(|marks| text_in(response.body(), marks.status));
    match status {
        Some(status) => Ok((response, status)),
        None => {
            let message = "the response does not have the state of the job";
            let error = Error::new(ErrorKind::UndocumentedResponse, Outcome::Completed, message);
            let body = redacted(client, response.body().clone());
            Err(error.with_response(response.status(), body, true).in_operation(operation))
        }
    }
}

/// The text in a property of a JSON body.
fn text_in(body: &[u8], property: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get(property)?.as_str().map(str::to_owned)
}
