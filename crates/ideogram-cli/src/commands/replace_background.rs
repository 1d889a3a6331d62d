//! `ideogram replace-background`.

use std::ffi::OsString;

use clap::Args;

use crate::{
    failure::Failure,
    images::{
        flags::{Colors, Count, MagicPromptFlag, RenderingSpeedFlag, Style, filled, set},
        generate_and_save::GenerateAndSave,
        prompt::Stdin,
        save_flags::SaveFlags,
        source::SourceImages,
    },
    session::context::Context,
};

/// Keep what stands in front, and paint a new background
///
/// The 3.0 model does it.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ideogram replace-background fox.png \"A city at night\"
  ideogram replace-background fox.png \"A forest\" -n 2 --style-reference forest.jpg --out foxes")]
pub(crate) struct ReplaceBackground {
    /// The image: a path, `-` for standard input, or an https link; JPEG, PNG or WebP
    image: OsString,

    /// What the new background shows; `-` reads it from standard input
    prompt: String,

    #[command(flatten)]
    count: Count,
    #[command(flatten)]
    speed: RenderingSpeedFlag,
    #[command(flatten)]
    magic_prompt: MagicPromptFlag,
    #[command(flatten)]
    style: Style,
    #[command(flatten)]
    colors: Colors,
    #[command(flatten)]
    saving: SaveFlags,
}

impl ReplaceBackground {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let mut flags = self.clone();
        let stdin = Stdin::default();
        let prompt = stdin.prompt(&self.prompt).await?;
        let images = SourceImages::new(context, &stdin);
        let (image, styles) = (images.one(&self.image).await?, images.all(&self.style.style_reference).await?);

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        let call = set!(job.client().replace_background_v3().image(image).prompt(prompt), {
            magic_prompt: flags.magic_prompt.take(),
            num_images: flags.count.num_images,
            seed: flags.count.seed,
            rendering_speed: flags.speed.take(),
            style_preset: flags.style.take_preset(),
            color_palette: flags.colors.take(),
            style_codes: filled(&mut flags.style.style_code),
            style_reference_images: styles,
        });
        job.make(call, "cannot replace the background").await
    }
}
