//! Values of arguments: enums of the document, written in any case, with hyphens for underscores, and ratios also as
//! `16:9`; and times.

use std::{ffi::OsStr, time::Duration};

use clap::{
    Arg, ArgMatches, Command,
    builder::{PossibleValue, StringValueParser, TypedValueParser},
};
use ideogram_client::operation::Operation;
use serde_json::Value;

use crate::images::size::{self, short_name};

/// A day.
const MAX_SECONDS: f64 = 86_400.0;

/// The value that shows all values.
pub(crate) const LIST: &str = "list";

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

    pub(crate) fn names(&self) -> &[String] {
        &self.0
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
    let found = values.iter().find(|value| folded(value.as_ref()) == wanted);
    // A factor: `2` and `2x` for `x2`.
    let factor = text.strip_suffix(['x', 'X']).unwrap_or(text);
    let is_factor = !factor.is_empty() && factor.bytes().all(|byte| byte.is_ascii_digit());
    found.or_else(|| values.iter().find(|value| is_factor && value.as_ref().strip_prefix('x') == Some(factor)))
}

/// The names of values, beginning with the closest: by aspect ratio and area, or by spelling.
pub(crate) fn closest(values: &[&str], text: &str) -> Vec<String> {
    let mut names: Vec<String> = values.iter().map(|value| short_name(value)).collect();
    if let Some(wanted) = size::sides(text) {
        let distance = |name: &String| size::sides(name).map_or(f64::MAX, |size| distance(size, wanted));
        names.sort_by(|one, other| distance(one).total_cmp(&distance(other)));
    } else {
        let similarity = |name: &String| strsim::jaro_winkler(&name.to_lowercase(), &text.to_lowercase());
        names.sort_by(|one, other| similarity(other).total_cmp(&similarity(one)));
    }
    names
}

/// How different two sizes are: their aspect ratios first.
fn distance(one: (f64, f64), other: (f64, f64)) -> f64 {
    let area = ((one.0 * one.1) / (other.0 * other.1)).ln().abs();
    4.0 * size::ratio_difference(one, other) + if other.0 < 100.0 { 0.0 } else { area }
}

/// How a model is also written: `3` and `3.0` for `v3`, `4.5` for `v4.5`.
pub(crate) fn version_names(name: &'static str) -> impl Iterator<Item = String> {
    let version = name.strip_prefix('v').filter(|version| version.starts_with(|first: char| first.is_ascii_digit()));
    let whole = version.filter(|version| !version.contains('.')).into_iter();
    whole.flat_map(|version| [format!("{version}.0"), format!("v{version}.0")]).chain(version.map(str::to_owned))
}

/// Reads a time: seconds, or a number with a unit.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "s"),
    };
    let factor = match unit {
        "h" => 3600.0,
        "m" => 60.0,
        _ => 1.0,
    };
    let refused = || "not a time such as 30, 90s, 5m or 2h".to_owned();
    let number: f64 = number.parse().map_err(|_| refused())?;
    Duration::try_from_secs_f64(number * factor).map_err(|_| refused())
}

/// The same: from `min` seconds up to a day, which is longer than any call.
pub(crate) fn seconds(text: &str, min: f64) -> Result<Duration, String> {
    let time = time(text)?;
    let is_allowed = (min..=MAX_SECONDS).contains(&time.as_secs_f64());
    is_allowed.then_some(time).ok_or_else(|| format!("not from {min} to {MAX_SECONDS} seconds"))
}

/// The help of a flag, with the value that an operation takes without it.
pub(crate) fn help(text: &str, operation: &Operation, property: &str) -> String {
    let input = operation.inputs.iter().find(|input| input.name == property);
    input
        .and_then(|input| input.default)
        .map_or_else(|| text.to_owned(), |default| format!("{text} [default: {default}]"))
}

/// The values of an argument; none if the command does not have it.
pub(crate) fn many<'a, T: Clone + Send + Sync + 'static>(
    matches: &'a ArgMatches,
    id: &str,
) -> impl Iterator<Item = &'a T> {
    // Only an argument that the command has: a wrong type is a mistake of this code, and must not leave out a value.
    let has_it = matches.try_contains_id(id).is_ok();
    has_it.then(|| matches.get_many::<T>(id)).flatten().into_iter().flatten()
}

/// Whether a switch is set.
pub(crate) fn is_set(matches: &ArgMatches, id: &str) -> bool {
    matches.try_get_one::<bool>(id).ok().flatten().is_some_and(|is_set| *is_set)
}

/// Text as it is, and any other value as JSON.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn folded(text: &str) -> String {
    let fold = |character: char| match character {
        '-' => '_',
        ':' | '/' => 'X',
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
        let factors = ["x2", "x4", "x8"].map(str::to_owned).to_vec();
        for (values, text, value) in [
            (&presets, "oil-painting", Some("OIL_PAINTING")),
            (&ratios, "16:9", Some("ASPECT_16_9")),
            (&ratios, "16X9", Some("ASPECT_16_9")),
            (&ratios, "17:9", None),
            (&sizes, "640x1024", Some("RESOLUTION_640_1024")),
            (&factors, "4", Some("x4")),
            (&factors, "8X", Some("x8")),
            (&factors, "3", None),
            (&factors, "x", None),
        ] {
            assert_eq!(find(values, text).map(String::as_str), value, "{text}");
        }
        for value in presets.iter().chain(&ratios).chain(&sizes) {
            let all =
                if presets.contains(value) { &presets } else { [&ratios, &sizes][usize::from(sizes.contains(value))] };
            assert_eq!(find(all, &short_name(value)), Some(value));
        }
    }

    #[test]
    fn a_time_is_a_number_of_seconds_or_has_a_unit() {
        for (text, seconds) in [("60", 60.0), ("0.5", 0.5), ("90s", 90.0), ("5m", 300.0), ("2h", 7200.0), ("0", 0.0)] {
            assert_eq!(time(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "s", "-1", "1d", "NaN", "inf", "1e300h", "5 m", "1h30m", "ä"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn seconds_have_a_minimum_and_end_after_a_day() {
        for (text, min, expected) in
            [("0.5", 0.001, 500), ("0", 0.0, 0), ("2.5", 0.0, 2500), ("86400", 0.0, 86_400_000), ("5m", 1.0, 300_000)]
        {
            assert_eq!(seconds(text, min), Ok(Duration::from_millis(expected)), "{text}");
        }
        assert_eq!(seconds("0", 0.001), Err("not from 0.001 to 86400 seconds".to_owned()));
        for text in ["-1", "NaN", "inf", "1e300", "", "5d", "86401"] {
            assert!(seconds(text, 0.0).is_err(), "{text}");
        }
    }
}
