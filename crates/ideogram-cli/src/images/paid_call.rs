//! Sends billed calls.

use ideogram_client::{CallBuilder, CallOptions, Client, Response};

use super::ready::check_responses_folder;
use crate::{failure::Failure, output::progress::Counted, session::config, session::context::Context};

/// Returns a client for responses that are printed and not saved: it stores them before they are decoded.
///
/// # Errors
///
/// If the folder for stored responses cannot be used.
pub(crate) async fn storing_client(context: &Context<'_>) -> Result<Client, Failure> {
    let folder = config::responses_folder().filter(|_| !context.is_mock() && !context.is_dry_run());
    let Some(folder) = folder else { return Ok(context.client().clone()) };
    check_responses_folder(folder.clone()).await?;
    Ok(context.client().with(CallOptions::new().store_responses_in(folder)))
}

/// Sends a call of a [`storing_client`]. With `--dry-run`, prints the request and returns `None`.
pub(crate) async fn ask<B: CallBuilder>(
    context: &Context<'_>,
    call: B,
    what: &str,
    doing: &str,
) -> Result<Option<Response<B::Output>>, Failure> {
    let _progress = (!context.is_dry_run()).then(|| context.progress(doing, Counted::Time, None));
    context.call(call, what).await
}
