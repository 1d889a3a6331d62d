//! Ids as newtypes, and the check of path parameters: no value may change the path of a request.

/// Returns the reason if a value is not valid in any path. The pattern of the document is checked with the request.
pub(crate) fn check_path_value(value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Err("must not be empty".to_owned());
    }
    if value == "." || value == ".." {
        return Err(format!("must not be `{value}`, which would lead to another path"));
    }
    let forbidden = value.chars().find(|character| {
        matches!(character, '/' | '\\' | '?' | '#' | '%') || character.is_whitespace() || character.is_control()
    });
    match forbidden {
        Some(character) if character.is_control() => {
            Err(format!("must not contain the control character U+{:04X}", u32::from(character)))
        }
        Some(character) if character.is_whitespace() => Err("must not contain white space".to_owned()),
        Some(character) => Err(format!("must not contain `{character}`, which has a special meaning in a path")),
        None => Ok(()),
    }
}

macro_rules! path_value {
    ($name:ident) => {
        impl $name {
            /// The value as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The value, unless it would change the path of a request.
            pub(crate) fn checked(self, parameter: &str) -> ::std::result::Result<Self, ::std::string::String> {
                match Self::check(&self.0) {
                    Ok(()) => Ok(self),
                    Err(reason) => Err(::std::format!("`{parameter}`: {reason}")),
                }
            }

            fn check(value: &str) -> ::std::result::Result<(), ::std::string::String> {
                crate::values::path_value::check_path_value(value)
            }
        }

        crate::values::path_value::path_value!(@from $name &str, ::std::string::String, &::std::string::String);

        impl ::std::convert::From<&$name> for $name {
            fn from(value: &$name) -> Self {
                value.clone()
            }
        }

        impl ::std::convert::From<$name> for ::std::string::String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl ::std::convert::From<&$name> for ::std::string::String {
            fn from(value: &$name) -> Self {
                value.0.clone()
            }
        }

        /// Refuses text that is not valid in a path, for programs that parse input. `From` accepts any text.
        impl ::std::str::FromStr for $name {
            type Err = error::ConversionError;

            fn from_str(value: &str) -> ::std::result::Result<Self, Self::Err> {
                Self::check(value)?;
                Ok(Self::from(value))
            }
        }

        impl ::std::convert::AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl ::std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        crate::values::path_value::path_value!(@eq $name str, &str, ::std::string::String);

        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                <::std::string::String as ::serde::Deserialize>::deserialize(deserializer).map(Self)
            }
        }

        #[cfg(feature = "schemars")]
        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!({"type": "string"})
            }
        }
    };

    (@from $name:ident $($text:ty),*) => {$(
        impl ::std::convert::From<$text> for $name {
            fn from(value: $text) -> Self {
                Self(value.into())
            }
        }
    )*};

    (@eq $name:ident $($text:ty),*) => {$(
        impl ::std::cmp::PartialEq<$text> for $name {
            fn eq(&self, other: &$text) -> bool {
                self.0 == *other
            }
        }
    )*};
}

pub(crate) use path_value;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_would_change_the_path_are_refused() {
        for (value, reason) in [
            ("", "must not be empty"),
            (".", "must not be `.`"),
            ("..", "must not be `..`"),
            ("a/b", "must not contain `/`"),
            ("a\\b", "must not contain `\\`"),
            ("a?b", "must not contain `?`"),
            ("a#b", "must not contain `#`"),
            ("a%2fb", "must not contain `%`"),
            ("a b", "white space"),
            ("a\u{a0}b", "white space"),
            ("a\nb", "control character U+000A"),
        ] {
            let error = check_path_value(value).unwrap_err();

            assert!(error.contains(reason), "{value:?}: {error}");
        }
    }

    #[test]
    fn ids_of_the_service_are_accepted() {
        for value in ["abc", "7uS_VESkRI6O3-sVgHQp_A", "...", "a.b", "ä", "@:,;=+&"] {
            assert_eq!(check_path_value(value), Ok(()), "{value}");
        }
    }
}
