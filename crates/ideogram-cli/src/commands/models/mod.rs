//! `ideogram models`.

mod get;
mod list;
mod train;
mod wait;
mod watch;

use clap::Subcommand;
use ideogram_client::types::CustomModel;

use crate::{failure::Failure, output::layout::ABSENT, session::context::Context};

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::List),
    Get(get::Get),
    Train(train::Train),
    Wait(wait::Wait),
}

impl Command {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(context).await,
            Self::Get(get) => get.run(context).await,
            Self::Train(train) => train.run(context).await,
            Self::Wait(wait) => wait.run(context).await,
        }
    }
}

/// Whether the model can generate images now.
fn availability(model: &CustomModel) -> &'static str {
    if model.is_available_for_generation { "yes" } else { "no" }
}

/// The value of `--scope`.
fn scope(model: &CustomModel) -> &'static str {
    if model.is_owned { "owned" } else { "shared" }
}

fn or_absent(text: Option<impl Into<String>>) -> String {
    text.map_or_else(|| ABSENT.to_owned(), Into::into)
}
