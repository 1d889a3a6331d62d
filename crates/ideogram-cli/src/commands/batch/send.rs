//! Sends one row.
//!
//! Before a row is sent, three records of it are on disk: in the journal, in the ledger, and as the folder of its
//! response. If one of them cannot be written, neither this row nor any other is sent. A row that runs as a job has its
//! id on disk before it is waited for; [`Work::resume`] waits for the jobs of earlier runs.

use std::{
    cell::RefCell,
    collections::HashMap,
    fs,
    future::poll_fn,
    io,
    path::{Path, PathBuf},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use ideogram_client::{
    CallOptions, Error, ErrorKind, Job, Response, StoredResponse,
    hook::{Attempt, AttemptOutcome, Hook},
    internal,
    job::{JobError, Wait},
    operation::Operation,
    request::Request,
    reqwest::header::HeaderMap,
    save::HasImages as _,
};
use serde_json::Value;
use tokio::{select, sync::watch};

use super::{
    RESPONSES,
    disk::blocking,
    images::{self, SentJob},
    journal::{Accepted, Begun, Failed, Journal, Line, RawBody, now},
    ledger::{Ledger, input_of},
    row::Row,
    state::RowState,
};
use crate::{failure::Failure, session::context::Context};

/// A run of a batch.
pub(super) struct Work<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) journal: Journal,
    pub(super) ledger: Option<Ledger>,
    pub(super) folder: &'a Path,
    pub(super) rows: &'a [Row],
    pub(super) max_in_flight: u32,
    /// Whether there was a signal: then no further attempt is made.
    pub(super) signalled: watch::Sender<bool>,
    /// How many refusals in a row stop the batch; 0 for no limit.
    pub(super) stop_after: u32,
    /// The ids of the jobs in flight, by the index of their rows.
    pub(super) jobs: RefCell<HashMap<usize, String>>,
}

/// A result, and what failed on this machine meanwhile: then no more rows are sent.
pub(super) type WithFailure<T> = (T, Option<Failure>);

/// The result of sending a row.
pub(super) enum Sent {
    /// Nothing was sent.
    Nothing,
    /// The response is stored in this file.
    Stored(PathBuf),
    Failed(Failed),
}

impl Work<'_> {
    /// Sends a row; the price is its quote in millionths of a US dollar.
    pub(super) async fn send(&self, index: usize, price: Option<u64>) -> (usize, WithFailure<Sent>) {
        let row = &self.rows[index];
        // The files must still have the content that the key was computed from.
        let request = match row.sealed_request().await {
            Ok(request) => request,
            Err(reason) => {
                let message = format!("{reason}; run the same command again");
                return (index, (Sent::Failed(Failed::local(row, message)), None));
            }
        };
        let begun = begun(row, price);
        let (journal, time, line) = (self.journal.clone(), begun.time.clone(), Line::Begun(begun));
        // Without the line, the journal is as it was before.
        if let Err(failure) = blocking(move || journal.append(&line)).await {
            return (index, (Sent::Nothing, Some(failure)));
        }
        if let Err(failure) = self.begin(row, time).await {
            // Nothing was sent. If even this cannot be recorded, the next run lists the row as unknown; that costs nothing.
            let _ = self.end(row, &Failed::local(row, failure.what().to_owned())).await;
            return (index, (Sent::Nothing, Some(failure)));
        }
        (index, self.call(index, request).await)
    }

    /// Waits for the job of a row that an earlier run sent.
    pub(super) async fn resume(&self, index: usize, job: SentJob) -> (usize, WithFailure<Sent>) {
        let row = &self.rows[index];
        let client = self.context.client();
        let job = match job {
            SentJob::Stored(path) => client.job_from_stored::<Value>(path).await.map_err(|error| error.to_string()),
            SentJob::Id(id) => match images::store_id(row, &id, self.responses_of(row)).await {
                Ok(path) => client.job_from_stored::<Value>(path).await.map_err(|error| error.to_string()),
                Err(failure) => Err(failure.what().to_owned()),
            },
        };
        match job {
            Ok(job) => (index, self.follow(index, &job).await),
            Err(message) => {
                let failed = Failed { state: RowState::Running, ..Failed::local(row, message) };
                (index, (Sent::Failed(failed), None))
            }
        }
    }

    /// Records a row as begun in the ledger, and by the folder for its response.
    async fn begin(&self, row: &Row, time: String) -> Result<(), Failure> {
        let (ledger, row, responses) = (self.ledger.clone(), row.clone(), self.responses_of(row));
        blocking(move || {
            if let Some(ledger) = ledger {
                ledger.begun(&row, &time)?;
            }
            // Its parent was created before the first row: if it is missing now, it was removed meanwhile.
            let created = match fs::create_dir(&responses) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                created => created,
            };
            let parent = responses.parent().unwrap_or(Path::new("."));
            created.and_then(|()| internal::sync_folder(parent)).map_err(|error| {
                let what = format!("cannot create the folder \"{}\" for a response", responses.display());
                Failure::local_io(what).because(&error)
            })
        })
        .await
    }

    /// Sends a row that was recorded as begun. Unless a response is stored, records the result.
    async fn call(&self, index: usize, request: Request) -> WithFailure<Sent> {
        let row = &self.rows[index];
        let operation = request.operation();
        let attempts = Attempts::default();
        let options = CallOptions::new().store_responses_in(self.responses_of(row)).hook(attempts.clone());
        let client = self.context.client().with(options);
        let in_flight = self.context.interrupt().call(operation);
        if operation.job.is_some() {
            let submitted = self.unless_ended(&attempts, client.submit::<Value>(request)).await;
            drop(in_flight);
            return match submitted {
                Some(Ok(job)) => self.follow(index, &job).await,
                Some(Err(error)) => self.ended(row, Err(error)).await,
                None => self.not_sent(row).await,
            };
        }
        let response = self.unless_ended(&attempts, client.execute::<Value>(request)).await;
        drop(in_flight);
        match response {
            Some(response) => self.ended(row, response).await,
            None => self.not_sent(row).await,
        }
    }

    /// Awaits a call. After a signal or a kill, no further attempt is made; `None` if no attempt may have run.
    async fn unless_ended<T>(&self, attempts: &Attempts, call: impl Future<Output = T>) -> Option<T> {
        let mut signalled = self.signalled.subscribe();
        let ended = async {
            select! {
                () = self.context.interrupt().killed() => {}
                // The sender lives as long as `self`.
                _ = signalled.wait_for(|is_signalled| *is_signalled) => {}
            }
        };
        let (mut ended, mut call) = (pin!(ended), pin!(call));
        let mut has_ended = false;
        poll_fn(move |task| {
            has_ended = has_ended || ended.as_mut().poll(task).is_ready();
            if has_ended && !attempts.is_in_flight() {
                return Poll::Ready(None);
            }
            let result = call.as_mut().poll(task).map(Some);
            // It may have ended an attempt, and now waits for the next.
            if result.is_pending() && has_ended && !attempts.is_in_flight() { Poll::Ready(None) } else { result }
        })
        .await
    }

    /// Records a row whose last attempt did not run.
    async fn not_sent(&self, row: &Row) -> WithFailure<Sent> {
        let recorded = self.end(row, &Failed::local(row, "the command ended before it was sent".to_owned())).await;
        (Sent::Nothing, recorded.err())
    }

    /// Records the id of a job, and waits until it has ended.
    async fn follow(&self, index: usize, job: &Job) -> WithFailure<Sent> {
        let row = &self.rows[index];
        self.jobs.borrow_mut().insert(index, job.id().to_owned());
        let (journal, line) =
            (self.journal.clone(), Line::Accepted(Accepted { row: row.key.clone(), job: job.id().to_owned() }));
        // Its stored response has the id as well, so it is waited for in any case.
        let recorded = blocking(move || journal.append(&line)).await;
        let waited = select! {
            biased;
            () = self.context.interrupt().killed() => {
                // The next run waits for it.
                let message = format!("the command was killed; the generation {} runs on", job.id());
                let failed = Failed { state: RowState::Running, ..Failed::local(row, message) };
                return (Sent::Failed(failed), recorded.err());
            }
            waited = self.context.timeout().into_iter().fold(job.wait(), Wait::deadline) => waited,
        };
        let (state, kind, message) = match waited {
            Ok(response) => {
                let (sent, failure) = self.ended(row, Ok(response)).await;
                return (sent, recorded.err().or(failure));
            }
            // The images have arrived, and their response cannot be stored.
            Err(JobError::Call(error)) => {
                let (sent, failure) = self.ended(row, Err(error)).await;
                return (sent, recorded.err().or(failure));
            }
            Err(JobError::Poll { error, .. }) if !error.images().is_empty() => {
                let (sent, failure) = self.ended(row, Err(error)).await;
                return (sent, recorded.err().or(failure));
            }
            Err(JobError::Poll { error, .. }) if error.kind() == ErrorKind::NotFound => {
                let message = format!("the service does not know the generation {}: {error}", job.id());
                (RowState::Unknown, error.kind().name(), message)
            }
            // It may be that of a gateway, which knows nothing of the job.
            Err(JobError::Poll { error, .. }) => {
                let message = format!("the generation {} runs on, and cannot be waited for: {error}", job.id());
                (RowState::Running, error.kind().name(), message)
            }
            Err(error @ JobError::DeadlinePassed { .. }) => (RowState::Running, "still_running", error.to_string()),
            Err(error) if error.is_safety() => (RowState::Declined, ErrorKind::Safety.name(), error.to_string()),
            Err(error) => (RowState::Failed, ErrorKind::Server.name(), error.to_string()),
        };
        if !state.may_be_billed()
            && let Some(path) = job.stored_at()
        {
            // The journal still has the id, until it has the end.
            let _ = fs::remove_file(path);
        }
        let failed = Failed { state, kind: kind.to_owned(), ..Failed::local(row, message) };
        let ended = self.end(row, &failed).await;
        (Sent::Failed(failed), recorded.err().or(ended.err()))
    }

    /// Decides what became of a call, and records it unless its response is stored.
    async fn ended(&self, row: &Row, response: Result<Response<Value>, Error>) -> WithFailure<Sent> {
        if let Ok(response) = &response {
            self.context.announce(response);
        }
        let failed = match response {
            Ok(response) => match response.stored_at() {
                Some(path) => return (Sent::Stored(path.to_owned()), None),
                None => Failed {
                    state: RowState::Unreadable,
                    status: Some(response.status().as_u16()),
                    response: Some(RawBody::of(response.body())),
                    ..Failed::local(row, "the response could not be stored".to_owned())
                },
            },
            Err(error) => match error.stored_at() {
                Some(path) if is_usable(path, row.request.operation()).await => {
                    return (Sent::Stored(path.to_owned()), None);
                }
                _ => self.failed(row, &error),
            },
        };
        let mut recorded = self.end(row, &failed).await;
        if let Some(body) = &failed.response {
            // It may be the only copy of links that are paid for, if the journal cannot be written either.
            let copy = if recorded.is_ok() { "the journal has it" } else { "this is the only copy" };
            let text = format!("the response to line {} could not be stored; {copy}: {}", row.line, body.text());
            self.context.output().warning(&text);
            // No more rows are paid while the disk has no room for their responses.
            recorded = recorded
                .and_then(|()| Err(Failure::local_io("responses cannot be stored").cause(failed.message.clone())));
        }
        (Sent::Failed(failed), recorded.err())
    }

    /// Records that a row ended without images. If it is not billed, first removes its ledger record and its folder: a kill
    /// between the steps leaves its outcome unknown, and it is not sent again.
    async fn end(&self, row: &Row, failed: &Failed) -> Result<(), Failure> {
        let (journal, ledger, line) = (self.journal.clone(), self.ledger.clone(), Line::Failed(failed.clone()));
        let (may_be_billed, row, responses) = (failed.state.may_be_billed(), row.clone(), self.responses_of(row));
        let stored = failed.stored.as_ref().map(|stored| self.folder.join(stored));
        blocking(move || {
            if !may_be_billed {
                if let Some(ledger) = ledger {
                    ledger.not_billed(&row)?;
                }
                // That of a call that failed after its response had begun.
                let _ = stored.map(fs::remove_file);
                // A response of an earlier attempt stays: then the folder is not empty.
                let _ = fs::remove_dir(responses);
            }
            journal.append(&line)
        })
        .await
    }

    fn failed(&self, row: &Row, error: &Error) -> Failed {
        let state = RowState::of_error(error);
        let stored = error.stored_at().map(|path| self.relative(path));
        let body = error.body().filter(|_| state == RowState::Unreadable && stored.is_none());
        Failed {
            row: row.key.clone(),
            state,
            kind: error.kind().name().to_owned(),
            status: error.status().map(|status| status.as_u16()),
            message: error.to_string(),
            response: body.map(|body| RawBody::of(body)),
            stored,
        }
    }

    fn responses_of(&self, row: &Row) -> PathBuf {
        self.folder.join(RESPONSES).join(&row.key)
    }
}

/// Whether an attempt of a call is in flight: from its request until it is known that it did not run.
#[derive(Clone, Debug, Default)]
struct Attempts(Arc<AtomicBool>);

impl Attempts {
    fn is_in_flight(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Hook for Attempts {
    fn before(&self, _: &Attempt<'_>, _: &mut HeaderMap) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn after(&self, _: &Attempt<'_>, outcome: &AttemptOutcome<'_>) {
        // A paid call is made again only if it did not run.
        if outcome.next_in.is_some() {
            self.0.store(false, Ordering::Relaxed);
        }
    }
}

impl Failed {
    /// A row that this machine could not send.
    fn local(row: &Row, message: String) -> Self {
        let (row, state, kind) = (row.key.clone(), RowState::Failed, "local_io".to_owned());
        Self { row, state, kind, status: None, message, stored: None, response: None }
    }
}

/// The line of the journal about a row that is about to be sent.
fn begun(row: &Row, usd_micros: Option<u64>) -> Begun {
    Begun {
        row: row.key.clone(),
        input: input_of(row),
        name: row.name.clone(),
        line: row.line,
        time: now(),
        operation: row.request.operation().id.to_owned(),
        prompt: row.prompt.clone(),
        images: row.images,
        usd_micros,
    }
}

async fn is_usable(stored: &Path, operation: &Operation) -> bool {
    StoredResponse::read(stored).await.is_ok_and(|response| images::is_usable(&response, operation))
}
