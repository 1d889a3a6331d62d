//! `ideogram datasets create`.

use clap::Args;

use crate::{failure::Failure, session::context::Context};

/// Create an empty dataset
///
/// Prints its id for uploads and trainings. The service can neither rename nor delete a dataset, and names need not be
/// unique: running the command again creates a second dataset.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram datasets create \"Paper lanterns\"
  id=$(ideogram datasets create \"Paper lanterns\" --jq .dataset_id)")]
pub(crate) struct Create {
    /// The name of the dataset
    #[arg(value_parser = name)]
    name: String,
}

impl Create {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let action = &format!("cannot create the dataset \"{}\"", self.name);
        let call = context.client().create_dataset().name(&self.name);
        let Some(response) = context.call(call, action).await? else { return Ok(()) };
        let output = context.output();
        output.response(&response)?;
        match context.changes_note() {
            Some(note) => output.note(note),
            None => output.note(&format!(
                "next, upload a folder of images to it: ideogram datasets sync {} DIR",
                response.value().dataset_id
            )),
        }
        Ok(())
    }
}

/// Refuses a blank name: it is probably an unset variable, and the service cannot delete a dataset.
fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("the name is blank, and the service cannot rename or delete a dataset".to_owned());
    }
    Ok(text.to_owned())
}
