//! The result of a batch: counts, reasons, and the exit code.

use std::path::Path;

use ideogram_client::usage::Decimal;
use serde_json::{Map, Value, json};

use super::{
    row::Row,
    state::{ImageResult, RowState},
    status::Status,
};
use crate::{executable, exit::Exit, failure::Failure, output::units};

/// How many rows are listed with their reasons; the contact sheet has all.
const MAX_LISTED: usize = 100;

/// Why no more rows were sent.
#[derive(Debug)]
pub(super) enum Stop {
    /// Ctrl-C.
    Interrupted,
    /// The next row would exceed `--max-images`.
    MaxImages(u64),
    /// The next row would exceed `--max-usd`, in millionths.
    MaxUsd(u64),
    /// The same refusal again and again, or one that concerns every row.
    Refused { exit: Exit, why: String, next: &'static str },
    /// A file, a folder or the output of this machine cannot be used.
    Local(Failure),
}

/// How many rows and images ended in which state, over all runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    rows: [u64; RowState::ALL.len()],
    images: [u64; ImageResult::ALL.len()],
}

impl Counts {
    pub(super) fn of<'s>(statuses: impl IntoIterator<Item = &'s Status>) -> Self {
        let mut counts = Self::default();
        for status in statuses {
            counts.add(status);
        }
        counts
    }

    pub(super) fn add(&mut self, status: &Status) {
        let state = match status.state() {
            // One count for every row that is billed and has nothing to save.
            RowState::NoImages => RowState::Unreadable,
            state => state,
        };
        self.rows[state as usize] += 1;
        for image in status.images() {
            self.images[image.result as usize] += 1;
        }
    }

    /// What the progress bar shows next to the number of rows.
    pub(super) fn progress(&self) -> String {
        let saved = units::count(self.images(ImageResult::Saved), "image");
        let withheld = self.images(ImageResult::Withheld);
        let is_failed = |state: &RowState| !matches!(state, RowState::Saved | RowState::Partial | RowState::Withheld);
        let rows: u64 = RowState::ALL.into_iter().filter(is_failed).map(|state| self.rows(state)).sum();
        let failed = rows + self.images(ImageResult::Lost) + self.images(ImageResult::NotSaved);
        format!("{saved}, {withheld} withheld, {failed} failed")
    }

    pub(super) fn rows(&self, state: RowState) -> u64 {
        self.rows[state as usize]
    }

    pub(super) fn images(&self, result: ImageResult) -> u64 {
        self.images[result as usize]
    }

    /// The counts as text, each with its class on the contact sheet. Zeros are left out, except for saved images.
    pub(super) fn figures(&self) -> Vec<(u64, String, &'static str)> {
        let images = ImageResult::ALL.into_iter().map(|result| {
            let info = result.info();
            (self.images(result), "image", info.summary, info.class)
        });
        let rows =
            RowState::ALL.into_iter().map(|state| (self.rows(state), "row", state.info().summary, state.info().class));
        let mut figures: Vec<_> = images.chain(rows.filter(|(_, _, summary, _)| !summary.is_empty())).collect();
        let saved = figures.remove(0);
        figures.retain(|(number, ..)| *number > 0);
        figures.insert(0, saved);
        let plural = |number| if number == 1 { "" } else { "s" };
        let figure = |(number, noun, summary, class)| (number, format!("{noun}{} {summary}", plural(number)), class);
        figures.into_iter().map(figure).collect()
    }

    /// The same in one line.
    pub(super) fn line(&self) -> String {
        let figures: Vec<String> =
            self.figures().into_iter().map(|(number, words, _)| format!("{number} {words}")).collect();
        format!("{}: {}", units::count(self.rows.iter().sum(), "row"), figures.join(", "))
    }

    pub(super) fn to_json(self) -> Value {
        let finished = [RowState::Saved, RowState::Partial, RowState::Withheld].map(|state| self.rows(state));
        let mut counts = Map::from_iter([
            ("rows".to_owned(), json!(self.rows.iter().sum::<u64>())),
            ("rows_finished".to_owned(), json!(finished.iter().sum::<u64>())),
        ]);
        for result in ImageResult::ALL {
            counts.insert(format!("images_{}", result.info().name), json!(self.images(result)));
        }
        for state in RowState::ALL.into_iter().filter(|state| !state.info().summary.is_empty()) {
            counts.insert(format!("rows_{}", state.info().name), json!(self.rows(state)));
        }
        Value::Object(counts)
    }

    /// Whether every row has all its images.
    pub(super) fn is_complete(&self) -> bool {
        self.rows.iter().sum::<u64>() == self.rows(RowState::Saved)
    }
}

/// The result of a row for programs.
pub(super) fn row_json(row: &Row, status: &Status, folder: &Path) -> Value {
    let mut value = json!({
        "row": row.name,
        "line": row.line,
        "operation": row.request.operation().id,
        "prompt": row.prompt,
        "status": status.state().info().name,
    });
    match status {
        Status::Finished(images) => {
            let images = images.iter().map(|image| {
                json!({
                    "result": image.result,
                    "path": image.file.as_ref().map(|file| folder.join(file).display().to_string()),
                    "seed": image.seed,
                    "error": image.error,
                })
            });
            value["images"] = images.collect();
        }
        Status::Failed(failed) => {
            value["error"] = json!({"kind": failed.kind, "status": failed.status, "message": failed.message});
        }
        Status::NotRun | Status::Unknown => {}
    }
    value
}

/// Success, or the failure that the command ends with.
pub(super) fn result(rows: &[(&Row, &Status)], counts: &Counts, stop: Option<Stop>) -> Result<(), Failure> {
    let is_stopped = stop.is_some();
    let limited = |flag: &str, max: String| {
        let failure = Failure::new(Exit::Partial, format!("stopped: the next row would exceed {flag} {max}"));
        failure.hint(format!("run the same command again with a larger {flag} to continue"))
    };
    let mut failure = match stop {
        Some(Stop::Local(failure)) => failure,
        Some(Stop::Interrupted) => Failure::new(Exit::Interrupted, "interrupted"),
        Some(Stop::MaxImages(max)) => limited("--max-images", max.to_string()),
        Some(Stop::MaxUsd(max)) => limited("--max-usd", Decimal::from_micros(max).to_string()),
        Some(Stop::Refused { exit, why, next }) => Failure::new(exit, format!("stopped: {why}")).hint(next),
        None if counts.is_complete() => return Ok(()),
        None => Failure::new(Exit::Partial, counts.line()),
    };
    let exit = exit(rows, is_stopped.then(|| failure.exit()));
    if is_stopped {
        failure = failure.fact(counts.line());
    }
    let mut reasons = rows
        .iter()
        .filter_map(|(row, status)| status.reason().map(|why| format!("line {} ({}): {why}", row.line, row.name)));
    failure = reasons.by_ref().take(MAX_LISTED).fold(failure, Failure::fact);
    let unlisted = reasons.count() as u64;
    if unlisted > 0 {
        failure = failure.fact(format!("and {} more, see the contact sheet", units::count(unlisted, "row")));
    }
    if counts.rows(RowState::Unknown) > 0 {
        failure = failure.hint(RERUN_UNKNOWN);
    }
    if counts.rows(RowState::Declined) > 0 {
        failure = failure.hint("change the declined rows, or send them unchanged with --retry-declined");
    }
    // Other reasons to stop have their own hint.
    let has_hint = is_stopped && !matches!(exit, Exit::Interrupted | Exit::LocalIo | Exit::ReaderGone);
    let is_open = counts.rows(RowState::NotRun)
        + counts.rows(RowState::Failed)
        + counts.rows(RowState::Running)
        + counts.images(ImageResult::NotSaved)
        > 0;
    if is_open && !has_hint {
        failure = failure.hint(continue_hint());
    }
    Err(failure.exiting(exit).detail("counts", counts.to_json()))
}

/// How to continue a batch.
pub(super) const CONTINUE: &str = "run the same command again to continue; no row is paid twice";
/// The same, with the whole command.
pub(super) fn continue_hint() -> String {
    format!("{CONTINUE}: {}", executable::command_line())
}
/// How to send rows again that may be billed.
pub(super) const RERUN_UNKNOWN: &str =
    "rows of unknown outcome are not sent again, since they may be billed; --rerun-unknown sends them";

/// Chooses the exit code: first rows that may be billed without a result, then the reason for the stop, then how
/// much is complete.
fn exit(rows: &[(&Row, &Status)], stop: Option<Exit>) -> Exit {
    let has = |exit| rows.iter().any(|(_, status)| status.exit() == exit);
    match stop {
        Some(exit @ (Exit::Interrupted | Exit::LocalIo)) => return exit,
        _ if has(Exit::Unknown) => return Exit::Unknown,
        _ if has(Exit::NotStored) => return Exit::NotStored,
        // A streak of refusals may have billed ones.
        Some(Exit::Safety) if has(Exit::Withheld) => return Exit::Withheld,
        Some(exit) if exit != Exit::Partial => return exit,
        _ => {}
    }
    if has(Exit::Partial) || has(Exit::Success) || (has(Exit::Unavailable) && has(Exit::Withheld)) {
        return Exit::Partial;
    }
    let first = [Exit::Unavailable, Exit::Withheld, Exit::Invalid].into_iter().find(|exit| has(*exit));
    first.unwrap_or(Exit::Safety)
}
