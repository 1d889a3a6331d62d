//! Sends one row.
//!
//! Before a row is sent, three records of it are on disk: in the journal, in the ledger, and as the folder of its
//! response. If one of them cannot be written, neither this row nor any other is sent.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ideogram_client::{CallOptions, Error, StoredResponse, internal, request::Request};
use serde_json::Value;

use super::{
    RESPONSES,
    disk::blocking,
    images,
    journal::{Begun, Failed, Journal, Line, RawBody, now},
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
    /// How many images may be requested, including earlier runs.
    pub(super) max_images: Option<u64>,
    /// How many refusals in a row stop the batch; 0 for no limit.
    pub(super) stop_after: u32,
}

/// A result, and what failed on this machine meanwhile: then no more rows are sent.
pub(super) type WithFailure<T> = (T, Option<Failure>);

/// The result of sending a row.
pub(super) enum Sent {
    /// Nothing was sent.
    No,
    /// The response is stored in this file.
    Stored(PathBuf),
    Failed(Failed),
}

impl Work<'_> {
    pub(super) async fn send(&self, index: usize) -> (usize, WithFailure<Sent>) {
        let row = &self.rows[index];
        // The files must still have the content that the key was computed from.
        let request = match row.sealed_request().await {
            Ok(request) => request,
            Err(reason) => {
                let message = format!("{reason}; run the same command again");
                return (index, (Sent::Failed(Failed::local(row, message)), None));
            }
        };
        if let Err(failure) = self.begin(row).await {
            // It was certainly not sent. If that cannot be recorded, its outcome is unknown, which costs nothing.
            let _ = self.end(row, &Failed::local(row, failure.what().to_owned())).await;
            return (index, (Sent::No, Some(failure)));
        }
        (index, self.call(row, request).await)
    }

    /// Records a row as begun, in all three places.
    async fn begin(&self, row: &Row) -> Result<(), Failure> {
        let begun = Begun {
            row: row.key.clone(),
            input: input_of(row),
            name: row.name.clone(),
            line: row.line,
            time: now(),
            operation: row.request.operation().id.to_owned(),
            prompt: row.prompt.clone(),
            images: row.images,
        };
        let (journal, ledger, row, responses) =
            (self.journal.clone(), self.ledger.clone(), row.clone(), self.responses_of(row));
        blocking(move || {
            let time = begun.time.clone();
            journal.append(&Line::Begun(begun))?;
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
    async fn call(&self, row: &Row, request: Request) -> WithFailure<Sent> {
        let operation = request.operation();
        let client = self.context.client().with(CallOptions::new().store_responses_in(self.responses_of(row)));
        let in_flight = self.context.interrupt().call(operation, "");
        let response = client.execute::<Value>(request).await;
        drop(in_flight);
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
                Some(path) if is_usable(path).await => return (Sent::Stored(path.to_owned()), None),
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

    /// Records a row without images. If it is not billed, removes the records that it was begun, in an order in which a
    /// kill between the steps leaves its outcome unknown: then it is not sent again by itself.
    async fn end(&self, row: &Row, failed: &Failed) -> Result<(), Failure> {
        let (journal, ledger, line) = (self.journal.clone(), self.ledger.clone(), Line::Failed(failed.clone()));
        let (is_billed, row, responses) = (failed.state.is_billed(), row.clone(), self.responses_of(row));
        blocking(move || {
            if !is_billed {
                if let Some(ledger) = ledger {
                    ledger.not_billed(&row)?;
                }
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

impl Failed {
    /// A row that this machine could not send.
    fn local(row: &Row, message: String) -> Self {
        let (row, state, kind) = (row.key.clone(), RowState::Failed, "local_io".to_owned());
        Self { row, state, kind, status: None, message, stored: None, response: None }
    }
}

async fn is_usable(stored: &Path) -> bool {
    StoredResponse::read(stored).await.is_ok_and(|response| images::is_usable(&response))
}
