//! Flags that several commands about images take.
//!
//! Models take different ones. Whoever builds a call takes what the model takes out of the flags, and what is left then
//! was given in vain: [`refuse_rest`] says so before anything is sent. So no list of what a model takes can be wrong.

use std::{ffi::OsString, mem};

use clap::Args;
use ideogram_client::{
    operation::Operation,
    operations,
    schema::Schema,
    types::{
        ColorPalettePresetName, ColorPaletteWithPresetNameOrMembers, MagicPromptOption, ModelEnum, RenderingSpeed,
        ResolutionV3, ResolutionV4, StylePresetV3, StyleType, StyleTypeV3,
    },
};
use serde_json::json;

use super::choice::{self, Choice, pick};
use crate::failure::Failure;

/// Sets the members of a call that have a value.
macro_rules! set {
    ($call:expr, { $($member:ident: $value:expr),* $(,)? }) => {{
        let mut call = $call;
        $(if let Some(value) = $value {
            call = call.$member(value);
        })*
        call
    }};
}

pub(crate) use set;

/// Flags that were given and not taken.
pub(crate) trait GivenFlags {
    /// Their names.
    fn rest(&self) -> Vec<&'static str>;
}

/// Refuses flags that the model has no use for.
pub(crate) fn refuse_rest(model: &str, rest: impl IntoIterator<Item = &'static str>) -> Result<(), Failure> {
    let rest: Vec<&str> = rest.into_iter().collect();
    if rest.is_empty() {
        return Ok(());
    }
    let which = rest.join(", ");
    Err(Failure::usage(format!("{model} does not take {which}"))
        .hint("the help of the command says which model takes what; nothing was sent"))
}

/// The names of those that are given.
pub(crate) fn given<const N: usize>(flags: [(&'static str, bool); N]) -> Vec<&'static str> {
    flags.into_iter().filter(|(_, is_given)| *is_given).map(|(flag, _)| flag).collect()
}

/// A list, if there is something in it.
pub(crate) fn filled<T>(list: &mut Vec<T>) -> Option<Vec<T>> {
    Some(mem::take(list)).filter(|list| !list.is_empty())
}

/// The schema of a property of a request; a path with dots leads into an object.
fn schema(operation: &Operation, path: &str) -> &'static Schema {
    let mut names = path.split('.');
    let first = names.next().and_then(|name| operation.inputs.iter().find(|input| input.name == name));
    let first = first.expect("the operation has the property").schema;
    names.fold(first, |schema, name| match schema {
        Schema::Object(object) => object.property(name).expect("the object has the property").schema,
        _ => panic!("`{path}` leads into no object"),
    })
}

/// Reads a whole number within the bounds of a property; others are refused in the words of the library.
pub(crate) fn whole_number(
    operation: &'static Operation,
    path: &'static str,
) -> impl Fn(&str) -> Result<i64, String> + Clone + Send + Sync + 'static {
    move |text| {
        schema(operation, path).check_text(text).map_err(|violations| violations.to_string())?;
        text.trim().parse().map_err(|_| "must be a whole number".to_owned())
    }
}

/// `1 to 8`: the bounds of a property, for help.
pub(crate) fn bounds(operation: &Operation, path: &str) -> String {
    match schema(operation, path) {
        Schema::Integer { minimum: Some(minimum), maximum: Some(maximum) } => format!("{minimum} to {maximum}"),
        schema => panic!("`{path}` has no bounds: {schema:?}"),
    }
}

/// How many images, and the seed of their randomness.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Count {
    #[arg(long, short = 'n', value_name = "NUMBER", allow_negative_numbers = true)]
    #[arg(value_parser = whole_number(&operations::POST_GENERATE_IMAGE_V3, "num_images"))]
    #[arg(help = format!(
        "How many images to make, {}; each one is billed [default: 1] [all but 4.0]",
        bounds(&operations::POST_GENERATE_IMAGE_V3, "num_images"),
    ))]
    pub(crate) num_images: Option<i64>,

    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    #[arg(value_parser = whole_number(&operations::POST_GENERATE_IMAGE_V3, "seed"))]
    #[arg(help = format!(
        "Seed, {}; the same one makes an image again [all but 4.0]",
        bounds(&operations::POST_GENERATE_IMAGE_V3, "seed"),
    ))]
    pub(crate) seed: Option<i64>,
}

impl GivenFlags for Count {
    fn rest(&self) -> Vec<&'static str> {
        given([("--num-images", self.num_images.is_some()), ("--seed", self.seed.is_some())])
    }
}

/// How fast the service works.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RenderingSpeedFlag {
    /// Trades quality for time, and sets the price [default: DEFAULT] [4.0 (not FLASH), 3.0]
    #[arg(long, value_name = "SPEED", value_parser = Choice::of(RenderingSpeed::ALL))]
    pub(crate) rendering_speed: Option<String>,
}

impl GivenFlags for RenderingSpeedFlag {
    fn rest(&self) -> Vec<&'static str> {
        given([("--rendering-speed", self.rendering_speed.is_some())])
    }
}

impl RenderingSpeedFlag {
    pub(crate) fn take(&mut self) -> Option<RenderingSpeed> {
        self.rendering_speed.take().map(RenderingSpeed::custom)
    }
}

/// Whether the service may rewrite the prompt.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct MagicPromptFlag {
    /// Whether the service may rewrite the prompt before it draws [all but 4.0, which always does]
    #[arg(long, value_name = "WHETHER", value_parser = Choice::of(MagicPromptOption::ALL))]
    pub(crate) magic_prompt: Option<String>,
}

impl GivenFlags for MagicPromptFlag {
    fn rest(&self) -> Vec<&'static str> {
        given([("--magic-prompt", self.magic_prompt.is_some())])
    }
}

impl MagicPromptFlag {
    pub(crate) fn take(&mut self) -> Option<MagicPromptOption> {
        self.magic_prompt.take().map(MagicPromptOption::custom)
    }
}

/// Size or shape.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SizeFlags {
    /// Exact size in pixels, width first, such as 1024x1024; excludes --aspect-ratio
    ///
    /// Each model has its own list, which a size that it does not take brings up.
    #[arg(long, value_name = "SIZE", value_parser = choice::resolutions(), hide_possible_values = true)]
    #[arg(conflicts_with = "aspect_ratio")]
    pub(crate) resolution: Option<String>,

    /// Shape, such as 16:9; the service picks the size [default: 1:1] [all but 4.0]
    #[arg(long, value_name = "RATIO", value_parser = choice::ratios())]
    pub(crate) aspect_ratio: Option<String>,
}

impl GivenFlags for SizeFlags {
    fn rest(&self) -> Vec<&'static str> {
        given([("--resolution", self.resolution.is_some()), ("--aspect-ratio", self.aspect_ratio.is_some())])
    }
}

impl SizeFlags {
    pub(crate) fn take_resolution_v4(&mut self) -> Result<Option<ResolutionV4>, Failure> {
        pick("--resolution", self.resolution.take(), ResolutionV4::ALL, "4.0")
    }

    pub(crate) fn take_resolution_v3(&mut self) -> Result<Option<ResolutionV3>, Failure> {
        pick("--resolution", self.resolution.take(), ResolutionV3::ALL, "3.0")
    }
}

/// The legacy models.
#[derive(Args, Clone, Debug, Default)]
#[expect(clippy::doc_markdown, reason = "help is plain text")]
pub(crate) struct Legacy {
    /// Which of the legacy models, with `--model legacy` [default: V_2]
    #[arg(long, value_name = "NAME", value_parser = Choice::of(ModelEnum::ALL))]
    pub(crate) legacy_model: Option<String>,
}

impl GivenFlags for Legacy {
    fn rest(&self) -> Vec<&'static str> {
        given([("--legacy-model", self.legacy_model.is_some())])
    }
}

impl Legacy {
    pub(crate) fn take(&mut self) -> Option<ModelEnum> {
        self.legacy_model.take().map(ModelEnum::custom)
    }
}

/// Colors to steer towards.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Colors {
    /// Colors to steer towards, by the name of a palette; excludes --color-hex [3.0, legacy models]
    #[arg(long, value_name = "NAME", value_parser = Choice::of(ColorPalettePresetName::ALL))]
    #[arg(conflicts_with = "color_hex")]
    pub(crate) color_palette: Option<String>,

    /// A color to steer towards, such as #FFD700 or #FFD700=0.5 with a weight from 0.05 to 1; up to 8 times
    #[arg(long, value_name = "#RRGGBB[=WEIGHT]", value_parser = color)]
    pub(crate) color_hex: Vec<(String, Option<f64>)>,
}

impl GivenFlags for Colors {
    fn rest(&self) -> Vec<&'static str> {
        given([("--color-palette", self.color_palette.is_some()), ("--color-hex", !self.color_hex.is_empty())])
    }
}

impl Colors {
    pub(crate) fn take(&mut self) -> Option<ColorPaletteWithPresetNameOrMembers> {
        let palette = match (self.color_palette.take(), filled(&mut self.color_hex)) {
            (None, None) => return None,
            (Some(name), _) => json!({ "name": name }),
            (None, Some(colors)) => {
                let member = |(hex, weight): (String, Option<f64>)| match weight {
                    Some(weight) => json!({"color_hex": hex, "color_weight": weight}),
                    None => json!({"color_hex": hex}),
                };
                json!({"members": colors.into_iter().map(member).collect::<Vec<_>>()})
            }
        };
        Some(
            serde_json::from_value(palette)
                .expect("a palette has a name or members, and all other JSON is kept as it is"),
        )
    }
}

fn color(text: &str) -> Result<(String, Option<f64>), String> {
    let (hex, weight) = text.split_once('=').map_or((text, None), |(hex, weight)| (hex, Some(weight)));
    let digits = hex.strip_prefix('#').unwrap_or(hex);
    if ![3, 6].contains(&digits.len()) || !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return Err("a color is 3 or 6 hexadecimal digits, such as #FFD700".to_owned());
    }
    let weight = match weight {
        None => None,
        Some(weight) => match weight.parse::<f64>() {
            Ok(weight) if (0.05..=1.0).contains(&weight) => Some(weight),
            _ => return Err("a weight is a number from 0.05 to 1".to_owned()),
        },
    };
    Ok((format!("#{digits}"), weight))
}

/// What 3.0 borrows a style from.
#[derive(Args, Clone, Debug, Default)]
#[expect(clippy::struct_field_names, reason = "they are the names of flags")]
pub(crate) struct Style {
    /// A named look [3.0]
    #[arg(long, value_name = "NAME", value_parser = Choice::of(StylePresetV3::ALL))]
    pub(crate) style_preset: Option<String>,

    /// A style by its code of 8 hexadecimal digits, several times for several; excludes --style-reference [3.0]
    #[arg(long, value_name = "CODE", conflicts_with = "style_reference")]
    pub(crate) style_code: Vec<String>,

    /// An image whose style is borrowed, several times for several; 10 MB together [3.0]
    #[arg(long, value_name = "IMAGE")]
    pub(crate) style_reference: Vec<OsString>,
}

impl GivenFlags for Style {
    fn rest(&self) -> Vec<&'static str> {
        given([
            ("--style-preset", self.style_preset.is_some()),
            ("--style-code", !self.style_code.is_empty()),
            ("--style-reference", !self.style_reference.is_empty()),
        ])
    }
}

impl Style {
    pub(crate) fn take_preset(&mut self) -> Option<StylePresetV3> {
        self.style_preset.take().map(StylePresetV3::custom)
    }
}

/// The family of styles, which the legacy models know too.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct StyleTypeFlag {
    /// Broad family of styles; excludes --style-code [default: GENERAL] [3.0, legacy models]
    #[arg(long, value_name = "FAMILY", value_parser = Choice::of(StyleType::ALL), conflicts_with = "style_code")]
    pub(crate) style_type: Option<String>,
}

impl GivenFlags for StyleTypeFlag {
    fn rest(&self) -> Vec<&'static str> {
        given([("--style-type", self.style_type.is_some())])
    }
}

impl StyleTypeFlag {
    pub(crate) fn take_v3(&mut self) -> Result<Option<StyleTypeV3>, Failure> {
        pick("--style-type", self.style_type.take(), StyleTypeV3::ALL, "3.0")
    }

    pub(crate) fn take_legacy(&mut self) -> Option<StyleType> {
        self.style_type.take().map(StyleType::custom)
    }
}

/// The character to keep.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Character {
    /// An image of the character to keep; billed at a rate of its own, excludes the flags for colors [3.0]
    #[arg(long, value_name = "IMAGE", conflicts_with_all = ["color_palette", "color_hex"])]
    pub(crate) character_reference: Vec<OsString>,

    /// Which part of the character's image counts: a greyscale image of the same size [3.0]
    #[arg(long, value_name = "IMAGE", requires = "character_reference")]
    pub(crate) character_mask: Vec<OsString>,
}

impl GivenFlags for Character {
    fn rest(&self) -> Vec<&'static str> {
        given([
            ("--character-reference", !self.character_reference.is_empty()),
            ("--character-mask", !self.character_mask.is_empty()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_color_may_have_a_weight() {
        assert_eq!(color("#FFD700"), Ok(("#FFD700".to_owned(), None)));
        assert_eq!(color("fd0=0.5"), Ok(("#fd0".to_owned(), Some(0.5))));
        for text in ["", "#", "gold", "#FFD70", "#FFD700=", "#FFD700=2", "#FFD700=0", "#FFD700=NaN"] {
            assert!(color(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_palette_is_a_name_or_colors() {
        let mut colors = Colors { color_palette: Some("EMBER".into()), color_hex: Vec::new() };
        assert_eq!(json!(colors.take()), json!({"name": "EMBER"}));
        assert_eq!(colors.take(), None);

        colors.color_hex = vec![("#FFD700".into(), Some(0.5)), ("#000".into(), None)];
        assert_eq!(
            json!(colors.take()),
            json!({"members": [{"color_hex": "#FFD700", "color_weight": 0.5}, {"color_hex": "#000"}]})
        );
    }

    #[test]
    fn what_was_given_in_vain_is_named() {
        let count = Count { num_images: Some(1), seed: Some(7) };

        let failure = refuse_rest("4.0", count.rest()).unwrap_err();

        assert_eq!(failure.what(), "4.0 does not take --num-images, --seed");
        assert!(refuse_rest("4.0", Count::default().rest()).is_ok());
    }
}
