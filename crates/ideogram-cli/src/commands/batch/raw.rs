//! A row as it stands in its file, and what can be wrong with it.

use serde_json::{Map, Value};

/// One row, as it stands in the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Raw {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// The line of the header, if it is a row of a table.
    pub(super) header: Option<u64>,
    /// What is empty or null is left out.
    pub(super) members: Map<String, Value>,
}

/// Where something is wrong, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) line: u64,
    /// Property or column; empty for the whole line.
    pub(super) place: String,
    pub(super) reason: String,
}

impl Problem {
    pub(super) fn new(line: u64, place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { line, place: place.into(), reason: reason.into() }
    }
}

impl Raw {
    pub(super) fn json(line: u64, members: Map<String, Value>) -> Self {
        Self { line, header: None, members }
    }

    /// A row that holds nothing but a prompt.
    pub(super) fn prompt(line: u64, prompt: &str) -> Self {
        Self::json(line, Map::from_iter([("prompt".to_owned(), Value::from(prompt))]))
    }

    /// A problem with one of its properties.
    pub(super) fn problem(&self, member: &str, reason: impl Into<String>) -> Problem {
        Problem::new(self.line, self.place(member), reason)
    }

    /// A problem with the name of a property: in a table, with its header.
    pub(super) fn problem_with_name(&self, member: &str, reason: impl Into<String>) -> Problem {
        Problem::new(self.header.unwrap_or(self.line), self.place(member), reason)
    }

    fn place(&self, member: &str) -> String {
        match self.header {
            _ if member.is_empty() => String::new(),
            None => format!("`{member}`"),
            Some(_) => format!("column `{member}`"),
        }
    }
}

/// How many lines end in a text.
pub(super) fn line_ends(text: &str) -> u64 {
    (text.matches(['\n', '\r']).count() - text.matches("\r\n").count()) as u64
}
