//! `ideogram inpaint`.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

use crate::{
    failure::Failure,
    images::{
        flags::{
            Character, Colors, Count, GivenFlags, Legacy, MagicPromptFlag, RenderingSpeedFlag, Style, StyleTypeFlag,
            filled, refuse_rest, set,
        },
        generate_and_save::GenerateAndSave,
        prompt::Stdin,
        save_flags::SaveFlags,
        source::SourceImages,
    },
    session::context::Context,
};

const WHAT: &str = "cannot repaint the image";

/// Repaint a part of an image, which a mask shows
///
/// The mask is an image of the same size, black where to repaint and white where to keep. The 3.0 model draws unless
/// another is requested; flags say in brackets which models take them, and one that the model does not take is refused
/// before anything is sent. To change an image without a mask: `ideogram edit`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ideogram inpaint street.png \"A red paper lantern\" --mask mask.png
  ideogram inpaint street.png \"A lantern\" --mask mask.png -n 2 --style-type realistic --out lanterns
  ideogram inpaint street.png \"A lantern\" --mask mask.png --model legacy --legacy-model V_2_TURBO")]
pub(crate) struct Inpaint {
    /// The image: a path, `-` for standard input, or an https link; JPEG, PNG or WebP
    image: OsString,

    /// What the result shows; `-` reads it from standard input
    prompt: String,

    /// The mask: black is repainted, white is kept; as large as the image
    #[arg(long, value_name = "IMAGE")]
    mask: OsString,

    /// Which model draws
    #[arg(long, value_enum, default_value = "v3")]
    model: Model,

    #[command(flatten)]
    count: Count,
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
    /// Ideogram 3.0
    V3,
    /// Ideogram 3.0 at its old address, which the service is going to close
    V3Edit,
    /// Ideogram 2.0, by --legacy-model its faster kind too
    Legacy,
}

impl GivenFlags for Inpaint {
    fn rest(&self) -> Vec<&'static str> {
        let groups: [&dyn GivenFlags; 8] = [
            &self.count,
            &self.speed,
            &self.magic_prompt,
            &self.family,
            &self.style,
            &self.colors,
            &self.character,
            &self.legacy,
        ];
        groups.iter().flat_map(|group| group.rest()).collect()
    }
}

impl Inpaint {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        match self.model {
            Model::V3 | Model::V3Edit => self.clone().v3(context).await,
            Model::Legacy => self.clone().legacy(context).await,
        }
    }

    async fn v3(mut self, context: &Context<'_>) -> Result<(), Failure> {
        let (seed, number) = (self.count.seed.take(), self.count.num_images.take());
        let (pace, magic_prompt) = (self.speed.take(), self.magic_prompt.take());
        let (family, preset) = (self.family.take_v3()?, self.style.take_preset());
        let (codes, colors) = (filled(&mut self.style.style_code), self.colors.take());
        let styles = std::mem::take(&mut self.style.style_reference);
        let characters = std::mem::take(&mut self.character.character_reference);
        let masks = std::mem::take(&mut self.character.character_mask);
        refuse_rest("the 3.0 model", self.rest())?;
        let stdin = Stdin::default();
        let prompt = stdin.prompt(&self.prompt).await?;
        let images = SourceImages::new(context, &stdin);
        let (image, mask) = images.with_mask(&self.image, &self.mask).await?;
        let styles = images.all(&styles).await?;
        let (characters, masks) = images.with_masks(&characters, &masks).await?;

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        // Two operations that take the same.
        macro_rules! call {
            ($call:expr) => {
                set!($call.image(image).mask(mask).prompt(prompt), {
                    magic_prompt: magic_prompt,
                    num_images: number,
                    seed: seed,
                    rendering_speed: pace,
                    style_type: family,
                    style_preset: preset,
                    color_palette: colors,
                    style_codes: codes,
                    style_reference_images: styles,
                    character_reference_images: characters,
                    character_reference_images_mask: masks,
                })
            };
        }
        match self.model {
            #[expect(deprecated, reason = "reachable for as long as the service has it")]
            Model::V3Edit => job.make(call!(job.client().edit_image_v3()), WHAT).await,
            _ => job.make(call!(job.client().inpaint_image_v3()), WHAT).await,
        }
    }

    async fn legacy(mut self, context: &Context<'_>) -> Result<(), Failure> {
        let (seed, number) = (self.count.seed.take(), self.count.num_images.take());
        let (magic_prompt, family) = (self.magic_prompt.take(), self.family.take_legacy());
        let model = self.legacy.take().unwrap_or(ideogram_client::types::ModelEnum::V2);
        refuse_rest("an older model", self.rest())?;
        let stdin = Stdin::default();
        let prompt = stdin.prompt(&self.prompt).await?;
        let images = SourceImages::new(context, &stdin);
        let (image, mask) = images.with_mask(&self.image, &self.mask).await?;

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        let call = job.client().edit_image().image_file(image).mask(mask).prompt(prompt).model(model);
        let call = set!(call, {
            magic_prompt_option: magic_prompt,
            num_images: number,
            seed: seed,
            style_type: family,
        });
        job.make(call, WHAT).await
    }
}
