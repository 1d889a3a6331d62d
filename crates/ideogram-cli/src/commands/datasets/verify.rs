//! `ideogram datasets verify`.

use std::slice;

use clap::Args;
use ideogram_client::dataset::{FileState, Plan};
use serde::Serialize;
use serde_json::json;

use super::{folder_and_dataset::FolderAndDataset, left_out, plan, texts};
use crate::{
    commands::trainable,
    exit::Exit,
    failure::Failure,
    output::layout::{Column, Layout, Table},
    output::units,
    session::context::Context,
};

/// Check that a dataset has the files of a folder, by name and size
///
/// Lists every difference, and ends with the exit code 14 if there is one. The service reports only names and sizes, so
/// contents are not compared. A file that cannot be read is a difference; other files that are neither images nor
/// captions are listed on standard error.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram datasets verify ID lanterns
  ideogram datasets verify ID lanterns --allow-extra --quiet")]
pub(crate) struct Verify {
    #[command(flatten)]
    pair: FolderAndDataset,

    /// Ignore files that only the dataset has
    #[arg(long)]
    allow_extra: bool,
}

/// A difference between folder and dataset.
#[derive(Debug, Serialize)]
struct Difference {
    /// The path in the folder, or the name in the dataset; `null` if the service reports no name.
    file: Option<String>,
    #[serde(rename = "difference")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_sizes_bytes: Option<Vec<Option<u64>>>,
    note: String,
}

impl Verify {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let Some(plan) = self.pair.compare(context).await? else { return Ok(()) };
        let differences = self.differences(&plan);
        let same = plan.files.iter().filter(|file| texts::is_there(&file.state)).count() as u64;
        let unverified = plan.files.iter().filter(|file| file.state == FileState::PresentUnverified).count() as u64;

        let mut same_text = format!("{} of {}", same, units::count(plan.files.len() as u64, "file"));
        if unverified > 0 {
            same_text = format!("{same_text}; the service reports no size of {unverified}");
        }
        let mut table = Table::new(["FILE", "DIFFERENCE", "NOTE"].map(Column::Left));
        for difference in &differences {
            let file = difference.file.clone().unwrap_or_else(|| "-".to_owned());
            table.row([file, difference.kind.replace('_', " "), difference.note.clone()]);
        }
        let layout = Layout::new()
            .field("Dataset", format!("{} ({})", plan.dataset_name, plan.dataset_id))
            .field("Folder", plan.folder.path.display().to_string())
            .field("Same", same_text)
            .field("Differences", differences.len().to_string())
            .field("Trainable", trainable::describe(plan.trainable_now))
            .table(table);
        let result = json!({
            "dataset_id": plan.dataset_id,
            "folder": plan.folder.path.display().to_string(),
            "files": plan.files.len(),
            "same": same,
            "same_without_size": unverified,
            "differences": differences,
            "trainable": plan.trainable_now,
            "skipped": plan.folder.skipped,
        });
        context.output().result(&result, &layout)?;
        left_out::print_skipped(context.output(), &plan.folder);

        if differences.is_empty() {
            return Ok(());
        }
        let count = units::count(differences.len() as u64, "difference");
        let failure = Failure::new(Exit::Difference, format!("{count} between the folder and the dataset"));
        if plan.missing().next().is_some() {
            let directory = self.pair.directory.display();
            return Err(
                failure.hint(format!("`ideogram datasets sync {} {directory}` sends what is missing", self.pair.id))
            );
        }
        Err(failure)
    }

    fn differences(&self, plan: &Plan) -> Vec<Difference> {
        let relative = |path| Some(texts::relative(path, &plan.folder.path));
        let difference =
            |file, kind, note| Difference { file, kind, local_size_bytes: None, remote_sizes_bytes: None, note };
        let mut differences = Vec::new();
        for file in plan.files.iter().filter(|file| !texts::is_there(&file.state)) {
            let (kind, notes) = match &file.state {
                FileState::Missing => ("missing", Vec::new()),
                FileState::Uncertain(_) => ("uncertain", plan::state(file).1),
                _ => plan::state(file),
            };
            let remote_sizes_bytes = match &file.state {
                FileState::Different { remote_sizes_bytes } => {
                    Some(remote_sizes_bytes.iter().copied().map(Some).collect())
                }
                _ => None,
            };
            differences.push(Difference {
                local_size_bytes: Some(file.file.size_bytes),
                remote_sizes_bytes,
                ..difference(relative(&file.file.path), kind, notes.join("; "))
            });
        }
        for skipped in plan.folder.skipped.iter().filter(|skipped| skipped.reason.is_unread()) {
            differences.push(difference(relative(&skipped.path), "not_read", skipped.reason.to_string()));
        }
        let mut only_there = |name, sizes: &[Option<u64>], kind, note| {
            let remote_sizes_bytes = Some(sizes.to_vec());
            differences.push(Difference { remote_sizes_bytes, ..difference(name, kind, note) });
        };
        for file in &plan.remote_duplicates {
            let note = format!("the dataset has it {} times", file.sizes_bytes.len());
            only_there(Some(file.name.clone()), &file.sizes_bytes, "more_than_once", note);
        }
        if !self.allow_extra {
            let named = plan.remote_only.iter().map(|file| (Some(file.name.clone()), file.sizes_bytes.as_slice()));
            let nameless = plan.nameless.iter().map(|size| (None, slice::from_ref(size)));
            for (name, sizes) in named.chain(nameless) {
                only_there(name, sizes, "only_in_dataset", texts::sizes(sizes.iter().copied()));
            }
        }
        differences
    }
}
