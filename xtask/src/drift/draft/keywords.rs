//! Small parts of drafted schemas: names, marks and keywords.

use ideogram_codegen::SCHEMA_KEYWORDS;
use serde_json::{Map, Value, json};

use super::super::merged::Merged;

/// Keywords of other documents that are written in another way, or say nothing about values.
const REWRITTEN: [&str; 2] = ["const", "examples"];
/// Keywords of our document that no draft has.
const LEFT_OUT: [&str; 3] = ["readOnly", "writeOnly", "externalDocs"];

pub(super) const SCHEMAS: &str = "#/components/schemas/";

/// A schema that refers to a component.
pub(super) fn reference(component: &str) -> Value {
    json!({"$ref": format!("{SCHEMAS}{component}")})
}

/// The name of the component that a schema refers to, also as the first of `allOf`.
pub(super) fn component_of(schema: &Value) -> Option<&str> {
    let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    reference.and_then(|reference| reference.rsplit('/').next())
}

/// Words for the component of a property, without saying its owner twice.
pub(super) fn hint(owner: &str, property: &str) -> String {
    let stem = owner.replacen("Request", "", 1).replacen("Response", "", 1);
    let name = ideogram_codegen::component_name(property);
    if name.starts_with(&stem) && name != stem { name } else { format!("{stem} {property}") }
}

/// A schema without its description: that of its owner says what it is.
pub(super) fn without_description(mut schema: Value) -> Value {
    schema.as_object_mut().map(|schema| schema.remove("description"));
    schema
}

/// `GenerateImageRequestV4` becomes `GenerateImageV4Request`.
pub(super) fn request_name(name: &str) -> String {
    format!("{}Request", name.replacen("Request", "", 1))
}

/// Adds a comment as the next line.
pub(super) fn comment(written: &mut Map<String, Value>, text: &str) {
    written.insert(format!("{}{}", super::yaml::COMMENT, written.len()), json!(text));
}

pub(super) fn nullable(merged: &Merged<'_>, written: &mut Map<String, Value>) {
    if merged.nullable.is_some() {
        written.insert("nullable".to_owned(), json!(true));
    }
}

pub(super) fn values(merged: &Merged<'_>, written: &mut Map<String, Value>) {
    let listed = merged.get("enum").and_then(|list| list.value.as_array()).into_iter().flatten();
    let mut values: Vec<Value> = Vec::new();
    for value in listed.chain(merged.get("const").map(|value| value.value)) {
        if value.is_string() && !values.contains(value) {
            values.push(value.clone());
        }
    }
    if !values.is_empty() {
        if merged.nullable.is_some() {
            values.push(Value::Null);
        }
        written.insert("enum".to_owned(), Value::Array(values));
    }
}

/// Marks keywords that the draft does not have.
pub(super) fn unknown(merged: &Merged<'_>, written: &mut Map<String, Value>) {
    let is_written = |key: &str| SCHEMA_KEYWORDS.contains(&key) && !LEFT_OUT.contains(&key) || REWRITTEN.contains(&key);
    let keys = merged.keywords.keys().filter(|key| !key.starts_with("x-") && !is_written(key));
    for key in keys.copied().collect::<Vec<_>>() {
        comment(written, &format!("TODO: `{key}` of the service is left out."));
    }
}
