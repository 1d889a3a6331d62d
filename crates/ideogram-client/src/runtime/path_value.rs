//! The checks of generated path parameters: no value may change the path it is put into.

use crate::validate::Pattern;

/// Says why a value cannot stand in a path.
pub(crate) fn check_path_value(value: &str, pattern: Option<&Pattern>) -> Result<(), String> {
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
            return Err(format!("must not contain the control character U+{:04X}", u32::from(character)));
        }
        Some(character) if character.is_whitespace() => return Err("must not contain white space".to_owned()),
        Some(character) => {
            return Err(format!("must not contain `{character}`, which has a meaning of its own in a path"));
        }
        None => {}
    }
    match pattern {
        Some(pattern) if !pattern.matches(value) => Err(format!("does not match `{}`", pattern.source())),
        _ => Ok(()),
    }
}

macro_rules! path_value {
    ($name:ident, $pattern:expr) => {
        impl $name {
            /// The value as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn checked(value: &str) -> ::std::result::Result<Self, error::ConversionError> {
                static PATTERN: ::std::option::Option<crate::runtime::Pattern> = {
                    const SOURCE: ::std::option::Option<&str> = $pattern;
                    match SOURCE {
                        Some(source) => Some(crate::runtime::Pattern::new(source)),
                        None => None,
                    }
                };
                crate::runtime::check_path_value(value, PATTERN.as_ref())
                    .map(|()| Self(value.to_owned()))
                    .map_err(error::ConversionError::from)
            }
        }

        impl ::std::convert::TryFrom<&str> for $name {
            type Error = error::ConversionError;

            fn try_from(value: &str) -> ::std::result::Result<Self, Self::Error> {
                Self::checked(value)
            }
        }

        impl ::std::convert::TryFrom<::std::string::String> for $name {
            type Error = error::ConversionError;

            fn try_from(value: ::std::string::String) -> ::std::result::Result<Self, Self::Error> {
                Self::checked(&value)
            }
        }

        impl ::std::convert::TryFrom<&::std::string::String> for $name {
            type Error = error::ConversionError;

            fn try_from(value: &::std::string::String) -> ::std::result::Result<Self, Self::Error> {
                Self::checked(value)
            }
        }

        impl ::std::convert::From<&$name> for $name {
            fn from(value: &$name) -> Self {
                value.clone()
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = error::ConversionError;

            fn from_str(value: &str) -> ::std::result::Result<Self, Self::Err> {
                Self::checked(value)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.pad(&self.0)
            }
        }
    };
}

pub(crate) use path_value;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_change_the_path_is_refused_with_the_reason() {
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
            let error = check_path_value(value, None).unwrap_err();

            assert!(error.contains(reason), "{value:?}: {error}");
        }
    }

    #[test]
    fn ids_as_the_service_makes_them_pass() {
        for value in ["abc", "7uS_VESkRI6O3-sVgHQp_A", "...", "a.b", "ä", "@:,;=+&"] {
            assert_eq!(check_path_value(value, None), Ok(()), "{value}");
        }
    }
}
