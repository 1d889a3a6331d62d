//! Makes values that are valid against a drafted schema, for the examples that the house rules require.

use serde_json::{Map, Value, json};

use super::keywords::component_of;
use crate::schema::Schemas;

/// Values for patterns: the forms that texts of such services have.
const CANDIDATES: [&str; 9] = [
    "a",
    "abcdef",
    "abcdefghijklmnopqrstuv",
    "#A0B1C2",
    "1024x1024",
    "1x1",
    "https://example.com/a",
    "model/a/version/0",
    "2026-01-01",
];
/// Below this depth only what is required is written.
const MAX_DEPTH: usize = 4;

/// Returns a value with the required properties, and with the optional ones where `all` is set.
pub(super) fn sample(components: &Value, schema: &Value, all: bool) -> Value {
    at(components, schema, all, 0)
}

fn at(components: &Value, schema: &Value, all: bool, depth: usize) -> Value {
    for key in ["example", "default"] {
        if let Some(value) = schema.get(key).filter(|value| !value.is_null()) {
            return value.clone();
        }
    }
    if let Some(name) = component_of(schema) {
        return at(components, &components[name], all, depth);
    }
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    if let Some(kind) = schema["oneOf"].as_array().filter(|_| schema.get("properties").is_none()) {
        return alternative(components, schema, &kind[0], depth);
    }
    match schema["type"].as_str() {
        Some("string") => text(schema),
        Some("integer" | "number") => number(schema),
        Some("boolean") => json!(false),
        Some("array") => {
            let least = schema["minItems"].as_u64().unwrap_or_default();
            let count = if depth < MAX_DEPTH { least.max(1) } else { least };
            (0..count).map(|_| at(components, &schema["items"], all, depth + 1)).collect()
        }
        _ => object(components, schema, all && depth < MAX_DEPTH, depth),
    }
}

fn object(components: &Value, schema: &Value, all: bool, depth: usize) -> Value {
    let mut required: Vec<&str> = names(&schema["required"]);
    for list in [&schema["oneOf"], &schema["anyOf"]] {
        required.extend(names(&list[0]["required"]));
    }
    let all = all && schema.get("not").is_none() && schema.get("oneOf").is_none();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let wanted = properties.filter(|(name, _)| all || required.contains(&name.as_str()));
    let value: Map<_, _> =
        wanted.map(|(name, schema)| (name.clone(), at(components, schema, all, depth + 1))).collect();
    Value::Object(value)
}

fn alternative(components: &Value, union: &Value, kind: &Value, depth: usize) -> Value {
    let mut value = at(components, kind, false, depth);
    let mapping = union["discriminator"]["mapping"].as_object().into_iter().flatten();
    let mapped = mapping.into_iter().find(|(_, target)| **target == kind["$ref"]);
    if let (Some(name), Some((mapped, _))) = (union["discriminator"]["propertyName"].as_str(), mapped) {
        value[name] = json!(mapped);
    }
    value
}

fn text(schema: &Value) -> Value {
    let formatted = match schema["format"].as_str() {
        Some("date-time") => "2026-01-01T00:00:00Z",
        Some("date") => "2026-01-01",
        Some("uri" | "url") => "https://example.com/",
        Some("uuid") => "00000000-0000-0000-0000-000000000000",
        Some("email") => "someone@example.com",
        _ => "text",
    };
    let least = usize::try_from(schema["minLength"].as_u64().unwrap_or_default()).unwrap_or_default();
    let most = schema["maxLength"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let plain: String = formatted.chars().chain(std::iter::repeat('t')).take(least.max(4).min(most)).collect();
    let plain = if least <= formatted.len() && formatted.len() <= most { formatted } else { &plain };
    let check = Schemas::of(&json!({})).and_then(|schemas| schemas.check(schema));
    let mut candidates = std::iter::once(plain).chain(CANDIDATES);
    let found = check.ok().and_then(|check| candidates.find(|candidate| check.is_valid(&json!(candidate))));
    json!(found.unwrap_or(plain))
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn number(schema: &Value) -> Value {
    let bound = |key: &str| schema.get(key).filter(|bound| bound.is_number());
    let one = if schema["exclusiveMinimum"] == true { 1.0 } else { 0.0 };
    match (bound("minimum"), bound("maximum")) {
        (Some(minimum), _) if one == 0.0 => minimum.clone(),
        (Some(minimum), _) => json!(minimum.as_f64().unwrap_or_default() + one),
        (None, Some(maximum)) if maximum.as_f64().is_some_and(|maximum| maximum < 1.0) => maximum.clone(),
        (None, _) => json!(1),
    }
}
