//! Values that the service lists: as flags take them, and as a model takes them.

use std::{ffi::OsStr, fmt::Display};

use clap::{
    Arg, Command,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use ideogram_client::types::{AspectRatioV3, Resolution, ResolutionV3, ResolutionV4};

use crate::failure::Failure;

/// One of a list, in whatever case, with hyphens for underscores, and ratios also as `16:9`.
#[derive(Clone, Debug)]
pub(crate) struct Choice(Vec<String>);

impl Choice {
    /// One of the values of an enumeration of the service.
    pub(crate) fn of<T: Display>(values: &[T]) -> Self {
        Self(values.iter().map(ToString::to_string).collect())
    }
}

impl TypedValueParser for Choice {
    type Value = String;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        let wanted = value.to_str().map(folded);
        let known = self.0.iter().find(|known| Some(folded(known)) == wanted);
        let value = known.map_or(value, |known| OsStr::new(known));
        PossibleValuesParser::new(self.0.clone()).parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}

fn folded(text: &str) -> String {
    let fold = |character: char| match character {
        '-' => '_',
        ':' => 'X',
        other => other.to_ascii_uppercase(),
    };
    text.chars().map(fold).collect()
}

/// The sizes of all models, `1024x1024`; each model has its own choice of them.
pub(crate) fn resolutions() -> Choice {
    let newer = ResolutionV4::ALL.iter().map(ToString::to_string);
    let middle = ResolutionV3::ALL.iter().map(ToString::to_string);
    let older = Resolution::ALL.iter().map(|value| short_name(&value.to_string()));
    let mut sizes: Vec<String> = newer.chain(middle).chain(older).collect();
    sizes.sort_by_key(|size| {
        let side = |text: &str| text.parse::<u32>().unwrap_or(u32::MAX);
        size.split_once('x').map_or((u32::MAX, u32::MAX), |(width, height)| (side(width), side(height)))
    });
    sizes.dedup();
    Choice(sizes)
}

/// The shapes of all models but 4.0, `16x9`.
pub(crate) fn ratios() -> Choice {
    Choice::of(AspectRatioV3::ALL)
}

/// The value of a flag as a model knows it; refused if it does not.
pub(crate) fn pick<T: Clone + Display>(
    flag: &str,
    wanted: Option<String>,
    values: &[T],
    model: &str,
) -> Result<Option<T>, Failure> {
    pick_named(flag, wanted, values, model, str::to_owned)
}

/// The same, where the model has another name for the value.
pub(crate) fn pick_named<T: Clone + Display>(
    flag: &str,
    wanted: Option<String>,
    values: &[T],
    model: &str,
    named: fn(&str) -> String,
) -> Result<Option<T>, Failure> {
    let Some(wanted) = wanted else { return Ok(None) };
    let name = named(&wanted);
    if let Some(value) = values.iter().find(|value| value.to_string() == name) {
        return Ok(Some(value.clone()));
    }
    let known: Vec<String> = values.iter().map(|value| short_name(&value.to_string())).collect();
    Err(Failure::usage(format!("{flag} {wanted} is not supported by {model}: nothing was sent"))
        .hint(format!("use one of: {}", known.join(", "))))
}

/// `1024x1024` as the legacy models call it.
pub(crate) fn legacy_size(size: &str) -> String {
    format!("RESOLUTION_{}", size.replace('x', "_"))
}

/// `16x9` as the legacy models call it.
pub(crate) fn legacy_ratio(ratio: &str) -> String {
    format!("ASPECT_{}", ratio.replace('x', "_"))
}

/// `RESOLUTION_1024_1024` and `ASPECT_16_9` as flags call them; all else as it is.
fn short_name(value: &str) -> String {
    let older = value.strip_prefix("RESOLUTION_").or_else(|| value.strip_prefix("ASPECT_"));
    older.map_or_else(|| value.to_owned(), |older| older.replace('_', "x"))
}

#[cfg(test)]
mod tests {
    use ideogram_client::types::{AspectRatio, StylePresetV3};

    use super::*;

    fn parsed(choice: &Choice, text: &str) -> Option<String> {
        choice.parse_ref(&Command::new("test"), None, OsStr::new(text)).ok()
    }

    #[test]
    fn values_are_taken_as_people_write_them() {
        assert_eq!(parsed(&Choice::of(StylePresetV3::ALL), "oil-painting").as_deref(), Some("OIL_PAINTING"));
        assert_eq!(parsed(&ratios(), "16:9").as_deref(), Some("16x9"));
        assert_eq!(parsed(&resolutions(), "1024X1024").as_deref(), Some("1024x1024"));
        assert_eq!(parsed(&ratios(), "17:9"), None);
    }

    #[test]
    fn every_size_of_every_model_can_be_requested() {
        for size in ResolutionV4::ALL.iter().map(ToString::to_string) {
            assert!(parsed(&resolutions(), &size).is_some(), "{size}");
        }
        for size in Resolution::ALL {
            let short = parsed(&resolutions(), &short_name(&size.to_string())).unwrap();
            let picked = pick_named("--resolution", Some(short), Resolution::ALL, "it", legacy_size).unwrap();
            assert_eq!(picked.as_ref(), Some(size));
        }
    }

    #[test]
    fn every_ratio_of_the_legacy_models_can_be_requested() {
        for ratio in AspectRatio::ALL {
            let short = ratio.to_string().replace("ASPECT_", "").replace('_', ":");
            let short = parsed(&ratios(), &short).unwrap();
            let picked = pick_named("--aspect-ratio", Some(short), AspectRatio::ALL, "it", legacy_ratio).unwrap();
            assert_eq!(picked.as_ref(), Some(ratio));
        }
    }

    #[test]
    fn what_a_model_does_not_take_is_refused_with_what_it_takes() {
        let failure =
            pick_named("--aspect-ratio", Some("1x2".into()), AspectRatio::ALL, "it", legacy_ratio).unwrap_err();

        assert_eq!(failure.what(), "--aspect-ratio 1x2 is not supported by it: nothing was sent");
        assert!(failure.hints()[0].contains("10x16, 16x10"), "{:?}", failure.hints());
    }
}
