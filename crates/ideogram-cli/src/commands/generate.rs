//! `ideogram generate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ideogram_client::{
    Validation, operations,
    types::{AspectRatio, AspectRatioV3, ImageRequest, Resolution, UpscaleFactor},
};

use crate::{
    failure::Failure,
    images::{
        choice::{Choice, legacy_ratio, legacy_size, pick, pick_named},
        flags::{
            Character, Colors, Count, GivenFlags, Legacy, MagicPromptFlag, RenderingSpeedFlag, SizeFlags, Style,
            StyleTypeFlag, filled, given, refuse_rest, set,
        },
        generate_and_save::GenerateAndSave,
        prompt::Stdin,
        save_flags::SaveFlags,
        source::SourceImages,
        structured,
    },
    session::context::Context,
};

const WHAT: &str = "cannot generate the image";

/// Make images from a prompt
///
/// The images are saved at once, and their paths are printed. The 4.0 model draws unless another is requested; flags
/// say in brackets which models take them, and one that the model does not take is refused before anything is sent.
/// --transparent and --custom-model use the 3.0 model.
///
/// Each image is billed, also one that the safety check withholds: the exit code is 6 if all are withheld, 11 if some
/// are.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ideogram --mock generate \"A paper lantern over a canal at dusk\"
  ideogram generate \"A fox in the snow\" --model v3 -n 4 --aspect-ratio 16:9 --out foxes
  ideogram generate \"A coffee logo\" --transparent --open
  ideogram generate \"A lantern\" --custom-model model/paper-lanterns/version/1
  ideogram magic-prompt \"a cat\" --jq .json_prompt | ideogram generate --json-prompt -")]
pub(crate) struct Generate {
    /// What the image shows; `-` reads it from standard input
    #[arg(required_unless_present = "json_prompt")]
    prompt: Option<String>,

    /// A structured prompt in place of PROMPT: a JSON file, or `-` for standard input [4.0]
    #[arg(long, value_name = "FILE", conflicts_with = "prompt")]
    json_prompt: Option<PathBuf>,

    /// Send a structured prompt with properties that the API's document does not know [4.0]
    #[arg(long, requires = "json_prompt")]
    unchecked: bool,

    /// Which model draws [default: v4, or v3 with --transparent or --custom-model]
    #[arg(long, value_enum)]
    model: Option<Model>,

    /// On transparent ground [3.0]
    #[arg(long, conflicts_with = "custom_model")]
    transparent: bool,

    /// How much to enlarge the result; above X1 costs more [default: X1] [3.0 with --transparent]
    #[arg(long, value_name = "FACTOR", value_parser = Choice::of(UpscaleFactor::ALL), requires = "transparent")]
    upscale_factor: Option<String>,

    /// A trained model: its URI, model/NAME/version/VERSION, as `ideogram models list` shows it [3.0]
    #[arg(long, value_name = "URI")]
    custom_model: Option<String>,

    /// What to keep out of the image; the prompt has the last word [3.0, legacy models]
    #[arg(long, value_name = "TEXT")]
    negative_prompt: Option<String>,

    /// Have likenesses and logos looked for, which takes longer and may withhold the image [4.0, 3.0]
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

impl GivenFlags for Generate {
    fn rest(&self) -> Vec<&'static str> {
        let mut rest = given([
            ("--json-prompt", self.json_prompt.is_some()),
            ("--upscale-factor", self.upscale_factor.is_some()),
            ("--custom-model", self.custom_model.is_some()),
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

impl Generate {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let flags = self.clone();
        let is_v3 = self.transparent || self.custom_model.is_some();
        match self.model {
            Some(Model::V4 | Model::Legacy) if is_v3 => {
                let which = if self.transparent { "--transparent" } else { "--custom-model" };
                Err(Failure::usage(format!("{which} is for the 3.0 model: it excludes --model v4 and --model legacy"))
                    .hint("nothing was sent"))
            }
            _ if self.transparent => flags.transparent(context).await,
            Some(Model::V3) => flags.v3(context).await,
            None if is_v3 => flags.v3(context).await,
            Some(Model::V4) | None => flags.v4(context).await,
            Some(Model::Legacy) => flags.legacy(context).await,
        }
    }

    async fn v4(mut self, context: &Context<'_>) -> Result<(), Failure> {
        let json_prompt = self.json_prompt.take();
        let resolution = self.shape.take_resolution_v4()?;
        let pace = self.speed.take();
        let detection = std::mem::take(&mut self.copyright_detection).then_some(true);
        refuse_rest("the 4.0 model", self.rest())?;
        let stdin = Stdin::default();
        let text_prompt = stdin.prompt_if_given(self.prompt.as_deref()).await?;
        let json_prompt = match json_prompt {
            Some(path) => Some(structured::read(&path, &stdin, self.unchecked).await?),
            None => None,
        };

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        if let Some(text) = json_prompt {
            // As it was written: a model reads the properties of a structured prompt in their order.
            let call = job.client().call(operations::POST_GENERATE_IMAGE_V4.id);
            let mut call = call.expect("the constant names an operation").field("json_prompt", text);
            if self.unchecked {
                call = call.validation(Validation::Off);
            }
            let (resolution, pace) = (resolution.map(|it| it.to_string()), pace.map(|it| it.to_string()));
            for (name, value) in [("resolution", resolution), ("rendering_speed", pace)] {
                if let Some(value) = value {
                    call = call.field(name, value);
                }
            }
            if let Some(detection) = detection {
                call = call.field("enable_copyright_detection", detection);
            }
            return job.make(call, WHAT).await;
        }
        let call = set!(job.client().generate_image_v4(), {
            text_prompt: text_prompt,
            resolution: resolution,
            rendering_speed: pace,
            enable_copyright_detection: detection,
        });
        job.make(call, WHAT).await
    }

    async fn v3(mut self, context: &Context<'_>) -> Result<(), Failure> {
        let resolution = self.shape.take_resolution_v3()?;
        let ratio = pick("--aspect-ratio", self.shape.aspect_ratio.take(), AspectRatioV3::ALL, "3.0")?;
        let (seed, number) = (self.count.seed.take(), self.count.num_images.take());
        let (pace, magic_prompt) = (self.speed.take(), self.magic_prompt.take());
        let (family, preset) = (self.family.take_v3()?, self.style.take_preset());
        let (codes, colors) = (filled(&mut self.style.style_code), self.colors.take());
        let (negative, custom) = (self.negative_prompt.take(), self.custom_model.take());
        let styles = std::mem::take(&mut self.style.style_reference);
        let characters = std::mem::take(&mut self.character.character_reference);
        let masks = std::mem::take(&mut self.character.character_mask);
        let detection = std::mem::take(&mut self.copyright_detection).then_some(true);
        refuse_rest("the 3.0 model", self.rest())?;
        let stdin = Stdin::default();
        let prompt = stdin.prompt_if_given(self.prompt.as_deref()).await?;
        let images = SourceImages::new(context, &stdin);
        let styles = images.all(&styles).await?;
        let (characters, masks) = images.with_masks(&characters, &masks).await?;

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        let call = set!(job.client().generate_image_v3(), {
            prompt: prompt,
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
            custom_model_uri: custom,
            style_reference_images: styles,
            character_reference_images: characters,
            character_reference_images_mask: masks,
            enable_copyright_detection: detection,
        });
        job.make(call, WHAT).await
    }

    async fn transparent(mut self, context: &Context<'_>) -> Result<(), Failure> {
        let ratio = pick("--aspect-ratio", self.shape.aspect_ratio.take(), AspectRatioV3::ALL, "3.0")?;
        let (seed, number) = (self.count.seed.take(), self.count.num_images.take());
        let (pace, magic_prompt) = (self.speed.take(), self.magic_prompt.take());
        let (negative, factor) = (self.negative_prompt.take(), self.upscale_factor.take());
        refuse_rest("the 3.0 model on transparent ground", self.rest())?;
        let stdin = Stdin::default();
        let prompt = stdin.prompt_if_given(self.prompt.as_deref()).await?;

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        let call = set!(job.client().generate_image_v3_transparent(), {
            prompt: prompt,
            seed: seed,
            upscale_factor: factor,
            aspect_ratio: ratio,
            rendering_speed: pace,
            magic_prompt: magic_prompt,
            negative_prompt: negative,
            num_images: number,
        });
        job.make(call, WHAT).await
    }

    async fn legacy(mut self, context: &Context<'_>) -> Result<(), Failure> {
        let resolution = self.shape.resolution.take();
        let resolution = pick_named("--resolution", resolution, Resolution::ALL, "the legacy model", legacy_size)?;
        let ratio = self.shape.aspect_ratio.take();
        let ratio = pick_named("--aspect-ratio", ratio, AspectRatio::ALL, "the legacy model", legacy_ratio)?;
        let (seed, number) = (self.count.seed.take(), self.count.num_images.take());
        let (magic_prompt, family) = (self.magic_prompt.take(), self.family.take_legacy());
        let (negative, colors) = (self.negative_prompt.take(), self.colors.take());
        let model = self.legacy.take();
        refuse_rest("an older model", self.rest())?;
        let prompt = Stdin::default().prompt_if_given(self.prompt.as_deref()).await?;

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        let request = set!(ImageRequest::builder(), {
            prompt: prompt,
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
        job.make(job.client().generate_image().image_request(request), WHAT).await
    }
}
