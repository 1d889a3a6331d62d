//! The derived files in the repository.

use anyhow::{Context as _, Result};
use ideogram_codegen::GeneratedClient;
use similar::TextDiff;

use crate::{calls, coverage, readme, sources::Sources};

/// A derived file that is out of date.
#[derive(Clone, Debug)]
pub struct OutdatedArtifact {
    /// The file, from the root of the workspace.
    pub path: &'static str,
    /// Its new text.
    pub wanted: String,
    /// The unified diff to the new text.
    pub diff: String,
}

/// Returns the derived files that are out of date: all except the snapshots, which people accept.
pub fn outdated(sources: &Sources, client: &GeneratedClient) -> Result<Vec<OutdatedArtifact>> {
    let readme = coverage::render(sources, client).with_context(|| format!("cannot render `{}`", readme::FILE))?;
    let mut outdated = Vec::new();
    for (path, wanted) in [(readme::FILE, readme), (calls::FILE, calls::render(client))] {
        let current = sources.get(path).unwrap_or_default();
        if current != wanted {
            let diff = TextDiff::from_lines(current, &wanted);
            let diff = diff.unified_diff().header(path, &format!("{path} (regenerated)")).to_string();
            outdated.push(OutdatedArtifact { path, wanted, diff });
        }
    }
    Ok(outdated)
}
