//! `ideogram remix`.

use std::ffi::OsString;

use clap::{Args, ValueEnum};
use ideogram_client::{
    operations,
    types::{AspectRatio, AspectRatioV3, InitialImageRequest, Resolution},
};

use crate::{
    failure::Failure,
    images::{
        choice::{legacy_ratio, legacy_size, pick, pick_named},
        flags::{
            Character, Colors, Count, GivenFlags, Legacy, MagicPromptFlag, RenderingSpeedFlag, SizeFlags, Style,
            StyleTypeFlag, bounds, filled, given, refuse_rest, set, whole_number,
        },
        generate_and_save::GenerateAndSave,
        prompt::Stdin,
        save_flags::SaveFlags,
        source::SourceImages,
    },
    session::context::Context,
};

const WHAT: &str = "cannot remix the image";

/// Make images from an image and a prompt
///
/// The 4.0 model draws unless another is requested; flags say in brackets which models take them, and one that the
/// model does not take is refused before anything is sent. 3.0 and the legacy models first cut the image to the shape
/// that is requested.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ideogram remix lantern.png \"The same lantern in blue glass\"
  ideogram remix lantern.png \"A watercolor\" --image-weight 30 --resolution 1440x2560
  ideogram remix lantern.png \"A watercolor\" --model v3 -n 2 --style-preset watercolor --out remixes")]
pub(crate) struct Remix {
    /// The image to start from: a path, `-` for standard input, or an https link; JPEG, PNG or WebP
    image: OsString,

    /// What the result shows; `-` reads it from standard input
    prompt: String,

    /// Which model draws
    #[arg(long, value_enum, default_value = "v4")]
    model: Model,

    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    #[arg(value_parser = whole_number(&operations::POST_REMIX_IMAGE_V3, "image_weight"))]
    #[arg(help = format!(
        "How much of the image is kept, {} [default: 50; with 4.0 the service decides by the prompt]",
        bounds(&operations::POST_REMIX_IMAGE_V3, "image_weight"),
    ))]
    image_weight: Option<i64>,

    /// What to keep out of the image; the prompt has the last word [3.0, legacy models]
    #[arg(long, value_name = "TEXT")]
    negative_prompt: Option<String>,

    /// Have likenesses and logos looked for, which takes longer and may withhold the image [4.0]
    #[arg(long)]
    copyright_detection: bool,

    #[command(flatten)]
    count: Count,
    #[command(flatten)]
    shape: SizeFlags,
    #[command(flatten)]
    speed: RenderingSpeedFlag,
    #[command(flatten)]
    magic_prompt: MagicPromptFlag,
    #[command(flatten)]
    family: StyleTypeFlag,
    #[command(flatten)]
    style: Style,
    #[command(flatten)]
    colors: Colors,
    #[command(flatten)]
    character: Character,
    #[command(flatten)]
    legacy: Legacy,
    #[command(flatten)]
    saving: SaveFlags,
}

/// Which model draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Model {
    /// Ideogram 4.0
    V4,
    /// Ideogram 3.0
    V3,
    /// Ideogram 1.0 to 2a: --legacy-model says which
    Legacy,
}

impl GivenFlags for Remix {
    fn rest(&self) -> Vec<&'static str> {
        let mut rest = given([
            ("--image-weight", self.image_weight.is_some()),
            ("--negative-prompt", self.negative_prompt.is_some()),
            ("--copyright-detection", self.copyright_detection),
        ]);
        let groups: [&dyn GivenFlags; 9] = [
            &self.count,
            &self.shape,
            &self.speed,
            &self.magic_prompt,
            &self.family,
            &self.style,
            &self.colors,
            &self.character,
            &self.legacy,
        ];
        rest.extend(groups.iter().flat_map(|group| group.rest()));
        rest
    }
}

impl Remix {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let flags = self.clone();
        match self.model {
            Model::V4 => flags.v4(context).await,
            Model::V3 => flags.v3(context).await,
            Model::Legacy => flags.legacy(context).await,
        }
    }

    async fn v4(mut self, context: &Context<'_>) -> Result<(), Failure> {
        let resolution = self.shape.take_resolution_v4()?;
        let (pace, weight) = (self.speed.take(), self.image_weight.take());
        let detection = std::mem::take(&mut self.copyright_detection).then_some(true);
        refuse_rest("the 4.0 model", self.rest())?;
        let stdin = Stdin::default();
        let prompt = stdin.prompt(&self.prompt).await?;
        let image = SourceImages::new(context, &stdin).one(&self.image).await?;

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        let call = set!(job.client().remix_image_v4().image(image).text_prompt(prompt), {
            image_weight: weight,
            resolution: resolution,
            rendering_speed: pace,
            enable_copyright_detection: detection,
        });
        job.make(call, WHAT).await
    }

    async fn v3(mut self, context: &Context<'_>) -> Result<(), Failure> {
        let resolution = self.shape.take_resolution_v3()?;
        let ratio = pick("--aspect-ratio", self.shape.aspect_ratio.take(), AspectRatioV3::ALL, "3.0")?;
        let (seed, number, weight) = (self.count.seed.take(), self.count.num_images.take(), self.image_weight.take());
        let (pace, magic_prompt, negative) = (self.speed.take(), self.magic_prompt.take(), self.negative_prompt.take());
        let (family, preset) = (self.family.take_v3()?, self.style.take_preset());
        let (codes, colors) = (filled(&mut self.style.style_code), self.colors.take());
        let styles = std::mem::take(&mut self.style.style_reference);
        let characters = std::mem::take(&mut self.character.character_reference);
        let masks = std::mem::take(&mut self.character.character_mask);
        refuse_rest("the 3.0 model", self.rest())?;
        let stdin = Stdin::default();
        let prompt = stdin.prompt(&self.prompt).await?;
        let images = SourceImages::new(context, &stdin);
        let image = images.one(&self.image).await?;
        let styles = images.all(&styles).await?;
        let (characters, masks) = images.with_masks(&characters, &masks).await?;

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        let call = set!(job.client().remix_image_v3().image(image).prompt(prompt), {
            image_weight: weight,
            seed: seed,
            resolution: resolution,
            aspect_ratio: ratio,
            rendering_speed: pace,
            magic_prompt: magic_prompt,
            negative_prompt: negative,
            num_images: number,
            color_palette: colors,
            style_codes: codes,
            style_type: family,
            style_preset: preset,
            style_reference_images: styles,
            character_reference_images: characters,
            character_reference_images_mask: masks,
        });
        job.make(call, WHAT).await
    }

    async fn legacy(mut self, context: &Context<'_>) -> Result<(), Failure> {
        let resolution = self.shape.resolution.take();
        let resolution = pick_named("--resolution", resolution, Resolution::ALL, "the legacy model", legacy_size)?;
        let ratio = self.shape.aspect_ratio.take();
        let ratio = pick_named("--aspect-ratio", ratio, AspectRatio::ALL, "the legacy model", legacy_ratio)?;
        let (seed, number, weight) = (self.count.seed.take(), self.count.num_images.take(), self.image_weight.take());
        let (magic_prompt, family, negative) =
            (self.magic_prompt.take(), self.family.take_legacy(), self.negative_prompt.take());
        let (colors, model) = (self.colors.take(), self.legacy.take());
        refuse_rest("an older model", self.rest())?;
        let stdin = Stdin::default();
        let prompt = stdin.prompt(&self.prompt).await?;
        let image = SourceImages::new(context, &stdin).one(&self.image).await?;

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        let request = set!(InitialImageRequest::builder().prompt(prompt), {
            image_weight: weight,
            seed: seed,
            resolution: resolution,
            aspect_ratio: ratio,
            magic_prompt_option: magic_prompt,
            negative_prompt: negative,
            num_images: number,
            color_palette: colors,
            style_type: family,
            model: model,
        });
        job.make(job.client().remix_image().image_file(image).image_request(request), WHAT).await
    }
}
