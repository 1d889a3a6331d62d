//! Compares a folder with a dataset, for `plan`, `sync` and `verify`.

use std::path::PathBuf;

use clap::Args;
use ideogram_client::{
    dataset::{Folder, Plan},
    types::DatasetId,
};

use super::left_out;
use crate::{commands::ids, failure::Failure, session::context::Context};

/// A folder and a dataset.
#[derive(Debug, Args)]
pub(super) struct FolderAndDataset {
    /// The dataset; `ideogram datasets list` shows the ids
    #[arg(allow_hyphen_values = true, value_parser = ids::dataset_id)]
    pub(super) id: DatasetId,

    /// The folder of images and captions, including its subfolders
    #[arg(value_name = "DIR")]
    pub(super) directory: PathBuf,
}

impl FolderAndDataset {
    /// Reads the folder.
    pub(super) async fn folder(&self) -> Result<Folder, Failure> {
        Folder::read(&self.directory)
            .await
            .map_err(|error| Failure::local_io("nothing was sent: the folder cannot be read").because(&error))
    }

    /// Reads the folder and the dataset, and compares them. With `--dry-run`, prints the request and the skipped files
    /// instead, and returns `None`.
    ///
    /// # Errors
    ///
    /// With `--dry-run`, also if something in the folder could not be read.
    pub(super) async fn compare(&self, context: &Context<'_>) -> Result<Option<Plan>, Failure> {
        let folder = self.folder().await?;
        let action = &format!("cannot get the dataset {}", self.id);
        let call = context.client().get_dataset().dataset_id(&self.id);
        let Some(response) = context.call(call, action).await? else {
            left_out::print_skipped(context.output(), &folder);
            return left_out::unread(context.output(), &folder).map_or(Ok(None), Err);
        };
        let plan = Plan::new(folder, response.value());
        if plan.files.is_empty() {
            let folder = self.directory.display();
            context.output().warning(&format!("there are no images and no captions in \"{folder}\""));
        }
        Ok(Some(plan))
    }
}
