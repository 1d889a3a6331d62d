//! Rules that turn the parts of a multipart body into properties of a JSON object.

use serde_json::Value;

use super::schema::{Scalar, Schemas};

/// The parts that a form may have.
#[derive(Debug)]
pub(crate) struct FormRules(Vec<PartRule>);

/// The rule for one part.
#[derive(Debug)]
pub(crate) struct PartRule {
    pub(crate) name: String,
    pub(crate) kind: PartKind,
    /// Whether the part may be repeated: the property is an array.
    pub(crate) repeated: bool,
}

/// The content of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartKind {
    File,
    /// JSON text.
    Json,
    Text(Scalar),
}

impl FormRules {
    pub(super) fn read(schema: &Value, encoding: &Value, schemas: &Schemas) -> Self {
        let properties = schemas.resolve(schema)["properties"].as_object();
        let rule = |(name, property): (&String, &Value)| {
            let property = schemas.resolve(property);
            let items = schemas.resolve(&property["items"]);
            let is_json = encoding[name]["contentType"] == "application/json";
            let repeated = property["type"] == "array" && !is_json && !is_object(items);
            let kind = match if repeated { items } else { property } {
                _ if is_json => PartKind::Json,
                value if value["format"] == "binary" => PartKind::File,
                value if value["type"] == "array" || is_object(value) => PartKind::Json,
                value => PartKind::Text(Scalar::of(value)),
            };
            PartRule { name: name.clone(), kind, repeated }
        };
        Self(properties.into_iter().flatten().map(rule).collect())
    }

    /// The rule for the part `name`, if the document knows it.
    pub(crate) fn rule(&self, name: &str) -> Option<&PartRule> {
        self.0.iter().find(|rule| rule.name == name)
    }

    /// The names of the parts that are files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|rule| rule.kind == PartKind::File).map(|rule| rule.name.as_str())
    }

    /// The names of all parts, for a message.
    pub(crate) fn names(&self) -> String {
        self.0.iter().map(|rule| format!("'{}'", rule.name)).collect::<Vec<_>>().join(", ")
    }
}

/// Returns whether values of a schema are objects, which are sent as JSON text. Unions are always of objects.
fn is_object(schema: &Value) -> bool {
    schema["type"] == "object" || schema["properties"].is_object() || schema["oneOf"].is_array()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_are_read_by_the_type_of_their_property() {
        let root = json!({"components": {"schemas": {
            "Palette": {"oneOf": [{"type": "object"}]},
            "Code": {"type": "string", "pattern": "^[0-9]$"},
            "Request": {"type": "object", "properties": {
                "image": {"type": "string", "format": "binary"},
                "images": {"type": "array", "items": {"type": "string", "format": "binary"}},
                "codes": {"type": "array", "items": {"$ref": "#/components/schemas/Code"}},
                "palette": {"allOf": [{"$ref": "#/components/schemas/Palette"}], "nullable": true},
                "boxes": {"type": "array", "items": {"type": "integer"}},
                "seed": {"type": "integer"},
            }},
        }}});
        let schemas = Schemas::new(&root).unwrap();
        let encoding = json!({"boxes": {"contentType": "application/json"}});

        let rules = FormRules::read(&json!({"$ref": "#/components/schemas/Request"}), &encoding, &schemas);

        let read: Vec<_> = rules.0.iter().map(|rule| (rule.name.as_str(), rule.kind, rule.repeated)).collect();
        let expected = [
            ("image", PartKind::File, false),
            ("images", PartKind::File, true),
            ("codes", PartKind::Text(Scalar::String), true),
            ("palette", PartKind::Json, false),
            ("boxes", PartKind::Json, false),
            ("seed", PartKind::Text(Scalar::Integer), false),
        ];
        assert_eq!(read, expected);
    }
}
