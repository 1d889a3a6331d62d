//! `ideogram upscale`.

use std::ffi::OsString;

use clap::Args;
use ideogram_client::types::UpscaleInitialImageRequest;

use crate::{
    failure::Failure,
    images::{
        flags::{Count, Rewriting, set},
        generate_and_save::Making,
        prompt::Stdin,
        save_flags::SaveFlags,
        source::SourceImages,
    },
    session::context::Context,
};

/// Enlarge an image
///
/// By how much is the service's choice; `--output json` shows the new size.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ideogram upscale lantern.png
  ideogram upscale lantern.png --prompt \"A paper lantern\" --resemblance 80 --detail 30 --out large")]
pub(crate) struct Upscale {
    /// The image: a path, `-` for standard input, or an https link; JPEG, PNG or WebP
    image: OsString,

    /// What guides the enlargement; `-` reads it from standard input
    #[arg(long, short, value_name = "TEXT")]
    prompt: Option<String>,

    /// How close to stay to the image, 1 to 100 [default: 50]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(1..=100))]
    resemblance: Option<i64>,

    /// How much detail to add, 1 to 100 [default: 50]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(1..=100))]
    detail: Option<i64>,

    #[command(flatten)]
    count: Count,
    #[command(flatten)]
    rewriting: Rewriting,
    #[command(flatten)]
    saving: SaveFlags,
}

impl Upscale {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let stdin = Stdin::default();
        let prompt = stdin.prompt_if_given(self.prompt.as_deref()).await?;
        let image = SourceImages::new(context, &stdin).one(&self.image).await?;

        let making = Making::begin(context, &self.saving).await?;
        let request = set!(UpscaleInitialImageRequest::builder(), {
            prompt: prompt,
            resemblance: self.resemblance,
            detail: self.detail,
            magic_prompt_option: self.rewriting.clone().take(),
            num_images: self.count.num_images,
            seed: self.count.seed,
        });
        let call = making.client().upscale_image().image_file(image).image_request(request);
        making.make(call, "cannot enlarge the image").await
    }
}
