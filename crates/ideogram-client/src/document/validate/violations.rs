//! What a check finds.

use std::fmt;

/// One or more violations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations {
    pub(super) violations: Vec<Violation>,
}

impl Violations {
    /// The violations, at least one.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.violations.iter()
    }

    /// Removes the violations of these properties, and of everything inside them.
    pub(crate) fn except(self, properties: &[String]) -> Result<(), Self> {
        let is_exempt = |violation: &Violation| {
            // The name of a list stands for its elements.
            let steps = violation.property.split('.').filter(|step| step.parse::<usize>().is_err());
            let path = steps.collect::<Vec<_>>().join(".");
            let is_inside = |path: &str, property: &str| {
                path.strip_prefix(property).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let prefix = if path.is_empty() { String::new() } else { format!("{path}.") };
            properties.iter().any(|property| {
                let about = |name: &String| is_inside(&format!("{prefix}{name}"), property);
                is_inside(&path, property) || violation.about.iter().any(about)
            })
        };
        let violations: Vec<_> = self.violations.into_iter().filter(|violation| !is_exempt(violation)).collect();
        if violations.is_empty() { Ok(()) } else { Err(Self { violations }) }
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.violations.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

/// A value that the document forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub(super) property: String,
    pub(super) reason: String,
    /// The properties that a rule about several of them names.
    pub(super) about: Vec<String>,
}

impl Violation {
    /// The property, with dots that lead into objects; empty for the whole value.
    pub fn property(&self) -> &str {
        &self.property
    }

    /// What the document requires.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.property.is_empty() {
            formatter.write_str(&self.reason)
        } else {
            write!(formatter, "`{}` {}", self.property, self.reason)
        }
    }
}
