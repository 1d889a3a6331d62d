//! `ideogram models get`.

use clap::Args;
use ideogram_client::types::{CustomModel, GetModelResponse, ModelId};

use super::{availability, or_absent, scope};
use crate::{
    commands::ids,
    failure::Failure,
    output::layout::{Layout, ToLayout},
    output::units,
    session::context::Context,
};

/// Show a model and the state of its training
///
/// A model is ready when its status is COMPLETED, it is available and it has a URI. ERRORED is final. Times are in UTC;
/// `-` stands for a value that the service does not report.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram models get ID
  ideogram models get ID --jq .model.status")]
pub(crate) struct Get {
    /// The model; `ideogram models list` shows the ids
    #[arg(allow_hyphen_values = true, value_parser = ids::model_id)]
    id: ModelId,
}

impl Get {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let action = &format!("cannot get the model {}", self.id);
        let call = context.client().get_custom_model().model_id(&self.id);
        let Some(response) = context.call(call, action).await? else { return Ok(()) };
        context.output().response(&response)
    }
}

impl ToLayout for GetModelResponse {
    fn layout(&self) -> Layout {
        self.model.layout()
    }
}

impl ToLayout for CustomModel {
    fn layout(&self) -> Layout {
        Layout::new()
            .field("Name", &self.name)
            .field("Id", &self.model_id)
            .field("Status", self.status.as_str())
            .field("Available", availability(self))
            .field("URI", or_absent(self.custom_model_uri.as_deref()))
            .field("Scope", scope(self))
            .field("Dataset", or_absent(self.dataset_id.as_deref()))
            .field("Created", units::time(&self.creation_time))
            .field("Updated", or_absent(self.last_update_time.as_ref().map(units::time)))
    }
}
