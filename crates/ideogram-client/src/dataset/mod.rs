//! Uploads a local folder of images and captions to a dataset, every file once.
//!
//! Start at [`Folder::read`]. Then [`Client::plan_dataset`] compares the folder with the dataset, and
//! [`Client::sync_dataset`] uploads the missing files. Another [`Plan`] verifies the result.
//!
//! Files of a dataset cannot be removed, replaced or renamed, and a file that is sent twice may be stored twice. So a
//! file is sent only if it is certain that the dataset does not have it, and a journal on disk records uploads in case
//! the sync is interrupted. Two syncs into one dataset at the same time, from two machines or with two journals, may
//! store a file twice.
//!
//! ```no_run
//! # async fn example(client: ideogram_client::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use ideogram_client::dataset::Folder;
//!
//! let plan = client.plan_dataset("dataset-id", Folder::read("lanterns").await?).await?;
//! for file in plan.rejected() {
//!     println!("{}: {:?}", file.file.path.display(), file.state);
//! }
//! let report = client.sync_dataset(plan, "lanterns.sync.jsonl").await?;
//! for file in report.not_stored() {
//!     println!("{}: {}", file.file.name, file.outcome);
//! }
//! # Ok(())
//! # }
//! ```

mod chunk;
mod content;
mod folder;
mod journal;
mod listing;
mod local_file;
mod name;
mod plan;
mod progress;
mod reconcile;
mod report;
mod run;
mod sync;
mod trainable;
mod upload_response;

use std::fmt;

#[doc(hidden)]
pub use self::journal::lacks_lines;
pub use self::{
    folder::Folder,
    listing::file_names,
    local_file::{Fault, FileKind, LocalFile, MAX_FOLDER_DEPTH, MAX_FOLDER_ENTRIES, SkipReason, Skipped},
    plan::{FileState, Note, Plan, PlannedFile, Rejection, RemoteFile, Uncertainty},
    report::{FileOutcome, SyncProgress, SyncReport, SyncedFile, UnknownReason},
    sync::SyncDataset,
    trainable::{MAX_IMAGES, MIN_IMAGES, Trainability, TrainabilityStatus},
};
use crate::{Client, Error, types::DatasetId};

impl Client {
    /// Compares a folder with a dataset. Nothing is uploaded.
    ///
    /// # Errors
    ///
    /// Those of [`Client::get_dataset`].
    pub async fn plan_dataset<V>(&self, dataset_id: V, folder: Folder) -> Result<Plan, Error>
    where
        V: TryInto<DatasetId>,
        V::Error: fmt::Display,
    {
        let dataset = self.get_dataset().dataset_id(dataset_id).send().await?;
        Ok(Plan::new(folder, &dataset))
    }

    /// The same as [`Client::plan_dataset`], for programs without `async`.
    ///
    /// # Errors
    ///
    /// Those of [`Client::get_dataset`].
    #[cfg(feature = "blocking")]
    pub fn plan_dataset_blocking<V>(&self, dataset_id: V, folder: Folder) -> Result<Plan, Error>
    where
        V: TryInto<DatasetId>,
        V::Error: fmt::Display,
    {
        let dataset = self.get_dataset().dataset_id(dataset_id).send_blocking()?;
        Ok(Plan::new(folder, &dataset))
    }
}

/// Returns the size of all files in bytes. It saturates, since sparse files can have any size.
fn size_of<'f>(files: impl IntoIterator<Item = &'f LocalFile>) -> u64 {
    files.into_iter().map(|file| file.size_bytes).fold(0, u64::saturating_add)
}
