//! Whether a call still moves.
//!
//! The HTTP stack has one time-out that runs while a request is uploaded, and one for a whole call. Neither tells a
//! slow upload that moves from a dead one. So the body is watched on its way out ([`Watched`]), the response on its way
//! in ([`Progress::received`]), and [`Progress::stalled`] ends when nothing has moved for too long.

use std::{
    error::Error as StdError,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

use crate::client::{OnUpload, Settings};

/// How far an attempt has come.
#[derive(Debug)]
pub(super) struct Progress {
    idle_timeout: Duration,
    response_timeout: Duration,
    deadline: Instant,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    phase: Phase,
    moved: Instant,
    given_up: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The HTTP stack has not read the body: nothing was written yet. It has a time-out of its own to connect.
    Connecting,
    Sending,
    Waiting,
    Receiving,
}

/// What ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stalled {
    /// The call's deadline.
    Deadline,
    /// The service did not begin to answer.
    NoResponse(Duration),
    /// Nothing moved.
    Idle(Duration),
}

impl Progress {
    /// Begins with an attempt. One without a body is as good as sent: nobody tells when its head is written.
    pub(super) fn new(settings: &Settings, deadline: Instant, has_body: bool) -> Arc<Self> {
        let phase = if has_body { Phase::Connecting } else { Phase::Waiting };
        Arc::new(Self {
            idle_timeout: settings.idle_timeout,
            response_timeout: settings.response_timeout,
            deadline,
            state: Mutex::new(State { phase, moved: Instant::now(), given_up: false }),
        })
    }

    /// Whether a part of the request can have left.
    pub(super) fn has_left(&self) -> bool {
        self.lock().phase != Phase::Connecting
    }

    /// Ends the attempt, and says whether a part of the request can have left: from now on nothing more does.
    pub(super) fn give_up(&self) -> bool {
        let mut state = self.lock();
        state.given_up = true;
        state.phase != Phase::Connecting
    }

    /// A part of the response has arrived.
    pub(super) fn received(&self) {
        self.moved(Phase::Receiving);
    }

    /// Ends when nothing has moved for too long, and says what ran out.
    pub(super) async fn stalled(&self) -> Stalled {
        // What is due may come nearer while this sleeps: who connects or waits for a response has more time than who
        // sends. No phase that begins later is over sooner than the shortest time-out, so that is how long to look
        // away.
        let longest_nap = self.idle_timeout.min(self.response_timeout).max(Duration::from_millis(1));
        loop {
            let (due, stalled) = self.due();
            let now = Instant::now();
            if due <= now {
                return stalled;
            }
            sleep_until(now.checked_add(longest_nap).map_or(due, |nap| nap.min(due))).await;
        }
    }

    fn due(&self) -> (Instant, Stalled) {
        let State { phase, moved, .. } = *self.lock();
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

    /// The body is read: it begins to leave, unless the attempt has been given up.
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

/// A body that says when it moves.
pub(super) struct Watched {
    body: reqwest::Body,
    progress: Arc<Progress>,
    sent: u64,
    total: Option<u64>,
    observer: Option<OnUpload>,
}

impl Watched {
    /// `announced` is the length in the head of the request: a body of several parts does not know its own.
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
            return Poll::Ready(Some(Err("the attempt has been given up".into())));
        }
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(frame) = &polled {
            if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref) {
                self.sent += data.len() as u64;
                if let Some(observer) = &self.observer {
                    observer(self.sent, self.total);
                }
            }
            // The HTTP stack does not come back for the end of a body whose length it knows.
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

    fn begun(has_body: bool) -> Arc<Progress> {
        let options = CallOptions::new().idle_timeout(Duration::from_secs(2)).response_timeout(Duration::from_secs(10));
        let settings = Settings::default().with(options);
        Progress::new(&settings, Instant::now() + Duration::from_secs(60), has_body)
    }

    #[tokio::test(start_paused = true)]
    async fn connecting_is_bounded_by_the_deadline_alone() {
        let progress = begun(true);
        let start = Instant::now();

        assert_eq!(progress.stalled().await, Stalled::Deadline);

        assert_eq!(start.elapsed(), Duration::from_secs(60));
        assert!(!progress.has_left());
    }

    #[tokio::test(start_paused = true)]
    async fn a_phase_with_less_time_is_noticed_while_the_one_before_is_waited_for() {
        for (has_body, phase, expected) in [
            (true, Phase::Sending, Stalled::Idle(Duration::from_secs(2))),
            (true, Phase::Waiting, Stalled::NoResponse(Duration::from_secs(10))),
            (false, Phase::Receiving, Stalled::Idle(Duration::from_secs(2))),
        ] {
            let progress = begun(has_body);
            let begun = Instant::now();
            let later = async {
                tokio::time::sleep(Duration::from_millis(700)).await;
                progress.moved(phase);
            };

            let (stalled, ()) = tokio::join!(progress.stalled(), later);

            assert_eq!(stalled, expected, "{phase:?}");
            let (Stalled::Idle(timeout) | Stalled::NoResponse(timeout)) = stalled else { continue };
            assert_eq!(begun.elapsed(), Duration::from_millis(700) + timeout, "{phase:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_out_of_nothing_ends_at_once() {
        let options = CallOptions::new().idle_timeout(Duration::ZERO).response_timeout(Duration::MAX);
        let progress =
            Progress::new(&Settings::default().with(options), Instant::now() + Duration::from_secs(60), true);
        let start = Instant::now();
        progress.moved(Phase::Sending);

        assert_eq!(progress.stalled().await, Stalled::Idle(Duration::ZERO));

        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_moves_is_not_dead() {
        let progress = begun(true);
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
    async fn the_service_has_longer_to_think_than_the_network_to_move() {
        let progress = begun(false);
        let start = Instant::now();

        assert_eq!(progress.stalled().await, Stalled::NoResponse(Duration::from_secs(10)));

        assert_eq!(start.elapsed(), Duration::from_secs(10));
        assert!(progress.has_left());
    }
}
