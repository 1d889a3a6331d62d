//! The traits of generated unions: known kinds as their types, unknown kinds as JSON.

macro_rules! open_union {
    ($name:ident tag $tag:literal { $($variant:ident($kind:ident) = $value:literal,)* }) => {
        crate::values::open_union::open_union!(@common $name $($variant($kind))*);

        impl $name {
            fn recognize(value: &::serde_json::Value) -> ::std::option::Option<Self> {
                match value.get($tag)?.as_str()? {
                    $($value => <$kind as ::serde::Deserialize>::deserialize(value).ok().map(Self::$variant),)*
                    _ => ::std::option::Option::None,
                }
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                /// The types of the kinds do not contain the tag.
                #[derive(::serde::Serialize)]
                struct Tagged<'a, T> {
                    #[serde(rename = $tag)]
                    tag: &'static str,
                    #[serde(flatten)]
                    kind: &'a T,
                }
                match self {
                    $(Self::$variant(kind) => ::serde::Serialize::serialize(&Tagged { tag: $value, kind }, serializer),)*
                    Self::Unrecognized(value) => ::serde::Serialize::serialize(value, serializer),
                }
            }
        }
    };

    ($name:ident properties { $($variant:ident($kind:ident) = [$($property:literal),*],)* }) => {
        crate::values::open_union::open_union!(@common $name $($variant($kind))*);

        impl $name {
            fn recognize(value: &::serde_json::Value) -> ::std::option::Option<Self> {
                $(
                    if [$($property),*].iter().all(|property| value.get(property).is_some())
                        && let Ok(kind) = <$kind as ::serde::Deserialize>::deserialize(value)
                    {
                        return ::std::option::Option::Some(Self::$variant(kind));
                    }
                )*
                ::std::option::Option::None
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(kind) => ::serde::Serialize::serialize(kind, serializer),)*
                    Self::Unrecognized(value) => ::serde::Serialize::serialize(value, serializer),
                }
            }
        }
    };

    (@common $name:ident $($variant:ident($kind:ident))*) => {
        impl $name {
            /// The value, if it is of this kind.
            pub fn kind<T: 'static>(&self) -> ::std::option::Option<&T> {
                let value: &dyn ::std::any::Any = match self {
                    $(Self::$variant(kind) => kind,)*
                    Self::Unrecognized(value) => value,
                };
                value.downcast_ref()
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                let value = <::serde_json::Value as ::serde::Deserialize>::deserialize(deserializer)?;
                Ok(Self::recognize(&value).unwrap_or(Self::Unrecognized(value)))
            }
        }

        $(
            impl ::std::convert::From<$kind> for $name {
                fn from(kind: $kind) -> Self {
                    Self::$variant(kind)
                }
            }

            impl ::std::convert::TryFrom<builder::$kind> for $name {
                type Error = error::ConversionError;

                fn try_from(kind: builder::$kind) -> ::std::result::Result<Self, Self::Error> {
                    $kind::try_from(kind).map(Self::$variant)
                }
            }
        )*

        #[cfg(feature = "schemars")]
        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!({"anyOf": [$(generator.subschema_for::<$kind>(),)* {"type": "object"}]})
            }
        }
    };
}

pub(crate) use open_union;
