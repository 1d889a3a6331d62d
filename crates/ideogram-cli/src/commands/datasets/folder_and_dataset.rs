//! A folder compared with a dataset: what `plan`, `sync` and `verify` have in common.

use std::path::{Path, PathBuf};

use clap::Args;
use ideogram_client::{
    dataset::{Folder, LocalFile, Note, Plan},
    types::DatasetId,
};

use super::left_out;
use crate::{
    commands::ids,
    failure::Failure,
    output::units,
    session::context::{Context, Wording},
};

/// Which folder, and which dataset.
#[derive(Debug, Args)]
pub(super) struct Pair {
    /// Which dataset; `ideogram datasets list` shows the ids
    #[arg(allow_hyphen_values = true, value_parser = ids::dataset_id)]
    pub(super) id: DatasetId,

    /// The folder of images and captions, with all folders in it
    #[arg(value_name = "DIR")]
    pub(super) directory: PathBuf,
}

impl Pair {
    /// Reads the folder.
    pub(super) async fn folder(&self) -> Result<Folder, Failure> {
        Folder::read(&self.directory)
            .await
            .map_err(|error| Failure::local_io("nothing was sent: the folder cannot be read").because(&error))
    }

    /// Reads the folder, asks what is in the dataset, and compares them; with `--dry-run` shows the request instead,
    /// names what is left out of the folder, and returns `None`.
    ///
    /// # Errors
    ///
    /// With `--dry-run` also if something in the folder could not be read.
    pub(super) async fn compare(&self, context: &Context<'_>) -> Result<Option<Plan>, Failure> {
        let folder = self.folder().await?;
        let what = format!("cannot get the dataset {}", self.id);
        let wording = Wording { action: &what, inspect: "ideogram datasets list" };
        let call = context.client().get_dataset().dataset_id(&self.id);
        let Some(response) = context.call(call, wording).await? else {
            left_out::tell_skipped(context.output(), &folder);
            return left_out::unread(context.output(), &folder).map_or(Ok(None), Err);
        };
        let plan = Plan::new(folder, response.value());
        if plan.files.is_empty() {
            let place = self.directory.display();
            context.output().warning(&format!("there are no images and no captions in \"{place}\""));
        }
        Ok(Some(plan))
    }
}

/// A path as seen from the folder.
pub(super) fn shown(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

/// `12 files, 3.4 MiB`.
pub(super) fn amount<'f>(files: impl IntoIterator<Item = &'f LocalFile>) -> String {
    let (mut number, mut bytes) = (0_u64, 0_u64);
    for file in files {
        number += 1;
        bytes = bytes.saturating_add(file.size_bytes);
    }
    if number == 0 { "nothing".to_owned() } else { format!("{}, {}", units::count(number, "file"), units::size(bytes)) }
}

/// Sizes of files in the dataset: `64 B`, `64 B and 70 B`, `a size that is not told`.
pub(super) fn sizes(sizes: impl IntoIterator<Item = Option<u64>>) -> String {
    let words = sizes.into_iter().map(|size| size.map_or_else(|| "a size that is not told".to_owned(), units::size));
    words.collect::<Vec<_>>().join(" and ")
}

/// What is worth a look, in words.
pub(super) fn note(note: &Note) -> &'static str {
    match note {
        Note::Large => "larger than 10 MB, the limit elsewhere in the API",
        Note::OtherFormat => "of another format than its name says",
        Note::SharedCaption => "a caption of several images",
        Note::ByteOrderMark => "begins with a byte order mark, which becomes part of the caption",
        _ => "worth a look",
    }
}
