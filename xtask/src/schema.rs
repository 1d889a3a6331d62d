//! Converts schemas of OpenAPI 3.0 to JSON Schema and validates values.

use std::sync::Arc;

use jsonschema::{Draft, Registry, RegistryBuilder, Validator};
use serde_json::{Map, Value, json};

/// Base URI of the components in the registry; it is never fetched.
const BASE: &str = "openapi:///document";

/// The longest violation in characters; it may quote the value, which may be long.
const MAX_MESSAGE_CHARS: usize = 300;

/// The named schemas of a document.
pub(crate) struct Schemas {
    registry: Arc<Registry<'static>>,
}

/// Checks values against one schema.
pub(crate) struct Check(Validator);

/// What is wrong with a value, and the location in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) pointer: String,
    pub(crate) message: String,
    /// The rule that is broken, without the value: equal in all values that break it.
    pub(crate) cause: String,
}

impl Schemas {
    /// Reads the components of a document.
    pub(crate) fn of(root: &Value) -> Result<Self, String> {
        let components = convert_all(&root["components"]["schemas"]);
        let resource = json!({"components": {"schemas": components}});
        let registry = Registry::new().draft(Draft::Draft202012).add(BASE, resource);
        let registry = registry.and_then(RegistryBuilder::prepare).map_err(|error| error.to_string())?;
        Ok(Self { registry: Arc::new(registry) })
    }

    /// A check against a schema of the document. Formats are checked: a time with a space is not a `date-time`.
    pub(crate) fn check(&self, schema: &Value) -> Result<Check, String> {
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        let validator = options.with_registry(&self.registry).build(&convert(schema));
        validator.map(Check).map_err(|error| error.to_string())
    }
}

impl Check {
    pub(crate) fn is_valid(&self, value: &Value) -> bool {
        self.0.is_valid(value)
    }

    pub(crate) fn violations(&self, value: &Value) -> Vec<Violation> {
        let errors = self.0.iter_errors(value);
        errors
            .map(|error| Violation {
                pointer: error.instance_path().as_str().to_owned(),
                message: truncated(&error.to_string()),
                cause: format!("{}: {}", error.schema_path(), error.masked()),
            })
            .collect()
    }
}

fn truncated(text: &str) -> String {
    if text.chars().count() <= MAX_MESSAGE_CHARS {
        return text.to_owned();
    }
    // The message begins with the value, which may be long, and ends with the cause.
    let (start, end) = (MAX_MESSAGE_CHARS / 3, 2 * MAX_MESSAGE_CHARS / 3);
    let skipped = text.chars().count() - end;
    text.chars().take(start).chain([' ', '…', ' ']).chain(text.chars().skip(skipped)).collect()
}

fn convert(schema: &Value) -> Value {
    let Some(keywords) = schema.as_object() else { return schema.clone() };
    let mut converted = Map::new();
    for (keyword, value) in keywords {
        let value = match keyword.as_str() {
            "$ref" => json!(format!("{BASE}{}", value.as_str().unwrap_or_default())),
            "properties" => convert_all(value),
            "items" | "not" | "additionalProperties" => convert(value),
            "allOf" | "anyOf" | "oneOf" => value.as_array().into_iter().flatten().map(convert).collect(),
            "nullable" | "discriminator" | "example" | "default" => continue,
            _ => value.clone(),
        };
        converted.insert(keyword.clone(), value);
    }
    // Flags next to a bound in OpenAPI 3.0, separate bounds in JSON Schema.
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if let Some(Value::Bool(exclusive)) = converted.get(flag).cloned() {
            converted.remove(flag);
            if exclusive && let Some(limit) = converted.remove(bound) {
                converted.insert(flag.to_owned(), limit);
            }
        }
    }
    if schema["nullable"] == true {
        // Unlike a union with null, this reports the problems inside a value that is not null.
        return json!({"if": {"type": "null"}, "else": converted});
    }
    converted.into()
}

fn convert_all(properties: &Value) -> Value {
    let properties = properties.as_object().into_iter().flatten();
    properties.map(|(name, schema)| (name.clone(), convert(schema))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(schema: &Value, value: &Value) -> Vec<Violation> {
        let root = json!({"components": {"schemas": {"Thing": schema}}});
        let schemas = Schemas::of(&root).unwrap();
        schemas.check(&json!({"$ref": "#/components/schemas/Thing"})).unwrap().violations(value)
    }

    #[test]
    fn null_is_valid_only_where_it_is_allowed() {
        let schema = json!({"type": "string", "nullable": true});

        assert_eq!(violations(&schema, &Value::Null), []);
        assert_eq!(violations(&json!({"type": "string"}), &Value::Null).len(), 1);
    }

    #[test]
    fn a_violation_inside_a_nullable_value_has_its_pointer() {
        let inner = json!({"type": "object", "properties": {"b": {"type": "integer"}}});
        let schema = json!({"type": "object", "properties": {"a": {"allOf": [inner], "nullable": true}}});

        let violations = violations(&schema, &json!({"a": {"b": "text"}}));

        let found: Vec<_> = violations.iter().map(|it| (it.pointer.as_str(), it.message.as_str())).collect();
        assert_eq!(found, [("/a/b", r#""text" is not of type "integer""#)]);
    }

    #[test]
    fn two_values_that_break_one_rule_have_one_cause() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}});
        let cause = |value: Value| violations(&schema, &value).remove(0).cause;

        assert_eq!(cause(json!({"a": "x"})), cause(json!({"a": "y", "b": 1})));
        assert_ne!(cause(json!({"a": "x"})), cause(json!({"b": "x"})));
    }

    #[test]
    fn a_date_time_needs_a_t_and_an_offset() {
        let schema = json!({"type": "string", "format": "date-time"});

        assert_eq!(violations(&schema, &json!("2000-01-23T04:56:07+00:00")), []);
        assert_eq!(violations(&schema, &json!("2000-01-23 04:56:07+00:00")).len(), 1);
        assert_eq!(violations(&schema, &json!("2000-01-23T04:56:07")).len(), 1);
    }

    #[test]
    fn exclusive_bounds_are_flags() {
        let schema = json!({"type": "integer", "minimum": 0, "exclusiveMinimum": true});

        assert_eq!(violations(&schema, &json!(0)).len(), 1);
        assert_eq!(violations(&schema, &json!(1)), []);
    }
}
