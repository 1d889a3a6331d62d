//! `ideogram reframe`.

use std::ffi::OsString;

use clap::{Args, ValueEnum};
use ideogram_client::types::{Resolution, ResolutionV3};

use crate::{
    failure::Failure,
    images::{
        choice::{legacy_size, pick, pick_named, resolutions},
        flags::{
            Colors, Count, GivenFlags, Legacy, RenderingSpeedFlag, Style, StyleTypeFlag, filled, refuse_rest, set,
        },
        generate_and_save::GenerateAndSave,
        prompt::Stdin,
        save_flags::SaveFlags,
        source::SourceImages,
    },
    session::context::Context,
};

const WHAT: &str = "cannot reframe the image";

/// Paint a square image on to another size
///
/// The 3.0 model draws unless another is requested; flags say in brackets which models take them, and one that the
/// model does not take is refused before anything is sent.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ideogram reframe lantern.png --resolution 1536x512
  ideogram reframe lantern.png --resolution 512x1536 -n 2 --style-preset watercolor --out banners
  ideogram reframe lantern.png --resolution 1024x640 --model legacy")]
pub(crate) struct Reframe {
    /// The image: a path, `-` for standard input, or an https link; JPEG, PNG or WebP
    image: OsString,

    /// Exact size of the result in pixels, width first, such as 1536x512
    ///
    /// Each model has its own list, which a size that it does not take brings up.
    #[arg(long, value_name = "SIZE", value_parser = resolutions(), hide_possible_values = true)]
    resolution: String,

    /// Which model draws
    #[arg(long, value_enum, default_value = "v3")]
    model: Model,

    #[command(flatten)]
    count: Count,
    #[command(flatten)]
    speed: RenderingSpeedFlag,
    #[command(flatten)]
    family: StyleTypeFlag,
    #[command(flatten)]
    style: Style,
    #[command(flatten)]
    colors: Colors,
    #[command(flatten)]
    legacy: Legacy,
    #[command(flatten)]
    saving: SaveFlags,
}

/// Which model draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Model {
    /// Ideogram 3.0, which takes no --style-type here
    V3,
    /// Ideogram 1.0 to 2a, which take no colors here: --legacy-model says which
    Legacy,
}

impl GivenFlags for Reframe {
    fn rest(&self) -> Vec<&'static str> {
        let groups: [&dyn GivenFlags; 6] =
            [&self.count, &self.speed, &self.family, &self.style, &self.colors, &self.legacy];
        groups.iter().flat_map(|group| group.rest()).collect()
    }
}

impl Reframe {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        match self.model {
            Model::V3 => self.clone().v3(context).await,
            Model::Legacy => self.clone().legacy(context).await,
        }
    }

    async fn v3(mut self, context: &Context<'_>) -> Result<(), Failure> {
        let resolution = pick("--resolution", Some(self.resolution.clone()), ResolutionV3::ALL, "3.0")?;
        let (seed, number, pace) = (self.count.seed.take(), self.count.num_images.take(), self.speed.take());
        let (preset, codes, colors) =
            (self.style.take_preset(), filled(&mut self.style.style_code), self.colors.take());
        let styles = std::mem::take(&mut self.style.style_reference);
        refuse_rest("reframing with the 3.0 model", self.rest())?;
        let stdin = Stdin::default();
        let images = SourceImages::new(context, &stdin);
        let (image, styles) = (images.one(&self.image).await?, images.all(&styles).await?);

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        let call = set!(job.client().reframe_image_v3().image(image), {
            resolution: resolution,
            num_images: number,
            seed: seed,
            rendering_speed: pace,
            style_preset: preset,
            color_palette: colors,
            style_codes: codes,
            style_reference_images: styles,
        });
        job.make(call, WHAT).await
    }

    async fn legacy(mut self, context: &Context<'_>) -> Result<(), Failure> {
        let wanted = Some(self.resolution.clone());
        let resolution = pick_named("--resolution", wanted, Resolution::ALL, "the legacy model", legacy_size)?;
        let (seed, number, family) = (self.count.seed.take(), self.count.num_images.take(), self.family.take_legacy());
        let model = self.legacy.take().unwrap_or(ideogram_client::types::ModelEnum::V2);
        refuse_rest("reframing with an older model", self.rest())?;
        let stdin = Stdin::default();
        let image = SourceImages::new(context, &stdin).one(&self.image).await?;

        let job = GenerateAndSave::begin(context, &self.saving).await?;
        let call = set!(job.client().reframe_image().image_file(image).model(model), {
            resolution: resolution,
            num_images: number,
            seed: seed,
            style_type: family,
        });
        job.make(call, WHAT).await
    }
}
