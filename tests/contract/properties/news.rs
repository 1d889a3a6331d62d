//! Changes responses in the ways in which a service changes them after a release of the client.
//!
//! The client must accept all of these changes. Some guarantees remain: required strings, booleans, integers and
//! objects are present with their type, and items of a list have theirs.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::responses::{Resolved, Responses, is_required};

/// The news that all cases together must contain: a property, an enum value, a kind
/// of a union, a number and a time that the document does not allow.
pub(super) const SIGNS: [&str; 5] = [
    r#""news_property":"#,
    r#""NEWS_VALUE""#,
    r#""news_kind""#,
    "-9223372036854775808",
    r#""2000-01-23 04:56:07+00:00""#,
];

/// Times in other forms that were seen or are plausible: a space, `t` and `z`, 0 to 9 digits, an offset or none.
const TIMES: [&str; 10] = [
    "2000-01-23 04:56:07+00:00",
    "2000-01-23t04:56:07z",
    "2000-01-23 04:56:07Z",
    "2000-01-23 04:56:07.1+00:00",
    "2000-01-23T04:56:07.123456789+00:00",
    "2000-01-23 04:56:07.062171-08:00",
    "2000-01-23T04:56:07",
    "2000-01-23 04:56:07",
    "2000-01-23T04:56:07+05:45",
    "2000-01-23t04:56:07.000+00:00",
];

impl Responses {
    /// Changes a response at random.
    pub(super) fn make_news(&self, schema: &Value, value: &mut Value, random: &mut Rng) {
        let Resolved { schema, .. } = self.resolve(schema);
        if let Some(kinds) = schema["oneOf"].as_array() {
            self.make_news_of_kinds(schema, kinds, value, random);
            return;
        }
        match value {
            Value::Object(properties) => self.make_news_of_properties(schema, properties, random),
            Value::Array(items) => {
                for item in &mut *items {
                    self.make_news(&schema["items"], item, random);
                }
                match random.u8(..6) {
                    0 => drop(items.pop()),
                    1 => items.extend(items.first().cloned()),
                    _ => {}
                }
            }
            // Half of the leaves stay what they are.
            _ if random.bool() => {}
            Value::String(text) => {
                if let Some(new) = new_text(schema, random) {
                    new.clone_into(text);
                }
            }
            Value::Number(number) if schema["type"] == "integer" => {
                let least = schema["minimum"].as_i64().unwrap_or(0);
                let most = schema["maximum"].as_i64().unwrap_or(0);
                let beyond = [i64::MIN, i64::MAX, least.saturating_sub(1), most.saturating_add(1)];
                *number = random.choice(beyond).unwrap().into();
            }
            Value::Number(_) => *value = random.choice([json!(-1e300), json!(i64::MAX), json!(-0.0)]).unwrap(),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Another kind, no kind, or news inside of a known one.
    fn make_news_of_kinds(&self, schema: &Value, kinds: &[Value], value: &mut Value, random: &mut Rng) {
        let tag = schema["discriminator"]["propertyName"].as_str();
        match (random.u8(..4), tag) {
            (0, Some(tag)) => value[tag] = "news_kind".into(),
            (1, Some(tag)) => drop(value.as_object_mut().map(|properties| properties.remove(tag))),
            (2, _) => *value = any(random),
            (_, tag) => {
                let kind = kinds.iter().find(|kind| {
                    let names = &self.resolve(kind).schema["properties"];
                    tag.is_some_and(|tag| self.resolve(&names[tag]).schema["enum"][0] == value[tag])
                });
                if let Some(kind) = kind {
                    self.make_news(kind, value, random);
                }
            }
        }
    }

    fn make_news_of_properties(&self, schema: &Value, properties: &mut Map<String, Value>, random: &mut Rng) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let Resolved { schema: resolved, nullable } = self.resolve(property);
            let insisted_on = is_required(schema, name) && !nullable && resolved["type"] != "array";
            match random.u8(..5) {
                0 if !insisted_on => drop(properties.remove(name)),
                1 if !insisted_on => drop(properties.insert(name.clone(), Value::Null)),
                _ => {
                    if let Some(value) = properties.get_mut(name) {
                        self.make_news(property, value, random);
                    }
                }
            }
        }
        if random.u8(..3) == 0 {
            properties.insert("news_property".to_owned(), any(random));
            properties.insert(String::new(), any(random));
        }
    }
}

/// A text that the document does not allow here, if there is one.
fn new_text(schema: &Value, random: &mut Rng) -> Option<&'static str> {
    let texts: &[&str] = if schema.get("enum").is_some() {
        &["NEWS_VALUE", "news value", "", "null", "Unrecognized"]
    } else if schema["format"] == "date-time" {
        &TIMES
    } else if schema["format"] == "uri" {
        &["", " ", "not a link"]
    } else if schema.get("pattern").is_some() {
        &["red", "", "#12345", "0x0"]
    } else {
        return None;
    };
    random.choice(texts).copied()
}

fn any(random: &mut Rng) -> Value {
    let values = [
        Value::Null,
        json!(false),
        json!(u64::MAX),
        json!(-0.5),
        json!("text"),
        json!([[], [1, "a"]]),
        json!({"type": {"type": "obj"}, "a": [null]}),
    ];
    random.choice(values).unwrap()
}
