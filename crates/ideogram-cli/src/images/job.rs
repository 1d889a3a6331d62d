//! Calls that run as jobs: the wait for their images.

use std::{path::Path, pin::pin};

use futures_util::TryStreamExt as _;
use ideogram_client::{
    Error, Response,
    job::{JobError, JobState, Wait},
};
use serde::de::DeserializeOwned;
use tokio::select;

use crate::{
    exit::Exit,
    failure::Failure,
    output::{printable::shell_word, progress::Counted},
    session::context::Context,
};

/// Why a wait ended without images.
pub(crate) enum Unfinished {
    Failed(Failure),
    /// A call failed; its response may have images.
    Call(Error),
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
        let failure = Failure::new(exit, what.to_owned())
            .fact(format!("the generation {id} runs on, and is billed when it completes"));
        failure.hint(format!("this fetches its images, at no cost: {next}")).detail("generation_id", id)
    };
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
                JobState::NotSeen(failure) => progress.message(failure.to_string()),
                _ if !is_announced => {
                    is_announced = true;
                    context.output().note(&format!("generation {id}; if this is interrupted: {next}"));
                }
                _ => {}
            },
            Ok(None) => return Err(Unfinished::Failed(Failure::internal("the wait ended without a state"))),
            Err(JobError::Call(error)) => return Err(Unfinished::Call(error)),
            Err(error @ JobError::Failed { .. }) => {
                let exit = if error.is_safety() { Exit::Safety } else { Exit::Unavailable };
                let failure = Failure::new(exit, action.to_owned()).because(&error).detail("generation_id", id);
                return Err(Unfinished::Failed(if error.is_safety() {
                    failure.hint("change the request; the same one will be refused again")
                } else {
                    failure.hint("the command can be run again")
                }));
            }
            Err(error) => {
                let failure = runs_on(Exit::Running, action);
                return Err(Unfinished::Failed(failure.because(&error)));
            }
        }
    }
}

/// The command that saves the images of a generation into a folder.
pub(crate) fn save_command(id: &str, folder: &Path) -> String {
    format!("ideogram generations save {} --out {}", shell_word(id), shell_word(&folder.display().to_string()))
}
