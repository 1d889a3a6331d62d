//! Text from elsewhere, made safe for a terminal.

use std::{borrow::Cow, fmt::Write as _};

/// The same text, with characters escaped that a terminal would obey instead of show: control characters, and those
/// that turn the direction of text and so make a name look like another.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if is_unprintable(character) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
            }
            _ => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

/// Whether a terminal obeys the character. All such characters have at most four hexadecimal digits.
pub(crate) fn is_unprintable(character: char) -> bool {
    let is_line_or_paragraph_separator = matches!(character, '\u{2028}' | '\u{2029}');
    let turns_direction = matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || is_line_or_paragraph_separator || turns_direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        for (text, shown) in [
            ("\x1b[31mred\x1b[0m", r"\u{1b}[31mred\u{1b}[0m"),
            ("two\nlines\r\t", r"two\nlines\r\t"),
            ("a\u{9b}2Jb\u{7f}", r"a\u{9b}2Jb\u{7f}"),
            ("gpj.\u{202e}exe", r"gpj.\u{202e}exe"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn all_else_stays_as_it_is() {
        for text in ["", "plain.png", "łódź.jpg", "紙灯籠", "👩‍🎨", r"back\slash", "a b"] {
            assert!(matches!(printable(text), Cow::Borrowed(shown) if shown == text), "{text}");
        }
    }
}
