//! Values of the document's enums, written in any case, with hyphens for underscores, and ratios also as `16:9`.

use std::ffi::OsStr;

use clap::{
    Arg, Command,
    builder::{PossibleValue, StringValueParser, TypedValueParser},
};

/// Lists the values of an enum in the help, and accepts others: they are checked when the request is prepared.
#[derive(Clone, Debug)]
pub(crate) struct Known(Vec<String>);

impl Known {
    /// These values, without those that differ in case only: API versions spell the same values differently.
    pub(crate) fn new(values: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut names: Vec<String> = Vec::new();
        for value in values {
            if find(&names, value.as_ref()).is_none() {
                names.push(value.as_ref().to_owned());
            }
        }
        Self(names)
    }
}

impl TypedValueParser for Known {
    type Value = String;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        let text = StringValueParser::new().parse_ref(command, argument, value)?;
        Ok(find(&self.0, &text).cloned().unwrap_or(text))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}

/// Finds the value that a text means.
pub(crate) fn find<'a, T: AsRef<str>>(values: &'a [T], text: &str) -> Option<&'a T> {
    let wanted = folded(text);
    values.iter().find(|value| folded(value.as_ref()) == wanted)
}

/// `RESOLUTION_1024_1024` as `1024x1024`, and `ASPECT_16_9` as `16x9`; all else as it is.
pub(crate) fn short_name(value: &str) -> String {
    let legacy = value.strip_prefix("RESOLUTION_").or_else(|| value.strip_prefix("ASPECT_"));
    legacy.map_or_else(|| value.to_owned(), |legacy| legacy.replace('_', "x"))
}

fn folded(text: &str) -> String {
    let fold = |character: char| match character {
        '-' => '_',
        ':' => 'X',
        other => other.to_ascii_uppercase(),
    };
    short_name(text).chars().map(fold).collect()
}

#[cfg(test)]
mod tests {
    use ideogram_client::types::{AspectRatio, Resolution, StylePresetV3};

    use super::*;

    #[test]
    fn values_are_found_in_every_spelling() {
        let presets: Vec<String> = StylePresetV3::ALL.iter().map(ToString::to_string).collect();
        let ratios: Vec<String> = AspectRatio::ALL.iter().map(ToString::to_string).collect();
        let sizes: Vec<String> = Resolution::ALL.iter().map(ToString::to_string).collect();
        for (values, text, value) in [
            (&presets, "oil-painting", Some("OIL_PAINTING")),
            (&ratios, "16:9", Some("ASPECT_16_9")),
            (&ratios, "16X9", Some("ASPECT_16_9")),
            (&ratios, "17:9", None),
            (&sizes, "640x1024", Some("RESOLUTION_640_1024")),
        ] {
            assert_eq!(find(values, text).map(String::as_str), value, "{text}");
        }
        for value in presets.iter().chain(&ratios).chain(&sizes) {
            let all =
                if presets.contains(value) { &presets } else { [&ratios, &sizes][usize::from(sizes.contains(value))] };
            assert_eq!(find(all, &short_name(value)), Some(value));
        }
    }
}
