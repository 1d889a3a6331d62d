//! The progress of an attempt, and its timeouts.
//!
//! The HTTP stack has a timeout that runs during the upload, and one for a whole call. Neither can tell a slow upload
//! from a dead one. So the body of the request is observed ([`Watched`]), and so is the response
//! ([`Progress::received`]); [`Progress::stalled`] completes when there was no progress for too long.

use std::{
    error::Error as StdError,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

use crate::client::{OnUpload, Settings};

/// How long an attempt whose response is stored goes on after a timeout.
pub(super) const OVERTIME: Duration = Duration::from_secs(10 * 60);

/// The progress of an attempt.
#[derive(Debug)]
pub(super) struct Progress {
    idle_timeout: Duration,
    response_timeout: Duration,
    deadline: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    moved: Instant,
    given_up: bool,
    /// For an attempt that goes on after a timeout: receives the timeout.
    overdue: Option<oneshot::Sender<Stalled>>,
    /// The end of an attempt that went on.
    end: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The HTTP stack has not read the body: nothing was sent yet. It has its own timeout to connect.
    Connecting,
    Sending,
    Waiting,
    Receiving,
}

/// The timeout that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stalled {
    /// The call's deadline.
    Deadline,
    /// No response began.
    NoResponse(Duration),
    /// Neither the request nor the response made progress.
    Idle(Duration),
}

impl Progress {
    /// Creates the progress of an attempt. A request without a body counts as sent: nothing reports when its head is written.
    ///
    /// With `overdue`, an attempt that waits for its response does not end with the first timeout: it reports the timeout,
    /// and goes on for [`OVERTIME`].
    pub(super) fn new(
        settings: &Settings,
        deadline: Instant,
        has_body: bool,
        overdue: Option<oneshot::Sender<Stalled>>,
    ) -> Arc<Self> {
        let phase = if has_body { Phase::Connecting } else { Phase::Waiting };
        Arc::new(Self {
            idle_timeout: settings.idle_timeout,
            response_timeout: settings.response_timeout,
            deadline,
            state: Mutex::new(State { phase, moved: Instant::now(), given_up: false, overdue, end: None }),
        })
    }

    /// Returns whether a part of the request may have been sent.
    pub(super) fn has_left(&self) -> bool {
        self.lock().phase != Phase::Connecting
    }

    /// Ends the attempt, and returns whether a part of the request may have been sent. From now on, nothing more is.
    pub(super) fn give_up(&self) -> bool {
        let mut state = self.lock();
        state.given_up = true;
        state.phase != Phase::Connecting
    }

    /// Records that a part of the response has arrived.
    pub(super) fn received(&self) {
        self.moved(Phase::Receiving);
    }

    /// Completes when there was no progress for too long, and returns the timeout that passed.
    pub(super) async fn stalled(&self) -> Stalled {
        // A phase that begins while this sleeps may have a shorter timeout. No phase ends before the shortest of them,
        // so the sleep is not longer than that.
        let max_sleep = self.idle_timeout.min(self.response_timeout).max(Duration::from_millis(1));
        loop {
            let (due, stalled) = self.due();
            let now = Instant::now();
            if due <= now {
                if self.goes_on(stalled) {
                    continue;
                }
                return stalled;
            }
            sleep_until(now.checked_add(max_sleep).map_or(due, |end| end.min(due))).await;
        }
    }

    /// Reports a timeout and returns true, if the attempt goes on: only once, between the whole request and its response.
    fn goes_on(&self, stalled: Stalled) -> bool {
        let mut state = self.lock();
        // What has arrived of a response is stored at the end of the attempt.
        if state.phase != Phase::Waiting {
            return false;
        }
        let Some(overdue) = state.overdue.take() else { return false };
        state.end = Instant::now().checked_add(OVERTIME);
        // Nobody listens if the call was dropped.
        let _ = overdue.send(stalled);
        true
    }

    fn due(&self) -> (Instant, Stalled) {
        let state = self.lock();
        if let Some(end) = state.end {
            return (end, Stalled::Deadline);
        }
        let (phase, moved) = (state.phase, state.moved);
        drop(state);
        let by_phase = match phase {
            Phase::Connecting => None,
            Phase::Sending | Phase::Receiving => Some((self.idle_timeout, Stalled::Idle(self.idle_timeout))),
            Phase::Waiting => Some((self.response_timeout, Stalled::NoResponse(self.response_timeout))),
        };
        let by_phase = by_phase.and_then(|(timeout, stalled)| Some((moved.checked_add(timeout)?, stalled)));
        by_phase.filter(|(due, _)| *due < self.deadline).unwrap_or((self.deadline, Stalled::Deadline))
    }

    fn moved(&self, phase: Phase) {
        let mut state = self.lock();
        (state.phase, state.moved) = (phase, Instant::now());
    }

    /// Records that the HTTP stack reads the body, and returns whether the attempt goes on.
    fn begin_to_send(&self) -> bool {
        let mut state = self.lock();
        if state.phase == Phase::Connecting && !state.given_up {
            (state.phase, state.moved) = (Phase::Sending, Instant::now());
        }
        !state.given_up
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body that reports its progress.
pub(super) struct Watched {
    body: reqwest::Body,
    progress: Arc<Progress>,
    sent: u64,
    total: Option<u64>,
    observer: Option<OnUpload>,
}

impl Watched {
    /// `announced` is the `Content-Length` of the request: a body of several parts does not know its size.
    pub(super) fn new(
        body: reqwest::Body,
        announced: Option<u64>,
        progress: Arc<Progress>,
        observer: Option<OnUpload>,
    ) -> Self {
        let total = body.size_hint().exact().or(announced);
        Self { body, progress, sent: 0, total, observer }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Box<dyn StdError + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if !self.progress.begin_to_send() {
            return Poll::Ready(Some(Err("the attempt was ended".into())));
        }
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(frame) = &polled {
            if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref) {
                self.sent += data.len() as u64;
                if let Some(observer) = &self.observer {
                    observer(self.sent, self.total);
                }
            }
            // The HTTP stack does not read on at the end of a body whose size it knows.
            let is_over = frame.is_none() || self.body.is_end_stream() || self.total == Some(self.sent);
            self.progress.moved(if is_over { Phase::Waiting } else { Phase::Sending });
        }
        polled.map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CallOptions;

    fn started(has_body: bool) -> Arc<Progress> {
        let options = CallOptions::new().idle_timeout(Duration::from_secs(2)).response_timeout(Duration::from_secs(10));
        let settings = Settings::default().with(options);
        Progress::new(&settings, Instant::now() + Duration::from_secs(60), has_body, None)
    }

    #[tokio::test(start_paused = true)]
    async fn connecting_is_bounded_by_the_deadline_alone() {
        let progress = started(true);
        let start = Instant::now();

        assert_eq!(progress.stalled().await, Stalled::Deadline);

        assert_eq!(start.elapsed(), Duration::from_secs(60));
        assert!(!progress.has_left());
    }

    #[tokio::test(start_paused = true)]
    async fn a_phase_with_a_shorter_timeout_ends_in_time() {
        for (has_body, phase, expected) in [
            (true, Phase::Sending, Stalled::Idle(Duration::from_secs(2))),
            (true, Phase::Waiting, Stalled::NoResponse(Duration::from_secs(10))),
            (false, Phase::Receiving, Stalled::Idle(Duration::from_secs(2))),
        ] {
            let progress = started(has_body);
            let start = Instant::now();
            let later = async {
                tokio::time::sleep(Duration::from_millis(700)).await;
                progress.moved(phase);
            };

            let (stalled, ()) = tokio::join!(progress.stalled(), later);

            assert_eq!(stalled, expected, "{phase:?}");
            let (Stalled::Idle(timeout) | Stalled::NoResponse(timeout)) = stalled else { continue };
            assert_eq!(start.elapsed(), Duration::from_millis(700) + timeout, "{phase:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_timeout_of_zero_ends_at_once() {
        let options = CallOptions::new().idle_timeout(Duration::ZERO).response_timeout(Duration::MAX);
        let progress =
            Progress::new(&Settings::default().with(options), Instant::now() + Duration::from_secs(60), true, None);
        let start = Instant::now();
        progress.moved(Phase::Sending);

        assert_eq!(progress.stalled().await, Stalled::Idle(Duration::ZERO));

        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn progress_extends_the_idle_timeout() {
        let progress = started(true);
        let start = Instant::now();
        progress.moved(Phase::Sending);

        let moving = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(1500)).await;
                progress.moved(Phase::Sending);
            }
        };
        let (stalled, ()) = tokio::join!(progress.stalled(), moving);

        assert_eq!(stalled, Stalled::Idle(Duration::from_secs(2)));
        assert_eq!(start.elapsed(), Duration::from_secs(17));
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_was_sent_reports_its_first_timeout_and_goes_on() {
        for (phase, goes_on) in
            [(Phase::Connecting, false), (Phase::Sending, false), (Phase::Waiting, true), (Phase::Receiving, false)]
        {
            let (overdue, reported) = oneshot::channel();
            let deadline = Instant::now() + Duration::from_secs(60);
            let progress = Progress::new(&Settings::default(), deadline, true, Some(overdue));
            let start = Instant::now();
            progress.moved(phase);

            progress.stalled().await;

            let overtime = if goes_on { OVERTIME } else { Duration::ZERO };
            assert_eq!(start.elapsed(), Duration::from_secs(60) + overtime, "{phase:?}");
            drop(progress);
            assert_eq!(reported.await.is_ok(), goes_on, "{phase:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_response_timeout_is_longer_than_the_idle_timeout() {
        let progress = started(false);
        let start = Instant::now();

        assert_eq!(progress.stalled().await, Stalled::NoResponse(Duration::from_secs(10)));

        assert_eq!(start.elapsed(), Duration::from_secs(10));
        assert!(progress.has_left());
    }
}
