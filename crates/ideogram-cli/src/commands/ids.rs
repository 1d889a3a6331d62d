//! Parsers of ids in arguments.
//!
//! An id of the service may begin with a hyphen, so these arguments accept text that looks like an option. A mistyped
//! option must still not be taken for an id.

use std::{fmt::Display, str::FromStr};

use ideogram_client::types::{DatasetId, GenerationId, ModelId};

pub(super) fn dataset_id(text: &str) -> Result<DatasetId, String> {
    id(text, "`ideogram datasets list` shows the ids")
}

pub(super) fn generation_id(text: &str) -> Result<GenerationId, String> {
    id(text, "commands that make images print it")
}

pub(super) fn model_id(text: &str) -> Result<ModelId, String> {
    id(text, "`ideogram models list` shows the ids")
}

/// `source` says where the user finds ids.
fn id<T: FromStr<Err: Display>>(text: &str, source: &str) -> Result<T, String> {
    if looks_like_option(text) {
        return Err("neither an option of this command nor an id".to_owned());
    }
    text.parse().map_err(|error: T::Err| format!("an id {error}; {source}"))
}

/// `-x`, `--some-word` and `--some-word=value`; ids are 22 letters, digits, hyphens and underscores.
fn looks_like_option(text: &str) -> bool {
    let Some(name) = text.strip_prefix('-') else { return false };
    match name.strip_prefix('-') {
        Some(word) => {
            let name = word.split('=').next().unwrap_or_default();
            name.chars().all(|character| character.is_ascii_lowercase() || character == '-')
        }
        None => name.chars().count() <= 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_may_begin_with_a_hyphen() {
        for text in ["-S_VESkRI6O3-sVgHQp_Aa", "--_VESkRI6O3-sVgHQp_Aa", "demo", "a-b"] {
            assert_eq!(dataset_id(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_mistyped_option_is_not_an_id() {
        for text in ["-", "--", "-o", "--jsn", "--out-put=json"] {
            assert!(model_id(text).is_err(), "{text}");
        }
    }
}
