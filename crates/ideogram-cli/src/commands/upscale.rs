//! `ideogram upscale`.

use std::ffi::OsString;

use clap::Args;
use ideogram_client::{operations, types::UpscaleInitialImageRequest};

use crate::{
    failure::Failure,
    images::{
        flags::{Count, MagicPromptFlag, bounds, set, whole_number},
        generate_and_save::GenerateAndSave,
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

    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    #[arg(value_parser = whole_number(&operations::POST_UPSCALE_IMAGE, "image_request.resemblance"))]
    #[arg(help = format!(
        "How close to stay to the image, {} [default: 50]",
        bounds(&operations::POST_UPSCALE_IMAGE, "image_request.resemblance"),
    ))]
    resemblance: Option<i64>,

    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    #[arg(value_parser = whole_number(&operations::POST_UPSCALE_IMAGE, "image_request.detail"))]
    #[arg(help = format!(
        "How much detail to add, {} [default: 50]",
        bounds(&operations::POST_UPSCALE_IMAGE, "image_request.detail"),
    ))]
    detail: Option<i64>,

    #[command(flatten)]
    count: Count,
    #[command(flatten)]
    magic_prompt: MagicPromptFlag,
    #[command(flatten)]
    saving: SaveFlags,
}

impl Upscale {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let stdin = Stdin::default();
        let prompt = stdin.prompt_if_given(self.prompt.as_deref()).await?;
        let image = SourceImages::new(context, &stdin).one(&self.image).await?;

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        let request = set!(UpscaleInitialImageRequest::builder(), {
            prompt: prompt,
            resemblance: self.resemblance,
            detail: self.detail,
            magic_prompt_option: self.magic_prompt.clone().take(),
            num_images: self.count.num_images,
            seed: self.count.seed,
        });
        let call = job.client().upscale_image().image_file(image).image_request(request);
        job.make(call, "cannot enlarge the image").await
    }
}
