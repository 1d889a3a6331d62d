//! Problems of a document, each with location and repair.

use std::fmt;

/// All problems of a document, in its order.
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
        let misspelled: Vec<Problem> = problems.iter().filter(|problem| problem.meant.is_some()).cloned().collect();
        problems.retain(|problem| !misspelled.iter().any(|misspelled| misspelled.explains(problem)));
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

/// Why progenitor's output could not be adjusted. The caller adds the location in the document.
#[derive(Debug)]
pub(crate) struct RetargetError {
    pub(crate) operation: Option<String>,
    pub(crate) message: String,
    pub(crate) repair: &'static str,
}

impl RetargetError {
    /// The output does not have the form that `retarget` was written for.
    pub(crate) fn drift(message: impl std::fmt::Display) -> Self {
        Self {
            operation: None,
            message: format!("progenitor's output is not what retarget expects: {message}"),
            repair: "compare the version of progenitor with the one that `retarget` was written for",
        }
    }

    /// A name of the document is a name that generated code already has.
    pub(crate) fn collision(message: String, repair: &'static str) -> Self {
        Self { operation: None, message, repair }
    }

    pub(crate) fn in_operation(mut self, id: &str) -> Self {
        self.operation = Some(id.to_owned());
        self
    }
}

impl From<syn::Error> for RetargetError {
    fn from(error: syn::Error) -> Self {
        Self::drift(format!("its tokens do not parse: {error}"))
    }
}

/// One rule of the document that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    line: Option<usize>,
    pointer: Option<String>,
    operation: Option<String>,
    message: String,
    repair: String,
    /// The name that a misspelled key probably stands for.
    meant: Option<String>,
}

impl Problem {
    /// Creates a problem without a location.
    pub fn new(message: impl Into<String>) -> Self {
        Self { line: None, pointer: None, operation: None, message: message.into(), repair: String::new(), meant: None }
    }

    /// Sets the line, counted from 1.
    #[must_use]
    pub fn at_line(self, line: Option<usize>) -> Self {
        Self { line, ..self }
    }

    /// Sets the location as a JSON pointer.
    #[must_use]
    pub fn at_pointer(self, pointer: &str) -> Self {
        Self { pointer: Some(pointer.to_owned()), ..self }
    }

    /// Sets the text that says what to do.
    #[must_use]
    pub fn repair(self, repair: impl Into<String>) -> Self {
        Self { repair: repair.into(), ..self }
    }

    /// Sets the name that a misspelled key probably stands for, which is also the repair.
    #[must_use]
    pub fn meant(self, name: &str) -> Self {
        Self { repair: format!("did you mean `{name}`?"), meant: Some(name.to_owned()), ..self }
    }

    /// Returns whether another problem only says that the object lacks the key that is misspelled here.
    #[must_use]
    pub fn explains(&self, other: &Self) -> bool {
        let (Some(meant), Some(pointer)) = (&self.meant, &self.pointer) else { return false };
        let object = pointer.rsplit_once('/').map(|(object, _)| object);
        let name = format!("`{meant}");
        other.meant.is_none()
            && other.pointer.as_deref() == object
            && (other.message.contains(&name) || other.repair.contains(&name))
    }

    pub(crate) fn in_operation(self, operation: Option<String>) -> Self {
        Self { operation, ..self }
    }

    /// The line of the document, counted from 1.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The location as a JSON pointer; absent if the text is not YAML.
    pub fn pointer(&self) -> Option<&str> {
        self.pointer.as_deref()
    }

    /// The id of the operation at this location, if there is one.
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
