//! `ideogram datasets`.

mod create;
mod folder_and_dataset;
mod get;
mod journal;
mod left_out;
mod list;
mod plan;
mod sync;
mod texts;
mod upload;
mod verify;

use clap::Subcommand;
use ideogram_client::types;

use crate::{
    failure::Failure,
    output::layout::{Layout, ToLayout},
    output::units,
    session::context::Context,
};

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::List),
    Create(create::Create),
    Get(get::Get),
    Upload(upload::Upload),
    Plan(plan::PlanSync),
    Sync(sync::Sync),
    Verify(verify::Verify),
}

impl Command {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(context).await,
            Self::Create(create) => create.run(context).await,
            Self::Get(get) => get.run(context).await,
            Self::Upload(upload) => upload.run(context).await,
            Self::Plan(plan) => plan.run(context).await,
            // Its future is much larger than the others.
            Self::Sync(sync) => Box::pin(sync.run(context)).await,
            Self::Verify(verify) => verify.run(context).await,
        }
    }
}

impl ToLayout for types::Dataset {
    fn layout(&self) -> Layout {
        Layout::new()
            .field("Name", &self.name)
            .field("Id", &self.dataset_id)
            .field("Created", units::time(&self.creation_time))
    }
}
