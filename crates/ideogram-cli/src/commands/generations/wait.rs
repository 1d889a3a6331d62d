//! `ideogram generations wait`.

use std::time::Duration;

use clap::Args;
use ideogram_client::types::GenerationId;

use crate::{
    commands::{ids, values::time},
    failure::Failure,
    session::context::Context,
};

/// Wait until a generation has ended, and show it
///
/// Ctrl-C ends only the wait, not the generation, and the command can be run again at any time, on any machine. Failures
/// of the network or the service do not end the wait. The exit code is 6 or 9 if the generation failed, and 17 if it had
/// not ended in time.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram generations wait ID
  ideogram generations wait ID --deadline 2m --quiet --jq .data[].url")]
pub(crate) struct Wait {
    /// The generation; commands that make images print its id
    #[arg(allow_hyphen_values = true, value_parser = ids::generation_id)]
    id: GenerationId,

    /// The maximum time to wait: seconds, or 90s, 5m, 2h [default: that of --timeout, or 15m]
    #[arg(long, value_name = "TIME", value_parser = time)]
    deadline: Option<Duration>,
}

impl Wait {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        if context.is_dry_run() {
            super::get::get(context, &self.id).await?;
            return Ok(());
        }
        let next = format!("ideogram generations wait {}", self.id);
        let response = super::wait(context, &self.id, self.deadline, &next).await?;
        context.output().response(&response)
    }
}
