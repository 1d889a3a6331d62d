//! `ideogram datasets plan`.

use std::collections::BTreeMap;

use clap::Args;
use ideogram_client::dataset::{FileKind, FileState, LocalFile, MAX_IMAGES, Plan, PlannedFile};
use serde_json::{Value, json};

use super::{folder_and_dataset::FolderAndDataset, left_out, texts};
use crate::{
    commands::trainable,
    exit::Exit,
    failure::Failure,
    output::layout::{Column, Layout, Table, ToLayout},
    output::units,
    session::context::Context,
};

/// How many skipped files the table lists for each reason; JSON has all.
const MAX_SKIPPED_ROWS: usize = 20;

/// Show what `sync` would do: compare a folder with a dataset, and send nothing
///
/// Files are compared by name and size. Lists whether each file is there, would be sent, or would not and why, and
/// whether the dataset can be trained now and after the sync.
///
/// The exit code is 0 if `sync` could send all missing files, 2 if the dataset would have more than 100 images, 11 if
/// something in the folder could not be read, and 13 if files of the folder cannot be sent.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram datasets plan ID lanterns
  ideogram datasets plan ID lanterns --jq .trainable_after")]
pub(crate) struct PlanSync {
    #[command(flatten)]
    pair: FolderAndDataset,
}

impl PlanSync {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let Some(plan) = self.pair.compare(context).await? else { return Ok(()) };
        context.output().result(&to_json(&plan)?, &plan.layout())?;

        if let Some(failure) = left_out::unread(context.output(), &plan.folder) {
            return Err(failure.hint("`sync` sends the others, and ends with the exit code 11"));
        }
        let refused = plan.rejected().count() as u64;
        if refused > 0 {
            let what = format!("{} of the folder cannot be sent", units::count(refused, "file"));
            return Err(Failure::local_io(what).hint("`sync` sends the others, and ends with the exit code 11"));
        }
        let images = plan.trainable_after.images;
        let sends_images = plan.missing().any(|file| file.file.kind.is_image());
        if sends_images && images > MAX_IMAGES {
            let surplus = images - MAX_IMAGES;
            let what =
                format!("the dataset would have {images} images, {surplus} more than the maximum of {MAX_IMAGES}");
            return Err(
                Failure::new(Exit::Usage, what).hint("`sync` would send nothing: remove images from the folder")
            );
        }
        Ok(())
    }
}

/// The plan with its sums.
fn to_json(plan: &Plan) -> Result<Value, Failure> {
    let encoded = serde_json::to_value(plan);
    let mut value = encoded.map_err(|error| Failure::internal("the plan cannot be written as JSON").because(&error))?;
    let missing = |is_wanted: fn(FileKind) -> bool| plan.missing().filter(|file| is_wanted(file.file.kind)).count();
    value["to_send"] = json!({
        "files": plan.missing().count(),
        "images": missing(FileKind::is_image),
        "captions": missing(|kind| kind == FileKind::Caption),
        "bytes": plan.missing_bytes(),
    });
    Ok(value)
}

impl ToLayout for Plan {
    fn layout(&self) -> Layout {
        let files = |is_wanted: fn(&FileState) -> bool| -> Vec<&LocalFile> {
            self.files.iter().filter(|file| is_wanted(&file.state)).map(|file| &file.file).collect()
        };
        let to_send = files(|state| *state == FileState::Missing);
        let there = files(texts::is_there);
        let images = to_send.iter().filter(|file| file.kind.is_image()).count() as u64;
        let captions = to_send.len() as u64 - images;
        let mut sends = texts::amount(to_send);
        if images + captions > 0 {
            let images = units::count(images, "image");
            sends = format!("{sends}: {images} and {}", units::count(captions, "caption"));
        }
        Layout::new()
            .field("Dataset", format!("{} ({})", self.dataset_name, self.dataset_id))
            .field("Folder", self.folder.path.display().to_string())
            .field("To send", sends)
            .field("There", texts::amount(there))
            .field("Trainable now", trainable::describe(self.trainable_now))
            .field("Trainable after", trainable::describe(self.trainable_after))
            .table(table(self))
    }
}

fn table(plan: &Plan) -> Table {
    let mut table =
        Table::new([Column::Left("FILE"), Column::Right("SIZE"), Column::Left("STATE"), Column::Left("NOTE")]);
    for file in &plan.files {
        let (state, mut notes) = state(file);
        notes.extend(file.notes.iter().map(|note| texts::note(note).to_owned()));
        let path = texts::relative(&file.file.path, &plan.folder.path);
        table.row([path, units::size(file.file.size_bytes), state.to_owned(), notes.join("; ")]);
    }
    for file in &plan.remote_only {
        let size = texts::sizes(file.sizes_bytes.iter().copied());
        table.row([file.name.clone(), size, "only there".to_owned(), String::new()]);
    }
    for size in &plan.nameless {
        let note = "the service reports no name".to_owned();
        table.row(["-".to_owned(), texts::sizes([*size]), "only there".to_owned(), note]);
    }
    let mut row = |name, why| table.row([name, String::new(), "skipped".to_owned(), why]);
    let mut numbers: BTreeMap<_, usize> = BTreeMap::new();
    for skipped in &plan.folder.skipped {
        let number = numbers.entry(left_out::group(&skipped.reason)).or_default();
        *number += 1;
        if *number <= MAX_SKIPPED_ROWS {
            row(texts::relative(&skipped.path, &plan.folder.path), skipped.reason.to_string());
        }
    }
    for (reason, number) in numbers.iter().filter(|(_, number)| **number > MAX_SKIPPED_ROWS) {
        row(format!("{} more", number - MAX_SKIPPED_ROWS), reason.to_string());
    }
    table
}

/// The state of a file, and the reason.
pub(super) fn state(file: &PlannedFile) -> (&'static str, Vec<String>) {
    match &file.state {
        FileState::Missing => ("to send", Vec::new()),
        FileState::Present => ("there", Vec::new()),
        FileState::PresentUnverified => ("there", vec!["the service reports no size".to_owned()]),
        FileState::Different { remote_sizes_bytes } => {
            let sizes = texts::sizes(remote_sizes_bytes.iter().copied().map(Some));
            ("different", vec![format!("the dataset has one of {sizes}, which cannot be replaced")])
        }
        FileState::Uncertain(reason) => ("perhaps there", vec![reason.to_string()]),
        FileState::Rejected(rejection) => ("refused", vec![rejection.to_string()]),
        _ => ("not sent", Vec::new()),
    }
}
