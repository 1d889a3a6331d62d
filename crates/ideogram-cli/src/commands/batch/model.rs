//! The models of rows, and which operation of a model takes the properties of a row.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use ideogram_client::{operation::Operation, schema::Schema};
use serde_json::{Map, Value};

use super::properties::{JSON_PROMPT, input, nested};
use crate::{
    commands::{image, values},
    images::{legacy_properties, size, structured},
};

/// A model of `generate`, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model(&'static str);

impl Model {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        image::models().map(|(name, _)| Self(name))
    }

    /// The model with this name, in any of its spellings.
    pub(super) fn find(text: &str) -> Option<Self> {
        let is_name = |name: &'static str| {
            name.eq_ignore_ascii_case(text) || values::version_names(name).any(|other| other == text)
        };
        Self::all().find(|model| is_name(model.0))
    }

    /// The model whose property `model` has values such as this one, such as `V_2`: the service may know more of them.
    pub(super) fn with_version(version: &str) -> Option<Self> {
        let (family, _) = version.split_once('_')?;
        let is_like = |value: &&str| value.split_once('_').is_some_and(|(of_value, _)| of_value == family);
        let has_it = |operation: &&Operation| {
            let property = legacy_properties(operation).iter().find(|property| property.name == "model");
            property
                .is_some_and(|property| matches!(property.schema, Schema::Enum(values) if values.iter().any(is_like)))
        };
        Self::all().find(|model| model.operations().iter().any(has_it))
    }

    /// The model that is meant if none is named and a trained model is.
    pub(super) fn of_trained() -> Option<Self> {
        image::implied_by("custom_model").map(Self)
    }

    /// Reads a value of `--model`.
    pub(super) fn parser() -> impl TypedValueParser<Value = Self> {
        let names = PossibleValuesParser::new(image::model_values());
        names.try_map(|name| Self::find(&name).ok_or("not a model of `generate`"))
    }

    /// The names of all models that meet a condition: `v4.5, v4 and v3`.
    pub(super) fn names(is_meant: impl Fn(Self) -> bool) -> String {
        let mut names: Vec<&str> = Self::all().filter(|model| is_meant(*model)).map(Self::name).collect();
        let last = names.pop().unwrap_or_default();
        if names.is_empty() { last.to_owned() } else { format!("{} and {last}", names.join(", ")) }
    }

    pub(super) fn name(self) -> &'static str {
        self.0
    }

    /// The operations of the model, as `generate` has them: jobs come first.
    pub(super) fn operations(self) -> Vec<&'static Operation> {
        image::generators(self.name()).collect()
    }

    /// The operation that takes all properties of a row with their values, or else the one that takes all of them.
    pub(super) fn operation(self, properties: &Map<String, Value>) -> &'static Operation {
        let takes = |operation: &Operation, name: &str| {
            let is_prompt = ["prompt", "text_prompt"].contains(&name);
            let is_structured = name == JSON_PROMPT && structured::is_in_prompt(operation);
            is_prompt
                || is_structured
                || name == size::ASPECT_RATIO && size::property(operation).is_some()
                || name == "id"
                || input(operation, name).is_some()
                || nested(operation, name).is_some()
        };
        let takes_value = |operation: &Operation, name: &str, value: &Value| match input(operation, name) {
            Some(input) if !input.values().is_empty() => {
                value.as_str().is_none_or(|text| values::find(input.values(), text.trim()).is_some())
            }
            _ => true,
        };
        let all = self.operations();
        let mut taking = all.iter().filter(|operation| properties.keys().all(|name| takes(operation, name)));
        let takes_values =
            |operation: &Operation| properties.iter().all(|(name, value)| takes_value(operation, name, value));
        let best = taking.clone().find(|operation| takes_values(operation));
        best.or_else(|| taking.next()).unwrap_or(&all[0])
    }
}

impl Default for Model {
    fn default() -> Self {
        Self(image::models().next().map_or("", |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_the_document_does_not_know_is_one_of_the_legacy_models() {
        for (version, model) in [("V_2", Some("legacy")), ("V_9_TURBO", Some("legacy")), ("v5", None), ("", None)] {
            assert_eq!(Model::with_version(version).map(Model::name), model, "{version}");
        }
    }
}
