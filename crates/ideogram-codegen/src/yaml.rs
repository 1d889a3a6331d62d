//! Reads YAML as JSON values, and records the line of each value.
//!
//! Start at [`read`]. An OpenAPI document needs only what JSON can express, so tags, aliases, keys that are not text
//! and several documents in one file are refused.

use std::collections::HashMap;

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};
use saphyr_parser::{Event, Parser};
use serde_json::{Map, Number, Value};

use crate::{Error, Problem};

/// Deeper documents are refused, because recursion could exhaust the stack.
const MAX_DEPTH: usize = 96;

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
        Problem::new(format!("not valid YAML: {} (column {})", error.info(), marker.col() + 1))
            .at_line(Some(marker.line()))
            .repair("correct the YAML at this line or just above it")
    })?;
    let [node] = nodes.as_slice() else {
        return Err(Problem::new(format!("expected one YAML document, found {}", nodes.len()))
            .at_line(Some(1))
            .repair("keep a single document in the file")
            .into());
    };
    let mut lines = HashMap::new();
    let root = convert(node, &mut String::new(), &mut lines)?;
    Ok(Located { root, lines })
}

/// Returns the line of a node, or of the nearest node above it whose line is known.
pub(crate) fn nearest_line(lines: &HashMap<String, usize>, pointer: &str) -> Option<usize> {
    let mut nearest = pointer;
    loop {
        if let Some(line) = lines.get(nearest) {
            return Some(*line);
        }
        nearest = &nearest[..nearest.rfind('/')?];
    }
}

/// Measures the depth with the parser, which does not recurse; the loader does.
fn refuse_deep_nesting(text: &str) -> Result<(), Error> {
    let mut depth = 0_usize;
    // What is not valid YAML is reported by the loader.
    for (event, span) in Parser::new_from_str(text).map_while(Result::ok) {
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth -= 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(Problem::new("nested too deeply for an OpenAPI document")
                .at_line(Some(span.start.line()))
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
        Error::from(Problem::new(message).at_line(Some(line)).repair("write it as plain JSON-like YAML"))
    };
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
                    return Err(refused(&format!("the key `{name}` is repeated")));
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
    fn deep_nesting_is_refused_in_every_form() {
        let block = |unit: &str| (0..1000).map(|level| format!("{}{unit}\n", " ".repeat(2 * level))).collect();
        let forms: [String; 7] = [
            "[".repeat(100_000),
            "{a: ".repeat(100_000),
            "[{a: ".repeat(100_000),
            "- ".repeat(100_000),
            "? ".repeat(100_000),
            block("a:"),
            block("- a:"),
        ];

        for text in forms {
            let error = read(&text).err().unwrap().to_string();
            // The scanner has a bound of its own on brackets.
            let is_refused =
                ["nested too deeply", "recursion limit exceeded"].iter().any(|words| error.contains(words));
            assert!(is_refused, "{}: {error}", &text[..20]);
        }
    }

    #[test]
    fn brackets_in_text_are_no_nesting() {
        let brackets = "[{".repeat(10_000);
        for text in [
            format!("a: >-\n  {brackets}\n"),
            format!("a: |\n  {brackets}\n"),
            format!("a: '{brackets}'\n"),
            format!("a: \"{brackets}\"\n"),
            format!("a: x{brackets}\n"),
            format!("a: b # {brackets}\n"),
            format!("a: >-\n{}text\n", " ".repeat(1000)),
        ] {
            assert!(read(&text).is_ok(), "{}", &text[..20]);
        }
    }

    #[test]
    fn nesting_up_to_the_bound_is_read() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));

        assert!(read(&nested(MAX_DEPTH)).is_ok());
        assert!(read(&nested(MAX_DEPTH + 1)).is_err());
    }
}
