//! When to poll again, and which failures a wait survives: shared by waits for trainings and for jobs.

use std::{future::ready, pin::pin, time::Duration};

use futures_util::{Stream, TryStreamExt as _};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{Error, ErrorKind, Outcome};

/// The number of consecutive polls without a result, or with an unexpected response, that end a wait: what was just
/// created may be listed late, and a gateway may respond instead of the service.
const MAX_FAILURES: u32 = 4;
/// The maximum interval while nothing is found, so that a wrong id is reported soon.
const MAX_WAIT_FOR_MISSING: Duration = Duration::from_secs(5);
/// The maximum of a `Retry-After` that is honored.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);
/// The timeout of the last poll, at the deadline.
const LAST_POLL_TIMEOUT: Duration = Duration::from_secs(10);
/// Each interval is longer than the last by this factor, up to the maximum.
const GROWTH: f64 = 1.5;

/// The schedule of a wait.
#[derive(Debug)]
pub(crate) struct Polling {
    interval: Duration,
    max_interval: Duration,
    deadline: Option<Duration>,
    /// When the first poll started.
    started: Option<Instant>,
    /// The time until the next poll.
    wait: Duration,
    failures: u32,
    has_succeeded: bool,
    is_last: bool,
}

impl Polling {
    /// Creates the schedule of a wait that polls at once, then after `interval`, and more and more rarely.
    pub(crate) fn new(interval: Duration, max_interval: Duration, deadline: Option<Duration>) -> Self {
        Self {
            interval: interval.min(max_interval),
            max_interval,
            deadline,
            started: None,
            wait: Duration::ZERO,
            failures: 0,
            has_succeeded: false,
            is_last: false,
        }
    }

    /// Waits until the next poll is due, and polls. The inner error is one that the wait survives.
    ///
    /// # Errors
    ///
    /// A failure that polling again does not change.
    pub(crate) async fn next<T, F>(&mut self, poll: impl FnOnce() -> F) -> Result<Result<T, Error>, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let started = *self.started.get_or_insert_with(Instant::now);
        let end = self.deadline.and_then(|deadline| started.checked_add(deadline));
        let due = Instant::now().checked_add(self.wait);
        self.is_last = end.is_some_and(|end| due.is_none_or(|due| due >= end));
        sleep(if let (true, Some(end)) = (self.is_last, end) { end - Instant::now() } else { self.wait }).await;

        let polled = match end.and_then(|end| end.checked_add(LAST_POLL_TIMEOUT)) {
            // A poll changes nothing, so it can be dropped.
            Some(end) => timeout_at(end, poll()).await.unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::Transport, Outcome::Unknown, "no response before the deadline"))
            }),
            None => poll().await,
        };
        match polled {
            Ok(value) => {
                (self.failures, self.has_succeeded) = (0, true);
                Ok(Ok(value))
            }
            Err(error) if self.survives(&error) => Ok(Err(error)),
            Err(error) => Err(error),
        }
    }

    /// Returns the time until the next poll after one that did not end the wait; `None` if the deadline has passed, or
    /// will have passed when the service can be polled again.
    pub(crate) fn plan(&mut self, failure: Option<&Error>) -> Option<Duration> {
        let retry_after = failure.and_then(Error::retry_after).unwrap_or_default().min(MAX_RETRY_AFTER);
        let elapsed = self.elapsed();
        let never_in_time = self.deadline.is_some_and(|deadline| elapsed.saturating_add(retry_after) >= deadline);
        if self.is_last || never_in_time {
            return None;
        }
        let interval = match failure {
            Some(error) if error.kind() == ErrorKind::NotFound => self.interval.min(MAX_WAIT_FOR_MISSING),
            _ => self.interval,
        };
        let jitter = 0.9 + 0.2 * fastrand::f64();
        let varied = Duration::try_from_secs_f64(interval.as_secs_f64() * jitter).unwrap_or(interval);
        let longer = Duration::try_from_secs_f64(self.interval.as_secs_f64() * GROWTH).unwrap_or(Duration::MAX);
        self.interval = longer.min(self.max_interval);
        self.wait = varied.max(retry_after);
        Some(self.wait)
    }

    /// The time since the first poll started.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.map(|started| started.elapsed()).unwrap_or_default()
    }

    /// Returns whether the wait continues after this failure.
    fn survives(&mut self, error: &Error) -> bool {
        match error.kind() {
            ErrorKind::Transport | ErrorKind::Server | ErrorKind::RateLimited => true,
            // It was deleted.
            ErrorKind::NotFound if self.has_succeeded => false,
            ErrorKind::NotFound | ErrorKind::UndocumentedResponse => {
                self.failures += 1;
                self.failures < MAX_FAILURES
            }
            _ => false,
        }
    }
}

/// Reads the states of a wait to the end, and returns what the last one has.
pub(crate) async fn last<S, T, E: From<Error>>(
    states: impl Stream<Item = Result<S, E>>,
    result: impl Fn(S) -> Option<T>,
) -> Result<T, E> {
    let mut results = pin!(states.try_filter_map(|state| ready(Ok(result(state)))));
    // A wait ends with a result or an error.
    let none = || Error::new(ErrorKind::Transport, Outcome::Unknown, "the wait ended without a state");
    results.try_next().await?.ok_or_else(|| none().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_grows_to_any_maximum() {
        for (first, max) in [(Duration::MAX, Duration::MAX), (Duration::from_secs(1), Duration::MAX)] {
            let mut polling = Polling::new(first, max, None);
            for _ in 0..200 {
                assert!(polling.plan(None).is_some_and(|wait| wait <= max));
            }
        }
    }
}
