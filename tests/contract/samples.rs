//! Every sample decodes; valid ones are encoded again without loss.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    fmt::Debug,
};

use ideogram_client::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use xtask::{Sample, Validity, snapshots::SnapshotKind};

use crate::{
    document::{checked, sources},
    listed,
    snapshots::compare,
};

/// Decodes the response of one operation.
pub(crate) type Decoder = fn(&str) -> serde_json::Result<Decoded>;

/// A decoded response: its `Debug` text, and its JSON when encoded again.
pub(crate) struct Decoded {
    debug: String,
    encoded: Value,
}

pub(crate) fn decode<T: DeserializeOwned + Serialize + Debug + Clone + PartialEq>(
    json: &str,
) -> serde_json::Result<Decoded> {
    let value: T = serde_json::from_str(json)?;
    let encoded = serde_json::to_value(&value)?;
    // A caller may store responses as JSON.
    assert!(serde_json::from_value::<T>(encoded.clone())? == value, "changed on the way back: {value:#?}");
    Ok(Decoded { debug: format!("{value:#?}"), encoded })
}

fn decoded(sample: &Sample<'_>) -> Decoded {
    let decode = listed::decoder(sample.operation).unwrap();
    decode(sample.text).unwrap_or_else(|error| panic!("`{}`: {error}", sample.path))
}

/// The samples of an operation in one snapshot. Samples that differ only in values are listed by name.
#[test]
fn every_sample_decodes() {
    let sources = sources();
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut shapes: HashMap<(String, String), &str> = HashMap::new();
    for sample in sources.samples() {
        let debug = decoded(&sample).debug;
        let kind = if sample.validity == Validity::News { "news" } else { "example" };
        let text = texts.entry(sample.operation.to_owned()).or_default();
        match shapes.entry((sample.operation.to_owned(), shape(&debug))) {
            Entry::Occupied(first) => {
                text.push_str(&format!("{kind} `{}`: other values than `{}`\n\n", sample.case, first.get()));
            }
            Entry::Vacant(entry) => {
                entry.insert(sample.case);
                text.push_str(&format!("{kind} `{}`:\n{debug}\n\n", sample.case));
            }
        }
    }

    compare(SnapshotKind::Samples, &texts);
}

/// A decoded value without its texts, times and digits.
fn shape(debug: &str) -> String {
    let mut shape = String::new();
    let mut characters = debug.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                shape.push('"');
                let mut escaped = false;
                for inner in characters.by_ref() {
                    if inner == '"' && !escaped {
                        break;
                    }
                    escaped = inner == '\\' && !escaped;
                }
            }
            '0'..='9' => {}
            '(' if shape.ends_with("Timestamp") => {
                characters.by_ref().find(|inner| *inner == ')');
            }
            other => shape.push(other),
        }
    }
    shape
}

#[test]
fn every_example_is_encoded_again_without_loss() {
    let sources = sources();
    let document = Described::read(sources.document());
    for sample in sources.samples().filter(|sample| sample.validity == Validity::Example) {
        let original = serde_json::from_str(sample.text).unwrap();
        let original = document.described(document.response(sample.operation), original);
        assert_eq!(meaning(&decoded(&sample).encoded), meaning(&original), "`{}`", sample.path);
    }
}

#[test]
fn every_operation_has_a_response_that_is_tested() {
    let (_, client) = checked();

    for operation in client.operations() {
        assert!(listed::decoder(operation.id).is_some(), "{}", operation.id);
    }
}

/// The document, to distinguish its properties from additional ones.
struct Described {
    root: Value,
}

impl Described {
    fn read(document: &str) -> Self {
        Self { root: ideogram_codegen::read_yaml(document).unwrap() }
    }

    fn response(&self, operation: &str) -> &Value {
        let paths = self.root["paths"].as_object().unwrap().values();
        let mut operations = paths.flat_map(|item| item.as_object().unwrap().values());
        let found = operations.find(|found| found["operationId"] == operation).unwrap();
        &found["responses"]["200"]["content"]["application/json"]["schema"]
    }

    /// The schemas that a value may have, through references and unions.
    fn alternatives<'d>(&'d self, schema: &'d Value, value: &Value) -> Vec<&'d Value> {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.alternatives(self.root.pointer(&reference[1..]).unwrap(), value);
        }
        let discriminator = &schema["discriminator"];
        let kind = discriminator["propertyName"].as_str().and_then(|name| value[name].as_str());
        if let Some(reference) = kind.and_then(|kind| discriminator["mapping"][kind].as_str()) {
            return vec![self.root.pointer(&reference[1..]).unwrap()];
        }
        let inner = ["allOf", "oneOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten();
        let inner: Vec<_> = inner.filter(|inner| inner.get("required").is_none()).collect();
        if inner.is_empty() {
            vec![schema]
        } else {
            inner.into_iter().flat_map(|inner| self.alternatives(inner, value)).collect()
        }
    }

    /// A value without the properties that the document does not describe.
    fn described(&self, schema: &Value, value: Value) -> Value {
        let schemas = self.alternatives(schema, &value);
        match value {
            Value::Object(properties) if schemas.iter().any(|schema| schema.get("properties").is_some()) => {
                let described = properties.into_iter().filter_map(|(name, value)| {
                    let schema = schemas.iter().find_map(|schema| schema["properties"].get(&name))?;
                    Some((name, self.described(schema, value)))
                });
                described.collect()
            }
            Value::Array(items) => {
                let schema = schemas.iter().find_map(|schema| schema.get("items")).unwrap_or(&Value::Null);
                items.into_iter().map(|item| self.described(schema, item)).collect()
            }
            other => other,
        }
    }
}

/// A value without nulls and empty lists, which the service may leave out, and with times in one form.
fn meaning(value: &Value) -> Value {
    match value {
        Value::Object(properties) => {
            let properties = properties.iter().map(|(name, value)| (name, meaning(value)));
            let kept = properties.filter(|(_, value)| !value.is_null() && *value != Value::Array(Vec::new()));
            kept.map(|(name, value)| (name.clone(), value)).collect()
        }
        Value::Array(items) => items.iter().map(meaning).collect(),
        Value::String(text) if Timestamp::parse(text).time().is_some() => Timestamp::parse(text).to_string().into(),
        _ => value.clone(),
    }
}
