//! Calls that run as jobs: the wait for their images.

use std::{
    fs,
    path::{Path, PathBuf},
    pin::pin,
};

use futures_util::TryStreamExt as _;
use ideogram_client::{
    Error, Response, StoredResponse,
    job::{JobError, JobState, Wait},
    request::Request,
};
use serde::de::DeserializeOwned;
use tokio::select;

use super::save_flags::RESPONSES;
use crate::{
    exit::Exit,
    failure::Failure,
    output::{printable::shell_word, progress::Counted},
    session::context::Context,
};

/// Why a wait ended without images.
pub(crate) enum Unfinished {
    Failed(Failure),
    /// The generation has failed, and is not billed.
    Ended(Failure),
    /// A call failed; its response may have images.
    Call(Error),
    /// The state could not be read, which changes nothing for the generation: it runs on, if it was accepted.
    Poll {
        error: Error,
        /// The failure if it was accepted.
        runs_on: Failure,
    },
}

/// The request that is sent: that of a job, if the operation can run as one.
pub(crate) fn as_sent(request: Request) -> Result<Request, Error> {
    if request.operation().job.is_some() { request.into_job() } else { Ok(request) }
}

/// Waits for a generation. `action` is what could not be done if it fails, `next` the command that fetches the images
/// later.
pub(crate) async fn wait<T: DeserializeOwned + Send + 'static>(
    context: &Context<'_>,
    wait: Wait<T>,
    id: &str,
    action: &str,
    next: &str,
) -> Result<Response<T>, Unfinished> {
    let progress = context.progress(format!("generation {id}"), Counted::Time, None);
    let interrupted = context.interrupt().gracefully();
    let runs_on = |exit: Exit, what: &str| {
        let failure = Failure::new(exit, what.to_owned());
        if context.is_mock() {
            let fact =
                format!("the generation {id} was not completed, and ends with the mock server: it costs nothing");
            return failure.fact(fact).hint("`ideogram mock serve` runs one that stays, to wait for it later");
        }
        let failure = failure.fact(format!("the generation {id} runs on, and is billed when it completes"));
        failure.hint(format!("this fetches its images, at no cost: {next}")).detail("generation_id", id)
    };
    if context.interrupt().is_signalled() {
        // While it was submitted.
        return Err(Unfinished::Failed(runs_on(Exit::Interrupted, "interrupted")));
    }
    let mut states = pin!(wait.states());
    let mut is_announced = false;
    loop {
        let polled = select! {
            polled = states.try_next() => polled,
            _ = interrupted.signalled() => {
                return Err(Unfinished::Failed(runs_on(Exit::Interrupted, "interrupted")));
            }
        };
        match polled {
            Ok(Some(polled)) => match polled.state {
                JobState::Completed(response) => return Ok(response),
                JobState::PollFailed(failure) => progress.message(failure.to_string()),
                _ if !is_announced => {
                    is_announced = true;
                    if !context.is_mock() {
                        context.output().note(&format!("generation {id}; if this is interrupted: {next}"));
                    }
                }
                _ => {}
            },
            Ok(None) => return Err(Unfinished::Failed(Failure::internal("the wait ended without a state"))),
            Err(JobError::Call(error)) => return Err(Unfinished::Call(error)),
            Err(JobError::Poll { error, .. }) => {
                let runs_on = runs_on(Exit::Running, action).because(&error);
                return Err(Unfinished::Poll { error, runs_on });
            }
            Err(error @ JobError::Failed { .. }) => {
                let exit = if error.is_safety() { Exit::Safety } else { Exit::Unavailable };
                let failure = Failure::new(exit, action.to_owned()).because(&error).detail("generation_id", id);
                return Err(Unfinished::Ended(if error.is_safety() {
                    failure.hint("change the request; the same one will be refused again")
                } else {
                    failure.hint("the command can be run again")
                }));
            }
            Err(error) => {
                let failure = runs_on(Exit::Running, action);
                // It says that the generation runs on.
                let failure = if context.is_mock() { failure } else { failure.because(&error) };
                return Err(Unfinished::Failed(failure));
            }
        }
    }
}

/// A job whose id is on disk, and whose images are not.
#[derive(Debug)]
pub(crate) struct Unsaved {
    pub(crate) id: String,
    /// The stored response with the id. It is replaced when the images have arrived.
    pub(super) stored_at: PathBuf,
}

/// The jobs that other commands left in a folder for images: they were killed, stopped waiting, or still wait.
pub(crate) async fn unsaved(folder: &Path) -> Vec<Unsaved> {
    let folder = folder.join(RESPONSES);
    let names = tokio::task::spawn_blocking(move || {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        // Names begin with the time.
        paths.sort_unstable();
        paths
    });
    let mut jobs = Vec::new();
    for stored_at in names.await.unwrap_or_default() {
        let Ok(stored) = StoredResponse::read(&stored_at).await else { continue };
        if let Some(id) = stored.job_id() {
            jobs.push(Unsaved { id: id.to_owned(), stored_at });
        }
    }
    jobs
}

/// Forgets a job of a folder: none of its images is left to fetch.
pub(crate) async fn forget(folder: &Path, id: &str) {
    for job in unsaved(folder).await.iter().filter(|job| job.id == id) {
        // If it stays, the next command names the job again.
        let _ = fs::remove_file(&job.stored_at);
    }
}

/// The command that saves the images of a generation into a folder.
pub(crate) fn save_command(id: &str, folder: &Path) -> String {
    format!("ideogram generations save {} --out {}", shell_word(id), shell_word(&folder.display().to_string()))
}
