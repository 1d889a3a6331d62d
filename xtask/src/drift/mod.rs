//! `cargo xtask drift FILE-OR-URL`: compares the document with the service's own.
//!
//! Start at [`drift`]. Each document becomes a tree of facts (`operation`, `schema`), so that it does not matter how a fact
//! is written; `compare` finds what differs, `decisions` what is meant to differ, `report` prints the rest. Descriptions,
//! examples, tags and headers are not compared: ours are our own. `draft` writes an operation that we do not have.

mod compare;
pub(crate) mod decisions;
mod document;
mod draft;
mod merged;
mod operation;
mod report;
mod schema;
#[cfg(test)]
mod tests;
mod tree;

use std::path::Path;

use anyhow::{Context as _, Result};

pub use self::report::Shown;
use self::{compare::differences, decisions::Decisions, document::Document, report::report};
use crate::{
    print,
    sources::{DOCUMENT, Sources},
};

/// Compares the document with another one and prints the differences. Returns whether all are decided.
pub fn drift(root: &Path, source: &str, shown: Shown) -> Result<bool> {
    let sources = Sources::read(root)?;
    let decisions = sources.get(decisions::FILE).with_context(|| format!("`{}` is missing", decisions::FILE))?;
    let decisions = Decisions::parse(decisions)?;
    let ours = Document::parse(DOCUMENT, sources.document())?;
    let theirs = Document::read(source)?;
    let report = report(&ours, &theirs, &differences(&ours, &theirs), &decisions, shown);
    print(report.text.trim_end());
    Ok(report.undecided == 0)
}

/// Prints an operation of another document as YAML in house style, to be edited by hand.
pub fn draft(root: &Path, source: &str, operation: &str) -> Result<()> {
    let sources = Sources::read(root)?;
    let ours = Document::parse(DOCUMENT, sources.document())?;
    print(draft::draft(&ours, &Document::read(source)?, operation)?.trim_end());
    Ok(())
}
