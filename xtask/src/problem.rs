//! Problems in the files of `openapi/`, each with location and repair.

use std::fmt;

use crate::sources::DOCUMENT;

/// A problem of the document or of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    file: String,
    details: ideogram_codegen::Problem,
}

impl Problem {
    /// A problem with a whole file.
    pub(crate) fn of_file(file: impl Into<String>, message: impl Into<String>, repair: impl Into<String>) -> Self {
        Self { file: file.into(), details: ideogram_codegen::Problem::new(message).repair(repair) }
    }

    /// A problem at a location of the document.
    pub(crate) fn of_document(
        document: &str,
        pointer: &str,
        message: impl Into<String>,
        repair: impl Into<String>,
    ) -> Self {
        let line = ideogram_codegen::line_of(document, pointer);
        Self::of_file(DOCUMENT, message, repair).at_pointer(pointer).at_line(line)
    }

    pub(crate) fn at_line(self, line: Option<usize>) -> Self {
        Self { details: self.details.at_line(line), ..self }
    }

    pub(crate) fn at_pointer(self, pointer: &str) -> Self {
        Self { details: self.details.at_pointer(pointer), ..self }
    }

    /// Sets the name that a misspelled key probably stands for.
    pub(crate) fn meant(self, name: &str) -> Self {
        Self { details: self.details.meant(name), ..self }
    }

    /// Returns whether another problem exists only because this key is misspelled.
    pub(crate) fn explains(&self, other: &Self) -> bool {
        self.file == other.file && self.details.explains(&other.details)
    }

    /// The file, from the root of the workspace.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, counted from 1, if it is known.
    pub fn line(&self) -> Option<usize> {
        self.details.line()
    }

    /// The location inside the file as a JSON pointer, if it is known.
    pub fn pointer(&self) -> Option<&str> {
        self.details.pointer()
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        self.details.message()
    }

    /// What to do about it.
    pub fn repair(&self) -> &str {
        self.details.repair_hint()
    }
}

impl From<&ideogram_codegen::Problem> for Problem {
    fn from(problem: &ideogram_codegen::Problem) -> Self {
        Self { file: DOCUMENT.to_owned(), details: problem.clone() }
    }
}

impl fmt::Display for Problem {
    /// Starts with file and line, in the form that editors and terminals turn into links.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        if let Some(line) = self.line() {
            write!(formatter, ":{line}")?;
        }
        if let Some(pointer) = self.pointer() {
            write!(formatter, ": `#{pointer}`")?;
        }
        if let Some(operation) = self.details.operation() {
            write!(formatter, " (operation `{operation}`)")?;
        }
        write!(formatter, ": {}; {}", self.message(), self.repair())
    }
}

/// All problems, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
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
