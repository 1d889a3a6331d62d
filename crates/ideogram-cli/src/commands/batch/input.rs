//! The file of rows: JSON, a table as a spreadsheet saves it, or a prompt on each line.
//!
//! Only the form is read here: which line holds which properties. What they mean is [`row`]'s. Tables are read by
//! [`table`].

use std::{
    collections::HashMap,
    fmt::{self, Write as _},
    path::Path,
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

use super::{
    raw::{Problem, Raw, line_ends},
    row, table,
};
use crate::{failure::Failure, text_input::without_mark};

/// The largest file of rows, in bytes.
pub(super) const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// How many problems are listed at once.
const MAX_PROBLEMS: usize = 50;
/// How many lines are named of a problem that many lines have.
const MAX_LINES: usize = 3;

/// How the rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// JSON lines: an object on each
    Jsonl,
    /// A JSON array of objects, or of prompts
    Json,
    /// A table under a header; its separator is a comma, a semicolon, a tab or `|`
    Csv,
    /// A table under a header, separated by tabs
    Tsv,
    /// A prompt on each line
    Txt,
}

/// All problems in one failure, each of them once with its file and lines.
pub(super) fn refused(name: &str, problems: &[Problem]) -> Failure {
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    let mut grouped: Vec<(&Problem, Vec<u64>)> = Vec::new();
    for problem in problems {
        let index = *places.entry((&problem.place, &problem.reason)).or_insert_with(|| {
            grouped.push((problem, Vec::new()));
            grouped.len() - 1
        });
        let lines = &mut grouped[index].1;
        if lines.last() != Some(&problem.line) {
            lines.push(problem.line);
        }
    }
    let count = crate::output::units::count(grouped.len() as u64, "problem");
    let mut failure = Failure::usage(format!("{count} in {name}: nothing was sent"));
    for (problem, lines) in grouped.iter().take(MAX_PROBLEMS) {
        let mut text = String::new();
        if !problem.place.is_empty() {
            let _ = write!(text, "{}: ", problem.place);
        }
        text.push_str(&problem.reason);
        failure = failure.cause(match lines[..] {
            [line] => format!("{name}:{line}: {text}"),
            _ => format!("{name}: {}: {text}", listed(lines)),
        });
    }
    if grouped.len() > MAX_PROBLEMS {
        failure = failure.cause(format!("and {} more", grouped.len() - MAX_PROBLEMS));
    }
    failure
}

/// `lines 2 and 3`, `lines 2, 3, 5 and 27 more`.
fn listed(lines: &[u64]) -> String {
    let (shown, more) = match lines.len() {
        count if count > MAX_LINES + 1 => (&lines[..MAX_LINES], Some(count - MAX_LINES)),
        _ => (lines, None),
    };
    let numbers: Vec<String> = shown.iter().map(ToString::to_string).collect();
    match (more, numbers.split_last()) {
        (Some(more), _) => format!("lines {} and {more} more", numbers.join(", ")),
        (None, Some((last, rest))) => format!("lines {} and {last}", rest.join(", ")),
        (None, None) => String::new(),
    }
}

impl Form {
    /// The form that the extension of a file tells.
    ///
    /// # Errors
    ///
    /// A failure that says what to do, if it tells none.
    pub(super) fn of(path: &Path) -> Result<Self, Failure> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" => Ok(Self::Jsonl),
            "json" => Ok(Self::Json),
            "csv" => Ok(Self::Csv),
            "tsv" | "tab" => Ok(Self::Tsv),
            "txt" => Ok(Self::Txt),
            "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" | "numbers" => Err(is_spreadsheet(&path.display().to_string())),
            _ => Err(Failure::usage(format!(
                "cannot tell how {} is written: it ends in none of .csv, .tsv, .jsonl, .json and .txt",
                path.display()
            ))
            .hint("--form says it, as in --form csv")),
        }
    }

    /// Reads the rows, and all that is wrong with their form.
    pub(super) fn read(self, text: &str) -> (Vec<Raw>, Vec<Problem>) {
        match self {
            Self::Jsonl if text.trim_start().starts_with('[') => json(text),
            Self::Jsonl => json_lines(text),
            Self::Json => json(text),
            Self::Csv => table::read(text, None),
            Self::Tsv => table::read(text, Some('\t')),
            // Spreadsheets call a table of tabs text as well.
            Self::Txt if table::begins_with_header(text) => table::read(text, Some('\t')),
            Self::Txt => (prompts(text), Vec::new()),
        }
    }
}

/// A spreadsheet that was not saved as a table of text.
pub(super) fn is_spreadsheet(name: &str) -> Failure {
    Failure::usage(format!("{name} is a spreadsheet, and rows are read from text")).hint(
        "save it as CSV: in Excel \"CSV UTF-8\", in LibreOffice \"Text CSV\"; in Google Sheets and Numbers export it",
    )
}

/// The lines of a text with their numbers. They end in `\n`, `\r\n` or `\r`.
fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let mut line = 1_u64;
    text.split_inclusive(['\n', '\r'])
        .scan(false, move |after_return, piece| {
            // `\r\n` is one end: its second half is a piece of its own.
            let is_rest = *after_return && piece == "\n";
            *after_return = piece.ends_with('\r');
            let number = line;
            line += u64::from(!is_rest);
            Some((!is_rest).then(|| (number, without_mark(piece.trim_end_matches(['\n', '\r'])))))
        })
        .flatten()
}

fn prompts(text: &str) -> Vec<Raw> {
    let prompts = lines(text).map(|(line, text)| (line, text.trim())).filter(|(_, text)| !text.is_empty());
    prompts.map(|(line, text)| Raw::prompt(line, text)).collect()
}

fn json_lines(text: &str) -> (Vec<Raw>, Vec<Problem>) {
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for (line, text) in lines(text).filter(|(_, text)| !text.trim().is_empty()) {
        match json_row(line, text) {
            Ok(row) => rows.push(row),
            Err(problem) => problems.push(problem),
        }
    }
    (rows, problems)
}

/// An array of rows, or values one after the other.
fn json(text: &str) -> (Vec<Raw>, Vec<Problem>) {
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let (mut counted, mut line) = (0, 1);
    let mut line_of = |value: &RawValue| {
        // Values are slices of the text, in their order.
        let begin = (value.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize).clamp(counted, text.len());
        line += line_ends(&text[counted..begin]);
        counted = begin;
        line
    };
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    for value in values.by_ref() {
        let found = value.and_then(|value| {
            let is_array = value.get().starts_with('[');
            if is_array { serde_json::from_str::<Vec<&RawValue>>(value.get()) } else { Ok(vec![value]) }
        });
        match found {
            Ok(found) => {
                for value in found {
                    match json_row(line_of(value), value.get()) {
                        Ok(row) => rows.push(row),
                        Err(problem) => problems.push(problem),
                    }
                }
            }
            Err(error) => {
                problems.push(Problem::new(error.line().max(1) as u64, "", not_json(&error)));
                break;
            }
        }
    }
    (rows, problems)
}

fn json_row(line: u64, text: &str) -> Result<Raw, Problem> {
    let problem = |reason: String| Problem::new(line, "", reason);
    match text.trim_start().as_bytes().first() {
        Some(b'"') => match serde_json::from_str::<String>(text) {
            Ok(prompt) => Ok(Raw::prompt(line, &prompt)),
            Err(error) => Err(problem(not_json(&error))),
        },
        Some(b'{') => {
            let Object { mut members, twice } =
                serde_json::from_str(text).map_err(|error: serde_json::Error| problem(not_json(&error)))?;
            if let Some(name) = twice {
                return Err(Problem::new(line, format!("`{name}`"), "is there twice"));
            }
            if !members.is_empty() && members.iter().all(|(name, value)| value.is_object() && !row::is_known(name)) {
                let reason = "an object of columns, not of rows; data frames write rows with orient=\"records\"";
                return Err(problem(reason.to_owned()));
            }
            members.retain(|_, value| !value.is_null());
            Ok(Raw::json(line, members))
        }
        _ => match serde_json::from_str::<Value>(text) {
            Ok(_) => Err(problem("not a JSON object; a row looks like {\"prompt\": \"a red lantern\"}".to_owned())),
            Err(error) => Err(problem(not_json(&error))),
        },
    }
}

fn not_json(error: &serde_json::Error) -> String {
    // Its text ends in a line of its own.
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or(&text);
    if text.contains("recursion limit") {
        return "is nested too deeply".to_owned();
    }
    format!("not JSON: {reason} at character {}", error.column())
}

/// A JSON object, and a name that it has twice: only one of the values would be sent.
struct Object {
    members: Map<String, Value>,
    twice: Option<String>,
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Properties;

        impl<'de> Visitor<'de> for Properties {
            type Value = Object;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
                let mut object = Object { members: Map::new(), twice: None };
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if object.members.insert(name.clone(), value).is_some() {
                        object.twice = Some(name);
                    }
                }
                Ok(object)
            }
        }

        deserializer.deserialize_map(Properties)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(problems: &[Problem]) -> Vec<String> {
        let wording = |problem: &Problem| format!("{}: {}: {}", problem.line, problem.place, problem.reason);
        problems.iter().map(wording).collect()
    }

    fn read(form: Form, text: &str) -> Vec<(u64, Value)> {
        let (rows, problems) = form.read(text);
        assert_eq!(texts(&problems), Vec::<String>::new(), "{text}");
        rows.into_iter().map(|row| (row.line, Value::Object(row.members))).collect()
    }

    #[test]
    fn all_forms_hold_the_same_rows() {
        let rows = [json!({"prompt": "a \"red\" lantern, lit"}), json!({"prompt": "river"})];
        for (form, text, lines) in [
            (
                Form::Jsonl,
                "{\"prompt\": \"a \\\"red\\\" lantern, lit\", \"seed\": null}\r\n\n{\"prompt\":\"river\"}",
                [1, 3],
            ),
            (Form::Jsonl, "{\"prompt\": \"a \\\"red\\\" lantern, lit\"}\r\u{feff}\"river\"", [1, 2]),
            (Form::Json, "[{\"prompt\":\n\"a \\\"red\\\" lantern, lit\"},\n\n \"river\"]", [1, 4]),
            (Form::Jsonl, "[\n\"a \\\"red\\\" lantern, lit\",\r\n{\"prompt\": \"river\"}\n]\n", [2, 3]),
            (Form::Json, "{\"prompt\": \"a \\\"red\\\" lantern, lit\"}\n{\"prompt\": \"river\"}", [1, 2]),
            (Form::Txt, "  a \"red\" lantern, lit \r\n\r\nriver", [1, 3]),
            (Form::Txt, "a \"red\" lantern, lit\rriver\r", [1, 2]),
            (Form::Csv, "prompt,seed\r\n\"a \"\"red\"\" lantern, lit\",\r\n,\r\nriver,\r\n", [2, 4]),
            (Form::Tsv, "prompt\tseed\na \"red\" lantern, lit\nriver\t\n", [2, 3]),
            (Form::Txt, "prompt\tseed\r\n\"a \"\"red\"\" lantern, lit\"\t\r\nriver\t", [2, 3]),
        ] {
            let wanted: Vec<_> = lines.into_iter().zip(rows.clone()).collect();
            assert_eq!(read(form, text), wanted, "{form:?}: {text}");
        }
    }

    #[test]
    fn all_that_is_wrong_with_json_is_told_with_its_line() {
        let (rows, problems) = Form::Jsonl.read("{\"prompt\": \"a\"}\n7\n{\"prompt\": \n{\"seed\": 1, \"seed\": 2}\n");
        assert_eq!(rows.len(), 1);
        assert_eq!(
            texts(&problems),
            [
                "2: : not a JSON object; a row looks like {\"prompt\": \"a red lantern\"}",
                "3: : not JSON: EOF while parsing a value at character 11",
                "4: `seed`: is there twice",
            ]
        );
        let frame = r#"{"prompt text": {"0": "a"}, "number": {"0": 2}}"#;
        assert!(texts(&Form::Json.read(frame).1)[0].contains("orient=\"records\""));
        assert_eq!(
            texts(&Form::Json.read("[\n{\"prompt\": \"a\"},\n{]").1)[0],
            "3: : not JSON: key must be a string at character 2"
        );
    }

    #[test]
    fn nesting_of_any_depth_is_a_problem_and_no_abort() {
        for open in ["[", "{\"a\":", "[{\"prompt\":"] {
            for form in [Form::Jsonl, Form::Json, Form::Csv, Form::Tsv, Form::Txt] {
                let _ = form.read(&open.repeat(200_000));
            }
        }
        let row = format!("{{\"prompt\": {}{}}}", "[".repeat(200_000), "]".repeat(200_000));
        for text in [row.clone(), format!("[{row}]")] {
            assert_eq!(texts(&Form::Json.read(&text).1), ["1: : is nested too deeply"]);
        }
    }

    #[test]
    fn each_problem_is_said_once_with_its_lines() {
        let problem = |line, reason: &str| Problem::new(line, "column `seed`", reason);
        let mut problems: Vec<Problem> = (2..32).map(|line| problem(line, "is odd")).collect();
        problems.extend([problem(4, "is even"), problem(9, "is even"), problem(1, "is new")]);

        let failure = refused("rows.csv", &problems);

        assert_eq!(
            failure.causes(),
            [
                "rows.csv: lines 2, 3, 4 and 27 more: column `seed`: is odd",
                "rows.csv: lines 4 and 9: column `seed`: is even",
                "rows.csv:1: column `seed`: is new",
            ]
        );
    }
}
