//! Reads YAML as JSON values.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

/// Reads the one document in `text`.
///
/// # Errors
///
/// The text is not YAML, or has a construct without a counterpart in JSON.
pub(crate) fn read(text: &str) -> Result<Value, String> {
    let mut documents = Yaml::load_from_str(text).map_err(|error| error.to_string())?;
    match documents.pop() {
        Some(document) if documents.is_empty() => convert(document),
        _ => Err("not exactly one YAML document".to_owned()),
    }
}

fn convert(node: Yaml<'_>) -> Result<Value, String> {
    Ok(match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => value.into(),
        Yaml::Value(Scalar::Integer(value)) => value.into(),
        Yaml::Value(Scalar::FloatingPoint(value)) => value.into_inner().into(),
        Yaml::Value(Scalar::String(value)) => value.into_owned().into(),
        Yaml::Sequence(items) => items.into_iter().map(convert).collect::<Result<_, _>>()?,
        Yaml::Mapping(entries) => {
            let mut object = Map::with_capacity(entries.len());
            for (key, value) in entries {
                let Yaml::Value(Scalar::String(key)) = key else {
                    return Err(format!("the key {key:?} is not a string"));
                };
                object.insert(key.into_owned(), convert(value)?);
            }
            Value::Object(object)
        }
        other => return Err(format!("{other:?} has no counterpart in JSON")),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_that_are_booleans_only_in_yaml_1_1_are_strings() {
        assert_eq!(read("[ON, true, '1', 1]").unwrap(), json!(["ON", true, "1", 1]));
    }

    #[test]
    fn keys_must_be_strings() {
        assert!(read("200: ok").unwrap_err().contains("is not a string"));
    }
}
