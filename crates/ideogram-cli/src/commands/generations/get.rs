//! `ideogram generations get`.

use clap::Args;
use ideogram_client::{
    Response,
    types::{GenerationId, GenerationV2},
};

use super::action;
use crate::{commands::ids, failure::Failure, session::context::Context};

/// Show whether a generation has ended
///
/// `pending` is not final; `completed` and `failed` are. A failed generation is not billed. This is free.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram generations get ID
  ideogram generations get ID --jq .status")]
pub(crate) struct Get {
    /// The generation; commands that make images print its id
    #[arg(allow_hyphen_values = true, value_parser = ids::generation_id)]
    id: GenerationId,
}

impl Get {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let Some(response) = get(context, &self.id).await? else { return Ok(()) };
        context.output().response(&response)
    }
}

/// Gets a generation; nothing with `--dry-run`, which prints the request.
pub(super) async fn get(context: &Context<'_>, id: &GenerationId) -> Result<Option<Response<GenerationV2>>, Failure> {
    let action = action(id);
    let call = context.client().get_generation_v2().generation_id(id);
    context.call(call, &action).await
}
