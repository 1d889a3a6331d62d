//! A row as it is in its file, and its problems.

use serde_json::{Map, Value};

/// A row as it is in the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Raw {
    /// Its first line, from 1.
    pub(super) line: u64,
    /// The line of the header, if it is a row of a table.
    pub(super) header: Option<u64>,
    /// Without those that are empty or null.
    pub(super) properties: Map<String, Value>,
}

/// A problem of the file of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) line: u64,
    /// The property or column; empty for the whole line.
    pub(super) location: String,
    pub(super) reason: String,
}

impl Problem {
    pub(super) fn new(line: u64, location: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { line, location: location.into(), reason: reason.into() }
    }
}

impl Raw {
    pub(super) fn json(line: u64, properties: Map<String, Value>) -> Self {
        Self { line, header: None, properties }
    }

    /// A row with only a prompt.
    pub(super) fn prompt(line: u64, prompt: &str) -> Self {
        Self::json(line, Map::from_iter([("prompt".to_owned(), Value::from(prompt))]))
    }

    /// A problem with one of its properties.
    pub(super) fn problem(&self, property: &str, reason: impl Into<String>) -> Problem {
        Problem::new(self.line, self.location(property), reason)
    }

    /// A problem with the name of a property: in a table, with its header.
    pub(super) fn problem_with_name(&self, property: &str, reason: impl Into<String>) -> Problem {
        Problem::new(self.header.unwrap_or(self.line), self.location(property), reason)
    }

    fn location(&self, property: &str) -> String {
        match self.header {
            _ if property.is_empty() => String::new(),
            None => format!("`{property}`"),
            Some(_) => format!("column `{property}`"),
        }
    }
}

/// The number of line ends in a text.
pub(super) fn line_ends(text: &str) -> u64 {
    (text.matches(['\n', '\r']).count() - text.matches("\r\n").count()) as u64
}
