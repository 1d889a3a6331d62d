//! The derived files that are kept in the repository.

use anyhow::{Context as _, Result};
use ideogram_codegen::GeneratedClient;
use similar::TextDiff;

use crate::{coverage, sources::Sources};

/// A derived file.
#[derive(Clone, Copy, Debug)]
pub struct Artifact {
    /// The file, from the root of the workspace.
    pub path: &'static str,
    /// Makes its whole text.
    pub render: fn(&Sources, &GeneratedClient) -> Result<String>,
}

/// Every derived file but the snapshots, which are for people to accept.
pub const ARTIFACTS: &[Artifact] = &[Artifact { path: coverage::FILE, render: coverage::render }];

/// A derived file that is not what it should be.
#[derive(Clone, Debug)]
pub struct Stale {
    /// The file, from the root of the workspace.
    pub path: &'static str,
    /// Its text as it should be.
    pub wanted: String,
    /// The way there, as a unified diff.
    pub diff: String,
}

/// The derived files that have to be made anew.
///
/// # Errors
///
/// If a file cannot be made, such as for want of the markers around a table.
pub fn stale(sources: &Sources, client: &GeneratedClient) -> Result<Vec<Stale>> {
    let mut stale = Vec::new();
    for Artifact { path, render } in ARTIFACTS {
        let wanted = render(sources, client).with_context(|| format!("cannot make `{path}`"))?;
        let current = sources.get(path).unwrap_or_default();
        if current != wanted {
            let diff = TextDiff::from_lines(current, &wanted);
            let diff = diff.unified_diff().header(path, &format!("{path} (made anew)")).to_string();
            stale.push(Stale { path, wanted, diff });
        }
    }
    Ok(stale)
}
