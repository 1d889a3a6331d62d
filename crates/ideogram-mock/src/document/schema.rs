//! Converts schemas of OpenAPI 3.0 to JSON Schema and checks values with them.
//!
//! Start at [`Check`]. Requests are checked more strictly than the document says: unknown properties are refused,
//! because they are most likely typing errors.

use std::{
    slice::from_ref,
    sync::{Arc, OnceLock},
};

use jsonschema::{Draft, Registry, ValidationError, Validator, error::ValidationErrorKind};
use serde_json::{Map, Value, json};

/// Base URIs of the components in the registry; they are never fetched. Those of requests refuse unknown properties.
const REQUEST_BASE: &str = "openapi:///request";
const RESPONSE_BASE: &str = "openapi:///response";

/// The maximum length of a message in bytes; a message may quote a long value.
const MAX_MESSAGE_BYTES: usize = 400;

/// The named schemas of a document.
#[derive(Debug)]
pub(crate) struct Schemas {
    root: Value,
    registry: Arc<Registry<'static>>,
}

/// A schema to check values with; compiled at its first use, because a test uses few of them.
#[derive(Debug)]
pub(crate) struct Check {
    schema: Value,
    /// The keywords of the document, for messages that the validator cannot give.
    original: Value,
    registry: Arc<Registry<'static>>,
    validator: OnceLock<Validator>,
}

/// The type of a scalar that is sent as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Boolean,
    Integer,
    Number,
    String,
}

impl Schemas {
    pub(super) fn new(root: &Value) -> Result<Self, String> {
        let mut registry = Registry::new().draft(Draft::Draft202012);
        let schemas = root["components"]["schemas"].as_object().ok_or("the document has no `schemas`")?;
        for base in [REQUEST_BASE, RESPONSE_BASE] {
            let resource = json!({"components": {"schemas": convert_all(schemas, base)}});
            registry = registry.add(base, resource).map_err(|error| error.to_string())?;
        }
        let registry = registry.prepare().map_err(|error| error.to_string())?;
        Ok(Self { root: root.clone(), registry: Arc::new(registry) })
    }

    /// Returns a check of requests.
    pub(super) fn request(&self, schema: &Value) -> Check {
        self.check(schema, REQUEST_BASE)
    }

    /// Returns a check of responses.
    pub(super) fn response(&self, schema: &Value) -> Check {
        self.check(schema, RESPONSE_BASE)
    }

    /// Follows references, and an `allOf` of one schema.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        loop {
            let reference = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
            schema = match reference.map(|pointer| self.root.pointer(pointer)) {
                Some(Some(target)) => target,
                None if schema["allOf"].as_array().is_some_and(|all| all.len() == 1) => &schema["allOf"][0],
                _ => return schema,
            };
        }
    }

    fn check(&self, schema: &Value, base: &str) -> Check {
        Check {
            schema: convert(schema, base),
            original: self.resolve(schema).clone(),
            registry: Arc::clone(&self.registry),
            validator: OnceLock::new(),
        }
    }
}

impl Check {
    /// Returns what is wrong with `instance` in the form of the service: the message, then the property; `None` if it
    /// is valid.
    pub(crate) fn violation(&self, instance: &Value) -> Option<String> {
        let validator = self.validator.get_or_init(|| {
            let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
            let compiled = options.with_registry(&self.registry).build(&self.schema);
            compiled.expect("a test compiles every schema of the document")
        });
        let error = validator.validate(instance).err()?;
        let path = error.instance_path().as_str().trim_start_matches('/').replace('/', ".");
        let mut message = self.explain(&error, instance);
        truncate(&mut message, MAX_MESSAGE_BYTES);
        if !path.is_empty() {
            message = format!("{message} - '{path}'");
        }
        Some(message)
    }

    /// Returns the message of the validator, except for exclusions, where it would print schema and instance.
    fn explain(&self, error: &ValidationError<'_>, instance: &Value) -> String {
        if error.instance_path().as_str().is_empty() {
            match error.kind() {
                ValidationErrorKind::Not { schema } => {
                    let excluded = required_lists(schema["anyOf"].as_array().map_or(from_ref(schema), Vec::as_slice));
                    let has_all = |names: &&Vec<&str>| names.iter().all(|name| instance.get(*name).is_some());
                    if let Some(names) = excluded.iter().find(has_all) {
                        return format!("{} cannot be combined", quoted(names, " and "));
                    }
                }
                ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::OneOfMultipleValid { .. } => {
                    let choices = required_lists(self.original["oneOf"].as_array().map_or(&[], Vec::as_slice));
                    if !choices.is_empty() {
                        let choices: Vec<_> = choices.iter().map(|names| quoted(names, " with ")).collect();
                        return format!("exactly one of {} is required", choices.join(", "));
                    }
                }
                _ => {}
            }
        }
        error.to_string()
    }
}

impl Scalar {
    /// Returns the type of a schema.
    pub(super) fn of(schema: &Value) -> Self {
        match schema["type"].as_str() {
            Some("boolean") => Self::Boolean,
            Some("integer") => Self::Integer,
            Some("number") => Self::Number,
            _ => Self::String,
        }
    }

    /// Reads a value. Text of another type stays text, and the schema then refuses it.
    pub(crate) fn read(self, text: String) -> Value {
        let value = match self {
            Self::Boolean => text.parse::<bool>().ok().map(Value::from),
            Self::Integer => text.parse::<i64>().ok().map(Value::from),
            Self::Number => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
            Self::String => None,
        };
        value.unwrap_or(Value::String(text))
    }
}

/// Converts one schema of OpenAPI 3.0 to JSON Schema 2020-12.
fn convert(schema: &Value, base: &str) -> Value {
    let Some(keywords) = schema.as_object() else { return schema.clone() };
    let mut converted = Map::new();
    for (keyword, value) in keywords {
        let value = match keyword.as_str() {
            "$ref" => json!(format!("{base}{}", value.as_str().unwrap_or_default())),
            "properties" => match value {
                Value::Object(properties) => convert_all(properties, base),
                _ => value.clone(),
            },
            "items" | "not" | "additionalProperties" => convert(value, base),
            "allOf" | "anyOf" | "oneOf" => {
                value.as_array().into_iter().flatten().map(|schema| convert(schema, base)).collect()
            }
            // Annotations, without effect on validity.
            "nullable" | "description" | "title" | "example" | "default" | "deprecated" | "discriminator"
            | "externalDocs" | "readOnly" | "writeOnly" | "xml" => continue,
            _ => value.clone(),
        };
        converted.insert(keyword.clone(), value);
    }
    // In 3.0 these two are flags next to the bound; in JSON Schema they are the bound.
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        match converted.get(flag) {
            Some(Value::Bool(true)) => {
                let limit = converted.remove(bound).unwrap_or_default();
                converted.insert(flag.to_owned(), limit);
            }
            Some(Value::Bool(false)) => {
                converted.remove(flag);
            }
            _ => {}
        }
    }
    if base == REQUEST_BASE && converted.contains_key("properties") && !converted.contains_key("additionalProperties") {
        converted.insert("unevaluatedProperties".to_owned(), json!(false));
    }
    if schema["nullable"] == true { nullable(converted) } else { converted.into() }
}

fn convert_all(schemas: &Map<String, Value>, base: &str) -> Value {
    schemas.iter().map(|(name, schema)| (name.clone(), convert(schema, base))).collect()
}

/// Returns a schema that also allows null. Messages about a list of types read better than those about a union.
fn nullable(mut schema: Map<String, Value>) -> Value {
    match schema.get_mut("type") {
        Some(kind) => {
            *kind = json!([kind, "null"]);
            if let Some(Value::Array(values)) = schema.get_mut("enum")
                && !values.contains(&Value::Null)
            {
                values.push(Value::Null);
            }
            schema.into()
        }
        None => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

/// Returns the `required` lists of several schemas.
fn required_lists(schemas: &[Value]) -> Vec<Vec<&str>> {
    let lists = schemas.iter().filter_map(|schema| schema["required"].as_array());
    lists.map(|names| names.iter().filter_map(Value::as_str).collect()).collect()
}

fn quoted(names: &[&str], separator: &str) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(separator)
}

fn truncate(text: &mut String, max_bytes: usize) {
    if let Some((end, _)) = text.char_indices().find(|(start, char)| start + char.len_utf8() > max_bytes) {
        text.truncate(end);
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(schema: &Value, instance: &Value) -> Option<String> {
        let root = json!({"components": {"schemas": {"Thing": schema}}});
        Schemas::new(&root).unwrap().request(&json!({"$ref": "#/components/schemas/Thing"})).violation(instance)
    }

    #[test]
    fn nullable_values_may_be_null() {
        let schema = json!({"type": "string", "enum": ["a"], "nullable": true});

        assert_eq!(violation(&schema, &Value::Null), None);
        assert_eq!(violation(&schema, &json!("b")).unwrap(), r#""b" is not one of "a" or null"#);
    }

    #[test]
    fn properties_that_exclude_each_other_are_named() {
        let one = json!({"required": ["a", "b"]});
        let several = json!({"anyOf": [{"required": ["a", "c"]}, {"required": ["a", "b"]}]});

        for not in [one, several] {
            let schema = json!({"properties": {"a": {}, "b": {}, "c": {}}, "not": not});
            assert_eq!(violation(&schema, &json!({"a": 1, "b": 2})).unwrap(), "'a' and 'b' cannot be combined");
        }
    }

    #[test]
    fn a_missing_choice_is_named() {
        let choices = json!([{"required": ["a"]}, {"required": ["b"]}]);
        let schema = json!({"properties": {"a": {}, "b": {}}, "oneOf": choices});

        assert_eq!(violation(&schema, &json!({})).unwrap(), "exactly one of 'a', 'b' is required");
        assert!(violation(&schema, &json!({"a": 1, "b": 1})).is_some());
        assert_eq!(violation(&schema, &json!({"a": 1})), None);
    }

    #[test]
    fn unknown_properties_of_a_request_are_refused_at_any_depth() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "object", "properties": {}}}});

        let violation = violation(&schema, &json!({"a": {"typo": 1}})).unwrap();

        assert!(violation.contains("typo"), "{violation}");
        assert!(violation.ends_with("- 'a'"), "{violation}");
    }

    #[test]
    fn exclusive_bounds_are_flags() {
        let schema = json!({"type": "integer", "minimum": 0, "exclusiveMinimum": true});

        assert!(violation(&schema, &json!(0)).is_some());
        assert_eq!(violation(&schema, &json!(1)), None);
    }

    #[test]
    fn long_values_are_truncated_in_messages() {
        let violation = violation(&json!({"type": "integer"}), &json!("ü".repeat(1000))).unwrap();

        assert!(violation.len() < MAX_MESSAGE_BYTES + 10, "{violation}");
    }
}
