//! Every setting of progenitor, each with its reason, and the names that generated code expects around it.
//!
//! Generated code is included into a crate that has, at its root: `CallBuilder`, `Client`, `Error`, `File`, `Request`,
//! `Response`, `Timestamp`, `Validate`, modules `operation` and `schema` with the types of the constants, the modules
//! `types` and `operations` re-exported from the generated ones, and a module `runtime` with what [`crate::retarget`]
//! calls. `crates/ideogram-client` is such a crate, and the root of `tests/petshop` another.

use progenitor::{GenerationSettings, InterfaceStyle, TypeImpl};
use schemars08::schema::{InstanceType, SchemaObject};

use crate::model::{Model, Shape};

pub(crate) fn settings(model: &Model) -> GenerationSettings {
    let mut settings = GenerationSettings::default();
    // One builder per operation, so that calls name their arguments.
    settings.with_interface(InterfaceStyle::Builder);
    // Values are compared in users' tests.
    settings.with_derive("PartialEq");
    // Users publish schemas of what they store; schemars 1.x, whatever progenitor uses inside.
    settings.with_derive("::schemars::JsonSchema");
    // Sorted keys: the same document gives the same bytes.
    settings.with_map_type("::std::collections::BTreeMap");
    // A file is its source and its name, not text.
    settings.with_conversion(text_with_format("binary"), "crate::File", std::iter::empty());
    // chrono's reader refuses forms that this kind of service is known to send.
    settings.with_conversion(text_with_format("date-time"), "crate::Timestamp", [TypeImpl::Display].into_iter());
    // Enums, unions and path values are ours; typify only needs to know their names.
    for (name, component) in &model.components {
        let abilities: &[TypeImpl] = match component.shape {
            Shape::Object(_) => continue,
            Shape::Union(_) => &[],
            Shape::Enum(_) | Shape::Alias(_) => &[TypeImpl::Display, TypeImpl::FromStr],
        };
        settings.with_replacement(name, format!("crate::types::{name}"), abilities.iter().copied());
    }
    settings
}

fn text_with_format(format: &str) -> SchemaObject {
    SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        format: Some(format.to_owned()),
        ..SchemaObject::default()
    }
}
