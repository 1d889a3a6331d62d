//! Schemas of OpenAPI 3.0 as JSON Schema, and what is wrong with a value.

use std::sync::Arc;

use jsonschema::{Draft, Registry, RegistryBuilder, Validator};
use serde_json::{Map, Value, json};

/// Where the components live for the validator; never fetched.
const BASE: &str = "openapi:///document";

/// The longest complaint in characters; it may quote the value, which may be long.
const LONGEST_COMPLAINT: usize = 300;

/// The named schemas of a document, ready to check values with.
pub(crate) struct Schemas {
    registry: Arc<Registry<'static>>,
}

/// Checks values against one schema.
pub(crate) struct Check(Validator);

/// What is wrong with a value, and where in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) pointer: String,
    pub(crate) message: String,
}

impl Schemas {
    /// Takes the components of a document.
    pub(crate) fn of(root: &Value) -> Result<Self, String> {
        let components = converted_members(&root["components"]["schemas"]);
        let resource = json!({"components": {"schemas": components}});
        let registry = Registry::new().draft(Draft::Draft202012).add(BASE, resource);
        let registry = registry.and_then(RegistryBuilder::prepare).map_err(|error| error.to_string())?;
        Ok(Self { registry: Arc::new(registry) })
    }

    /// A check against a schema of the document. Formats are checked: a time with a space is not a `date-time`.
    pub(crate) fn check(&self, schema: &Value) -> Result<Check, String> {
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        let validator = options.with_registry(&self.registry).build(&converted(schema));
        validator.map(Check).map_err(|error| error.to_string())
    }
}

impl Check {
    pub(crate) fn is_valid(&self, value: &Value) -> bool {
        self.0.is_valid(value)
    }

    pub(crate) fn complaints(&self, value: &Value) -> Vec<Complaint> {
        let errors = self.0.iter_errors(value);
        errors
            .map(|error| Complaint {
                pointer: error.instance_path().as_str().to_owned(),
                message: shortened(&error.to_string()),
            })
            .collect()
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST_COMPLAINT {
        return text.to_owned();
    }
    text.chars().take(LONGEST_COMPLAINT).chain(['…']).collect()
}

fn converted(schema: &Value) -> Value {
    let Some(keywords) = schema.as_object() else { return schema.clone() };
    let mut wanted = Map::new();
    for (keyword, value) in keywords {
        let value = match keyword.as_str() {
            "$ref" => json!(format!("{BASE}{}", value.as_str().unwrap_or_default())),
            "properties" => converted_members(value),
            "items" | "not" | "additionalProperties" => converted(value),
            "allOf" | "anyOf" | "oneOf" => value.as_array().into_iter().flatten().map(converted).collect(),
            "nullable" | "discriminator" | "example" | "default" => continue,
            _ => value.clone(),
        };
        wanted.insert(keyword.clone(), value);
    }
    // Flags beside a bound in OpenAPI 3.0, bounds of their own in JSON Schema.
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if let Some(Value::Bool(exclusive)) = wanted.get(flag).cloned() {
            wanted.remove(flag);
            if exclusive && let Some(limit) = wanted.remove(bound) {
                wanted.insert(flag.to_owned(), limit);
            }
        }
    }
    if schema["nullable"] == true {
        // Unlike a union with null, this complains about what is wrong inside of a value that is not null.
        return json!({"if": {"type": "null"}, "else": wanted});
    }
    wanted.into()
}

fn converted_members(members: &Value) -> Value {
    let members = members.as_object().into_iter().flatten();
    members.map(|(name, schema)| (name.clone(), converted(schema))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(schema: &Value, value: &Value) -> Vec<Complaint> {
        let root = json!({"components": {"schemas": {"Thing": schema}}});
        let schemas = Schemas::of(&root).unwrap();
        schemas.check(&json!({"$ref": "#/components/schemas/Thing"})).unwrap().complaints(value)
    }

    #[test]
    fn null_is_valid_only_where_it_is_allowed() {
        let schema = json!({"type": "string", "nullable": true});

        assert_eq!(complaints(&schema, &Value::Null), []);
        assert_eq!(complaints(&json!({"type": "string"}), &Value::Null).len(), 1);
    }

    #[test]
    fn a_complaint_leads_into_a_value_that_may_be_null() {
        let inner = json!({"type": "object", "properties": {"b": {"type": "integer"}}});
        let schema = json!({"type": "object", "properties": {"a": {"allOf": [inner], "nullable": true}}});

        let complaints = complaints(&schema, &json!({"a": {"b": "text"}}));

        let expected = Complaint { pointer: "/a/b".into(), message: r#""text" is not of type "integer""#.into() };
        assert_eq!(complaints, [expected]);
    }

    #[test]
    fn times_need_their_t() {
        let schema = json!({"type": "string", "format": "date-time"});

        assert_eq!(complaints(&schema, &json!("2000-01-23T04:56:07+00:00")), []);
        assert_eq!(complaints(&schema, &json!("2000-01-23 04:56:07+00:00")).len(), 1);
        assert_eq!(complaints(&schema, &json!("2000-01-23T04:56:07")).len(), 1);
    }

    #[test]
    fn exclusive_bounds_are_flags() {
        let schema = json!({"type": "integer", "minimum": 0, "exclusiveMinimum": true});

        assert_eq!(complaints(&schema, &json!(0)).len(), 1);
        assert_eq!(complaints(&schema, &json!(1)), []);
    }
}
