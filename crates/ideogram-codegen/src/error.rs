//! What is wrong with a document, where, and how to repair it.

use std::fmt;

/// Why no code was generated: every problem found, in the order of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    problems: Vec<Problem>,
}

impl Error {
    /// The problems, at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// `None` when there is nothing to report.
    pub(crate) fn from_problems(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_by_key(|problem| problem.line);
        problems.dedup();
        (!problems.is_empty()).then_some(Self { problems })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(formatter)?;
            }
            problem.fmt(formatter)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

/// One thing that a document must not contain, or must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    line: Option<usize>,
    pointer: Option<String>,
    operation: Option<String>,
    message: String,
    repair: String,
}

impl Problem {
    pub(crate) fn at_line(line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), pointer: None, operation: None, message: message.into(), repair: String::new() }
    }

    pub(crate) fn at(line: Option<usize>, pointer: String, message: impl Into<String>) -> Self {
        Self { line, pointer: Some(pointer), operation: None, message: message.into(), repair: String::new() }
    }

    pub(crate) fn in_operation(mut self, operation: Option<String>) -> Self {
        self.operation = operation;
        self
    }

    pub(crate) fn repair(mut self, repair: impl Into<String>) -> Self {
        self.repair = repair.into();
        self
    }

    /// The line of the document, counted from 1.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The place as a JSON pointer; absent when the text is not even YAML.
    pub fn pointer(&self) -> Option<&str> {
        self.pointer.as_deref()
    }

    /// The id of the operation that the place belongs to, if it belongs to one.
    pub fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to write instead.
    pub fn repair_hint(&self) -> &str {
        &self.repair
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}")?;
        }
        if let Some(pointer) = &self.pointer {
            let separator = if self.line.is_some() { ", " } else { "" };
            write!(formatter, "{separator}`#{pointer}`")?;
        }
        if let Some(operation) = &self.operation {
            write!(formatter, " (operation `{operation}`)")?;
        }
        write!(formatter, ": {}", self.message)?;
        if !self.repair.is_empty() {
            write!(formatter, "; {}", self.repair)?;
        }
        Ok(())
    }
}
