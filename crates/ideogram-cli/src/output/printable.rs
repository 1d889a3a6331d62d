//! Makes foreign text safe for a terminal.

use std::{borrow::Cow, fmt::Write as _};

/// Escapes control characters, and characters that change the direction of text, which can make a name look like
/// another.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut printed = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => printed.push_str("\\n"),
            '\r' => printed.push_str("\\r"),
            '\t' => printed.push_str("\\t"),
            _ if is_unprintable(character) => {
                let _ = write!(printed, "\\u{{{:x}}}", u32::from(character));
            }
            _ => printed.push(character),
        }
    }
    Cow::Owned(printed)
}

/// Quotes text for a shell, if necessary, for hints that can be pasted.
pub(crate) fn shell_word(text: &str) -> Cow<'_, str> {
    quoted(text, cfg!(windows))
}

fn quoted(text: &str, on_windows: bool) -> Cow<'_, str> {
    let is_plain = |letter: char| {
        letter.is_ascii_alphanumeric()
            || "/._-+:@=,".contains(letter)
            || if on_windows { letter == '\\' } else { letter == '%' }
    };
    if !text.is_empty() && text.chars().all(is_plain) {
        Cow::Borrowed(text)
    } else if on_windows {
        // A name cannot contain this quote on Windows.
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
    }
}

/// Whether a terminal interprets the character. All such characters have at most four hexadecimal digits.
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
        for (text, expected) in [
            ("\x1b[31mred\x1b[0m", r"\u{1b}[31mred\u{1b}[0m"),
            ("two\nlines\r\t", r"two\nlines\r\t"),
            ("a\u{9b}2Jb\u{7f}", r"a\u{9b}2Jb\u{7f}"),
            ("gpj.\u{202e}exe", r"gpj.\u{202e}exe"),
        ] {
            assert_eq!(printable(text), expected);
        }
    }

    #[test]
    fn a_word_of_a_command_line_is_quoted_as_its_shell_wants_it() {
        for (text, unix, windows) in [
            ("out/.ideogram-responses/a.json", "out/.ideogram-responses/a.json", "out/.ideogram-responses/a.json"),
            (r"C:\images\a.json", r"'C:\images\a.json'", r"C:\images\a.json"),
            ("my images", "'my images'", "\"my images\""),
            ("it's", r"'it'\''s'", "\"it's\""),
            ("a%b", "a%b", "\"a%b\""),
            ("", "''", "\"\""),
        ] {
            assert_eq!((&*quoted(text, false), &*quoted(text, true)), (unix, windows), "{text}");
        }
    }

    #[test]
    fn all_else_stays_as_it_is() {
        for text in ["", "plain.png", "łódź.jpg", "紙灯籠", "👩‍🎨", r"back\slash", "a b"] {
            assert!(matches!(printable(text), Cow::Borrowed(expected) if expected == text), "{text}");
        }
    }
}
