//! Sends billed calls.

use ideogram_client::{CallBuilder, CallOptions, Client, Error, Response, request::Request};
use serde::de::DeserializeOwned;

use super::ready::check_responses_folder;
use crate::{
    failure::Failure,
    output::progress::Counted,
    session::config,
    session::context::{Context, Wording},
};

/// Sends a call; `doing` is the label of the progress.
pub(crate) async fn send<T: DeserializeOwned + 'static>(
    context: &Context<'_>,
    client: &Client,
    request: Request,
    doing: String,
) -> Result<Response<T>, Error> {
    let progress = context.progress(doing, Counted::Time, None);
    let under_way = context.interrupt().call(request.operation(), "");
    let response = client.execute(request).await;
    drop((under_way, progress));
    if let Ok(response) = &response {
        context.announce(response);
    }
    response
}

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

/// Sends a call of such a client. With `--dry-run`, prints the request and returns `None`.
pub(crate) async fn ask<B: CallBuilder>(
    context: &Context<'_>,
    call: B,
    what: &str,
    doing: &str,
) -> Result<Option<Response<B::Output>>, Failure> {
    let wording = Wording { action: what, inspect: "" };
    if context.is_dry_run() {
        return context.call(call, wording).await;
    }
    context.output().expect_reader()?;
    let client = call.client().clone();
    let request = call.prepare().map_err(|error| context.failure(wording, &error))?;
    let response = send(context, &client, request, doing.to_owned()).await;
    response.map(Some).map_err(|error| context.failure(wording, &error))
}
