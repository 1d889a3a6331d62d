//! `ideogram datasets get`.

use clap::Args;
use ideogram_client::types::{DatasetFile, DatasetId, GetDatasetResponse};

use crate::{
    commands::ids,
    failure::Failure,
    output::layout::{ABSENT, Column, Layout, Table, ToLayout},
    output::units,
    session::context::Context,
};

/// Show a dataset: its files and the models trained from it
///
/// Sizes are in steps of 1024 (KiB, MiB), times in UTC; `-` stands for a value that the service does not report.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram --mock datasets get demo
  ideogram datasets get ID --jq .file_count")]
pub(crate) struct Get {
    /// The dataset; `ideogram datasets list` shows the ids
    #[arg(allow_hyphen_values = true, value_parser = ids::dataset_id)]
    id: DatasetId,
}

impl Get {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let action = &format!("cannot get the dataset {}", self.id);
        let call = context.client().get_dataset().dataset_id(&self.id);
        let Some(response) = context.call(call, action).await? else { return Ok(()) };
        context.output().response(&response)
    }
}

impl ToLayout for GetDatasetResponse {
    fn layout(&self) -> Layout {
        let mut table = Table::new([Column::Left("FILE"), Column::Right("SIZE")]);
        for file in &self.files {
            let size = size_of(file).map_or_else(|| ABSENT.to_owned(), units::size);
            table.row([file.file_name.clone().unwrap_or_else(|| ABSENT.to_owned()), size]);
        }
        self.dataset
            .layout()
            .field("Files", file_count(self))
            .field("Total size", total_size(&self.files))
            .list("Models", self.custom_model_ids.iter().map(ToString::to_string))
            .table(table)
    }
}

/// The count of the service, and the length of its list if that differs.
fn file_count(response: &GetDatasetResponse) -> String {
    let listed = response.files.len();
    if usize::try_from(response.file_count) == Ok(listed) {
        listed.to_string()
    } else {
        format!("{} counted by the service, {listed} listed", response.file_count)
    }
}

fn total_size(files: &[DatasetFile]) -> String {
    let total = files.iter().filter_map(size_of).fold(0, u64::saturating_add);
    match files.iter().filter(|file| size_of(file).is_none()).count() as u64 {
        0 => units::size(total),
        unknown => format!("at least {}: the size of {} is unknown", units::size(total), units::count(unknown, "file")),
    }
}

/// The size in bytes; a negative one counts as unknown.
fn size_of(file: &DatasetFile) -> Option<u64> {
    file.file_size_bytes.and_then(|bytes| u64::try_from(bytes).ok())
}
