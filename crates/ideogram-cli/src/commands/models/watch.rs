//! Watching a training until it has ended: what `models wait` and `models train --wait` share.

use std::{
    io::{self, IsTerminal as _},
    pin::pin,
    time::Duration,
};

use clap::Args;
use futures_util::TryStreamExt as _;
use ideogram_client::{
    training::{Observation, TrainedModel, TrainingError, TrainingProgress},
    types::ModelId,
};
use tokio::{
    select,
    time::{Instant, sleep_until},
};

use crate::{
    exit::Exit,
    failure::Failure,
    output::progress::{Counted, Progress},
    output::units,
    session::context::{Context, Wording},
};

/// How often a state that does not change is printed where no line can be overwritten.
const TELL_EVERY: Duration = Duration::from_secs(600);
/// How often the time to the next look is drawn anew.
const SECOND: Duration = Duration::from_secs(1);
/// How much time passes between two looks in the server of `--mock`, and how much really does.
const MOCK_TIME: (Duration, Duration) = (Duration::from_secs(20 * 60), Duration::from_millis(200));

/// How to wait.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct WaitFlags {
    /// How long to wait between two looks: seconds, or 90s, 5m, 2h [default: 60]
    ///
    /// Less than a second counts as a second, unless the server is on this machine.
    #[arg(long, value_name = "TIME", value_parser = time)]
    poll: Option<Duration>,

    /// How long to wait at most: seconds, or 90s, 5m, 2h [default: until the training ends]
    ///
    /// The training goes on all the same, and waiting again is free.
    #[arg(long, value_name = "TIME", value_parser = time)]
    deadline: Option<Duration>,
}

impl WaitFlags {
    /// Refuses what is only for a wait.
    pub(super) fn refuse_without_wait(self) -> Result<(), Failure> {
        for (option, is_given) in [("--poll", self.poll.is_some()), ("--deadline", self.deadline.is_some())] {
            if is_given {
                return Err(Failure::usage(format!("{option} makes no sense without --wait")));
            }
        }
        Ok(())
    }

    /// Waits until the model can be used.
    ///
    /// # Errors
    ///
    /// [`Exit::TrainingError`] if the training failed or the deadline has passed, [`Exit::Interrupted`] after Ctrl-C,
    /// else what kept the service from telling.
    pub(super) async fn watch(self, context: &Context<'_>, id: &ModelId) -> Result<TrainedModel, Failure> {
        let mut wait = context.client().wait_until_trained(id.as_str());
        if let Some(poll_every) = self.poll.or(context.is_mock().then_some(MOCK_TIME.1)) {
            wait = wait.poll_every(poll_every);
        }
        if let Some(deadline) = self.deadline {
            wait = wait.deadline(deadline);
        }
        let mut states = pin!(wait.states());
        let mut shown = Shown::new(context);
        let interrupted = context.interrupt().gracefully();
        let again = format!("the training goes on; to wait for it again: ideogram models wait {id}");
        loop {
            let seen = select! {
                seen = states.try_next() => seen,
                _ = interrupted.signalled() => return Err(Failure::new(Exit::Interrupted, "interrupted").hint(again)),
                () = shown.count_down() => continue,
            };
            match seen {
                Ok(Some(state)) => match state.trained() {
                    Some(trained) => return Ok(trained.clone()),
                    None => shown.state(&state),
                },
                Ok(None) => return Err(Failure::internal("the wait ended without a state").hint(again)),
                Err(error) => return Err(not_trained(context, id, &error).hint_unless_final(&error, again)),
            }
            if let Some(server) = context.embedded() {
                server.advance(MOCK_TIME.0);
            }
        }
    }
}

/// A time as people write it: seconds, or with a unit.
fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "s"),
    };
    let factor = match unit {
        "h" => 3600.0,
        "m" => 60.0,
        _ => 1.0,
    };
    let refused = || "not a time such as 30, 90s, 5m or 2h".to_owned();
    let number: f64 = number.parse().map_err(|_| refused())?;
    Duration::try_from_secs_f64(number * factor).map_err(|_| refused())
}

fn not_trained(context: &Context<'_>, id: &ModelId, error: &TrainingError) -> Failure {
    match error {
        TrainingError::Errored(model) => Failure::new(Exit::TrainingError, error.to_string())
            .hint("this is final; training again costs again")
            .detail("model_status", model.status.as_str()),
        TrainingError::UnknownState { model, .. } => Failure::new(Exit::UnknownState, error.to_string())
            .hint("it may have ended: see the page of the service, or a newer version of this command")
            .detail("model_status", model.status.as_str()),
        TrainingError::Archived(_) => {
            Failure::new(Exit::TrainingError, error.to_string()).detail("model_status", "ARCHIVED")
        }
        TrainingError::DeadlinePassed { elapsed, model, trouble, .. } => {
            let what = format!("the model {id} was not ready after {}", units::duration(*elapsed));
            let mut failure = Failure::new(Exit::TrainingError, what);
            if let Some(model) = model {
                failure = failure.cause(format!("it was {} when it was seen last", model.status));
                failure = failure.detail("model_status", model.status.as_str());
            }
            match trouble {
                Some(trouble) => failure.because(trouble),
                None => failure,
            }
        }
        TrainingError::Call(error) => {
            let what = format!("cannot see how far the training of the model {id} has come");
            context.failure(Wording { action: &what, inspect: "ideogram models list" }, error)
        }
        // Future variants.
        _ => Failure::new(Exit::TrainingError, error.to_string()),
    }
}

impl Failure {
    /// Says how to wait again, where waiting again may help.
    fn hint_unless_final(self, error: &TrainingError, again: String) -> Self {
        match error {
            TrainingError::Errored(_) | TrainingError::Archived(_) => self,
            TrainingError::Call(error) if error.kind() == ideogram_client::ErrorKind::NotFound => self,
            _ => self.hint(again),
        }
    }
}

/// What people see meanwhile: one line that changes on a terminal, a line for each change elsewhere.
struct Shown<'a> {
    context: &'a Context<'a>,
    progress: Option<Progress>,
    observation: String,
    next_look: Option<Instant>,
    next_second: Instant,
    wording: Instant,
}

impl<'a> Shown<'a> {
    fn new(context: &'a Context<'a>) -> Self {
        let has_line = !context.output().messages().is_quiet() && io::stderr().is_terminal();
        let progress = has_line.then(|| context.progress("training", Counted::Time, None));
        let now = Instant::now();
        Self { context, progress, observation: String::new(), next_look: None, next_second: now, wording: now }
    }

    fn state(&mut self, state: &TrainingProgress) {
        let now = Instant::now();
        let observation = match &state.observation {
            Observation::Nothing(error) => format!("the service does not tell: {error}"),
            seen => seen.to_string(),
        };
        let has_changed = observation != self.observation;
        self.observation = observation;
        self.next_look = state.next_look_in.and_then(|wait| now.checked_add(wait));
        if self.progress.is_none() && (has_changed || now.duration_since(self.wording) >= TELL_EVERY) {
            self.wording = now;
            let next = state.next_look_in.map(|wait| format!(", next look in {}", units::duration(rounded(wait))));
            self.context.output().note(&format!(
                "{} after {}{}",
                self.observation,
                units::duration(state.elapsed),
                next.unwrap_or_default()
            ));
        }
        self.draw(now);
    }

    /// Draws once a second for as long as there is something to draw; never ends otherwise.
    async fn count_down(&mut self) {
        if self.progress.is_none() || self.next_look.is_none() {
            return std::future::pending().await;
        }
        sleep_until(self.next_second).await;
        self.draw(Instant::now());
    }

    fn draw(&mut self, now: Instant) {
        let (Some(progress), Some(next_look)) = (&self.progress, self.next_look) else { return };
        let left = units::duration(rounded(next_look.saturating_duration_since(now)));
        progress.message(format!("{}, next look in {left}", self.observation));
        self.next_second = now + SECOND;
    }
}

/// To the next whole second, so that a wait of a minute begins with a minute.
fn rounded(time: Duration) -> Duration {
    Duration::from_secs(time.saturating_add(Duration::from_millis(500)).as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_of_seconds_or_has_a_unit() {
        for (text, seconds) in [("60", 60.0), ("0.5", 0.5), ("90s", 90.0), ("5m", 300.0), ("2h", 7200.0), ("0", 0.0)] {
            assert_eq!(time(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "s", "-1", "1d", "NaN", "inf", "1e300h", "5 m", "1h30m", "ä"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
