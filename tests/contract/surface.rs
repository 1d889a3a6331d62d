//! What users can name, and what other tools read of it: an edit of the document shows here what it does to both.

use std::collections::BTreeMap;

use serde_json::Value;
use xtask::snapshots::{self, Question};

use crate::{document::checked, listed, snapshots::compare};

#[test]
fn the_public_surface_is_the_reviewed_one() {
    let (_, client) = checked();

    let outlines = client.outline().into_iter().map(|(name, text)| (snapshots::surface_name(&name), text));

    compare(Question::Surface, &outlines.collect());
}

#[test]
fn the_json_schemas_of_public_types_are_the_reviewed_ones() {
    let schemas = listed::schemas().into_iter();
    let mut schemas: BTreeMap<&str, Value> =
        schemas.map(|(name, schema)| (name, serde_json::to_value(schema).unwrap())).collect();

    // Each definition once, in the snapshot of its own type: so a change shows in one place.
    let names: Vec<_> = schemas.keys().copied().collect();
    for schema in schemas.values_mut() {
        if let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
            definitions.retain(|name, _| !names.contains(&name.as_str()));
        }
    }
    let shown = |schema: &Value| serde_json::to_string_pretty(schema).unwrap();
    let schemas = schemas.iter().map(|(name, schema)| (snapshots::schema_name(name), shown(schema)));

    compare(Question::Schema, &schemas.collect());
}
