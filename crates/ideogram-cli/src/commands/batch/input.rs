//! The file of rows: JSON lines, or a table with a header.
//!
//! Only the form is read here: which line holds which members. What they mean is [`row`](super::row)'s.

use std::{fmt, path::Path};

use serde_json::{Map, Value};

use crate::failure::Failure;

/// How many problems are told at once.
const MOST_TOLD: usize = 50;

/// How the rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// JSON lines: an object on each
    Jsonl,
    /// Comma-separated values under a header
    Csv,
}

/// One row, as it stands in the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Raw {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    pub(super) form: Form,
    /// What is empty or null is left out.
    pub(super) members: Map<String, Value>,
}

/// Where something is wrong, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    line: u64,
    /// Member or column; empty for the whole line.
    place: String,
    reason: String,
}

impl Problem {
    pub(super) fn new(line: u64, place: String, reason: impl Into<String>) -> Self {
        Self { line, place, reason: reason.into() }
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }
}

impl Raw {
    /// A problem with one of its members.
    pub(super) fn problem(&self, member: &str, reason: impl Into<String>) -> Problem {
        let place = match self.form {
            _ if member.is_empty() => String::new(),
            Form::Jsonl => format!("`{member}`"),
            Form::Csv => format!("column `{member}`"),
        };
        Problem::new(self.line, place, reason)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.line)?;
        if !self.place.is_empty() {
            write!(formatter, "{}: ", self.place)?;
        }
        formatter.write_str(&self.reason)
    }
}

/// All problems in one failure, each with file and line.
pub(super) fn refused(name: &str, problems: &[Problem]) -> Failure {
    let count = crate::units::count(problems.len() as u64, "problem");
    let mut failure = Failure::usage(format!("{count} in {name}: nothing was sent"));
    for problem in problems.iter().take(MOST_TOLD) {
        failure = failure.cause(format!("{name}:{problem}"));
    }
    if problems.len() > MOST_TOLD {
        failure = failure.cause(format!("and {} more", problems.len() - MOST_TOLD));
    }
    failure
}

impl Form {
    /// The form that the extension of a file tells.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// Reads the rows, and all that is wrong with their form.
    pub(super) fn read(self, bytes: &[u8]) -> (Vec<Raw>, Vec<Problem>) {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match self {
            Self::Jsonl => json_lines(bytes),
            Self::Csv => table(bytes),
        }
    }
}

fn json_lines(bytes: &[u8]) -> (Vec<Raw>, Vec<Problem>) {
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match serde_json::from_slice::<Value>(text) {
            Ok(Value::Object(mut members)) => {
                members.retain(|_, value| !value.is_null());
                rows.push(Raw { line, form: Form::Jsonl, members });
            }
            Ok(_) => {
                let reason = "not a JSON object; a row looks like {\"prompt\": \"a red lantern\"}";
                problems.push(Problem::new(line, String::new(), reason));
            }
            Err(error) => {
                // Its text ends in a line of its own, which is always the first here.
                let text = error.to_string();
                let reason = text.split(" at line ").next().unwrap_or(&text);
                let reason = format!("not JSON: {reason} at character {}", error.column());
                problems.push(Problem::new(line, String::new(), reason));
            }
        }
    }
    (rows, problems)
}

fn table(bytes: &[u8]) -> (Vec<Raw>, Vec<Problem>) {
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = match reader.headers() {
        Ok(header) => header.iter().map(|name| name.trim().to_owned()).collect::<Vec<_>>(),
        Err(error) => return (rows, vec![unreadable(&error, 1)]),
    };
    let mut lines = Lines { bytes, at: 0, line: 1 };
    for (index, name) in header.iter().enumerate() {
        if name.is_empty() {
            problems.push(Problem::new(1, format!("column {}", index + 1), "has no name"));
        } else if header[..index].contains(name) {
            problems.push(Problem::new(1, format!("column {}", index + 1), format!("is called `{name}` like another")));
        }
    }
    for record in reader.into_records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(1, |position| lines.of(position));
                problems.push(unreadable(&error, line));
                continue;
            }
        };
        let line = record.position().map_or(1, |position| lines.of(position));
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if record.len() != header.len() {
            let reason = format!("has {} cells, and the header {}", record.len(), header.len());
            problems.push(Problem::new(line, String::new(), reason));
            continue;
        }
        let cells = header.iter().zip(&record).filter(|(_, cell)| !cell.trim().is_empty());
        let members = cells.map(|(name, cell)| (name.clone(), Value::String(cell.to_owned()))).collect();
        rows.push(Raw { line, form: Form::Csv, members });
    }
    (rows, problems)
}

/// Counts lines. The reader's own count is one short where a line ends in two characters.
struct Lines<'b> {
    bytes: &'b [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line on which a record begins; records come in their order.
    fn of(&mut self, position: &csv::Position) -> u64 {
        let begin = usize::try_from(position.byte()).unwrap_or(usize::MAX).min(self.bytes.len());
        let breaks = self.bytes[begin..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        for byte in &self.bytes[self.at.min(begin + breaks)..begin + breaks] {
            self.line += u64::from(*byte == b'\n');
        }
        self.at = begin + breaks;
        self.line
    }
}

fn unreadable(error: &csv::Error, line: u64) -> Problem {
    let reason = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8; save the table as UTF-8".to_owned(),
        _ => error.to_string(),
    };
    Problem::new(line, String::new(), reason)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(problems: &[Problem]) -> Vec<String> {
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn json_lines_and_tables_hold_the_same_rows() {
        let lines = "\u{feff}{\"prompt\": \"a \\\"red\\\" lantern, lit\", \"seed\": null}\r\n\n{\"prompt\":\"river\"}";
        let cells = "\u{feff}prompt,seed\r\n\"a \"\"red\"\" lantern, lit\",\r\n,\r\nriver,\r\n";

        let (from_lines, no_problems) = Form::Jsonl.read(lines.as_bytes());
        let (from_cells, no_problems_either) = Form::Csv.read(cells.as_bytes());

        assert_eq!((told(&no_problems), told(&no_problems_either)), (vec![], vec![]));
        let members = |rows: &[Raw]| rows.iter().map(|row| json!(row.members)).collect::<Vec<_>>();
        assert_eq!(members(&from_lines), [json!({"prompt": "a \"red\" lantern, lit"}), json!({"prompt": "river"})]);
        assert_eq!(members(&from_lines), members(&from_cells));
        assert_eq!(from_lines.iter().map(|row| row.line).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(from_cells.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4]);
    }

    #[test]
    fn all_that_is_wrong_with_the_form_is_told_with_its_line() {
        let (rows, problems) = Form::Jsonl.read(b"{\"prompt\": \"a\"}\n[1]\n{\"prompt\": \n\xff\n");
        assert_eq!(rows.len(), 1);
        assert_eq!(
            told(&problems),
            [
                "2: not a JSON object; a row looks like {\"prompt\": \"a red lantern\"}",
                "3: not JSON: EOF while parsing a value at character 11",
                "4: not JSON: expected value at character 1",
            ]
        );

        let (rows, problems) = Form::Csv.read(b"prompt,,prompt\na\nb,1,2\nc,\xff,d\n");
        assert_eq!(rows.len(), 1);
        assert_eq!(
            told(&problems),
            [
                "1: column 2: has no name",
                "1: column 3: is called `prompt` like another",
                "2: has 1 cells, and the header 3",
                "4: is not UTF-8; save the table as UTF-8",
            ]
        );
    }

    #[test]
    fn a_row_keeps_the_line_on_which_it_begins() {
        let (rows, _) = Form::Csv.read(b"prompt\n\"two\nlines\"\nnext\n");

        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4]);
    }
}
