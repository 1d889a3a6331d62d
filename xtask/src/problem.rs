//! What is wrong in the files of `openapi/`, where, and how to repair it.

use std::fmt;

use crate::sources::DOCUMENT;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    file: String,
    line: Option<usize>,
    pointer: Option<String>,
    operation: Option<String>,
    message: String,
    repair: String,
}

impl Problem {
    /// A problem with a whole file.
    pub(crate) fn of_file(file: impl Into<String>, message: impl Into<String>, repair: impl Into<String>) -> Self {
        let (file, message, repair) = (file.into(), message.into(), repair.into());
        Self { file, line: None, pointer: None, operation: None, message, repair }
    }

    /// A problem at a place of the document.
    pub(crate) fn of_document(
        document: &str,
        pointer: &str,
        message: impl Into<String>,
        repair: impl Into<String>,
    ) -> Self {
        Self::of_file(DOCUMENT, message, repair).at_pointer(pointer).at_line(line_of(document, pointer))
    }

    pub(crate) fn at_line(mut self, line: Option<usize>) -> Self {
        self.line = line;
        self
    }

    pub(crate) fn at_pointer(mut self, pointer: &str) -> Self {
        self.pointer = Some(pointer.to_owned());
        self
    }

    /// The file, from the root of the workspace.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, counted from 1, where it is known.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The place inside of the file as a JSON pointer, where it is known.
    pub fn pointer(&self) -> Option<&str> {
        self.pointer.as_deref()
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn repair(&self) -> &str {
        &self.repair
    }
}

/// The line of a node, or of the nearest node above it that has one.
fn line_of(document: &str, pointer: &str) -> Option<usize> {
    let mut nearest = pointer;
    loop {
        if let Some(line) = ideogram_codegen::line_of(document, nearest) {
            return Some(line);
        }
        nearest = &nearest[..nearest.rfind('/')?];
    }
}

impl From<&ideogram_codegen::Problem> for Problem {
    fn from(problem: &ideogram_codegen::Problem) -> Self {
        Self {
            file: DOCUMENT.to_owned(),
            line: problem.line(),
            pointer: problem.pointer().map(str::to_owned),
            operation: problem.operation().map(str::to_owned),
            message: problem.message().to_owned(),
            repair: problem.repair_hint().to_owned(),
        }
    }
}

impl fmt::Display for Problem {
    /// The file and the line come first, in the form that editors and terminals turn into links.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        if let Some(pointer) = &self.pointer {
            write!(formatter, ": `#{pointer}`")?;
        }
        if let Some(operation) = &self.operation {
            write!(formatter, " (operation `{operation}`)")?;
        }
        write!(formatter, ": {}; {}", self.message, self.repair)
    }
}

/// All that is wrong, at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// At least one.
    pub(crate) fn of(problems: Vec<Problem>) -> Self {
        Self(problems)
    }

    /// The problems, document first.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
