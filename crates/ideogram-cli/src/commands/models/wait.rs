//! `ideogram models wait`.

use clap::Args;
use ideogram_client::{training::TrainedModel, types::ModelId};
use serde_json::json;

use super::watch::WaitFlags;
use crate::{
    commands::ids, failure::Failure, output::Output, output::layout::ToLayout as _, session::context::Context,
};

/// Wait until a model is trained and can generate images
///
/// A training takes from an hour to most of a day. Ctrl-C ends only the wait, not the training, and the command can be
/// run again at any time, on any machine. Failures of the network or the service do not end the wait.
///
/// At the end, the model is printed, with its URI for requests. The exit code is 15 if the training failed, or the model
/// was not ready in time.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram models wait ID
  ideogram models wait ID --deadline 6h --quiet --jq .model.custom_model_uri")]
pub(crate) struct Wait {
    /// The model; `ideogram models list` shows the ids
    #[arg(allow_hyphen_values = true, value_parser = ids::model_id)]
    id: ModelId,

    #[command(flatten)]
    wait_flags: WaitFlags,
}

impl Wait {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        if context.is_dry_run() {
            let action = &format!("cannot get the model {}", self.id);
            context.call(context.client().get_custom_model().model_id(&self.id), action).await?;
            return Ok(());
        }
        let trained = self.wait_flags.watch(context, &self.id).await?;
        context.output().result(&json!({"model": trained.model}), &trained.model.layout())?;
        next_step(context.output(), &trained);
        Ok(())
    }
}

/// Shows how to use a trained model.
pub(super) fn next_step(output: &Output, trained: &TrainedModel) {
    output.note(&format!(
        "next, generate images with it: ideogram generate PROMPT --custom-model {}",
        trained.custom_model_uri
    ));
}
