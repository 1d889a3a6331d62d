//! JSON text, indented for reading, otherwise as it came.
//!
//! Only white space between values changes, and what a terminal would obey is escaped. Reading the text into values and
//! writing it again would round large numbers and drop what is given twice.

use std::io::{self, Write};

use crate::output::printable::is_unprintable;

/// Deeper than this, nothing is indented: lines would grow with the depth, and the whole with its square.
const MAX_INDENTED: usize = 64;

/// Indents valid JSON by two spaces; a newline ends it. What is nested very deeply stays on one line.
pub(crate) fn write_indented(json: &str, writer: &mut impl Write) -> io::Result<()> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut is_escaped = false;
    let mut just_opened = false;
    for character in json.chars() {
        if in_string {
            push(writer, character)?;
            in_string = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
            continue;
        }
        if character.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(character, '}' | ']');
        // Not between the brackets of what is empty.
        let breaks = closes != just_opened && depth <= MAX_INDENTED;
        depth = depth.saturating_sub(usize::from(closes));
        if breaks {
            new_line(writer, depth)?;
        }
        just_opened = matches!(character, '{' | '[');
        depth += usize::from(just_opened);
        in_string = character == '"';
        push(writer, character)?;
        match character {
            ',' if depth <= MAX_INDENTED => new_line(writer, depth)?,
            ':' => writer.write_all(b" ")?,
            _ => {}
        }
    }
    writer.write_all(b"\n")
}

/// Valid JSON on one line; a newline ends it.
pub(crate) fn write_compact(json: &str, writer: &mut impl Write) -> io::Result<()> {
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
        push(writer, character)?;
    }
    writer.write_all(b"\n")
}

/// [`write_compact`] into a text.
pub(crate) fn compact(json: &str) -> String {
    let mut text = Vec::with_capacity(json.len() + 1);
    write_compact(json, &mut text).expect("memory takes all of it");
    String::from_utf8(text).expect("text becomes text")
}

fn new_line(writer: &mut impl Write, depth: usize) -> io::Result<()> {
    writer.write_all(b"\n")?;
    (0..depth).try_for_each(|_| writer.write_all(b"  "))
}

/// Only strings can hold what has to be escaped, so the escape is valid JSON.
fn push(writer: &mut impl Write, character: char) -> io::Result<()> {
    if is_unprintable(character) {
        write!(writer, "\\u{:04x}", u32::from(character))
    } else {
        writer.write_all(character.encode_utf8(&mut [0; 4]).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indented(json: &str) -> String {
        let mut text = Vec::new();
        write_indented(json, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn deep_values_grow_by_a_constant_only() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[1,", "]")] {
            let depth = 100_000;
            let json = format!("{}1{}", open.repeat(depth), close.repeat(depth));

            let shown = indented(&json);

            assert!(shown.len() < json.len() * 2 + 40_000, "{open}: {}", shown.len());
            assert_eq!(compact(&shown), compact(&json));
        }
    }

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
