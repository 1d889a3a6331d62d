//! `ideogram datasets list`.

use clap::Args;
use ideogram_client::types::ListDatasetsResponse;

use crate::{
    failure::Failure,
    output::layout::{Column, Layout, Table, ToLayout},
    output::units,
    session::context::Context,
};

/// Show all datasets of the account
///
/// `ideogram datasets get ID` shows the files of a dataset.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram datasets list
  ideogram datasets list --search lanterns
  ideogram datasets list --jq '.datasets[].dataset_id'")]
pub(crate) struct List {
    /// Only datasets whose name contains this text
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
}

impl List {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let action = "cannot list the datasets";
        let mut call = context.client().list_datasets();
        if let Some(text) = &self.search {
            call = call.search(text);
        }
        let Some(response) = context.call(call, action).await? else { return Ok(()) };
        context.output().response(&response)?;
        if response.value().datasets.is_empty() {
            context.output().note(match self.search {
                Some(_) => "no dataset has a name with this text; `ideogram datasets list` shows all",
                None => "no datasets yet; to create one: ideogram datasets create NAME",
            });
        }
        Ok(())
    }
}

impl ToLayout for ListDatasetsResponse {
    const ROWS: Option<&'static str> = Some("datasets");

    fn layout(&self) -> Layout {
        let mut table = Table::overview([Column::Left("ID"), Column::Left("NAME"), Column::Left("CREATED")]);
        for dataset in &self.datasets {
            table.row([dataset.dataset_id.to_string(), dataset.name.clone(), units::time(&dataset.creation_time)]);
        }
        Layout::new().table(table)
    }
}
