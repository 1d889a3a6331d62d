//! The settings of progenitor, each with its reason, and the names that the including crate must define.
//!
//! Generated code is included into a crate that has at its root: `CallBuilder`, `Client` (with `new_request`), `Error`,
//! `File`, `Response`, `Timestamp`, the modules `operation`, `request`, `schema` and `validate`, the generated modules
//! `types` and `operations`, and a module `runtime` with the items that [`crate::retarget`] names.
//! `crates/ideogram-client` is such a crate, and the root of `tests/petshop` another.

use progenitor::{GenerationSettings, InterfaceStyle, TypeImpl};
use schemars08::schema::{InstanceType, SchemaObject};

use crate::model::{Model, Shape};

pub(crate) fn settings(model: &Model) -> GenerationSettings {
    let mut settings = GenerationSettings::default();
    // One builder per operation, so that calls name their arguments.
    settings.with_interface(InterfaceStyle::Builder);
    // Values are compared in users' tests.
    settings.with_derive("PartialEq");
    // Sorted keys: the same document gives the same bytes.
    settings.with_map_type("::std::collections::BTreeMap");
    // A file is a source and a name, not text.
    settings.with_conversion(text_with_format("binary"), "crate::File", std::iter::empty());
    // chrono refuses time formats that such services send.
    settings.with_conversion(text_with_format("date-time"), "crate::Timestamp", [TypeImpl::Display].into_iter());
    // Codegen generates enums, unions and path values; typify needs only their names.
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
