//! `ideogram datasets sync`.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use clap::Args;
use ideogram_client::{
    CallOptions,
    dataset::{FileOutcome, FileState, Plan, SyncDataset, SyncProgress, SyncReport},
    hook::{Attempt, AttemptOutcome, Hook},
    operations,
    request::PartContent,
    reqwest::header::HeaderMap,
    types::GetDatasetResponse,
};
use serde_json::{Value, json};
use tokio::select;

use super::{
    folder_and_dataset::FolderAndDataset,
    journal::{Completeness, JournalLocation},
    left_out, texts,
};
use crate::{
    commands::{trainable, values::seconds},
    exit::Exit,
    failure::Failure,
    output::layout::{Column, Layout, Table},
    output::messages::Messages,
    output::progress::{Counted, Progress},
    output::units,
    session::context::Context,
};

/// Upload a folder of images and captions to a dataset, each file once
///
/// Sends missing files in chunks: files are compared by name and size. The service can neither replace nor remove a
/// file, so a file of uncertain state, or that is there with another size, is listed and not sent. Other files that are
/// not sent are listed with the reason. `plan` shows what would be sent.
///
/// Run it again after a failure, Ctrl-C or a power cut: a journal records uploads in flight, and the dataset is read
/// before anything is sent. There is one journal for each dataset, in `~/.local/state/ideogram/sync`, or below
/// XDG_STATE_HOME; on Windows below %APPDATA%. If it was deleted, cut or replaced by an older copy, files that are
/// missing in the dataset may have been sent: they are listed, and sent only with --send-uncertain.
///
/// --dry-run shows the uploads for an empty dataset, because the dataset is not read.
///
/// The exit code is 11 if some files are not in the dataset at the end, which are listed with the reason, or could not be
/// read; 4 if the service refused all of them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram datasets sync ID lanterns
  ideogram datasets sync ID lanterns --output json --quiet")]
#[expect(clippy::doc_markdown, reason = "help is plain text")]
pub(crate) struct Sync {
    #[command(flatten)]
    pair: FolderAndDataset,

    /// The journal of uploads [default: one for each dataset, in the user's state folder]
    ///
    /// Always use the same one for a dataset.
    #[arg(long, value_name = "PATH")]
    journal: Option<PathBuf>,

    /// The number of files in one request; a caption is sent with its image
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    chunk_files: u16,

    /// How many seconds the service may take to store files whose upload has an unknown outcome
    ///
    /// The dataset is polled for this time after the upload. Files that are missing then are sent again.
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = |text: &str| seconds(text, 0.0))]
    processing_timeout: Duration,

    /// Also send files that may be there already; asks first, since files cannot be removed
    #[arg(long)]
    send_uncertain: bool,

    /// Also send unchanged files that the service refused before
    #[arg(long)]
    send_failed: bool,
}

impl Sync {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        if context.is_dry_run() {
            return self.show(context).await;
        }
        let journal = JournalLocation::find(context, &self.pair.id, self.journal.clone())?;
        let Some(plan) = self.pair.compare(context).await? else { return Ok(()) };
        left_out::print_skipped(context.output(), &plan.folder);
        left_out::print_notes(context.output(), &plan);
        self.confirm(context, &plan, journal.warn(context, &plan)).await?;

        let in_flight = InFlight::default();
        let client = context.client().with(CallOptions::new().hook(in_flight.clone()));
        let display = Arc::new(Mutex::new(Display::new(context.output().messages())));
        let on_progress = {
            let display = Arc::clone(&display);
            move |now: &SyncProgress| locked(&display).update(now)
        };
        let mut sync = self.with_settings(client.sync_dataset(plan.clone(), &journal.path)).on_progress(on_progress);
        if self.send_failed {
            sync = sync.send_failed();
        }
        if self.send_uncertain {
            sync = sync.send_uncertain();
        }
        let interrupted = context.interrupt().gracefully();
        let outcome = select! {
            outcome = sync => Some(outcome),
            _ = interrupted.signalled() => None,
        };
        let last = locked(&display).end();
        let Some(outcome) = outcome else { return Err(was_interrupted(last, &locked(&in_flight.0).concat())) };

        let action = &format!("cannot sync \"{}\" into the dataset {}", self.pair.directory.display(), self.pair.id);
        let report = outcome.map_err(|error| context.failure(action, &error))?;
        let result = SyncResult { plan: &plan, report: &report, journal: &journal };
        context.output().result(&result.to_json()?, &result.layout())?;
        if let Some(note) = context.changes_note() {
            context.output().note(note);
        }
        if let Some(failure) = result.failure(context, action) {
            return Err(failure);
        }
        if let Some(failure) = left_out::unread(context.output(), &plan.folder) {
            return Err(failure.hint("all other files are in the dataset"));
        }
        if report.after.trainable_now.is_certain() && !context.is_mock() {
            let id = &self.pair.id;
            context
                .output()
                .note(&format!("next, train a model from it: ideogram models train {id} --name NAME --wait"));
        }
        Ok(())
    }

    fn with_settings(&self, sync: SyncDataset) -> SyncDataset {
        sync.chunk_files(usize::from(self.chunk_files)).processing_timeout(self.processing_timeout)
    }

    /// Shows the uploads of the whole folder, for `--dry-run`.
    async fn show(&self, context: &Context<'_>) -> Result<(), Failure> {
        let folder = self.pair.folder().await?;
        let empty = json!({
            "dataset": {"dataset_id": self.pair.id.as_str(), "name": "", "user_id": "", "creation_time": ""},
            "file_count": 0, "files": [], "custom_model_ids": [],
        });
        let empty: GetDatasetResponse = serde_json::from_value(empty)
            .map_err(|error| Failure::internal("cannot create an empty dataset").because(&error))?;
        let plan = Plan::new(folder, &empty);
        // The journal is not opened.
        let sync = self.with_settings(context.client().sync_dataset(plan.clone(), PathBuf::new()));
        let action = &format!("cannot show the uploads to the dataset {}", self.pair.id);
        let requests = sync.requests().map_err(|error| context.failure(action, &error))?;
        context.show_all(&requests, action).await?;
        let output = context.output();
        output.note("these are all uploads of the folder; files that are in the dataset already are not sent");
        left_out::print_skipped(output, &plan.folder);
        left_out::print_rejected(output, &plan);
        left_out::print_notes(output, &plan);
        left_out::unread(output, &plan.folder).map_or(Ok(()), Err)
    }

    /// Asks before files are sent that may be in the dataset already.
    async fn confirm(&self, context: &Context<'_>, plan: &Plan, completeness: Completeness) -> Result<(), Failure> {
        let is_uncertain = |state: &FileState| match state {
            FileState::Uncertain(_) => true,
            FileState::Missing => completeness == Completeness::LacksLines,
            _ => false,
        };
        let uncertain = plan.files.iter().filter(|file| is_uncertain(&file.state)).count() as u64;
        if !self.send_uncertain || uncertain == 0 {
            return Ok(());
        }
        let count = units::count(uncertain, "file");
        let question = format!("send {count} that may be in the dataset already? Nothing can be removed from it");
        context.confirm(&question).await
    }
}

/// The result of a sync.
struct SyncResult<'a> {
    /// Before the sync.
    plan: &'a Plan,
    report: &'a SyncReport,
    journal: &'a JournalLocation,
}

impl SyncResult<'_> {
    /// The files that were added.
    fn added(&self) -> impl Iterator<Item = &ideogram_client::dataset::LocalFile> {
        let before = self.plan.files.iter().filter(|file| texts::is_there(&file.state));
        let before: HashSet<&str> = before.map(|file| file.file.name.as_str()).collect();
        let there = self.report.files.iter().filter(|file| file.outcome.is_there());
        there.map(|file| &file.file).filter(move |file| !before.contains(file.name.as_str()))
    }

    fn to_json(&self) -> Result<Value, Failure> {
        let encoded = serde_json::to_value(self.report);
        let mut value =
            encoded.map_err(|error| Failure::internal("the report cannot be written as JSON").because(&error))?;
        value["dataset_id"] = json!(self.plan.dataset_id);
        value["is_complete"] = json!(self.report.is_complete());
        value["added"] = json!({
            "files": self.added().count(),
            "bytes": self.added().map(|file| file.size_bytes).fold(0, u64::saturating_add),
        });
        value["journal"] = json!(self.journal.path.display().to_string());
        Ok(value)
    }

    fn layout(&self) -> Layout {
        let missing: Vec<_> = self.report.not_stored().collect();
        let there = self.report.files.iter().filter(|file| file.outcome.is_there());
        let there = texts::amount(there.map(|file| &file.file));
        let all = self.report.files.len();
        let mut table = Table::new(["FILE", "WHY NOT"].map(Column::Left));
        for file in &missing {
            let path = texts::relative(&file.file.path, &self.plan.folder.path);
            table.row([path, file.outcome.to_string()]);
        }
        Layout::new()
            .field("Dataset", format!("{} ({})", self.plan.dataset_name, self.plan.dataset_id))
            .field("Added", texts::amount(self.added()))
            .field("Stored", format!("{there}, of {all} in the folder"))
            .field("Missing", texts::amount(missing.iter().map(|file| &file.file)))
            .field("Trainable", trainable::describe(self.report.after.trainable_now))
            .table(table)
    }

    /// The failure, unless the sync is complete.
    fn failure(&self, context: &Context<'_>, action: &str) -> Option<Failure> {
        let missing: Vec<&FileOutcome> = self.report.not_stored().map(|file| &file.outcome).collect();
        if missing.is_empty() && self.report.stopped.is_none() {
            return None;
        }
        let is_any = |is_wanted: fn(&FileOutcome) -> bool| missing.iter().any(|outcome| is_wanted(outcome));
        let none_is_there = missing.len() == self.report.files.len();
        let mut failure = match &self.report.stopped {
            Some(error) if none_is_there => context.failure(action, error),
            stopped => {
                let all = units::count(self.report.files.len() as u64, "file");
                let is_unread = self.report.after.folder.unread().next().is_some();
                let exit = match () {
                    () if !none_is_there || is_unread => Exit::Partial,
                    () if is_any(|outcome| matches!(outcome, FileOutcome::Failed { .. })) => Exit::Invalid,
                    () if is_any(|outcome| matches!(outcome, FileOutcome::Rejected(_))) => Exit::LocalIo,
                    () if is_any(|outcome| matches!(outcome, FileOutcome::Uncertain(_))) => Exit::Partial,
                    () => Exit::Unavailable,
                };
                let failure = Failure::new(exit, format!("the dataset lacks, or may lack, {} of {all}", missing.len()));
                match stopped {
                    Some(error) => failure.because(error),
                    None => failure,
                }
            }
        };
        if is_any(|outcome| matches!(outcome, FileOutcome::NotStored { .. } | FileOutcome::Unknown(_))) {
            failure = failure.hint("run the same command again: it reads the dataset first, and sends no file twice");
        }
        if is_any(|outcome| matches!(outcome, FileOutcome::Failed { .. })) {
            failure =
                failure.hint("refused files are not sent again until they change; --send-failed sends them unchanged");
        }
        if is_any(|outcome| matches!(outcome, FileOutcome::Uncertain(_))) {
            failure = failure.hint("--send-uncertain sends files of uncertain state; some may then be there twice");
        }
        Some(failure)
    }
}

/// The failure of an interrupted sync.
fn was_interrupted(last: SyncProgress, in_flight: &[String]) -> Failure {
    let mut failure = Failure::new(Exit::Interrupted, "interrupted");
    if last.files_done > 0 {
        let total = units::count(last.files_total, "file");
        failure = failure.fact(format!("{} of {total} were stored by the service", last.files_done));
    }
    if in_flight.is_empty() {
        failure = failure.fact("no upload was in flight");
    } else {
        let count = units::count(in_flight.len() as u64, "file");
        let names = texts::names(in_flight);
        failure = failure.fact(format!("{count} in flight, which may still be stored: {names}"));
    }
    failure
        .hint("run the same command again: it reads the dataset, and sends only missing files")
        .detail("in_flight", in_flight.to_vec())
}

/// The names of files in flight; each upload adds and removes its own.
#[derive(Clone, Debug, Default)]
struct InFlight(Arc<Mutex<Vec<Vec<String>>>>);

impl InFlight {
    fn names_in(attempt: &Attempt<'_>) -> Option<Vec<String>> {
        if attempt.request.operation().id != operations::UPLOAD_DATASET_ASSETS.id {
            return None;
        }
        let files = attempt.request.parts().iter().filter_map(|part| match &part.content {
            PartContent::File(file) => Some(file.name().into_owned()),
            _ => None,
        });
        Some(files.collect())
    }
}

impl Hook for InFlight {
    fn before(&self, attempt: &Attempt<'_>, _: &mut HeaderMap) {
        locked(&self.0).extend(Self::names_in(attempt));
    }

    fn after(&self, attempt: &Attempt<'_>, _: &AttemptOutcome<'_>) {
        let Some(names) = Self::names_in(attempt) else { return };
        let mut uploads = locked(&self.0);
        if let Some(index) = uploads.iter().position(|upload| *upload == names) {
            uploads.swap_remove(index);
        }
    }
}

/// The progress of a sync on the terminal.
#[derive(Debug)]
struct Display {
    messages: Messages,
    /// First for reading the dataset, then for bytes; `None` at the end.
    progress: Option<Progress>,
    last: SyncProgress,
}

impl Display {
    fn new(messages: &Messages) -> Self {
        let progress = Some(Progress::new(messages, "reading the dataset", Counted::Time, None));
        Self { messages: messages.clone(), progress, last: SyncProgress::default() }
    }

    fn update(&mut self, now: &SyncProgress) {
        if self.progress.is_none() || now.files_total == 0 {
            return;
        }
        let total = units::count(now.files_total, "file");
        if self.last.files_total == 0 {
            self.messages.note(&format!("sending {total}, {}", units::size(now.bytes_total)));
            self.progress = Some(Progress::new(&self.messages, "sending", Counted::Bytes, Some(now.bytes_total)));
        }
        self.last = *now;
        if let Some(progress) = &self.progress {
            let failed = if now.files_failed > 0 { format!(", {} refused", now.files_failed) } else { String::new() };
            let awaited = match now.files_awaited {
                0 => String::new(),
                awaited => format!(", waiting for the service to show {awaited}"),
            };
            progress.message(format!("{} of {total}{failed}{awaited}", now.files_done));
            progress.set(now.bytes_sent);
        }
    }

    /// Removes it from the terminal.
    fn end(&mut self) -> SyncProgress {
        self.progress = None;
        self.last
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The value stays valid after a panic of another thread.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
