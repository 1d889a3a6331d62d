//! What is done with each row: found out before anything is sent, from all that is known of it.
//!
//! [`step`] decides, and is a pure function. Its rule: a row is sent without a question only if nothing says that it
//! was begun before, or if it is known that it was not billed. What is known comes from four places, since each can be
//! lost: the journal, the folders of stored responses (made before a row is sent), the files of images, and the
//! [`ledger`](super::ledger).

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    RESPONSES,
    images::{self, Stored},
    journal::{End, History, ImageResult, RowState},
    ledger::{Record, Records, input_of},
    row::Row,
    status::Status,
};
use crate::failure::Failure;

/// What is known of one row.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// What the journal says; `None` if it does not know the row.
    pub(super) journal: Option<End>,
    /// A stored response that images can be saved from.
    pub(super) stored: Option<Stored>,
    /// Whether the folder for its response was made, which happens before a row is sent.
    pub(super) has_folder: bool,
    /// Whether a file is gone that the journal calls saved.
    pub(super) lacks_files: bool,
    /// The ledger says that this row, or one that asks for the same, was begun and may be billed.
    pub(super) begun_before: Option<Record>,
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
    /// Nothing: it is done, or may not be sent.
    Keep(Status),
    /// Its images are saved from a stored response, which is free.
    Save(Stored),
    /// It is sent, which costs.
    Send,
    /// It was begun before, and is sent only after a question.
    Ask(Record),
}

/// Decides what is done with a row.
pub(super) fn step(evidence: Evidence, allowed: Allowed) -> Step {
    let Evidence { journal, stored, has_folder, lacks_files, begun_before } = evidence;
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
    match journal {
        Some(End::Failed(failed)) if failed.state.is_billed() => {
            if allowed.rerun_unknown {
                Step::Send
            } else {
                Step::Keep(Status::Failed(failed))
            }
        }
        Some(End::None) => if_unknown(allowed),
        // The folder is removed when a row turns out not to be billed: this was begun after all that the journal knows.
        _ if has_folder => if_unknown(allowed),
        Some(End::Failed(failed)) if failed.state == RowState::Declined && !allowed.retry_declined => {
            Step::Keep(Status::Failed(failed))
        }
        _ => match begun_before {
            // The journal cannot account for it: it is older than what was begun, or another one.
            Some(record) if !allowed.pay_again => Step::Ask(record),
            _ => Step::Send,
        },
    }
}

fn if_unknown(allowed: Allowed) -> Step {
    if allowed.rerun_unknown { Step::Send } else { Step::Keep(Status::Unknown) }
}

/// What is to be done with rows, by their index.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// To be sent: this costs.
    pub(super) send: VecDeque<usize>,
    /// Paid, and not all saved: this is free.
    pub(super) save: VecDeque<(usize, Stored)>,
    /// Begun before: sent only after a question.
    pub(super) ask: Vec<(usize, Record)>,
    pub(super) statuses: Vec<Status>,
    /// How many of the rows the journal does not know, though their stored responses show that they were begun.
    pub(super) unjournaled: usize,
    /// How many rows have lost files that the journal calls saved.
    pub(super) without_files: usize,
}

/// Gathers what is known of every row, and decides.
pub(super) async fn plan(
    rows: &[Row],
    history: &History,
    folder: &Path,
    records: &Records,
    allowed: Allowed,
) -> Result<Plan, Failure> {
    let (keys, folders) = (keys(rows), response_folders(folder.join(RESPONSES)).await?);
    let mut plan = Plan { statuses: Vec::with_capacity(rows.len()), ..Plan::default() };
    let missing = files_that_are_gone(rows, history, folder).await?;
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
        let stored = if is_done { None } else { images::stored(folder, row, history).await? };
        if !is_done && journal.is_none() && has_folder {
            plan.unjournaled += 1;
        }
        plan.without_files += usize::from(lacks_files);
        let begun_before = begun_before(row, history, records, &keys);
        match step(Evidence { journal, stored, has_folder, lacks_files, begun_before }, allowed) {
            Step::Keep(Status::Finished(images)) if lacks_files => {
                plan.statuses.push(Status::Finished(images::without_lost_files(images, folder)));
            }
            Step::Keep(status) => plan.statuses.push(status),
            Step::Save(stored) => {
                plan.save.push_back((index, stored));
                plan.statuses.push(Status::NotRun);
            }
            Step::Send => {
                plan.send.push_back(index);
                plan.statuses.push(Status::NotRun);
            }
            Step::Ask(record) => {
                plan.ask.push((index, record));
                plan.statuses.push(Status::NotRun);
            }
        }
    }
    Ok(plan)
}

impl Plan {
    /// The rows that were begun before, by the folder in which that was, and whether they were the same rows: otherwise
    /// they requested the same with another model or id.
    pub(super) fn questions(&self, rows: &[Row]) -> BTreeMap<(&Path, bool), Vec<&Record>> {
        let mut questions: BTreeMap<(&Path, bool), Vec<&Record>> = BTreeMap::new();
        for (index, record) in &self.ask {
            questions.entry((&record.folder, record.row == rows[*index].key)).or_default().push(record);
        }
        questions
    }
}

fn keys(rows: &[Row]) -> HashSet<&str> {
    rows.iter().map(|row| row.key.as_str()).collect()
}

/// Where a row was begun, if the journal cannot account for it: the same row, or one that asks for the same with
/// another model or id. Rows of the table that ask for the same are wanted as often as they stand there.
fn begun_before(row: &Row, history: &History, records: &Records, keys: &HashSet<&str>) -> Option<Record> {
    let input = input_of(row);
    let is_it = |key: &str| key == row.key || !keys.contains(key);
    let here = || history.rows_with_input(&input).find(|key| *key != row.key && is_it(key));
    let elsewhere = records.get(&input).into_iter().flatten().find(|record| is_it(&record.row));
    elsewhere.cloned().or_else(|| here().map(|key| Record { row: key.to_owned(), ..Record::default() }))
}

/// The rows for whose responses there is a folder.
async fn response_folders(responses: PathBuf) -> Result<HashSet<String>, Failure> {
    let listed = tokio::task::spawn_blocking(move || {
        let entries = match fs::read_dir(&responses) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashSet::new()),
            entries => entries,
        };
        let cannot = |error: io::Error| {
            Failure::local_io(format!("cannot look for stored responses in \"{}\"", responses.display()))
                .because(&error)
                .hint("nothing was sent; --out names another folder")
        };
        let names = entries.and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned())).collect()
        });
        names.map_err(cannot)
    });
    listed.await.unwrap_or_else(|error| Err(Failure::internal("a look at the folder broke off").because(&error)))
}

/// The rows of which a file is gone that was saved.
async fn files_that_are_gone(rows: &[Row], history: &History, folder: &Path) -> Result<HashSet<usize>, Failure> {
    let mut files = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if let Some(End::Finished(finished)) = history.end(&row.key) {
            let saved = finished.images.iter().filter(|image| image.result == ImageResult::Saved);
            files.extend(saved.filter_map(|image| image.file.as_ref()).map(|file| (index, folder.join(file))));
        }
    }
    let looked = tokio::task::spawn_blocking(move || {
        files.into_iter().filter(|(_, file)| !images::is_there(file)).map(|(index, _)| index).collect()
    });
    looked.await.map_err(|error| Failure::internal("a look at the folder broke off").because(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::batch::journal::{Failed, Finished, Image};

    fn failed(state: RowState) -> End {
        let (row, kind, message) = (String::new(), String::new(), String::new());
        End::Failed(Failed { row, state, kind, status: None, message, kept: None, response: None })
    }

    fn finished(result: ImageResult) -> End {
        let images = vec![Image { result, file: None, seed: None, prompt: None, error: None }];
        End::Finished(Finished { row: String::new(), kept: String::new(), images })
    }

    fn stored() -> Stored {
        Stored::file(PathBuf::new())
    }

    /// `send`, `ask`, `save`, or the status that the row keeps.
    fn name(step: &Step) -> &'static str {
        match step {
            Step::Send => "send",
            Step::Ask(_) => "ask",
            Step::Save(_) => "save",
            Step::Keep(status) => status.words().name,
        }
    }

    #[test]
    fn a_row_is_sent_only_if_nothing_says_that_it_may_be_paid() {
        // What the journal says, and what is done: with nothing allowed, --rerun-unknown, --retry-declined,
        // --pay-again.
        let journals = [
            ("nothing", None, ["send"; 4]),
            ("begun", Some(End::None), ["unknown", "send", "unknown", "unknown"]),
            ("not run", Some(failed(RowState::NotRun)), ["send"; 4]),
            ("declined", Some(failed(RowState::Declined)), ["declined", "declined", "send", "declined"]),
            ("unknown", Some(failed(RowState::Unknown)), ["unknown", "send", "unknown", "unknown"]),
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
                let wording = format!("{journal_says}, {allowed:?}");
                let is_final = matches!(journal, Some(End::Finished(_)));
                let knows_begun = is_final
                    || matches!(journal, Some(End::None))
                    || matches!(journal, Some(End::Failed(failed)) if failed.state.is_billed());

                assert_eq!(done(evidence()), expected[index], "{wording}");
                // The ledger knows of more than the journal: only what nothing accounts for needs a question.
                let again = || Evidence { begun_before: Some(Record::default()), ..evidence() };
                let questions =
                    if expected[index] == "send" && !knows_begun && !pay_again { "ask" } else { expected[index] };
                assert_eq!(done(again()), questions, "begun before, {wording}");
                // Its folder was made, which is removed when a row is not billed.
                let with_folder = Evidence { has_folder: true, ..again() };
                let unknown = if rerun_unknown { "send" } else { "unknown" };
                assert_eq!(done(with_folder), if knows_begun { expected[index] } else { unknown }, "folder, {wording}");
                // A stored response is always used, unless there is nothing left to save.
                let with_response = Evidence { has_folder: true, stored: Some(stored()), ..again() };
                let is_done = is_final && expected[index] != "partial";
                assert_eq!(done(with_response), if is_done { expected[index] } else { "save" }, "stored, {wording}");
                let gone = Evidence { stored: Some(stored()), lacks_files: true, ..evidence() };
                assert_eq!(done(gone), "save", "files gone, {wording}");
            }
        }
    }
}
