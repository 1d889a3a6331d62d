//! `ideogram edit`.

use std::ffi::OsString;

use clap::Args;
use ideogram_client::types::AspectRatioV3;

use crate::{
    failure::Failure,
    images::{
        choice::pick,
        flags::{Count, MagicPromptFlag, SizeFlags, filled, set},
        generate_and_save::GenerateAndSave,
        prompt::Stdin,
        save_flags::SaveFlags,
        source::SourceImages,
    },
    session::context::Context,
};

const WHAT: &str = "cannot edit the image";

/// Change images as a prompt says, without a mask
///
/// Takes up to 10 images and makes new ones of them. To repaint the part of an image that a mask shows, also with the
/// legacy models and the operation that the service once called edit: `ideogram inpaint`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ideogram edit street.png --prompt \"Make it night\"
  ideogram edit fox.png hat.png --prompt \"The fox wears the hat\" -n 2 --out foxes
  ideogram edit logo.png --prompt \"Only the letters\" --transparent-background")]
pub(crate) struct Edit {
    /// The images: paths, `-` for standard input, or https links; JPEG, PNG or WebP
    #[arg(value_name = "IMAGE", required_unless_present = "image_url")]
    images: Vec<OsString>,

    /// What to change; `-` reads it from standard input
    #[arg(long, short, value_name = "TEXT")]
    prompt: String,

    /// An image that the service has, by its link, which is sent as it is; several times for several
    ///
    /// Only links of Ideogram's own. Links given as IMAGE are fetched by this machine, and the image is sent.
    #[arg(long, value_name = "LINK")]
    image_url: Vec<String>,

    /// On transparent ground
    #[arg(long)]
    transparent_background: bool,

    #[command(flatten)]
    count: Count,
    #[command(flatten)]
    shape: SizeFlags,
    #[command(flatten)]
    magic_prompt: MagicPromptFlag,
    #[command(flatten)]
    saving: SaveFlags,
}

impl Edit {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let mut flags = self.clone();
        let resolution = flags.shape.take_resolution_v3()?;
        let ratio = pick("--aspect-ratio", flags.shape.aspect_ratio.take(), AspectRatioV3::ALL, "3.0")?;
        let stdin = Stdin::default();
        let prompt = stdin.prompt(&self.prompt).await?;
        let images = SourceImages::new(context, &stdin).all(&self.images).await?;

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        let call = set!(job.client().v1_edit_image().prompt(prompt), {
            images: images,
            image_urls: filled(&mut flags.image_url),
            num_images: flags.count.num_images,
            seed: flags.count.seed,
            magic_prompt: flags.magic_prompt.take(),
            resolution: resolution,
            aspect_ratio: ratio,
            transparent_background: self.transparent_background.then_some(true),
        });
        job.make(call, WHAT).await
    }
}
