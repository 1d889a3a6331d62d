//! Reads YAML into JSON values, and remembers on which line each value stands.
//!
//! Start at [`read`]. An OpenAPI document needs no more than JSON can say, so tags, aliases, keys that are not text
//! and several documents in one file are refused. Whoever reports a problem later finds the line by JSON pointer.

use std::collections::HashMap;

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};
use serde_json::{Map, Number, Value};

use crate::{Error, Problem};

/// Deeper documents are refused before recursion over them could exhaust the stack.
const DEEPEST_NESTING: usize = 96;

/// A document as JSON, with the line (counted from 1) of each node by its JSON pointer.
pub(crate) struct Located {
    pub(crate) root: Value,
    pub(crate) lines: HashMap<String, usize>,
}

/// Reads one YAML document.
pub(crate) fn read(text: &str) -> Result<Located, Error> {
    refuse_deep_nesting(text)?;
    let nodes = MarkedYaml::load_from_str(text).map_err(|error| {
        let marker = error.marker();
        Problem::at_line(marker.line(), format!("not valid YAML: {} (column {})", error.info(), marker.col() + 1))
            .repair("correct the YAML at this line or just above it")
    })?;
    let [node] = nodes.as_slice() else {
        return Err(Problem::at_line(1, format!("expected one YAML document, found {}", nodes.len()))
            .repair("keep a single document in the file")
            .into());
    };
    let mut lines = HashMap::new();
    let root = convert(node, &mut String::new(), &mut lines)?;
    Ok(Located { root, lines })
}

/// The YAML loader recurses, and so do we: brackets and indentation bound the depth of what a text can hold.
fn refuse_deep_nesting(text: &str) -> Result<(), Error> {
    let mut brackets = 0_usize;
    for (index, line) in text.lines().enumerate() {
        let indentation = line.len() - line.trim_start_matches([' ', '-', '?']).len();
        for character in line.chars() {
            match character {
                '[' | '{' => brackets += 1,
                ']' | '}' => brackets = brackets.saturating_sub(1),
                _ => {}
            }
        }
        // Brackets in prose count too, so the bound on them is generous.
        if indentation > 2 * DEEPEST_NESTING || brackets > 8 * DEEPEST_NESTING {
            return Err(Problem::at_line(index + 1, "nested too deeply for an OpenAPI document")
                .repair("move inner schemas to `components.schemas` and refer to them")
                .into());
        }
    }
    Ok(())
}

fn convert(node: &MarkedYaml, pointer: &mut String, lines: &mut HashMap<String, usize>) -> Result<Value, Error> {
    let line = node.span.start.line();
    lines.entry(pointer.clone()).or_insert(line);
    let refused = |message: &str| {
        Error::from(Problem::at_line(line, message.to_owned()).repair("write it as plain JSON-like YAML"))
    };
    if pointer.matches('/').count() > DEEPEST_NESTING {
        return Err(refused("nested too deeply for an OpenAPI document"));
    }
    match &node.data {
        YamlData::Value(scalar) => Ok(match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(value) => Value::Bool(*value),
            Scalar::Integer(value) => Value::Number((*value).into()),
            Scalar::FloatingPoint(value) => Number::from_f64(value.into_inner())
                .map(Value::Number)
                .ok_or_else(|| refused("infinity and NaN are not JSON numbers"))?,
            Scalar::String(value) => Value::String(value.to_string()),
        }),
        YamlData::Sequence(items) => {
            let mut array = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                let length = pointer.len();
                pointer.push('/');
                pointer.push_str(&index.to_string());
                array.push(convert(item, pointer, lines)?);
                pointer.truncate(length);
            }
            Ok(Value::Array(array))
        }
        YamlData::Mapping(entries) => {
            let mut object = Map::with_capacity(entries.len());
            for (key, value) in entries {
                let name = match &key.data {
                    YamlData::Value(Scalar::String(name)) => name.to_string(),
                    // Status codes are written without quotes as often as with them.
                    YamlData::Value(Scalar::Integer(name)) => name.to_string(),
                    _ => return Err(refused("a key must be text; put it in quotes")),
                };
                let length = pointer.len();
                pointer.push('/');
                pointer.push_str(&escape(&name));
                // The key's line: for a nested mapping the value starts a line later.
                lines.insert(pointer.clone(), key.span.start.line());
                let value = convert(value, pointer, lines)?;
                pointer.truncate(length);
                if object.insert(name.clone(), value).is_some() {
                    return Err(refused(&format!("the key `{name}` stands here twice")));
                }
            }
            Ok(Value::Object(object))
        }
        YamlData::Tagged(..) => Err(refused("YAML tags are not supported")),
        YamlData::Alias(_) => Err(refused("YAML aliases are not supported")),
        YamlData::Representation(..) | YamlData::BadValue => Err(refused("a value that cannot be read")),
    }
}

/// One token of a JSON pointer (RFC 6901).
pub(crate) fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_pointer() {
        let located = read("openapi: 3.0.3\npaths:\n  /a/b:\n    get:\n      operationId: x\n").unwrap();

        assert_eq!(located.lines["/paths/~1a~1b/get/operationId"], 5);
        assert_eq!(located.root["paths"]["/a/b"]["get"]["operationId"], "x");
    }

    #[test]
    fn on_and_off_are_text_as_yaml_1_2_says() {
        let located = read("values: [ON, OFF, yes, 1x3]").unwrap();

        assert_eq!(located.root["values"], serde_json::json!(["ON", "OFF", "yes", "1x3"]));
    }

    #[test]
    fn broken_yaml_names_line_and_repair() {
        let error = read("a: 1\nb: [1, 2\nc: 3\n").err().unwrap().to_string();

        assert!(error.contains("line "), "{error}");
        assert!(error.contains("not valid YAML"), "{error}");
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let error = read("a: 1\nb: 2\na: 3\n").err().unwrap().to_string();

        assert!(error.contains("line 3"), "{error}");
    }

    #[test]
    fn deep_nesting_is_refused_not_recursed_into() {
        let error = read(&"[".repeat(100_000)).err().unwrap().to_string();

        assert!(error.contains("nested too deeply"), "{error}");
    }
}
