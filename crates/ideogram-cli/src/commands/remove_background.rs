//! `ideogram remove-background`.

use std::ffi::OsString;

use clap::Args;

use crate::{
    failure::Failure,
    images::{generate_and_save::GenerateAndSave, prompt::Stdin, save_flags::SaveFlags, source::SourceImages},
    session::context::Context,
};

/// Cut out what stands in front, on transparent ground
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ideogram remove-background fox.png
  ideogram remove-background fox.png --out cutouts --name fox")]
pub(crate) struct RemoveBackground {
    /// The image: a path, `-` for standard input, or an https link; JPEG, PNG or WebP
    image: OsString,

    #[command(flatten)]
    saving: SaveFlags,
}

impl RemoveBackground {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let stdin = Stdin::default();
        let image = SourceImages::new(context, &stdin).one(&self.image).await?;

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        job.make(job.client().remove_background().image(image), "cannot remove the background").await
    }
}
