//! Progress on standard error: a bar on a terminal, a line from time to time elsewhere; nothing with `--quiet`.

use std::{
    io::{self, IsTerminal as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{output::messages::Messages, output::printable::printable, output::units};

/// How often a line is printed without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How often a spinner is redrawn.
const TICK: Duration = Duration::from_millis(120);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    Bytes,
    /// Items with this name: "file".
    Things(&'static str),
    /// Elapsed time only.
    Time,
}

/// A progress bar. Clones share it; the last one that is dropped removes it.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    messages: Messages,
    label: String,
    counted: Counted,
    state: Mutex<State>,
    /// A bar on a terminal.
    bar: Option<ProgressBar>,
}

#[derive(Debug)]
struct State {
    done: u64,
    total: Option<u64>,
    message: String,
    started: Instant,
    last_line: Instant,
}

impl Progress {
    /// Starts a bar. `label` is the activity ("uploading"), `total` the whole amount, if it is known.
    pub(crate) fn new(messages: &Messages, label: impl Into<String>, counted: Counted, total: Option<u64>) -> Self {
        let label = label.into();
        let has_bar = !messages.is_quiet() && io::stderr().is_terminal();
        let bar = has_bar.then(|| bar(messages, &label, counted, total));
        let now = Instant::now();
        let state = Mutex::new(State { done: 0, total, message: String::new(), started: now, last_line: now });
        Self(Arc::new(Inner { messages: messages.clone(), label, counted, state, bar }))
    }

    /// Adds to the finished amount.
    pub(crate) fn advance(&self, by: u64) {
        let done = self.0.state().done.saturating_add(by);
        self.set(done);
    }

    /// Sets the finished amount.
    pub(crate) fn set(&self, done: u64) {
        let mut state = self.0.state();
        state.done = done;
        if let Some(bar) = &self.0.bar {
            bar.set_position(done);
        }
        self.0.line_if_due(&mut state);
    }

    /// Sets the whole amount.
    pub(crate) fn set_total(&self, total: u64) {
        let mut state = self.0.state();
        state.total = Some(total);
        if let Some(bar) = &self.0.bar {
            bar.set_length(total);
        }
    }

    /// The text after the figures: "12 of 40 files", "TRAINING, next poll in 30 s".
    pub(crate) fn message(&self, text: impl Into<String>) {
        let mut state = self.0.state();
        state.message = text.into();
        if let Some(bar) = &self.0.bar {
            bar.set_message(printable(&state.message).into_owned());
        }
        self.0.line_if_due(&mut state);
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // The state stays valid after a panic of another thread.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line_if_due(&self, state: &mut State) {
        let now = Instant::now();
        if self.bar.is_none() && now.duration_since(state.last_line) >= LINE_EVERY {
            state.last_line = now;
            self.messages.note(&self.line(state, now.duration_since(state.started)));
        }
    }

    fn line(&self, state: &State, elapsed: Duration) -> String {
        let amount = |number| match self.counted {
            Counted::Bytes => units::size(number),
            Counted::Things(noun) => units::count(number, noun),
            Counted::Time => String::new(),
        };
        let mut parts = vec![format!("{} for {}", self.label, units::duration(elapsed))];
        match (self.counted, state.total) {
            (Counted::Time, _) => {}
            (Counted::Things(_), Some(total)) => parts.push(format!("{} of {}", state.done, amount(total))),
            (_, Some(total)) => parts.push(format!("{} of {}", amount(state.done), amount(total))),
            (_, None) => parts.push(amount(state.done)),
        }
        if !state.message.is_empty() {
            parts.push(state.message.clone());
        }
        parts.join(": ")
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            self.messages.bars().remove(bar);
        }
    }
}

fn bar(messages: &Messages, label: &str, counted: Counted, total: Option<u64>) -> ProgressBar {
    let template = match (counted, total) {
        (Counted::Bytes, Some(_)) => "{prefix} [{bar:15}] {bytes}/{total_bytes} {bytes_per_sec}, {eta} left {wide_msg}",
        (Counted::Bytes, None) => "{prefix} {spinner} {bytes} {bytes_per_sec} {wide_msg}",
        (Counted::Things(_), Some(_)) => "{prefix} [{bar:15}] {pos}/{len}, {eta} left {wide_msg}",
        (Counted::Things(_), None) => "{prefix} {spinner} {pos} {wide_msg}",
        (Counted::Time, _) => "{prefix} {spinner} {elapsed} {wide_msg}",
    };
    let style = ProgressStyle::with_template(template).expect("the templates above are valid");
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
    let bar = messages.bars().add(bar.with_style(style.progress_chars("=> ")).with_prefix(label.to_owned()));
    bar.enable_steady_tick(TICK);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{options::Format, output::color::When};

    #[test]
    fn a_line_says_how_far_it_has_come() {
        let messages = Messages::new(Format::Text, true, false, When::Never);
        let line = |progress: &Progress| progress.0.line(&progress.0.state(), Duration::from_secs(75));

        let files = Progress::new(&messages, "uploading", Counted::Things("file"), Some(40));
        files.advance(12);
        files.message("1.0 MiB/s");
        let bytes = Progress::new(&messages, "sending", Counted::Bytes, Some(2048));
        bytes.set(1024);
        let wait = Progress::new(&messages, "training", Counted::Time, None);

        assert_eq!(line(&files), "uploading for 1 min 15 s: 12 of 40 files: 1.0 MiB/s");
        assert_eq!(line(&bytes), "sending for 1 min 15 s: 1.0 KiB of 2.0 KiB");
        assert_eq!(line(&wait), "training for 1 min 15 s");
    }
}
