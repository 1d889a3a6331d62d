//! The public surface and its JSON Schemas: the snapshots show the effect of an edit of the document on both.

use std::collections::BTreeMap;

use serde_json::Value;
use xtask::snapshots::{self, SnapshotKind};

use crate::{document::checked, listed, snapshots::compare};

#[test]
fn the_public_surface_is_the_reviewed_one() {
    let (_, client) = checked();

    let surface = xtask::surface(&client).into_iter().map(|(name, text)| (snapshots::surface_name(&name), text));

    compare(SnapshotKind::Surface, &surface.collect());
}

#[test]
fn the_json_schemas_of_public_types_are_the_reviewed_ones() {
    let schemas = listed::schemas().into_iter();
    let mut schemas: BTreeMap<&str, Value> =
        schemas.map(|(name, schema)| (name, serde_json::to_value(schema).unwrap())).collect();

    // Each definition only in the snapshot of its own type, so that a change shows once.
    let names: Vec<_> = schemas.keys().copied().collect();
    for schema in schemas.values_mut() {
        if let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
            definitions.retain(|name, _| !names.contains(&name.as_str()));
        }
    }
    schemas.values_mut().for_each(without_descriptions);
    let schemas = serde_json::to_string_pretty(&schemas).unwrap();

    compare(SnapshotKind::Schema, &BTreeMap::from([(snapshots::SCHEMAS.to_owned(), schemas)]));
}

/// Drops descriptions, which the surface has. A property may be named `description`, so only text is dropped.
fn without_descriptions(schema: &mut Value) {
    match schema {
        Value::Object(properties) => {
            properties.retain(|name, value| !(name == "description" && value.is_string()));
            properties.values_mut().for_each(without_descriptions);
        }
        Value::Array(items) => items.iter_mut().for_each(without_descriptions),
        _ => {}
    }
}

/// The client of another document: the printer must not depend on one document.
#[test]
fn the_surface_of_a_foreign_document_is_what_its_reader_expects() {
    let petshop = include_str!("../../crates/ideogram-codegen/tests/bridge/petshop.yaml");
    let surface = xtask::surface(&ideogram_codegen::GeneratedClient::read(petshop).unwrap());
    let text: String = surface.iter().map(|(name, text)| format!("--- {name}\n{text}\n")).collect();

    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../petshop/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!("petshop__surface", text));
}
