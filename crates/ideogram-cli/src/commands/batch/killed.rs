//! Reads the journal of earlier runs, and waits for the worker of a run that was killed: it has the journal until it
//! has finished what it has sent.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use super::{
    disk::blocking,
    journal::{History, Journal},
};
use crate::{
    failure::Failure,
    session::{context::Context, worker},
};

/// A worker that has more to wait for keeps the journal, and the next run is refused.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// Reads a journal without opening it: a question that is answered with no leaves nothing behind.
pub(super) async fn history(context: &Context<'_>, path: &Path, base_url: &str) -> Result<History, Failure> {
    let read = || {
        let (path, base_url) = (path.to_owned(), base_url.to_owned());
        blocking(move || Journal::read(&path, &base_url))
    };
    let history = read().await?;
    let process = history.last_run.as_ref().and_then(|run| run.process);
    let (Some(process), Some(header)) = (process, &history.header) else { return Ok(history) };
    if context.is_dry_run() || worker::is_running(process) {
        return Ok(history);
    }
    let is_in_use = || {
        let (path, header) = (path.to_owned(), header.clone());
        blocking(move || Ok(Journal::is_in_use(&path, &header)))
    };
    let start = Instant::now();
    if is_in_use().await? {
        context.output().note("waiting for the rows in flight of an earlier run, which was killed");
        while is_in_use().await? && start.elapsed() < MAX_WAIT {}
    }
    read().await
}
