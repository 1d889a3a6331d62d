//! `ideogram generations save`.

use std::time::Duration;

use clap::Args;
use ideogram_client::types::GenerationId;

use crate::{
    commands::{ids, values::time},
    failure::Failure,
    images::{
        generate_and_save::ImageSaver,
        job::save_command,
        save_flags::{SaveFlags, make_ready},
    },
    session::context::Context,
};

/// Save the images of a generation; waits until it is complete
///
/// This is free, works on any machine with a key of the account, and can be repeated until the links of the images
/// expire, about 24 hours after they were made. Images that exist already are left unchanged.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ideogram generations save ID --out foxes")]
pub(crate) struct Save {
    /// The generation; commands that make images print its id
    #[arg(allow_hyphen_values = true, value_parser = ids::generation_id)]
    id: GenerationId,

    /// The maximum time to wait: seconds, or 90s, 5m, 2h [default: that of --timeout, or 15m]
    #[arg(long, value_name = "TIME", value_parser = time)]
    deadline: Option<Duration>,

    #[command(flatten)]
    saving: SaveFlags,
}

impl Save {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        if context.is_dry_run() {
            super::get::get(context, &self.id).await?;
            return Ok(());
        }
        let folder = self.saving.folder(context.profile());
        make_ready(&folder, &self.saving).await?;
        let response = super::wait(context, &self.id, self.deadline, &save_command(self.id.as_str(), &folder)).await?;
        let if_exists = self.saving.if_exists();
        let (saving, folder) = (&self.saving, folder.as_path());
        let job = Some(self.id.as_str());
        let saver = ImageSaver { context, saving, folder, if_exists, requested: None, stored_at: None, job };
        let json = serde_json::from_slice(response.body()).unwrap_or_default();
        saver.save(context.client(), &response, json).await
    }
}
