//! Sends calls that are paid for.

use ideogram_client::{CallBuilder, CallOptions, Client, Error, Request, Response};
use serde::de::DeserializeOwned;

use super::ready::check_folder;
use crate::{
    failure::Failure,
    output::progress::Counted,
    session::config,
    session::context::{Context, Wording},
};

/// Sends a call; `doing` stands beside the time that it takes.
pub(crate) async fn send<T: DeserializeOwned>(
    context: &Context<'_>,
    client: &Client,
    request: Request,
    doing: String,
) -> Result<Response<T>, Error> {
    let progress = context.progress(doing, Counted::Time, None);
    let under_way = context.interrupt().call(request.operation(), "");
    let response = client.execute(request).await;
    drop((under_way, progress));
    response
}

/// A client for responses that are printed and not saved: they are kept beside those of `ideogram api`, where that can
/// be done, until they are decoded.
pub(crate) async fn keeping_client(context: &Context<'_>) -> Client {
    let folder = config::responses_folder().filter(|_| !context.is_mock() && !context.is_dry_run());
    match folder {
        // Found out now: after the call it would be paid for.
        Some(folder) if check_folder(&folder).await.is_ok() => {
            context.client().with(CallOptions::new().store_responses_in(folder))
        }
        _ => context.client().clone(),
    }
}

/// Sends a call of such a client; with `--dry-run` shows it instead and returns `None`.
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
