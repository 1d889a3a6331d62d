//! Values of cells in tables: numbers, booleans and missing values, as spreadsheets and data frames write them.
//!
//! An ambiguous cell is refused: a wrong guess would be billed.

use ideogram_client::operation::{Input, InputKind};
use serde_json::Value;

use super::canonical;

/// The type of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// Free text.
    Text,
    /// An enum value, a path, or JSON.
    Word,
    Integer,
    Number,
    Boolean,
    /// A property that is not in the document.
    Any,
}

/// How data frames and spreadsheets write a missing value.
const MISSING: [&str; 10] = ["nan", "NaN", "NAN", "None", "<NA>", "NaT", "null", "NULL", "N/A", "#N/A"];

/// TRUE and FALSE in the languages of spreadsheets. No word means the opposite in another language.
const TRUE: &str = "true wahr vrai verdadero vero verdadeiro waar prawda истина істина sant sand sann tosi pravda igaz \
     doğru αληθης adevărat 1 1.0";
const FALSE: &str = "false falsch faux falso onwaar fałsz ложь хибність falskt falsk usann epätosi nepravda hamis yanlış \
     yanliş ψευδης fals 0 0.0";

impl Cell {
    pub(super) fn of(input: &Input) -> Self {
        match input.kind() {
            InputKind::Integer => Self::Integer,
            InputKind::Number => Self::Number,
            InputKind::Boolean => Self::Boolean,
            _ => Self::Word,
        }
    }
}

/// Whether a cell is a missing value.
pub(super) fn is_missing(text: &str) -> bool {
    MISSING.contains(&text)
}

/// Returns the value in canonical form; `None` for a missing value. Only cells of tables can be missing.
pub(super) fn read(value: &Value, kind: Cell, is_cell: bool) -> Result<Option<Value>, String> {
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) if matches!(kind, Cell::Integer | Cell::Number) => {
            return Ok(Some(canonical::whole(number).map_or_else(|| value.clone(), Value::Number)));
        }
        _ => return Ok(Some(value.clone())),
    };
    if is_cell && is_error(text) {
        return Err(format!("`{text}` is an error value of the spreadsheet"));
    }
    if is_cell && is_missing(text) {
        return match kind {
            Cell::Text => Err(format!(
                "`{text}` is a missing value of data frames: leave the cell empty, or use JSON lines to send it as text"
            )),
            _ => Ok(None),
        };
    }
    let trimmed = text.trim();
    let read = match kind {
        Cell::Text | Cell::Word => text.clone(),
        Cell::Integer => whole_number(trimmed)?,
        Cell::Number => decimal(trimmed),
        Cell::Boolean => boolean(trimmed)?,
        Cell::Any if is_cell => return Ok(Some(serde_json::from_str(trimmed).unwrap_or_else(|_| value.clone()))),
        Cell::Any => return Ok(Some(value.clone())),
    };
    Ok(Some(Value::String(read)))
}

/// `#REF!`, `#WERT!`, `#NAME?`, and a column that was too narrow.
fn is_error(text: &str) -> bool {
    let Some(word) = text.strip_prefix('#') else { return false };
    let is_word = word.strip_suffix(['!', '?']).is_some_and(|word| {
        !word.is_empty()
            && word.chars().all(|letter| letter.is_uppercase() || matches!(letter, '/' | '0' | '_' | '.' | ' '))
    });
    is_word || (word.len() > 1 && word.bytes().all(|byte| byte == b'#'))
}

fn boolean(text: &str) -> Result<String, String> {
    let word = text.to_lowercase();
    let is_in = |words: &str| words.split(' ').any(|it| it == word);
    if is_in(TRUE) {
        Ok("true".to_owned())
    } else if is_in(FALSE) {
        Ok("false".to_owned())
    } else {
        Err(format!("must be true or false, in any language of spreadsheets (TRUE, WAHR, VRAI), not `{text}`"))
    }
}

/// The digits of a whole number, without separators and an empty fraction.
fn whole_number(text: &str) -> Result<String, String> {
    let no_number = || format!("must be a whole number, not `{text}`");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|letter: char| letter.is_ascii_digit()) {
        return Err(no_number());
    }
    if digits.contains(['e', 'E']) && text.parse::<f64>().is_ok() || exponent_with_comma(text) {
        return Err(format!(
            "`{text}` is a rounded number: format the column as whole numbers, then save the spreadsheet again"
        ));
    }
    let is_separator = |letter: char| matches!(letter, '.' | ',' | ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}');
    let groups: Vec<&str> = digits.split(is_separator).collect();
    if !groups.iter().all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(no_number());
    }
    let mut separators: Vec<char> = digits.chars().filter(|letter| is_separator(*letter)).collect();
    separators.dedup();
    let are_thousands = groups[0].len() <= 3 && groups[1..].iter().all(|group| group.len() == 3);
    let is_fraction = matches!(separators[..], ['.' | ',']) && groups.len() == 2;
    let whole = match groups[..] {
        [whole] => whole.to_owned(),
        [whole, fraction] if is_fraction => {
            match (are_thousands && whole != "0", fraction.bytes().all(|byte| byte == b'0')) {
                (true, _) => {
                    return Err(format!(
                        "`{text}` can be read as {whole} and as {whole}{fraction}: write it without separators"
                    ));
                }
                (false, true) => whole.to_owned(),
                (false, false) => return Err(no_number()),
            }
        }
        _ if are_thousands && separators.len() == 1 => groups.concat(),
        _ => return Err(no_number()),
    };
    let whole = whole.trim_start_matches('0');
    Ok(if whole.is_empty() { "0".to_owned() } else { format!("{sign}{whole}") })
}

fn exponent_with_comma(text: &str) -> bool {
    text.contains(['e', 'E']) && text.replace(',', ".").parse::<f64>().is_ok()
}

/// The canonical text of a number; other text is returned unchanged and refused by a later check.
fn decimal(text: &str) -> String {
    let pointed = if text.contains('.') { text.to_owned() } else { text.replacen(',', ".", 1) };
    match pointed.parse::<f64>() {
        Ok(number) if number.is_finite() => canonical::json(&Value::from(number).to_string(), canonical::Order::Sorted),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str, kind: Cell) -> Result<Option<Value>, String> {
        read(&Value::from(text), kind, true)
    }

    #[test]
    fn whole_numbers_are_read_unless_they_are_ambiguous() {
        for (text, number) in [
            ("2", "2"),
            (" 2 ", "2"),
            ("2.0", "2"),
            ("2,0", "2"),
            ("2.00", "2"),
            ("2,00000", "2"),
            ("02", "2"),
            ("+2", "2"),
            ("0", "0"),
            ("0.0", "0"),
            ("0.000", "0"),
            ("-1", "-1"),
            ("-0", "0"),
            ("2.147.483.647", "2147483647"),
            ("2,147,483,647", "2147483647"),
            ("2 147 483 647", "2147483647"),
            ("1\u{a0}234", "1234"),
            ("1'234", "1234"),
            ("1\u{202f}234\u{202f}567", "1234567"),
            ("1234.000", "1234"),
            ("2147483647.0", "2147483647"),
        ] {
            assert_eq!(cell(text, Cell::Integer), Ok(Some(Value::from(number))), "{text}");
        }
        let refused =
            "2.5 2,5 1.234 1,234 2.000 1.23.456 1,234.5 1.234,00 2e3 2,14748E+09 2.14748E+09 two 2x 0x2 - 1,,2 ² ٢";
        for text in refused.split(' ').chain([""]) {
            assert!(cell(text, Cell::Integer).is_err(), "{text}");
        }
    }

    #[test]
    fn booleans_are_read_in_every_language_of_spreadsheets() {
        for text in ["TRUE", "True", "true", "WAHR", "VRAI", "VERDADERO", "ИСТИНА", "DOĞRU", "ΑΛΗΘΗΣ", "1", "1.0"]
        {
            assert_eq!(cell(text, Cell::Boolean), Ok(Some(Value::from("true"))), "{text}");
        }
        for text in ["FALSE", "False", "false", "FALSCH", "FAUX", "FALSO", "ЛОЖЬ", "YANLIŞ", "ΨΕΥΔΗΣ", "0", "0.0"]
        {
            assert_eq!(cell(text, Cell::Boolean), Ok(Some(Value::from("false"))), "{text}");
        }
        for text in ["yes", "no", "ja", "x", "y", "on", "2", "✓"] {
            let reason = cell(text, Cell::Boolean).unwrap_err();
            assert!(reason.contains("true or false") && reason.contains(text), "{reason}");
        }
        assert!(TRUE.split(' ').all(|word| !FALSE.split(' ').any(|it| it == word)));
    }

    #[test]
    fn a_missing_value_is_left_out_and_refused_as_prompt() {
        for text in MISSING {
            for kind in [Cell::Integer, Cell::Boolean, Cell::Word, Cell::Any, Cell::Number] {
                assert_eq!(cell(text, kind), Ok(None), "{text}");
            }
            assert!(cell(text, Cell::Text).unwrap_err().contains("missing"), "{text}");
            assert_eq!(
                read(&Value::from(text), Cell::Text, false),
                Ok(Some(Value::from(text))),
                "JSON has null for it"
            );
        }
    }

    #[test]
    fn error_values_of_spreadsheets_are_refused() {
        for text in ["#REF!", "#NAME?", "#DIV/0!", "#WERT!", "#BEZUG!", "#ÜBERLAUF!", "#####"] {
            assert!(cell(text, Cell::Text).unwrap_err().contains("spreadsheet"), "{text}");
        }
        for text in ["#FFAA00", "#1 winner!", "#art?", "#", "# a title!"] {
            assert!(cell(text, Cell::Text).is_ok(), "{text}");
        }
    }

    #[test]
    fn decimals_have_one_text() {
        for text in ["0.5", ".5", "0,5", "0.50", "5e-1"] {
            assert_eq!(cell(text, Cell::Number), Ok(Some(Value::from("0.5"))), "{text}");
        }
        assert_eq!(cell("2,0", Cell::Number), Ok(Some(Value::from("2"))));
    }
}
