//! Values in requests and responses, and the conversions that generated code calls.

pub(crate) mod file;
pub(crate) mod file_type;
pub(crate) mod open_enum;
pub(crate) mod open_union;
pub(crate) mod path_value;
pub(crate) mod timestamp;

use std::fmt::{self, Display};

use serde::{Deserialize, Deserializer, de};

/// Converts the argument of a setter into the type of a property, and keeps the reason of a failure.
pub(crate) fn convert<T, V>(name: &str, value: V) -> Result<T, String>
where
    V: TryInto<T>,
    V::Error: Display,
{
    value.try_into().map_err(|error| format!("`{name}`: {error}"))
}

/// A value for an optional property or parameter of type `T`: what converts into `T`, or an `Option` of that. `None`
/// leaves the property out.
///
/// `F` tells the two forms apart, and is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not convert into `{T}`, the type of this property",
    label = "not a value of this property",
    note = "it takes what implements `TryInto<{T}>`, and an `Option` of that"
)]
pub trait OptionalValue<T, F> {
    /// Converts the value, and returns the reason if that fails.
    #[doc(hidden)]
    fn converted(self) -> Result<Option<T>, String>;
}

/// The form of a value that is not optional itself.
#[derive(Debug)]
#[doc(hidden)]
pub struct Plain;

/// The form of an `Option`.
#[derive(Debug)]
#[doc(hidden)]
pub struct Optional;

impl<T, V> OptionalValue<T, Plain> for V
where
    V: TryInto<T>,
    V::Error: Display,
{
    fn converted(self) -> Result<Option<T>, String> {
        self.try_into().map(Some).map_err(|error| error.to_string())
    }
}

impl<T, V> OptionalValue<T, Optional> for Option<V>
where
    V: TryInto<T>,
    V::Error: Display,
{
    fn converted(self) -> Result<Option<T>, String> {
        self.map(TryInto::try_into).transpose().map_err(|error| error.to_string())
    }
}

/// Converts the argument of a setter of an optional property.
pub(crate) fn convert_optional<T, F>(name: &str, value: impl OptionalValue<T, F>) -> Result<Option<T>, String> {
    value.converted().map_err(|error| format!("`{name}`: {error}"))
}

/// Converts every element of a list.
pub(crate) fn convert_all<T, I>(name: &str, values: I) -> Result<Vec<T>, String>
where
    I: IntoIterator,
    I::Item: TryInto<T>,
    <I::Item as TryInto<T>>::Error: Display,
{
    let values = values.into_iter().enumerate();
    values.map(|(index, value)| value.try_into().map_err(|error| format!("`{name}.{index}`: {error}"))).collect()
}

/// Reads the nearest integer of a number that is too large, or written as `12.0` or as text: the response must not be
/// lost for it. The raw body has the original.
pub(crate) fn nearest_integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Visitor;

    impl de::Visitor<'_> for Visitor {
        type Value = i64;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an integer")
        }

        fn visit_i64<E>(self, integer: i64) -> Result<i64, E> {
            Ok(integer)
        }

        fn visit_u64<E>(self, integer: u64) -> Result<i64, E> {
            Ok(i64::try_from(integer).unwrap_or(i64::MAX))
        }

        fn visit_f64<E>(self, number: f64) -> Result<i64, E> {
            #[expect(clippy::cast_possible_truncation, reason = "the cast takes the nearest integer there is")]
            let nearest = number.round() as i64;
            Ok(nearest)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<i64, E> {
            let text = text.trim();
            // Rust also parses `nan` and `inf`, which are not integers.
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
            match (text.parse(), text.parse()) {
                (Ok(integer), _) => Ok(integer),
                (Err(_), Ok(number)) if is_number => self.visit_f64(number),
                _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
            }
        }
    }

    deserializer.deserialize_any(Visitor)
}

/// Like [`nearest_integer`], for an integer that may be null or missing.
pub(crate) fn nearest_integer_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    struct Nearest(i64);

    impl<'de> Deserialize<'de> for Nearest {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            nearest_integer(deserializer).map(Self)
        }
    }

    Ok(Option::<Nearest>::deserialize(deserializer)?.map(|Nearest(integer)| integer))
}

/// Reads `null` as an empty list or map.
pub(crate) fn null_as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_any_size_and_form_are_read() {
        for (json, expected) in [
            ("12", 12),
            ("-12", -12),
            ("12.0", 12),
            ("3000000000", 3_000_000_000),
            ("18446744073709551615", i64::MAX),
            ("1e300", i64::MAX),
            ("-1e300", i64::MIN),
            ("\"12\"", 12),
            ("\" -12.0 \"", -12),
            ("\"9223372036854775807\"", i64::MAX),
            ("\"99999999999999999999\"", i64::MAX),
        ] {
            let mut reader = serde_json::Deserializer::from_str(json);
            assert_eq!(nearest_integer(&mut reader).unwrap(), expected, "{json}");
            let mut reader = serde_json::Deserializer::from_str(json);
            assert_eq!(nearest_integer_or_none(&mut reader).unwrap(), Some(expected), "{json}");
        }
        assert_eq!(nearest_integer_or_none(&mut serde_json::Deserializer::from_str("null")).unwrap(), None);
        for json in ["true", "\"\"", "\"twelve\"", "\"nan\"", "\"inf\"", "[12]"] {
            assert!(nearest_integer(&mut serde_json::Deserializer::from_str(json)).is_err(), "{json}");
        }
    }
}
