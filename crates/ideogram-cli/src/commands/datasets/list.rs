//! `ideogram datasets list`.

use clap::Args;
use ideogram_client::types::ListDatasetsResponse;

use crate::{
    context::{Context, Told},
    failure::Failure,
    page::{Column, Page, Table, View},
    units,
};

/// Show all datasets of the account
///
/// The files of a dataset are shown by `ideogram datasets get ID`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram datasets list
  ideogram datasets list --jq '.datasets[].dataset_id'")]
pub(crate) struct List {}

impl List {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let told = Told { what: "cannot list the datasets", look: "ideogram datasets list" };
        let Some(response) = context.call(context.client().list_datasets(), told).await? else { return Ok(()) };
        context.output().response(&response)?;
        if response.value().datasets.is_empty() {
            context.output().note("no datasets yet: `ideogram datasets create NAME` makes one");
        }
        Ok(())
    }
}

impl View for ListDatasetsResponse {
    const ROWS: Option<&'static str> = Some("datasets");

    fn page(&self) -> Page {
        let mut table = Table::new([Column::Left("ID"), Column::Left("NAME"), Column::Left("CREATED")]);
        for dataset in &self.datasets {
            table.row([dataset.dataset_id.clone(), dataset.name.clone(), units::time(&dataset.creation_time)]);
        }
        Page::new().table(table)
    }
}
