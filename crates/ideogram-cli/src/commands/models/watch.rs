//! Watches a training until it has ended, for `models wait` and `models train --wait`.

use std::{
    io::{self, IsTerminal as _},
    pin::pin,
    time::Duration,
};

use clap::Args;
use futures_util::TryStreamExt as _;
use ideogram_client::{
    ErrorKind,
    training::{TrainedModel, TrainingError, TrainingProgress, TrainingState},
    types::ModelId,
};
use tokio::{
    select,
    time::{Instant, sleep_until},
};

use crate::{
    commands::values::time,
    exit::Exit,
    failure::Failure,
    output::progress::{Counted, Progress},
    output::units,
    session::context::Context,
};

/// How often an unchanged state is printed if standard error is not a terminal.
const PRINT_EVERY: Duration = Duration::from_secs(600);
/// How often the countdown to the next poll is redrawn.
const SECOND: Duration = Duration::from_secs(1);
/// The time between two polls in the mock server of `--mock`, and the real time.
const MOCK_TIME: (Duration, Duration) = (Duration::from_secs(20 * 60), Duration::from_millis(200));

/// The flags of a wait.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct WaitFlags {
    /// The time between two polls: seconds, or 90s, 5m, 2h [default: 60, or 1 for a server on this machine]
    ///
    /// Less than a second counts as a second, unless the server is on this machine.
    #[arg(long, value_name = "TIME", value_parser = time)]
    poll: Option<Duration>,

    /// The maximum time to wait: seconds, or 90s, 5m, 2h [default: until the training ends]
    ///
    /// The training continues, and waiting again is free.
    #[arg(long, value_name = "TIME", value_parser = time)]
    deadline: Option<Duration>,
}

impl WaitFlags {
    /// Refuses flags that need `--wait`.
    pub(super) fn refuse_without_wait(self) -> Result<(), Failure> {
        for (option, is_set) in [("--poll", self.poll.is_some()), ("--deadline", self.deadline.is_some())] {
            if is_set {
                return Err(Failure::usage(format!("{option} needs --wait")));
            }
        }
        Ok(())
    }

    /// Waits until the model can be used.
    ///
    /// # Errors
    ///
    /// [`Exit::TrainingError`] if the training failed or the deadline has passed, [`Exit::Interrupted`] after Ctrl-C,
    /// and the exit code of a failed call.
    pub(super) async fn watch(self, context: &Context<'_>, id: &ModelId) -> Result<TrainedModel, Failure> {
        let mut wait = context.client().wait_until_trained(id.as_str());
        if let Some(poll_every) = self.poll.or(context.is_mock().then_some(MOCK_TIME.1)) {
            wait = wait.poll_every(poll_every);
        }
        if let Some(deadline) = self.deadline {
            wait = wait.deadline(deadline);
        }
        let mut states = pin!(wait.states());
        let mut display = Display::new(context);
        let interrupted = context.interrupt().gracefully();
        let again = format!("the training continues; to wait for it again: ideogram models wait {id}");
        let interrupt = |again| Err(Failure::new(Exit::Interrupted, "interrupted").hint(again));
        if context.interrupt().is_signalled() {
            // While the training was started.
            return interrupt(again);
        }
        loop {
            let next = select! {
                next = states.try_next() => next,
                _ = interrupted.signalled() => return interrupt(again),
                () = display.count_down() => continue,
            };
            match next {
                Ok(Some(state)) => match state.trained() {
                    Some(trained) => return Ok(trained.clone()),
                    None => display.state(&state),
                },
                Ok(None) => return Err(Failure::internal("the wait ended without a state").hint(again)),
                Err(error) => return Err(not_trained(context, id, &error, again)),
            }
            if let Some(server) = context.mock_server() {
                server.advance(MOCK_TIME.0);
            }
        }
    }
}

/// The failure of a wait, with how to wait again unless it is final.
fn not_trained(context: &Context<'_>, id: &ModelId, error: &TrainingError, again: String) -> Failure {
    let failure = |exit| Failure::new(exit, error.to_string());
    match error {
        TrainingError::Errored(model) => failure(Exit::TrainingError)
            .hint("this is final; another training is billed again")
            .detail("model_status", model.status.as_str()),
        TrainingError::UnknownState { model, .. } => failure(Exit::UnknownState)
            .hint("it may have ended: see the page of the service, or a newer version of this command")
            .hint(again)
            .detail("model_status", model.status.as_str()),
        TrainingError::Archived(_) => failure(Exit::TrainingError).detail("model_status", "ARCHIVED"),
        TrainingError::DeadlinePassed { elapsed, model, last_error, .. } => {
            let what = format!("the model {id} was not ready after {}", units::duration(*elapsed));
            let mut failure = Failure::new(Exit::TrainingError, what).hint(again);
            if let Some(model) = model {
                failure = failure.fact(format!("its last known state was {}", model.status));
                failure = failure.detail("model_status", model.status.as_str());
            }
            match last_error {
                Some(last_error) => failure.because(last_error),
                None => failure,
            }
        }
        TrainingError::Call(error) => {
            let what = format!("cannot get the state of the training of the model {id}");
            let failure = context.failure(&what, error);
            if error.kind() == ErrorKind::NotFound { failure } else { failure.hint(again) }
        }
        // Future variants.
        _ => failure(Exit::TrainingError).hint(again),
    }
}

/// The progress: one line that is redrawn on a terminal, a line for each change elsewhere.
struct Display<'a> {
    context: &'a Context<'a>,
    progress: Option<Progress>,
    state: String,
    next_poll: Option<Instant>,
    next_second: Instant,
    printed: Instant,
}

impl<'a> Display<'a> {
    fn new(context: &'a Context<'a>) -> Self {
        let has_line = !context.output().messages().is_quiet() && io::stderr().is_terminal();
        let progress = has_line.then(|| context.progress("training", Counted::Time, None));
        let now = Instant::now();
        Self { context, progress, state: String::new(), next_poll: None, next_second: now, printed: now }
    }

    fn state(&mut self, training: &TrainingProgress) {
        let now = Instant::now();
        let state = match &training.state {
            TrainingState::PollFailed(error) => format!("the state is unknown: {error}"),
            state => state.to_string(),
        };
        let has_changed = state != self.state;
        self.state = state;
        self.next_poll = training.next_poll_in.and_then(|wait| now.checked_add(wait));
        if self.progress.is_none() && (has_changed || now.duration_since(self.printed) >= PRINT_EVERY) {
            self.printed = now;
            let next = training.next_poll_in.map(|wait| format!(", next poll in {}", units::duration(rounded(wait))));
            self.context.output().note(&format!(
                "{} after {}{}",
                self.state,
                units::duration(training.elapsed),
                next.unwrap_or_default()
            ));
        }
        self.draw(now);
    }

    /// Redraws the countdown every second; pending forever without one.
    async fn count_down(&mut self) {
        if self.progress.is_none() || self.next_poll.is_none() {
            return std::future::pending().await;
        }
        sleep_until(self.next_second).await;
        self.draw(Instant::now());
    }

    fn draw(&mut self, now: Instant) {
        let (Some(progress), Some(next_poll)) = (&self.progress, self.next_poll) else { return };
        let left = units::duration(rounded(next_poll.saturating_duration_since(now)));
        progress.message(format!("{}, next poll in {left}", self.state));
        self.next_second = now + SECOND;
    }
}

/// Rounds to seconds, so that a countdown of a minute begins with a minute.
fn rounded(time: Duration) -> Duration {
    Duration::from_secs(time.saturating_add(Duration::from_millis(500)).as_secs())
}
