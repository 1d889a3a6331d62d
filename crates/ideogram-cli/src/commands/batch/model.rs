//! The models of rows, and which operation of a model takes the properties of a row.

use clap::ValueEnum;
use ideogram_client::operation::Operation;
use serde_json::{Map, Value};

use super::properties::{JSON_PROMPT, input, nested};
use crate::{
    commands::{image, values},
    images::{size, structured},
};

/// The model of rows that name none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Model {
    /// Ideogram 4.5, which also edits images
    #[value(name = Self::V4_5.name(), aliases = values::version_names(Self::V4_5.name()))]
    V4_5,
    /// Ideogram 4.0, and models trained from it
    #[value(name = Self::V4.name(), aliases = values::version_names(Self::V4.name()))]
    V4,
    /// Ideogram 3.0, and models trained from it
    #[value(name = Self::V3.name(), aliases = values::version_names(Self::V3.name()))]
    V3,
    /// The legacy models, `V_1` to `V_2A`
    #[value(name = Self::Legacy.name())]
    Legacy,
}

impl Model {
    /// The value of `--model`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V4_5 => "v4.5",
            Self::V4 => "v4",
            Self::V3 => "v3",
            Self::Legacy => "legacy",
        }
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
