//! What a batch asks and reports before it sends rows.

use std::{collections::BTreeMap, path::Path};

use super::{
    journal::History,
    ledger,
    plan::Plan,
    report::RERUN_UNKNOWN,
    row::{self, Row},
    status::Status,
};
use crate::{
    failure::{Failure, PRICES_PAGE},
    output::units,
    session::context::Context,
    session::question,
};

/// Up to this many images are requested without a question.
const MAX_WITHOUT_QUESTION: u64 = 20;
/// How many groups of equal rows are listed, and how many lines of each.
const MAX_REPEATED: usize = 5;
const MAX_LINES: usize = 10;

/// Asks before rows are paid again that were sent before and that the journal does not account for.
pub(super) async fn confirm_paying_again(
    context: &Context<'_>,
    folder: &Path,
    rows: &[Row],
    plan: &Plan,
) -> Result<(), Failure> {
    let own_path = ledger::absolute_path(folder);
    let total = units::count(plan.confirm.len() as u64, "row");
    let are_claimed = plan.confirm.iter().all(|(_, record)| record.is_claimed);
    let state = match (are_claimed, plan.confirm.len()) {
        (true, 1) => "is also in a batch that is running",
        (true, _) => "are also in a batch that is running",
        _ => "may be paid already",
    };
    let mut failure = Failure::usage(format!("{total} of this file {state}: nothing was sent"));
    let mut hints = Vec::new();
    for ((other, is_claimed, is_same), records) in plan.records_by_folder(rows) {
        let rows = units::count(records.len() as u64, "row");
        let time = records.iter().map(|record| record.time.as_str()).max().unwrap_or_default();
        let time = if time.is_empty() { String::new() } else { format!(", the last at {time}") };
        let is_own = other.as_os_str().is_empty() || other == Path::new(&own_path);
        let (cause, hint) = match (is_own, is_same) {
            _ if is_claimed => {
                (format!("{rows} to be sent from \"{}\"", other.display()), "wait for that batch to end".to_owned())
            }
            (true, true) => (
                format!("{rows} sent from this folder{time}, and missing in its journal"),
                "restore the folder with its journal, and run the command again".to_owned(),
            ),
            (_, false) => (
                format!(
                    "{rows} sent with another model, from \"{}\"{time}",
                    if is_own { folder } else { other }.display()
                ),
                "use the same --model as before to continue".to_owned(),
            ),
            (false, true) => (
                format!("{rows} sent from \"{}\"{time}", other.display()),
                format!("if that folder still exists, continue there with --out \"{}\"", other.display()),
            ),
        };
        failure = failure.fact(cause);
        hints.push(hint);
    }
    if context.says_yes() || !question::is_possible() {
        hints.push("to pay for them again, use --pay-again".to_owned());
        return Err(hints.into_iter().fold(failure, Failure::hint));
    }
    for cause in failure.causes() {
        context.output().warning(cause);
    }
    context.confirm(&format!("{total} of this file {state}: pay again?")).await
}

/// Notes rows that request the same, each of which is billed.
pub(super) fn note_repeated(context: &Context<'_>, rows: &[Row], plan: &Plan) {
    let sent = plan.send.iter().map(|index| &rows[*index]);
    let mut lines: BTreeMap<&str, Vec<u64>> =
        sent.filter(|row| row.is_repeated()).map(|row| (row.request_key(), Vec::new())).collect();
    for row in rows {
        if let Some(lines) = lines.get_mut(row.request_key()) {
            lines.push(row.line);
        }
    }
    let mut repeated: Vec<Vec<u64>> = lines.into_values().collect();
    repeated.sort_unstable();
    let more = repeated.len().saturating_sub(MAX_REPEATED);
    for lines in repeated.iter().take(MAX_REPEATED) {
        let first: Vec<String> = lines.iter().take(MAX_LINES).map(u64::to_string).collect();
        let rest = if lines.len() > MAX_LINES { ", ..." } else { "" };
        let first = first.join(", ");
        context.output().warning(&format!("lines {first}{rest} request the same, and each of them is billed"));
    }
    if more > 0 {
        context.output().warning(&format!("so do {} of other rows", units::count(more as u64, "group")));
    }
}

/// Notes prompts that look like comments.
pub(super) fn note_comments(context: &Context<'_>, rows: &[Row], plan: &Plan) {
    let sent = plan.send.iter().map(|index| &rows[*index]);
    let comments: Vec<u64> = sent.filter(|row| row.prompt.starts_with('#')).map(|row| row.line).collect();
    if let Some(first) = comments.first() {
        let prompts = units::count(comments.len() as u64, "prompt");
        let text = format!("beginning with `#`, which is sent as it is: {prompts}, the first in line {first}");
        context.output().warning(&text);
    }
}

/// Asks before many images are requested.
pub(super) async fn confirm_number(
    context: &Context<'_>,
    rows: &[Row],
    plan: &Plan,
    history: &History,
    max_images: Option<u64>,
) -> Result<(), Failure> {
    let wanted: u64 = plan.send.iter().map(|index| u64::from(rows[*index].images)).sum();
    let allowed = max_images.map_or(u64::MAX, |max| max.saturating_sub(history.images));
    let images = wanted.min(allowed);
    if images <= MAX_WITHOUT_QUESTION {
        return Ok(());
    }
    let rows = units::count(plan.send.len() as u64, "row");
    let most = if allowed < wanted { "at most " } else { "" };
    let question = format!(
        "generate {most}{}, each of them billed (prices: {PRICES_PAGE}), for {rows}?",
        units::count(images, "image")
    );
    context.confirm(&question).await
}

/// On a later run, reports what is finished, of unknown outcome, missing or damaged.
pub(super) fn report_history(context: &Context<'_>, rows: &[Row], history: &History, plan: &Plan) {
    let output = context.output();
    if history.is_torn {
        output.warning("the last line of the journal was incomplete: an earlier run was killed, or the file was cut");
    }
    if plan.unjournaled > 0 {
        let rows = units::count(plan.unjournaled as u64, "row");
        output.warning(&format!(
            "the journal does not know {rows} that were sent from here: it was lost, cut or replaced; their stored \
             responses are used"
        ));
    }
    if plan.without_files > 0 {
        let rows = units::count(plan.without_files as u64, "row");
        output.note(&format!("images of {rows} are missing: they are fetched again, which is free"));
    }
    if !plan.wait.is_empty() {
        let rows = units::count(plan.wait.len() as u64, "row");
        output.note(&format!("still running at the service, from an earlier run: {rows}; waiting for them is free"));
    }
    if let Some(last) = &history.last_run {
        let known = rows.iter().filter(|row| history.end(&row.key).is_some()).count();
        let finished = plan.statuses.iter().filter(|status| matches!(status, Status::Finished(_))).count();
        output.note(&format!("continuing: {finished} of {} are finished", units::count(rows.len() as u64, "row")));
        if last.rows_hash != row::hash(rows) {
            let gone = history.rows().saturating_sub(known);
            let mut text = format!("the file has changed since {}: changed and added rows are new", last.time);
            if gone > 0 {
                let rows = units::count(gone as u64, "row");
                text.push_str(&format!(", and {rows} of the journal are no longer in it"));
            }
            output.warning(&text);
        }
    }
    let unknown: Vec<_> =
        rows.iter().zip(&plan.statuses).filter(|(_, status)| matches!(status, Status::Unknown)).collect();
    for (row, _) in &unknown {
        output.warning(&format!(
            "line {} ({}) was in flight when an earlier run ended: it may be billed",
            row.line, row.name
        ));
    }
    if !unknown.is_empty() {
        output.warning(RERUN_UNKNOWN);
    }
}
