//! `ideogram datasets`.

mod create;
mod get;
mod list;
mod upload;

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
}

impl Command {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(context).await,
            Self::Create(create) => create.run(context).await,
            Self::Get(get) => get.run(context).await,
            Self::Upload(upload) => upload.run(context).await,
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
