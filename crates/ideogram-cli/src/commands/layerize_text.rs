//! `ideogram layerize-text`.

use std::ffi::OsString;

use clap::Args;

use ideogram_client::operations;

use crate::{
    failure::Failure,
    images::{
        flags::{bounds, set, whole_number},
        generate_and_save::GenerateAndSave,
        prompt::Stdin,
        save_flags::SaveFlags,
        source::SourceImages,
    },
    session::context::Context,
};

/// Take the text out of an image: the image without it, and the text in blocks
///
/// Saves the image without its text, and the original. The blocks of text, with place, size, color and font, are in
/// `--output json` and in the JSON file beside each image.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ideogram layerize-text poster.png
  ideogram layerize-text poster.png --out layers --jq '.response.text_blocks[].text'")]
pub(crate) struct LayerizeText {
    /// The image: a path, `-` for standard input, or an https link; JPEG, PNG or WebP
    image: OsString,

    /// What the image shows; the service describes it by itself otherwise. `-` reads it from standard input
    #[arg(long, short, value_name = "TEXT")]
    prompt: Option<String>,

    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    #[arg(value_parser = whole_number(&operations::POST_LAYERIZE_TEXT_V3, "seed"))]
    #[arg(help = format!(
        "Seed, {}; the same one gives the same result again",
        bounds(&operations::POST_LAYERIZE_TEXT_V3, "seed"),
    ))]
    seed: Option<i64>,

    #[command(flatten)]
    saving: SaveFlags,
}

impl LayerizeText {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let stdin = Stdin::default();
        let prompt = stdin.prompt_if_given(self.prompt.as_deref()).await?;
        let image = SourceImages::new(context, &stdin).one(&self.image).await?;

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        let call = set!(job.client().layerize_text_v3().image(image), {
            prompt: prompt,
            seed: self.seed,
        });
        job.make(call, "cannot take the text out of the image").await
    }
}
