//! The file of rows: JSON, a table as a spreadsheet saves it, or a prompt on each line.
//!
//! This module only finds the properties of each row. [`draft`](super::draft) interprets them. Tables are read by
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
    properties::is_known,
    raw::{Problem, Raw, line_ends},
    table,
};
use crate::{failure::Failure, text_input::without_mark};

/// The maximum size of the file of rows.
pub(super) const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// How many problems are listed at once.
const MAX_PROBLEMS: usize = 50;
/// How many lines of one problem are listed.
const MAX_LINES: usize = 3;

/// The format of the file of rows.
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

/// All problems in one failure; equal ones are listed once, with their lines.
pub(super) fn refused(name: &str, problems: &[Problem]) -> Failure {
    let mut indexes: HashMap<(&str, &str), usize> = HashMap::new();
    let mut grouped: Vec<(&Problem, Vec<u64>)> = Vec::new();
    for problem in problems {
        let index = *indexes.entry((&problem.location, &problem.reason)).or_insert_with(|| {
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
        if !problem.location.is_empty() {
            let _ = write!(text, "{}: ", problem.location);
        }
        text.push_str(&problem.reason);
        failure = failure.fact(match lines[..] {
            [line] => format!("{name}:{line}: {text}"),
            _ => format!("{name}: {}: {text}", listed(lines)),
        });
    }
    if grouped.len() > MAX_PROBLEMS {
        failure = failure.fact(format!("and {} more", grouped.len() - MAX_PROBLEMS));
    }
    failure
}

/// `lines 2 and 3`, `lines 2, 3, 5 and 27 more`.
fn listed(lines: &[u64]) -> String {
    let (listed, more) = match lines.len() {
        count if count > MAX_LINES + 1 => (&lines[..MAX_LINES], Some(count - MAX_LINES)),
        _ => (lines, None),
    };
    let numbers: Vec<String> = listed.iter().map(ToString::to_string).collect();
    match (more, numbers.split_last()) {
        (Some(more), _) => format!("lines {} and {more} more", numbers.join(", ")),
        (None, Some((last, others))) => format!("lines {} and {last}", others.join(", ")),
        (None, None) => String::new(),
    }
}

impl Form {
    /// The format of a file with this extension.
    ///
    /// # Errors
    ///
    /// If the extension is unknown, with a hint.
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
                "the format of {} is unknown: its name does not end in .csv, .tsv, .jsonl, .json or .txt",
                path.display()
            ))
            .hint("choose the format, such as --form csv")),
        }
    }

    /// Reads the rows, and returns them with all problems.
    pub(super) fn read(self, text: &str) -> (Vec<Raw>, Vec<Problem>) {
        match self {
            Self::Jsonl if text.trim_start().starts_with('[') => json(text),
            Self::Jsonl => json_lines(text),
            Self::Json => json(text),
            Self::Csv => table::read(text, None),
            Self::Tsv => table::read(text, Some('\t')),
            // Spreadsheets also save a table with tabs as .txt.
            Self::Txt if table::begins_with_header(text) => table::read(text, Some('\t')),
            Self::Txt => (prompts(text), Vec::new()),
        }
    }
}

/// Refuses a spreadsheet that was not saved as text.
pub(super) fn is_spreadsheet(name: &str) -> Failure {
    Failure::usage(format!("{name} is a spreadsheet, not text")).hint(
        "save it as CSV: in Excel \"CSV UTF-8\", in LibreOffice \"Text CSV\"; in Google Sheets and Numbers export it",
    )
}

/// The lines of a text with their numbers. A line ends in `\n`, `\r\n` or `\r`.
fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let mut line = 1_u64;
    text.split_inclusive(['\n', '\r'])
        .scan(false, move |after_return, text| {
            // `\r\n` was split in two, but is one line end.
            let is_second_half = *after_return && text == "\n";
            *after_return = text.ends_with('\r');
            let number = line;
            line += u64::from(!is_second_half);
            Some((!is_second_half).then(|| (number, without_mark(text.trim_end_matches(['\n', '\r'])))))
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

/// Reads an array of rows, or a sequence of values.
fn json(text: &str) -> (Vec<Raw>, Vec<Problem>) {
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let (mut counted, mut line) = (0, 1);
    let mut line_of = |value: &RawValue| {
        // Values are slices of the text, in order.
        let begin = (value.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize).clamp(counted, text.len());
        line += line_ends(&text[counted..begin]);
        counted = begin;
        line
    };
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    for value in values.by_ref() {
        let values = value.and_then(|value| {
            let is_array = value.get().starts_with('[');
            if is_array { serde_json::from_str::<Vec<&RawValue>>(value.get()) } else { Ok(vec![value]) }
        });
        match values {
            Ok(values) => {
                for value in values {
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
            let Object { mut properties, duplicate } =
                serde_json::from_str(text).map_err(|error: serde_json::Error| problem(not_json(&error)))?;
            if let Some(name) = duplicate {
                return Err(Problem::new(line, format!("`{name}`"), "is a duplicate"));
            }
            if !properties.is_empty() && properties.iter().all(|(name, value)| value.is_object() && !is_known(name)) {
                let reason = "has columns, not rows; data frames write rows with orient=\"records\"";
                return Err(problem(reason.to_owned()));
            }
            properties.retain(|_, value| !value.is_null());
            Ok(Raw::json(line, properties))
        }
        _ => match serde_json::from_str::<Value>(text) {
            Ok(_) => Err(problem("not a JSON object such as {\"prompt\": \"a red lantern\"}".to_owned())),
            Err(error) => Err(problem(not_json(&error))),
        },
    }
}

fn not_json(error: &serde_json::Error) -> String {
    // The text of the error ends in a line number within the row.
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or(&text);
    if text.contains("recursion limit") {
        return "is nested too deeply".to_owned();
    }
    format!("not JSON: {reason} at character {}", error.column())
}

/// A JSON object, and a duplicate name: only one of its values would be sent.
struct Object {
    properties: Map<String, Value>,
    duplicate: Option<String>,
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
                let mut object = Object { properties: Map::new(), duplicate: None };
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if object.properties.insert(name.clone(), value).is_some() {
                        object.duplicate = Some(name);
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
        let line_of = |problem: &Problem| format!("{}: {}: {}", problem.line, problem.location, problem.reason);
        problems.iter().map(line_of).collect()
    }

    fn read(form: Form, text: &str) -> Vec<(u64, Value)> {
        let (rows, problems) = form.read(text);
        assert_eq!(texts(&problems), Vec::<String>::new(), "{text}");
        rows.into_iter().map(|row| (row.line, Value::Object(row.properties))).collect()
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
    fn each_problem_of_json_is_reported_with_its_line() {
        let (rows, problems) = Form::Jsonl.read("{\"prompt\": \"a\"}\n7\n{\"prompt\": \n{\"seed\": 1, \"seed\": 2}\n");
        assert_eq!(rows.len(), 1);
        assert_eq!(
            texts(&problems),
            [
                "2: : not a JSON object such as {\"prompt\": \"a red lantern\"}",
                "3: : not JSON: EOF while parsing a value at character 11",
                "4: `seed`: is a duplicate",
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
    fn deep_nesting_is_a_problem_and_does_not_abort() {
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
    fn each_problem_is_listed_once_with_its_lines() {
        let problem = |line, reason: &str| Problem::new(line, "column `seed`", reason);
        let mut problems: Vec<Problem> = (2..32).map(|line| problem(line, "is odd")).collect();
        problems.extend([problem(4, "is even"), problem(9, "is even"), problem(1, "is new")]);

        let failure = refused("rows.csv", &problems);

        assert_eq!(
            failure.causes().collect::<Vec<_>>(),
            [
                "rows.csv: lines 2, 3, 4 and 27 more: column `seed`: is odd",
                "rows.csv: lines 4 and 9: column `seed`: is even",
                "rows.csv:1: column `seed`: is new",
            ]
        );
    }
}
