//! A folder compared with a dataset: what `plan`, `sync` and `verify` have in common.

use std::path::{Path, PathBuf};

use clap::Args;
use ideogram_client::{
    dataset::{Folder, LocalFile, Plan, Remark, SkipReason},
    types::DatasetId,
};

use crate::{
    commands::ids,
    context::{Context, Told},
    failure::Failure,
    units,
};

/// Which folder, and which dataset.
#[derive(Debug, Args)]
pub(super) struct Pair {
    /// Which dataset; `ideogram datasets list` shows the ids
    #[arg(allow_hyphen_values = true, value_parser = ids::dataset_id)]
    pub(super) id: DatasetId,

    /// The folder of pictures and captions, with all folders in it
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

    /// Reads the folder, asks what is in the dataset, and compares them; with `--dry-run` shows the question instead and
    /// returns `None`.
    pub(super) async fn compare(&self, context: &Context<'_>) -> Result<Option<Plan>, Failure> {
        let folder = self.folder().await?;
        let what = format!("cannot get the dataset {}", self.id);
        let told = Told { what: &what, look: "ideogram datasets list" };
        let call = context.client().get_dataset().dataset_id(&self.id);
        let Some(response) = context.call(call, told).await? else { return Ok(None) };
        let plan = Plan::new(folder, response.value());
        if plan.files.is_empty() {
            let place = self.directory.display();
            context.output().warning(&format!("there are no pictures and no captions in \"{place}\""));
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
pub(super) fn remark(remark: &Remark) -> &'static str {
    match remark {
        Remark::Large => "larger than 10 MB, the limit elsewhere in the API",
        Remark::OtherFormat => "of another format than its name says",
        Remark::SharedCaption => "a caption of several pictures",
        _ => "worth a look",
    }
}

/// Why something in the folder is no part of the set, in words.
pub(super) fn skipped(reason: &SkipReason) -> String {
    match reason {
        SkipReason::Hidden => "hidden: its name begins with a dot".to_owned(),
        SkipReason::Archive => "an archive: unpack it, or use `ideogram datasets upload`".to_owned(),
        SkipReason::OtherType => "neither picture nor caption".to_owned(),
        SkipReason::NotAFile => "not a file".to_owned(),
        SkipReason::AlreadyRead => "a link to a folder that is read anyway".to_owned(),
        SkipReason::Unreadable(why) => format!("cannot be read: {why}"),
        _ => "not understood".to_owned(),
    }
}
