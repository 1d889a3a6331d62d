//! What generated code calls: everything between a filled-in builder and the decoded answer.
//!
//! `call` sends and reads, `parts` collects multipart bodies, `open_enum`, `open_union` and `path_value` give generated
//! types their traits.

mod call;
mod open_enum;
mod open_union;
mod parts;
mod path_value;

use std::fmt::Display;

use serde::{Deserialize, Deserializer};

#[allow(unused_imports, reason = "a document without unions is none the worse for it")]
pub(crate) use self::open_union::open_union;
pub(crate) use self::{
    call::call,
    open_enum::open_enum,
    parts::{Multipart, Parts},
    path_value::{check_path_value, path_value},
};
pub(crate) use crate::validate::{Checker, Pattern};

/// Turns what a caller has at hand into what a member holds, and keeps the reason if that is impossible.
pub(crate) fn convert<T, V>(name: &str, value: V) -> Result<T, String>
where
    V: TryInto<T>,
    V::Error: Display,
{
    value.try_into().map_err(|error| format!("`{name}`: {error}"))
}

/// The same for every element of a list.
pub(crate) fn convert_all<T, I>(name: &str, values: I) -> Result<Vec<T>, String>
where
    I: IntoIterator,
    I::Item: TryInto<T>,
    <I::Item as TryInto<T>>::Error: Display,
{
    let values = values.into_iter().enumerate();
    values.map(|(index, value)| value.try_into().map_err(|error| format!("`{name}.{index}`: {error}"))).collect()
}

/// Reads `null` as an empty list or map.
pub(crate) fn null_as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
