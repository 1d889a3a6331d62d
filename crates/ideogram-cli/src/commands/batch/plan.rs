//! What is done with each row, decided before anything is sent.
//!
//! [`step`] decides, and is a pure function. Its rule: a row is sent without a question only if nothing shows that it
//! was sent before, or if it is certain that it was not billed. The evidence comes from four sources, since each can be
//! lost: the journal, the folders of stored responses (created before a row is sent), the image files, and the
//! [`ledger`](super::ledger).

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    path::Path,
};

use super::{
    RESPONSES,
    disk::{blocking, names_in},
    images::{self, SentJob, Stored},
    journal::{End, History},
    ledger::{Record, Records, input_of},
    row::Row,
    state::{ImageResult, RowState},
    status::Status,
};
use crate::failure::Failure;

/// What is known of one row.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// The end of the row in the journal; `None` if the journal does not have the row.
    pub(super) journal: Option<End>,
    /// A stored response that images can be saved from.
    pub(super) stored: Option<Stored>,
    /// The job that it runs as, if its end is not known.
    pub(super) job: Option<SentJob>,
    /// Whether the folder for its response exists; it is created before a row is sent.
    pub(super) has_folder: bool,
    /// Whether a file is missing that the journal records as saved.
    pub(super) lacks_files: bool,
    /// A record that this row, or one with the same input, was sent and may be billed.
    pub(super) sent_before: Option<Record>,
}

/// What the user allows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowed {
    pub(super) rerun_unknown: bool,
    pub(super) retry_declined: bool,
    pub(super) pay_again: bool,
}

/// What is done with a row.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Nothing: it is finished, or must not be sent.
    Keep(Status),
    /// Its images are saved from a stored response, which is free.
    Save(Stored),
    /// Its job is waited for, which is free.
    Wait(SentJob),
    /// It is sent, which costs.
    Send,
    /// It was sent before, and is sent again only after a question.
    Confirm(Record),
}

/// Decides what is done with a row.
pub(super) fn step(evidence: Evidence, allowed: Allowed) -> Step {
    let Evidence { journal, stored, job, has_folder, lacks_files, sent_before } = evidence;
    if let Some(End::Finished(finished)) = journal {
        let is_whole = finished.images.iter().all(|image| image.result != ImageResult::NotSaved);
        return match stored {
            Some(stored) if lacks_files || !is_whole => Step::Save(stored),
            _ => Step::Keep(Status::Finished(finished.images)),
        };
    }
    if let Some(stored) = stored {
        return Step::Save(stored);
    }
    // Only a job that the service does not know is sent again: waiting for any other is free.
    let is_given_up =
        allowed.rerun_unknown && matches!(&journal, Some(End::Failed(failed)) if failed.state == RowState::Unknown);
    if let Some(job) = job.filter(|_| !is_given_up) {
        return Step::Wait(job);
    }
    match journal {
        Some(End::Failed(failed)) if failed.state.may_be_billed() => {
            if allowed.rerun_unknown {
                Step::Send
            } else {
                Step::Keep(Status::Failed(Box::new(failed)))
            }
        }
        Some(End::Begun) => if_unknown(allowed),
        // The folder of a row that is not billed is removed: this row was sent after the last line of the journal.
        _ if has_folder => if_unknown(allowed),
        Some(End::Failed(failed)) if failed.state == RowState::Declined && !allowed.retry_declined => {
            Step::Keep(Status::Failed(Box::new(failed)))
        }
        _ => match sent_before {
            // The journal is not the one of that call, or an older copy of it.
            Some(record) if !allowed.pay_again => Step::Confirm(record),
            _ => Step::Send,
        },
    }
}

fn if_unknown(allowed: Allowed) -> Step {
    if allowed.rerun_unknown { Step::Send } else { Step::Keep(Status::Unknown) }
}

/// What is done with the rows, by their index.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// To be sent, which costs.
    pub(super) send: VecDeque<usize>,
    /// Sent as jobs by an earlier run: waiting for them is free.
    pub(super) wait: VecDeque<(usize, SentJob)>,
    /// Paid, and not all images saved: saving them is free.
    pub(super) save: VecDeque<(usize, Stored)>,
    /// Sent before: sent again only after a question.
    pub(super) confirm: Vec<(usize, Record)>,
    pub(super) statuses: Vec<Status>,
    /// How many rows the journal does not have, though the folders of their responses show that they were sent.
    pub(super) unjournaled: usize,
    /// How many rows lack files that the journal records as saved.
    pub(super) without_files: usize,
}

/// Collects the evidence for every row, and decides.
pub(super) async fn plan(
    rows: &[Row],
    history: &History,
    folder: &Path,
    records: &Records,
    allowed: Allowed,
) -> Result<Plan, Failure> {
    let keys: HashSet<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    let folders: HashSet<String> = names_in(folder.join(RESPONSES)).await?.into_iter().collect();
    let mut plan = Plan { statuses: Vec::with_capacity(rows.len()), ..Plan::default() };
    let missing = rows_without_files(rows, history, folder).await?;
    for (index, row) in rows.iter().enumerate() {
        let journal = history.end(&row.key).cloned();
        let has_folder = folders.contains(&row.key);
        let lacks_files = missing.contains(&index);
        let is_done = match &journal {
            Some(End::Finished(finished)) => {
                !lacks_files && finished.images.iter().all(|image| image.result != ImageResult::NotSaved)
            }
            _ => false,
        };
        let found =
            if is_done { images::Found::default() } else { images::stored(folder, row, has_folder, history).await? };
        if !is_done && journal.is_none() && has_folder {
            plan.unjournaled += 1;
        }
        plan.without_files += usize::from(lacks_files);
        let sent_before = sent_before(row, history, records, &keys);
        let (stored, job) = (found.response, found.job);
        match step(Evidence { journal, stored, job, has_folder, lacks_files, sent_before }, allowed) {
            Step::Keep(Status::Finished(images)) if lacks_files => {
                plan.statuses.push(Status::Finished(images::without_lost_files(images, folder)));
            }
            Step::Keep(status) => plan.statuses.push(status),
            Step::Save(stored) => {
                plan.save.push_back((index, stored));
                plan.statuses.push(Status::NotRun);
            }
            Step::Wait(job) => {
                plan.wait.push_back((index, job));
                plan.statuses.push(Status::NotRun);
            }
            Step::Send => {
                plan.send.push_back(index);
                plan.statuses.push(Status::NotRun);
            }
            Step::Confirm(record) => {
                plan.confirm.push((index, record));
                plan.statuses.push(Status::NotRun);
            }
        }
    }
    Ok(plan)
}

impl Plan {
    /// Adds the rows that were confirmed to those that are sent, and returns their records.
    pub(super) fn send_confirmed(&mut self) -> Vec<(usize, Record)> {
        let confirmed = std::mem::take(&mut self.confirm);
        self.send.extend(confirmed.iter().map(|(index, _)| *index));
        self.send.make_contiguous().sort_unstable();
        confirmed
    }

    /// The records of rows that were sent before, by their folder, by whether they are only claimed, and by whether the
    /// row is the same or has only the same input, with another model.
    pub(super) fn records_by_folder(&self, rows: &[Row]) -> BTreeMap<(&Path, bool, bool), Vec<&Record>> {
        let mut by_folder: BTreeMap<_, Vec<&Record>> = BTreeMap::new();
        for (index, record) in &self.confirm {
            let is_same = record.row == rows[*index].key;
            by_folder.entry((record.folder.as_path(), record.is_claimed, is_same)).or_default().push(record);
        }
        by_folder
    }
}

/// Returns a record of the same row, or of one with the same input that is not itself in the table: rows with the same
/// input are wanted as often as the table has them.
fn sent_before(row: &Row, history: &History, records: &Records, keys: &HashSet<&str>) -> Option<Record> {
    let input = input_of(row);
    let is_same = |key: &str| key == row.key || !keys.contains(key);
    let may_be_billed =
        |key: &str| !matches!(history.end(key), Some(End::Failed(failed)) if !failed.state.may_be_billed());
    let is_other = |key: &str| key != row.key && is_same(key) && may_be_billed(key);
    let here = || history.rows_with_input(&input).find(|key| is_other(key));
    let elsewhere = || records.get(&input).into_iter().flatten();
    let same_row = elsewhere().find(|record| record.row == row.key);
    same_row
        .or_else(|| elsewhere().find(|record| is_same(&record.row)))
        .cloned()
        .or_else(|| here().map(|key| Record { row: key.to_owned(), ..Record::default() }))
}

/// The rows with a missing file that was saved.
async fn rows_without_files(rows: &[Row], history: &History, folder: &Path) -> Result<HashSet<usize>, Failure> {
    let mut files = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if let Some(End::Finished(finished)) = history.end(&row.key) {
            let saved = finished.images.iter().filter(|image| image.result == ImageResult::Saved);
            files.extend(saved.filter_map(|image| image.file.as_ref()).map(|file| (index, folder.join(file))));
        }
    }
    blocking(move || Ok(files.into_iter().filter(|(_, file)| !images::exists(file)).map(|(index, _)| index).collect()))
        .await
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::commands::batch::journal::{Failed, Finished, Image};

    fn failed(state: RowState) -> End {
        let (row, kind, message) = (String::new(), String::new(), String::new());
        End::Failed(Failed { row, state, kind, status: None, message, stored: None, response: None })
    }

    fn finished(result: ImageResult) -> End {
        let images = vec![Image { result, file: None, seed: None, prompt: None, error: None }];
        End::Finished(Finished { row: String::new(), stored: String::new(), images })
    }

    fn stored() -> Stored {
        Stored::file(PathBuf::new())
    }

    /// `send`, `confirm`, `save`, or the state that the row keeps.
    fn name(step: &Step) -> &'static str {
        match step {
            Step::Send => "send",
            Step::Confirm(_) => "confirm",
            Step::Save(_) => "save",
            Step::Wait(_) => "wait",
            Step::Keep(status) => status.state().info().name,
        }
    }

    #[test]
    fn a_row_is_sent_only_if_nothing_shows_that_it_may_be_billed() {
        // The end in the journal, and what is done: with nothing allowed, --rerun-unknown, --retry-declined,
        // --pay-again.
        let journals = [
            ("nothing", None, ["send"; 4]),
            ("begun", Some(End::Begun), ["unknown", "send", "unknown", "unknown"]),
            ("failed", Some(failed(RowState::Failed)), ["send"; 4]),
            ("declined", Some(failed(RowState::Declined)), ["declined", "declined", "send", "declined"]),
            ("unknown", Some(failed(RowState::Unknown)), ["unknown", "send", "unknown", "unknown"]),
            ("running", Some(failed(RowState::Running)), ["running", "send", "running", "running"]),
            ("unreadable", Some(failed(RowState::Unreadable)), ["unreadable", "send", "unreadable", "unreadable"]),
            ("saved", Some(finished(ImageResult::Saved)), ["saved"; 4]),
            ("withheld", Some(finished(ImageResult::Withheld)), ["withheld"; 4]),
            ("not saved", Some(finished(ImageResult::NotSaved)), ["partial"; 4]),
        ];
        let allowed = [(false, false, false), (true, false, false), (false, true, false), (false, false, true)];
        for (journal_says, journal, expected) in &journals {
            for (index, (rerun_unknown, retry_declined, pay_again)) in allowed.into_iter().enumerate() {
                let allowed = Allowed { rerun_unknown, retry_declined, pay_again };
                let evidence = || Evidence { journal: journal.clone(), ..Evidence::default() };
                let done = |evidence| name(&step(evidence, allowed));
                let case = format!("{journal_says}, {allowed:?}");
                let is_final = matches!(journal, Some(End::Finished(_)));
                let knows_begun = is_final
                    || matches!(journal, Some(End::Begun))
                    || matches!(journal, Some(End::Failed(failed)) if failed.state.may_be_billed());

                assert_eq!(done(evidence()), expected[index], "{case}");
                // With a record in the ledger, a row that nothing else accounts for needs a question.
                let again = || Evidence { sent_before: Some(Record::default()), ..evidence() };
                let with_record =
                    if expected[index] == "send" && !knows_begun && !pay_again { "confirm" } else { expected[index] };
                assert_eq!(done(again()), with_record, "sent before, {case}");
                // With the folder of a response, which is removed when a row is not billed.
                let with_folder = Evidence { has_folder: true, ..again() };
                let unknown = if rerun_unknown { "send" } else { "unknown" };
                assert_eq!(done(with_folder), if knows_begun { expected[index] } else { unknown }, "folder, {case}");
                // A stored response is always used, unless there is nothing to save.
                let with_response = Evidence { has_folder: true, stored: Some(stored()), ..again() };
                let is_done = is_final && expected[index] != "partial";
                assert_eq!(done(with_response), if is_done { expected[index] } else { "save" }, "stored, {case}");
                // A job whose end is not known is waited for, unless its end is to be ignored.
                let job = || Some(SentJob::Id("a".to_owned()));
                let with_job = Evidence { has_folder: true, job: job(), ..again() };
                let is_given_up =
                    rerun_unknown && matches!(journal, Some(End::Failed(failed)) if failed.state == RowState::Unknown);
                let expected_of_job = match (is_final, is_given_up) {
                    (true, _) => expected[index],
                    (_, true) => done(Evidence { has_folder: true, ..again() }),
                    _ => "wait",
                };
                assert_eq!(done(with_job), expected_of_job, "job, {case}");
                let with_both = Evidence { job: job(), stored: Some(stored()), ..evidence() };
                assert_eq!(done(with_both), if is_done { expected[index] } else { "save" }, "job and response, {case}");
                let gone = Evidence { stored: Some(stored()), lacks_files: true, ..evidence() };
                assert_eq!(done(gone), "save", "files missing, {case}");
            }
        }
    }
}
