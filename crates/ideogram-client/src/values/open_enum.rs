//! The traits of generated enums. Decoding accepts unknown values; conversion from text refuses them, because in a
//! request they are mostly typos.

macro_rules! open_enum {
    ($name:ident { $($variant:ident = $value:literal,)* }) => {
        impl $name {
            /// Every value that this version knows, in the order of the document.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The value on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Unrecognized(value) => value,
                }
            }

            /// Whether this version knows the value.
            pub fn is_recognized(&self) -> bool {
                !::std::matches!(self, Self::Unrecognized(_))
            }

            /// A value that this version may not know, sent as it is. Known values become their variant.
            pub fn custom(value: impl ::std::convert::AsRef<str>) -> Self {
                match value.as_ref() {
                    $($value => Self::$variant,)*
                    other => Self::Unrecognized(other.to_owned()),
                }
            }
        }

        /// Accepts known values only; `custom` accepts any.
        impl ::std::convert::TryFrom<&str> for $name {
            type Error = error::ConversionError;

            fn try_from(value: &str) -> ::std::result::Result<Self, Self::Error> {
                match value {
                    $($value => Ok(Self::$variant),)*
                    other => Err(crate::document::validate::unknown_value(other, &[$($value),*]).into()),
                }
            }
        }

        crate::values::open_enum::open_enum!(@try_from $name ::std::string::String, &::std::string::String);

        impl ::std::convert::From<&$name> for $name {
            fn from(value: &$name) -> Self {
                value.clone()
            }
        }

        /// Accepts known values only; `custom` accepts any.
        impl ::std::str::FromStr for $name {
            type Err = error::ConversionError;

            fn from_str(value: &str) -> ::std::result::Result<Self, Self::Err> {
                Self::try_from(value)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                let value = <::std::borrow::Cow<'de, str> as ::serde::Deserialize>::deserialize(deserializer)?;
                Ok(Self::custom(value))
            }
        }

        #[cfg(feature = "schemars")]
        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                // Any text is valid; the known values are what a person chooses from.
                ::schemars::json_schema!({"type": "string", "examples": [$($value),*]})
            }
        }
    };

    (@try_from $name:ident $($text:ty),*) => {$(
        /// Accepts known values only; `custom` accepts any.
        impl ::std::convert::TryFrom<$text> for $name {
            type Error = error::ConversionError;

            fn try_from(value: $text) -> ::std::result::Result<Self, Self::Error> {
                Self::try_from(value.as_str())
            }
        }
    )*};
}

pub(crate) use open_enum;

#[cfg(test)]
#[allow(unreachable_pub, reason = "the macro is written for public types")]
mod tests {
    /// In generated code, a module of typify with this name is in scope.
    mod error {
        pub type ConversionError = String;
    }

    #[derive(Clone, Debug, PartialEq)]
    enum Light {
        Red,
        Green,
        Unrecognized(String),
    }

    open_enum!(Light { Red = "RED", Green = "GREEN", });

    #[test]
    fn unknown_values_are_decoded_as_they_are() {
        let light: Light = serde_json::from_str(r#""AMBER""#).unwrap();

        assert_eq!(light, Light::Unrecognized("AMBER".to_owned()));
        assert!(!light.is_recognized());
        assert_eq!(serde_json::to_string(&light).unwrap(), r#""AMBER""#);
        assert_eq!(format!("{light:>6}|{}", Light::custom("RED")), " AMBER|RED");
    }

    #[test]
    fn all_known_values_are_listed() {
        assert_eq!(Light::ALL, [Light::Red, Light::Green]);
        assert_eq!("GREEN".parse::<Light>().unwrap().as_str(), "GREEN");
    }

    #[test]
    fn text_with_an_unknown_value_is_refused_with_the_known_ones() {
        assert_eq!("AMBER".parse::<Light>().unwrap_err(), "must be one of RED, GREEN, and is `AMBER`");
        assert_eq!(Light::custom("AMBER"), Light::Unrecognized("AMBER".to_owned()));
        assert_eq!(Light::custom("RED"), Light::Red);
    }

    #[test]
    fn escaped_values_are_decoded() {
        assert_eq!(serde_json::from_str::<Light>(r#""R\u0045D""#).unwrap(), Light::Red);
        assert!(serde_json::from_str::<Light>("7").is_err());
    }
}
