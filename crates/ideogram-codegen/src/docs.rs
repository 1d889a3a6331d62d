//! Texts of documentation comments.

use crate::model::{Component, Model, Schema, Shape};

/// Joins texts into paragraphs; empty ones are left out.
pub(crate) fn paragraphs(texts: &[&str]) -> String {
    texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Returns the documentation of a setter: its description, or a sentence with its name.
pub(crate) fn or_name(description: String, name: &str) -> String {
    if description.is_empty() { format!("Sets `{name}`.") } else { description }
}

/// Returns the description of a property, else that of the alias behind it, which would be lost otherwise.
pub(crate) fn own_description(model: &Model, schema: &Schema) -> String {
    if !schema.description.is_empty() {
        return schema.description.clone();
    }
    match schema.kind.component().and_then(|name| model.components.get(name)) {
        Some(Component { shape: Shape::Alias(_), description, .. }) => description.clone(),
        _ => String::new(),
    }
}

/// Returns [`own_description`], else that of the component: for docs that do not show the type.
pub(crate) fn description_of(model: &Model, schema: &Schema) -> String {
    let own = own_description(model, schema);
    match schema.kind.component().and_then(|name| model.components.get(name)) {
        Some(component) if own.is_empty() => component.description.clone(),
        _ => own,
    }
}
