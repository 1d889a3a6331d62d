//! Reads environment variables, except those for colors.

use std::env::{self, VarError};

use crate::failure::Failure;

/// An environment variable. An empty one counts as not set, which allows to unset it for one command.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Failure> {
    match env::var(name) {
        Ok(value) if value.trim().is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        // The value is not printed: it may be a key.
        Err(VarError::NotUnicode(_)) => Err(Failure::usage(format!("the environment variable {name} is not Unicode"))),
    }
}
