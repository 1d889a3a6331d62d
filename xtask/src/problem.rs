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
        let line = ideogram_codegen::Document::parse(document).ok().and_then(|document| document.line(pointer));
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

    /// The line, counted from 1, if it is known.
    pub fn line(&self) -> Option<usize> {
        self.details.line()
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
        let Self { file, details } = self;
        formatter.write_str(file)?;
        if let Some(line) = details.line() {
            write!(formatter, ":{line}")?;
        }
        if let Some(pointer) = details.pointer() {
            write!(formatter, ": `#{pointer}`")?;
        }
        if let Some(operation) = details.operation() {
            write!(formatter, " (operation `{operation}`)")?;
        }
        write!(formatter, ": {}; {}", details.message(), details.repair_hint())
    }
}

/// All problems, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    /// The problems, document first.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Problems {}
