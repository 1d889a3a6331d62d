//! What became of a batch: counts, reasons, and the exit code.

use serde_json::{Value, json};

use super::{
    journal::{ImageResult, RowState},
    row::Row,
    status::Status,
};
use crate::{exit::Exit, failure::Failure, output::units};

/// How many rows are listed with their reasons before the rest is only counted: the contact sheet has all.
const MAX_LISTED: usize = 100;

/// Why no more rows were sent.
#[derive(Debug)]
pub(super) enum Stop {
    /// Ctrl-C.
    Interrupted,
    /// The next row would make more images than `--max-images` allows.
    MaxImages(u64),
    /// The same refusal again and again, or one that all rows would share.
    Refused { exit: Exit, why: String, next: &'static str },
    /// Something of this machine does not work as it must.
    Local(Failure),
}

/// How many rows and images have come to which end, over all runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) rows: u64,
    /// Rows with a response.
    pub(super) answered: u64,
    pub(super) saved: u64,
    pub(super) withheld: u64,
    /// Images that cannot be had any more.
    pub(super) lost: u64,
    /// Images that can still be fetched.
    pub(super) not_saved: u64,
    /// Rows, from here on.
    pub(super) declined: u64,
    pub(super) failed: u64,
    pub(super) unknown: u64,
    pub(super) unreadable: u64,
    pub(super) not_run: u64,
}

impl Counts {
    pub(super) fn of<'s>(statuses: impl IntoIterator<Item = &'s Status>) -> Self {
        let mut counts = Self::default();
        for status in statuses {
            counts.rows += 1;
            match status {
                Status::NotRun => counts.not_run += 1,
                Status::Unknown => counts.unknown += 1,
                Status::Failed(failed) => match failed.state {
                    RowState::NotRun => counts.failed += 1,
                    RowState::Declined => counts.declined += 1,
                    RowState::Unknown => counts.unknown += 1,
                    RowState::Unreadable => counts.unreadable += 1,
                },
                Status::Finished(images) if images.is_empty() => counts.unreadable += 1,
                Status::Finished(images) => {
                    counts.answered += 1;
                    for image in images {
                        match image.result {
                            ImageResult::Saved => counts.saved += 1,
                            ImageResult::Withheld => counts.withheld += 1,
                            ImageResult::Lost => counts.lost += 1,
                            ImageResult::NotSaved => counts.not_saved += 1,
                        }
                    }
                }
            }
        }
        counts
    }

    /// The counts that are worth a word, with the class they have on the contact sheet.
    pub(super) fn figures(&self) -> Vec<(u64, String, &'static str)> {
        let plural = |number: u64, noun: &str| if number == 1 { noun.to_owned() } else { format!("{noun}s") };
        let figure =
            |number: u64, noun: &str, words: &str, class| (number, format!("{} {words}", plural(number, noun)), class);
        let mut figures = vec![figure(self.saved, "image", "saved", "good")];
        let others = [
            figure(self.withheld, "image", "withheld", "bad"),
            figure(self.lost, "image", "lost", "bad"),
            figure(self.not_saved, "image", "not saved yet", "waiting"),
            figure(self.declined, "row", "declined", "bad"),
            figure(self.failed, "row", "failed without being billed", "waiting"),
            figure(self.unknown, "row", "of unknown outcome", "bad"),
            figure(self.unreadable, "row", "billed without a readable response", "bad"),
            figure(self.not_run, "row", "not run", "waiting"),
        ];
        figures.extend(others.into_iter().filter(|(number, ..)| *number > 0));
        figures
    }

    /// The same in one line.
    pub(super) fn line(&self) -> String {
        let figures: Vec<String> =
            self.figures().into_iter().map(|(number, words, _)| format!("{number} {words}")).collect();
        format!("{}: {}", units::count(self.rows, "row"), figures.join(", "))
    }

    pub(super) fn to_json(self) -> Value {
        json!({
            "rows": self.rows,
            "rows_answered": self.answered,
            "images_saved": self.saved,
            "images_withheld": self.withheld,
            "images_lost": self.lost,
            "images_not_saved": self.not_saved,
            "rows_declined": self.declined,
            "rows_failed": self.failed,
            "rows_unknown": self.unknown,
            "rows_unreadable": self.unreadable,
            "rows_not_run": self.not_run,
        })
    }

    pub(super) fn is_complete(&self) -> bool {
        let Self { withheld, lost, not_saved, declined, failed, unknown, unreadable, not_run, .. } = *self;
        [withheld, lost, not_saved, declined, failed, unknown, unreadable, not_run] == [0; 8]
    }
}

/// What a row came to, as programs read it.
pub(super) fn row_json(row: &Row, status: &Status, folder: &std::path::Path) -> Value {
    let mut value = json!({
        "row": row.name,
        "line": row.line,
        "operation": row.request.operation().id,
        "prompt": row.prompt,
        "status": status.words().name,
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

/// What is to be said of a row that did not come to all its images.
pub(super) fn reason(row: &Row, status: &Status) -> Option<String> {
    status.reason().map(|why| format!("line {} ({}): {why}", row.line, row.name))
}

/// Success, or the failure that the command ends with.
pub(super) fn verdict(rows: &[(&Row, &Status)], counts: &Counts, stop: Option<Stop>) -> Result<(), Failure> {
    let is_stopped = stop.is_some();
    let (stop_exit, mut failure) = match stop {
        Some(Stop::Local(failure)) => (Some(failure.exit()), failure),
        Some(Stop::Interrupted) => (Some(Exit::Interrupted), Failure::new(Exit::Interrupted, "interrupted")),
        Some(Stop::MaxImages(most)) => {
            let what = format!("stopped before more than {} were made", units::count(most, "image"));
            let failure = Failure::new(Exit::Partial, what);
            (Some(Exit::Partial), failure.hint("run the same command again with a larger --max-images to go on"))
        }
        Some(Stop::Refused { exit, why, next }) => {
            (Some(exit), Failure::new(exit, format!("stopped: {why}")).hint(next))
        }
        None if counts.is_complete() => return Ok(()),
        None => (None, Failure::new(Exit::Partial, counts.line())),
    };
    let exit = exit(rows, counts, stop_exit);
    if is_stopped {
        failure = failure.cause(counts.line());
    }
    let reasons: Vec<String> = rows.iter().filter_map(|(row, status)| reason(row, status)).collect();
    let unlisted = reasons.len().saturating_sub(MAX_LISTED);
    for reason in reasons.into_iter().take(MAX_LISTED) {
        failure = failure.cause(reason);
    }
    if unlisted > 0 {
        failure = failure.cause(format!("and {} more, see the contact sheet", units::count(unlisted as u64, "row")));
    }
    if counts.unknown > 0 {
        failure = failure.hint("rows of unknown outcome are not sent again, as they may be paid; --rerun-unknown does");
    }
    if counts.declined > 0 {
        failure = failure.hint("change the declined rows; unchanged ones are sent again only with --retry-declined");
    }
    // Other reasons to stop have said so.
    let says_how = is_stopped && !matches!(exit, Exit::Interrupted | Exit::LocalIo | Exit::ReaderGone);
    if counts.not_run + counts.failed + counts.not_saved > 0 && !says_how {
        failure = failure.hint("run the same command again to go on: what is paid is not paid again");
    }
    Err(failure.exiting(exit).detail("counts", counts.to_json()))
}

/// Money first: what may have been paid without a result, then why it stopped, then how much of it is there.
fn exit(rows: &[(&Row, &Status)], counts: &Counts, stop: Option<Exit>) -> Exit {
    match stop {
        Some(exit @ (Exit::Interrupted | Exit::LocalIo)) => return exit,
        _ if counts.unknown > 0 => return Exit::Unknown,
        _ if counts.unreadable > 0 => return Exit::NotStored,
        Some(exit) if exit != Exit::Partial => return exit,
        _ => {}
    }
    if counts.saved > 0 || counts.not_run > 0 {
        return Exit::Partial;
    }
    if counts.not_saved + counts.lost + counts.failed == 0 {
        let refused = |status: &Status| match status {
            Status::Failed(failed) => failed.kind != "safety",
            _ => false,
        };
        return if rows.iter().any(|(_, status)| refused(status)) { Exit::Invalid } else { Exit::Safety };
    }
    if counts.answered == 0 { Exit::Unavailable } else { Exit::Partial }
}
