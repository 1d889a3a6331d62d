//! Reads YAML as JSON values, and records the line of each value.
//!
//! Start at [`read`]; [`Document`](crate::Document) is what others use. An OpenAPI document needs only what JSON can
//! express, so tags, aliases, keys that are not text and several documents in one file are refused.

use std::collections::HashMap;

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};
use saphyr_parser::{Event, Parser};
use serde_json::{Map, Number, Value};

use crate::{Error, Problem};

/// Deeper documents are refused, because recursion could exhaust the stack.
const MAX_DEPTH: usize = 96;

/// An unquoted text that YAML 1.1 reads as something else than YAML 1.2, which this crate reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    /// The location as a JSON pointer; for a key, that of its value.
    pub pointer: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The text as it is written.
    pub text: String,
    /// What YAML 1.1 reads: `true`, `false`, `a time` or `a number`.
    pub meaning: &'static str,
}

/// A text as JSON, with the locations of its nodes.
#[derive(Debug)]
pub(crate) struct Yaml {
    pub(crate) root: Value,
    /// The line (counted from 1) of each node, by its JSON pointer.
    pub(crate) lines: HashMap<String, usize>,
    pub(crate) ambiguous: Vec<Ambiguous>,
}

pub(crate) fn read(text: &str) -> Result<Yaml, Error> {
    refuse_deep_nesting(text)?;
    let nodes = MarkedYaml::load_from_str(text).map_err(|error| {
        let marker = error.marker();
        if let Some(line) = indented_with_a_tab(text, marker.line()) {
            let repair = "indent with spaces";
            return Problem::new("not valid YAML: a tab in the indentation").at_line(Some(line)).repair(repair);
        }
        if error.info().starts_with("duplicated key") {
            let written = text.lines().nth(marker.line().saturating_sub(1)).unwrap_or_default();
            let key = written.split(':').next().unwrap_or_default().trim();
            return Problem::new(format!("the key `{key}` is repeated"))
                .at_line(Some(marker.line()))
                .repair("remove one of the two");
        }
        let repair = if error.info().starts_with("mapping values are not allowed") {
            "put a text that contains a colon and a space into quotes, or correct the indentation"
        } else {
            "correct the YAML at this line or just above it"
        };
        Problem::new(format!("not valid YAML: {} (column {})", error.info(), marker.col() + 1))
            .at_line(Some(marker.line()))
            .repair(repair)
    })?;
    let [node] = nodes.as_slice() else {
        return Err(Problem::new(format!("expected one YAML document, found {}", nodes.len()))
            .at_line(Some(1))
            .repair("keep a single document in the file")
            .into());
    };
    let mut converter = Converter {
        text: text.lines().collect(),
        lines: HashMap::new(),
        ambiguous: Vec::new(),
        pointer: String::new(),
    };
    let root = converter.convert(node)?;
    Ok(Yaml { root, lines: converter.lines, ambiguous: converter.ambiguous })
}

/// Returns the first line from `line` on, counted from 1, that is indented with a tab; the parser may stop just above it.
fn indented_with_a_tab(text: &str, line: usize) -> Option<usize> {
    let has_tab = |line: &str| line[..line.len() - line.trim_start().len()].contains('\t');
    let below = text.lines().enumerate().skip(line.saturating_sub(1)).take(2);
    below.into_iter().find(|(_, line)| has_tab(line)).map(|(index, _)| index + 1)
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

struct Converter<'t> {
    text: Vec<&'t str>,
    lines: HashMap<String, usize>,
    ambiguous: Vec<Ambiguous>,
    /// The location of the current node.
    pointer: String,
}

impl Converter<'_> {
    fn convert(&mut self, node: &MarkedYaml) -> Result<Value, Error> {
        let line = node.span.start.line();
        self.lines.entry(self.pointer.clone()).or_insert(line);
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
                Scalar::String(value) => {
                    self.note_ambiguous(node, value);
                    Value::String(value.to_string())
                }
            }),
            YamlData::Sequence(items) => {
                let mut array = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    array.push(self.within(&index.to_string(), |converter| converter.convert(item))?);
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
                    let key_line = key.span.start.line();
                    if object.contains_key(&name) {
                        let problem = Problem::new(format!("the key `{name}` is repeated")).at_line(Some(key_line));
                        return Err(problem.repair("remove one of the two").into());
                    }
                    let value = self.within(&escape(&name), |converter| {
                        // The key's line: for a nested mapping the value starts a line later.
                        converter.lines.insert(converter.pointer.clone(), key_line);
                        converter.note_ambiguous(key, &name);
                        converter.convert(value)
                    })?;
                    object.insert(name, value);
                }
                Ok(Value::Object(object))
            }
            YamlData::Tagged(..) => Err(refused("YAML tags are not supported")),
            YamlData::Alias(_) => Err(refused("YAML aliases are not supported")),
            YamlData::Representation(..) | YamlData::BadValue => Err(refused("a value that cannot be read")),
        }
    }

    fn within<T>(&mut self, token: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(token);
        let result = read(self);
        self.pointer.truncate(length);
        result
    }

    /// Notes a text if it is not quoted and YAML 1.1 reads something else.
    fn note_ambiguous(&mut self, node: &MarkedYaml, text: &str) {
        let Some(meaning) = yaml_1_1_meaning(text) else { return };
        let start = node.span.start;
        let line = |number: usize| self.text.get(number.wrapping_sub(1)).copied().unwrap_or_default();
        let is_written_so = line(start.line()).chars().skip(start.col()).take(text.chars().count()).eq(text.chars());
        // The text of a block starts below its indicator.
        let indicator = line(start.line() - 1).rsplit(' ').next().unwrap_or_default();
        let is_in_block = line(start.line()).chars().take(start.col()).all(|letter| letter == ' ')
            && indicator.starts_with(['|', '>']);
        if is_written_so && !is_in_block {
            let ambiguous =
                Ambiguous { pointer: self.pointer.clone(), line: start.line(), text: text.to_owned(), meaning };
            self.ambiguous.push(ambiguous);
        }
    }
}

/// Returns what YAML 1.1 reads, if it is not this text.
fn yaml_1_1_meaning(text: &str) -> Option<&'static str> {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let has_case = text == text.to_lowercase() || text == text.to_uppercase() || {
        let mut letters = text.chars();
        letters.next().is_some_and(char::is_uppercase) && letters.as_str() == letters.as_str().to_lowercase()
    };
    match text.to_lowercase().as_str() {
        "y" | "yes" | "on" if has_case => return Some("true"),
        "n" | "no" | "off" if has_case => return Some("false"),
        _ => {}
    }
    let date: Vec<&str> = text.split(['T', 't', ' ']).next().unwrap_or_default().split('-').collect();
    if let [year, month, day] = date.as_slice()
        && year.len() == 4
        && [year, month, day].into_iter().all(|part| is_digits(part))
    {
        return Some("a time");
    }
    let number = text.trim_start_matches(['+', '-']);
    let base_60 = number.contains(':') && number.split(':').all(is_digits);
    let grouped = number.contains('_') && number.split('_').all(is_digits);
    (base_60 || grouped).then_some("a number")
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
    fn what_yaml_1_1_reads_as_something_else_is_noted_unless_it_is_quoted() {
        let text = "on: ['ON', \"no\", OFF, yes, oN, 1x3, 2026-06-30, 16:9, 1_000, 3:4:5, a:b]\nb: No\nc: >-\n  no\n";

        let located = read(text).unwrap();

        let noted: Vec<_> = located.ambiguous.iter().map(|it| (it.line, it.text.as_str(), it.meaning)).collect();
        assert_eq!(
            noted,
            [
                (1, "on", "true"),
                (1, "OFF", "false"),
                (1, "yes", "true"),
                (1, "2026-06-30", "a time"),
                (1, "16:9", "a number"),
                (1, "1_000", "a number"),
                (1, "3:4:5", "a number"),
                (2, "No", "false"),
            ]
        );
        assert_eq!(located.ambiguous[1].pointer, "/on/2");
    }

    #[test]
    fn broken_yaml_names_line_and_repair() {
        let tab = "not valid YAML: a tab in the indentation; indent with spaces";
        for (text, line, message) in [
            ("a:\n  b: c\n\td: e\n", 3, tab),
            ("a:\n\tb: c\n", 2, tab),
            ("a:\n  - b\n \t- c\n", 3, tab),
            ("a: 1\nb: 2\na: 3\n", 3, "the key `a` is repeated; remove one of the two"),
            ("a: 1\nb: [1, 2\nc: 3\n", 3, "not valid YAML: "),
        ] {
            let error = read(text).unwrap_err().to_string();

            assert!(error.starts_with(&format!("line {line}: {message}")), "{text:?}: {error}");
        }
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
            let error = read(&text).unwrap_err().to_string();
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
