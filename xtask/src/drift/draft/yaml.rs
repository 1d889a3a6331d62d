//! Writes values as YAML the way the document is written: blocks, short lists in one line, quotes only where needed.

use serde_json::Value;

const MAX_CHARS: usize = 120;
/// A key that begins with this is a comment; what follows makes the key unique.
pub(super) const COMMENT: &str = "#";

/// Returns a document; `#` keys become comments.
pub(super) fn write(value: &Value) -> String {
    let mut text = String::new();
    mapping(value, 0, &mut text);
    text
}

fn mapping(value: &Value, indent: usize, text: &mut String) {
    for (key, value) in value.as_object().into_iter().flatten() {
        if key.starts_with(COMMENT) {
            comment(value.as_str().unwrap_or_default(), indent, text);
        } else {
            let start = format!("{}{}:", " ".repeat(indent), scalar(&Value::from(key.as_str())));
            entry(&start, value, indent + 2, text);
        }
    }
}

/// Writes a value after its key or dash.
fn entry(start: &str, value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            *text += &format!("{start}\n");
            mapping(value, indent, text);
        }
        Value::Array(items) if !items.is_empty() => {
            let flow: Vec<String> =
                items.iter().filter(|item| !item.is_array() && !item.is_object()).map(scalar).collect();
            let line = format!("{start} [{}]", flow.join(", "));
            if flow.len() == items.len() && line.chars().count() <= MAX_CHARS {
                *text += &format!("{line}\n");
                return;
            }
            *text += &format!("{start}\n");
            for item in items {
                self::item(item, indent, text);
            }
        }
        _ => *text += &format!("{start} {}\n", scalar(value)),
    }
}

fn item(item: &Value, indent: usize, text: &mut String) {
    let margin = " ".repeat(indent);
    if item.as_object().is_some_and(|object| !object.is_empty()) {
        let mut inner = String::new();
        mapping(item, indent + 2, &mut inner);
        // The dash takes the place of the indentation of the first line.
        *text += &format!("{margin}- {}", &inner[indent + 2..]);
    } else {
        entry(&format!("{margin}-"), item, indent + 2, text);
    }
}

fn comment(words: &str, indent: usize, text: &mut String) {
    let margin = format!("{}#", " ".repeat(indent));
    let mut line = margin.clone();
    for word in words.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > MAX_CHARS && line != margin {
            *text += &format!("{line}\n");
            line.clone_from(&margin);
        }
        line += &format!(" {word}");
    }
    *text += &format!("{line}\n");
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::String(text) if !text.contains(char::is_control) => format!("'{}'", text.replace('\'', "''")),
        // `3.0` of an integer.
        Value::Number(number) => number
            .as_f64()
            .filter(|float| float.fract() == 0.0 && number.is_f64())
            .map_or_else(|| number.to_string(), |float| format!("{float:.0}")),
        other => other.to_string(),
    }
}

/// Returns whether every YAML reads a text as itself without quotes.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"];
    let is_status = text.len() == 3 && text.ends_with("XX");
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && !text.ends_with(' ')
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-./{} ".contains(letter));
    (is_status || is_word || text == "$ref") && !WORDS.contains(&text.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_looks_like_the_document() {
        let value = json!({
            "paths": {"/a/{b}": {"get": {"tags": ["x", "on"], "responses": {"200": {"$ref": "#/c"}, "4XX": {}}}}},
            "list": [{"a": 1, "b": [{"c": null}, {}]}, [1, 2], "it's", "two\nlines", []],
            "long": ["a".repeat(60), "b".repeat(60)],
            "ratio": "16:9", "size": "1x1", "empty": "", "number": 0.5, "text": "0.5", "word": "plain words",
        });

        let text = write(&value);

        let read = ideogram_codegen::Document::parse(&text).unwrap();
        assert_eq!(read.root, value, "{text}");
        assert!(read.ambiguous.is_empty(), "{text}");
        assert!(text.starts_with("paths:\n  /a/{b}:\n    get:\n      tags: [x, 'on']\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= MAX_CHARS), "{text}");
    }

    #[test]
    fn comments_are_broken_into_lines() {
        let text = write(&json!({"a": {"#1": "word ".repeat(40), "b": 1}}));

        let word = "word ".repeat(23);
        assert_eq!(text, format!("a:\n  # {}\n  # {}\n  b: 1\n", word.trim(), "word ".repeat(17).trim()));
    }
}
