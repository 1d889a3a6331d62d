//! `ideogram datasets list`.

use clap::Args;
use ideogram_client::types::ListDatasetsResponse;

use crate::{
    connection::Connection,
    failure::Failure,
    output::Output,
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
  ideogram --output json datasets list | jq -r '.datasets[].dataset_id'")]
pub(crate) struct List {}

impl List {
    pub(super) async fn run(self, connection: &Connection, output: &Output) -> Result<(), Failure> {
        let response = connection.client().list_datasets().response().await;
        let response = response
            .map_err(|error| connection.failure("cannot list the datasets", "ideogram datasets list", &error))?;
        output.answer(&response)?;
        if response.value().datasets.is_empty() {
            output.note("no datasets yet: `ideogram datasets create NAME` makes one");
        }
        Ok(())
    }
}

impl View for ListDatasetsResponse {
    fn page(&self) -> Page {
        let mut table = Table::new([Column::Left("ID"), Column::Left("NAME"), Column::Left("CREATED")]);
        for dataset in &self.datasets {
            table.row([dataset.dataset_id.clone(), dataset.name.clone(), units::time(&dataset.creation_time)]);
        }
        Page::new().table(table)
    }
}
