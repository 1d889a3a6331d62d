//! Reads the journal of earlier runs, and waits for the worker of a run that was killed: it has the journal until it
//! has finished what it has sent.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use ideogram_client::internal;
use tokio::time::sleep;

use super::{
    disk::blocking,
    journal::{self, History, Journal},
};
use crate::{
    failure::Failure,
    session::{context::Context, worker},
};

/// The maximum wait for a worker; after it, the next run is refused.
const MAX_WAIT: Duration = Duration::from_secs(120);
/// A shorter wait is not reported.
const MOMENT: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(50);

/// Reads the journal without creating it: answering a question with no leaves no files.
pub(super) async fn history(context: &Context<'_>, path: &Path, base_url: &str) -> Result<History, Failure> {
    let read = || {
        let (path, base_url) = (path.to_owned(), base_url.to_owned());
        blocking(move || Journal::read(&path, &base_url))
    };
    let history = read().await?;
    let Some(process) = history.last_run.as_ref().and_then(|run| run.process) else { return Ok(history) };
    if context.is_dry_run() || worker::is_running(process) {
        return Ok(history);
    }
    let start = Instant::now();
    let mut is_noted = false;
    while is_in_use(path).await? && start.elapsed() < MAX_WAIT {
        if start.elapsed() > MOMENT && !is_noted {
            context.output().note("waiting for the rows in flight of an earlier run, which was killed");
            is_noted = true;
        }
        sleep(POLL).await;
    }
    read().await
}

async fn is_in_use(path: &Path) -> Result<bool, Failure> {
    let path = path.to_owned();
    blocking(move || internal::Journal::is_in_use(&path).map_err(|error| journal::failure(&error))).await
}
