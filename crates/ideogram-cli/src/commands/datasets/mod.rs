//! `ideogram datasets`.

mod create;
mod get;
mod journal;
mod left_out;
mod list;
mod pair;
mod plan;
mod sync;
mod upload;
mod verify;

use clap::Subcommand;
use ideogram_client::types;

use crate::{
    context::Context,
    failure::Failure,
    page::{Page, View},
    units,
};

/// What to do with datasets.
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
            // Larger than the others by far.
            Self::Sync(sync) => Box::pin(sync.run(context)).await,
            Self::Verify(verify) => verify.run(context).await,
        }
    }
}

impl View for types::Dataset {
    fn page(&self) -> Page {
        Page::new()
            .field("Name", &self.name)
            .field("Id", &self.dataset_id)
            .field("Created", units::time(&self.creation_time))
    }
}
