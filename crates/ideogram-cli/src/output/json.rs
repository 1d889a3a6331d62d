//! Formats JSON text without changing its values.
//!
//! Only white space between values changes, and control characters are escaped. Decoding and encoding the text would
//! round large numbers and drop duplicate properties.

use std::io::{self, Write};

use crate::output::printable::is_unprintable;

/// Deeper values are not indented: the size would grow with the square of the depth.
const MAX_INDENTED: usize = 64;

/// Indents valid JSON by two spaces, with a final newline. Deeply nested values stay on one line.
pub(crate) fn write_indented(json: &str, writer: &mut impl Write) -> io::Result<()> {
    let mut depth = 0_usize;
    let mut just_opened = false;
    each_character(json, |character, is_in_string| {
        if is_in_string {
            return push(writer, character);
        }
        let closes = matches!(character, '}' | ']');
        // Empty brackets stay together.
        let breaks = closes != just_opened && depth <= MAX_INDENTED;
        depth = depth.saturating_sub(usize::from(closes));
        if breaks {
            new_line(writer, depth)?;
        }
        just_opened = matches!(character, '{' | '[');
        depth += usize::from(just_opened);
        push(writer, character)?;
        match character {
            ',' if depth <= MAX_INDENTED => new_line(writer, depth),
            ':' => writer.write_all(b" "),
            _ => Ok(()),
        }
    })?;
    writer.write_all(b"\n")
}

/// Writes valid JSON on one line, with a final newline.
pub(crate) fn write_compact(json: &str, writer: &mut impl Write) -> io::Result<()> {
    each_character(json, |character, _| push(writer, character))?;
    writer.write_all(b"\n")
}

/// Hands over the characters of JSON without white space between values, and whether each is in a string, after its
/// opening quotation mark.
fn each_character(json: &str, mut each: impl FnMut(char, bool) -> io::Result<()>) -> io::Result<()> {
    let (mut in_string, mut is_escaped) = (false, false);
    for character in json.chars() {
        if in_string {
            each(character, true)?;
            in_string = is_escaped || character != '"';
            is_escaped = !is_escaped && character == '\\';
        } else if !character.is_ascii_whitespace() {
            each(character, false)?;
            in_string = character == '"';
        }
    }
    Ok(())
}

/// [`write_compact`] to a `String`.
pub(crate) fn compact(json: &str) -> String {
    let mut text = Vec::with_capacity(json.len() + 1);
    write_compact(json, &mut text).expect("writing to memory cannot fail");
    String::from_utf8(text).expect("JSON is UTF-8")
}

fn new_line(writer: &mut impl Write, depth: usize) -> io::Result<()> {
    writer.write_all(b"\n")?;
    (0..depth).try_for_each(|_| writer.write_all(b"  "))
}

/// Only strings can contain characters to escape, so the escape is valid JSON.
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
    fn deep_values_grow_only_by_a_constant() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[1,", "]")] {
            let depth = 100_000;
            let json = format!("{}1{}", open.repeat(depth), close.repeat(depth));

            let printed = indented(&json);

            assert!(printed.len() < json.len() * 2 + 40_000, "{open}: {}", printed.len());
            assert_eq!(compact(&printed), compact(&json));
        }
    }

    #[test]
    fn values_are_unchanged() {
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
    fn control_characters_are_escaped_as_json() {
        assert_eq!(indented("\"a\u{9b}2J\u{202e}\""), "\"a\\u009b2J\\u202e\"\n");
    }

    #[test]
    fn compact_json_has_the_same_values() {
        let json = "{ \"a b\": [1,\n 2.50, \"x \\\" y\\\\\" ],\r\n\t\"c\":\"\u{202e}\"}";

        assert_eq!(compact(json), "{\"a b\":[1,2.50,\"x \\\" y\\\\\"],\"c\":\"\\u202e\"}\n");
    }

    #[test]
    fn invalid_json_does_not_panic() {
        for text in ["", "]]", "\"open", "}{", "\"\\"] {
            assert!(indented(text).ends_with('\n') && compact(text).ends_with('\n'), "{text}");
        }
    }
}
