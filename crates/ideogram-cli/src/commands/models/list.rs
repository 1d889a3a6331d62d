//! `ideogram models list`.

use clap::{Args, builder::PossibleValuesParser};
use ideogram_client::types::{ListModelsResponse, ModelStatus, ModelsScope};

use super::{availability, or_absent, scope};
use crate::{
    failure::Failure,
    output::layout::{Column, Layout, Table, ToLayout},
    output::units,
    session::context::Context,
};

/// Show the models that the key has access to
///
/// AVAILABLE shows whether a model can generate images now, URI is its name in requests. Times are in UTC; `-` stands
/// for a value that the service does not report.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram models list
  ideogram models list --scope owned --status training --status creating
  ideogram models list --jq '.models[].custom_model_uri'")]
pub(crate) struct List {
    /// Only models in this state; repeat it for several states
    ///
    /// It filters only own models; shared ones are listed unless `--scope owned` leaves them out.
    #[arg(long, value_name = "STATUS", ignore_case = true)]
    #[arg(value_parser = PossibleValuesParser::new(ModelStatus::ALL.iter().map(ModelStatus::as_str)))]
    status: Vec<String>,

    /// Only own models, or only those that are shared with the organization [default: both]
    #[arg(long, value_parser = PossibleValuesParser::new(ModelsScope::ALL.iter().map(ModelsScope::as_str)))]
    scope: Option<String>,
}

impl List {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let is_filtered = self.scope.is_some() || !self.status.is_empty();
        let mut call = context.client().list_custom_models();
        if !self.status.is_empty() {
            call = call.status(self.status.iter().map(|status| status.to_ascii_uppercase()));
        }
        if let Some(scope) = &self.scope {
            call = call.scope(scope);
        }
        let action = "cannot list the models";
        let Some(response) = context.call(call, action).await? else { return Ok(()) };
        let output = context.output();
        output.response(&response)?;
        if response.value().models.is_empty() {
            output.note(if is_filtered { "no models match" } else { "no models yet" });
        }
        Ok(())
    }
}

impl ToLayout for ListModelsResponse {
    const ROWS: Option<&'static str> = Some("models");

    fn layout(&self) -> Layout {
        let headings = ["ID", "NAME", "STATUS", "URI", "AVAILABLE", "SCOPE", "DATASET", "CREATED", "UPDATED"];
        let mut table = Table::overview(headings.map(Column::Left));
        for model in &self.models {
            table.row([
                model.model_id.to_string(),
                model.name.clone(),
                model.status.to_string(),
                or_absent(model.custom_model_uri.as_deref()),
                availability(model).to_owned(),
                scope(model).to_owned(),
                or_absent(model.dataset_id.as_deref()),
                units::time(&model.creation_time),
                or_absent(model.last_update_time.as_ref().map(units::time)),
            ]);
        }
        Layout::new().table(table)
    }
}
