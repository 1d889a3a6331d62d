//! The snapshots of the contract tests, derived from document and samples.
//!
//! This finds unused snapshots without running a test, and gives the tests and `cargo xtask regen` the same names:
//! `<subject>__<case>`, one folder for each kind.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, Result};
use ideogram_codegen::GeneratedClient;

use crate::sources::Sources;

/// Compares every snapshot that is a file. Tests the workspace, because a part of it would be built again with other
/// features.
pub const COMPARE: &str = "cargo test --workspace --test contract --test cli --test faults --test bridge -- \
                           surface:: samples:: help:: operations:: table:: petshop::";

/// The folder of the snapshots, from the root of the workspace.
pub const FOLDER: &str = "tests/contract/snapshots";

/// The content of a snapshot; each kind has a folder of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotKind {
    /// The public surface of the generated client.
    Surface,
    /// The decoded samples of an operation.
    Samples,
}

impl SnapshotKind {
    /// The folder below [`FOLDER`].
    pub fn folder(self) -> &'static str {
        match self {
            Self::Surface => "surface",
            Self::Samples => "samples",
        }
    }
}

/// The name of the snapshot of a part of the surface, such as `types/Dataset`.
pub fn surface_name(part: &str) -> String {
    match part.split_once('/') {
        Some((module, item)) => format!("{module}__{item}"),
        None => format!("{part}__all"),
    }
}

/// Returns every expected snapshot as a path below [`FOLDER`].
pub fn expected(client: &GeneratedClient, sources: &Sources) -> BTreeSet<String> {
    let file = |kind: SnapshotKind, name: &str| format!("{}/{name}.snap", kind.folder());
    let surface = crate::surface(client);
    let surface = surface.keys().map(|name| file(SnapshotKind::Surface, &surface_name(name)));
    let samples = sources.samples().map(|sample| file(SnapshotKind::Samples, sample.operation));
    surface.chain(samples).collect()
}

/// Returns the snapshots of the public surface that differ from the client, without a build. Paths are from the root.
pub fn different_surface(root: &Path, client: &GeneratedClient) -> Result<Vec<String>> {
    let mut different = Vec::new();
    for (part, text) in crate::surface(client) {
        let path = format!("{FOLDER}/{}/{}.snap", SnapshotKind::Surface.folder(), surface_name(&part));
        // One that does not exist is missing, which the survey tells.
        let Ok(snapshot) = fs::read_to_string(root.join(&path)) else { continue };
        let (_, content) = snapshot.split_once("\n---\n").with_context(|| format!("`{path}` is not a snapshot"))?;
        if content.trim_end() != text.trim_end() {
            different.push(path);
        }
    }
    Ok(different)
}

/// The state of the snapshots of the workspace. Paths are from its root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Snapshots of every package that no test compares.
    pub orphaned: Vec<String>,
    /// Expected snapshots of the contract tests that do not exist.
    pub missing: Vec<String>,
    /// Snapshots of every package that are pending review.
    pub pending: Vec<String>,
}

/// Compares the existing snapshots with the expected ones.
pub fn survey(root: &Path, expected: &BTreeSet<String>) -> Result<Survey> {
    let mut files = BTreeSet::new();
    list(root, "", &mut files)?;
    let expected: BTreeSet<String> = expected.iter().map(|path| format!("{FOLDER}/{path}")).collect();
    let (pending, accepted): (BTreeSet<_>, BTreeSet<_>) = files.into_iter().partition(|path| is_pending(path));
    let mut orphaned = Vec::new();
    for path in &accepted {
        let is_used = if is_contract_snapshot(path) { expected.contains(path) } else { is_referenced(root, path)? };
        if !is_used {
            orphaned.push(path.clone());
        }
    }
    Ok(Survey {
        orphaned,
        missing: expected.difference(&accepted).cloned().collect(),
        pending: pending.into_iter().collect(),
    })
}

/// Returns all accepted snapshots, from the root of the workspace.
pub fn accepted(root: &Path) -> Result<BTreeSet<String>> {
    let mut files = BTreeSet::new();
    list(root, "", &mut files)?;
    files.retain(|path| is_accepted(path));
    Ok(files)
}

/// Returns whether the source of a snapshot of another package still contains its name, in quotes. insta may prefix the
/// names of modules.
fn is_referenced(root: &Path, path: &str) -> Result<bool> {
    let text = fs::read_to_string(root.join(path)).with_context(|| format!("cannot read `{path}`"))?;
    let source = text.lines().find_map(|line| line.strip_prefix("source: ")).unwrap_or_default();
    let Ok(source) = fs::read_to_string(root.join(source)) else { return Ok(false) };
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.strip_suffix(".snap").unwrap_or(file);
    let mut names = std::iter::successors(Some(stem), |name| name.split_once("__").map(|(_, rest)| rest));
    Ok(names.any(|name| source.contains(&format!("\"{name}\""))))
}

/// Returns whether a file is pending review: next to a snapshot, or next to a source file with inline snapshots.
fn is_pending(path: &str) -> bool {
    path.ends_with(".snap.new") || path.ends_with(".pending-snap")
}

/// Returns whether a file is an accepted snapshot.
fn is_accepted(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "snap")
}

/// Returns whether a file is in the folder of the contract tests' snapshots.
pub(crate) fn is_contract_snapshot(path: &str) -> bool {
    path.strip_prefix(FOLDER).is_some_and(|below| below.starts_with('/'))
}

/// Collects accepted and pending snapshots, and every file in the folder of the contract tests' snapshots.
fn list(root: &Path, folder: &str, found: &mut BTreeSet<String>) -> Result<()> {
    let context = || format!("cannot read the folder `{}`", root.join(folder).display());
    for entry in fs::read_dir(root.join(folder)).with_context(context)? {
        let entry = entry.with_context(context)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        // Links, hidden folders and build output are skipped.
        let kind = entry.file_type().with_context(context)?;
        if kind.is_dir() && !name.starts_with('.') && path != "target" {
            list(root, &path, found)?;
        } else if kind.is_file() && (is_pending(&name) || is_contract_snapshot(&path) || is_accepted(&name)) {
            found.insert(path);
        }
    }
    Ok(())
}
