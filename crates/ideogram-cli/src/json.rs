//! JSON text, indented for reading, otherwise as it came.
//!
//! Only white space between values changes, and what a terminal would obey is escaped. Reading the text into values and
//! writing it again would round large numbers and drop what is given twice.

use std::fmt::Write as _;

use crate::printable::is_unprintable;

/// Indents valid JSON by two spaces; a newline ends it.
pub(crate) fn indented(json: &str) -> String {
    let mut indented = String::with_capacity(json.len() * 3 / 2);
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut is_escaped = false;
    let mut just_opened = false;
    for character in json.chars() {
        if in_string {
            push(&mut indented, character);
            in_string = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
            continue;
        }
        if character.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(character, '}' | ']');
        depth = depth.saturating_sub(usize::from(closes));
        // Not between the brackets of what is empty.
        if closes != just_opened {
            new_line(&mut indented, depth);
        }
        just_opened = matches!(character, '{' | '[');
        depth += usize::from(just_opened);
        in_string = character == '"';
        push(&mut indented, character);
        match character {
            ',' => new_line(&mut indented, depth),
            ':' => indented.push(' '),
            _ => {}
        }
    }
    indented.push('\n');
    indented
}

/// Valid JSON on one line; a newline ends it.
pub(crate) fn compact(json: &str) -> String {
    let mut compact = String::with_capacity(json.len() + 1);
    let mut in_string = false;
    let mut is_escaped = false;
    for character in json.chars() {
        if in_string {
            in_string = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            in_string = character == '"';
        }
        push(&mut compact, character);
    }
    compact.push('\n');
    compact
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
}

/// Only strings can hold what has to be escaped, so the escape is valid JSON.
fn push(text: &mut String, character: char) {
    if is_unprintable(character) {
        let _ = write!(text, "\\u{:04x}", u32::from(character));
    } else {
        text.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_as_they_came() {
        let json = r#"{"a" :[1, 1.0,12345678901234567890123],"a":{ },"b":[ ],"c":"x: {\"y\", \\","d":null}"#;

        assert_eq!(
            indented(json),
            r#"{
  "a": [
    1,
    1.0,
    12345678901234567890123
  ],
  "a": {},
  "b": [],
  "c": "x: {\"y\", \\",
  "d": null
}
"#
        );
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped_as_json() {
        assert_eq!(indented("\"a\u{9b}2J\u{202e}\""), "\"a\\u009b2J\\u202e\"\n");
    }

    #[test]
    fn a_line_holds_the_same_values() {
        let json = "{ \"a b\": [1,\n 2.50, \"x \\\" y\\\\\" ],\r\n\t\"c\":\"\u{202e}\"}";

        assert_eq!(compact(json), "{\"a b\":[1,2.50,\"x \\\" y\\\\\"],\"c\":\"\\u202e\"}\n");
    }

    #[test]
    fn text_that_is_no_json_does_no_harm() {
        for text in ["", "]]", "\"open", "}{", "\"\\"] {
            assert!(indented(text).ends_with('\n') && compact(text).ends_with('\n'), "{text}");
        }
    }
}
