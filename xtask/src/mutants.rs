//! `cargo xtask mutants`: mutates the code that decides how often a request is sent, and checks that a test fails.
//!
//! A mutant that no test detects is listed and fails the task. It takes too long for CI: every mutant is a build of the
//! client. cargo-mutants works in a copy of the workspace; its output stays in `target/mutants`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{cargo, create_folder, is_installed, say, target_folder};

/// The files to mutate: the retry policy, and the limiter of images in flight.
const FILES: [&str; 2] = ["crates/ideogram-client/src/call/retry.rs", "crates/ideogram-client/src/client/limiter.rs"];

/// The tests to run, fastest first. A mutant that one test detects is not tested again. Passed to cargo, so that
/// nothing else is built for each mutant.
const TESTS: [&[&str]; 2] =
    [&["--cargo-arg=--lib"], &["--cargo-arg=--package=ideogram-tests", "--cargo-arg=--test=faults"]];

/// Timeout of the tests in seconds, after which a mutant counts as detected: some cause an endless loop.
const TIMEOUT: &str = "120";

/// How many mutants had which result.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    detected: u64,
    timed_out: u64,
    /// Mutants that do not compile.
    unbuildable: u64,
    missed: Vec<String>,
}

/// Tests every mutant, or those whose names match the pattern, and prints the results.
pub fn mutants(root: &Path, pattern: Option<&str>) -> Result<()> {
    let is_installed = is_installed(cargo().arg("mutants"));
    ensure!(is_installed, "cargo-mutants is missing; run `cargo install --locked cargo-mutants`");
    let folder = target_folder(root).join("mutants");
    let _ = fs::remove_dir_all(folder.join("mutants.out"));
    create_folder(&folder)?;

    let mut all = Outcome::default();
    for tests in TESTS {
        let outcome = run(root, &folder, pattern, tests)?;
        all.detected += outcome.detected;
        all.timed_out += outcome.timed_out;
        all.unbuildable = all.unbuildable.max(outcome.unbuildable);
        all.missed = outcome.missed;
        if all.missed.is_empty() {
            break;
        }
    }
    let Outcome { detected, timed_out, unbuildable, missed } = &all;
    say(&format!(
        "{detected} mutants detected, {timed_out} timed out, {unbuildable} do not compile, {} not detected",
        missed.len()
    ));
    for name in missed {
        say(&format!("  {name}"));
    }
    ensure!(missed.is_empty(), "add a test for each mutant that is not detected");
    Ok(())
}

/// Runs once: with all mutants the first time, later with those that are not detected yet.
fn run(root: &Path, folder: &Path, pattern: Option<&str>, tests: &[&str]) -> Result<Outcome> {
    let mut command = cargo();
    command.current_dir(root).args(["mutants", "--iterate", "--package", "ideogram-client"]);
    command
        .args(FILES.iter().flat_map(|file| ["--file", file]))
        .args(pattern.iter().flat_map(|pattern| ["--re", pattern]));
    command.args(["--colors", "never", "--no-times", "--timeout", TIMEOUT, "--build-timeout", "900", "--output"]);
    command.arg(folder).args(tests).env("CARGO_TARGET_DIR", folder.join("build"));
    let status = command.status().context("cannot run cargo")?;
    // 2: a mutant was missed; 3: a test timed out. Every other code is a failure.
    ensure!(matches!(status.code(), Some(0 | 2 | 3)), "cargo-mutants stops without a result ({status})");
    let path: PathBuf = folder.join("mutants.out/outcomes.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    outcome(&text).with_context(|| format!("`{}` is not what cargo-mutants writes", path.display()))
}

/// Reads the outcomes of one run.
fn outcome(json: &str) -> Result<Outcome> {
    let json: Value = serde_json::from_str(json)?;
    let mut outcome = Outcome::default();
    for entry in json["outcomes"].as_array().context("it has no list of outcomes")? {
        let Some(name) = entry["scenario"]["Mutant"]["name"].as_str() else { continue };
        match entry["summary"].as_str() {
            Some("CaughtMutant") => outcome.detected += 1,
            Some("Timeout") => outcome.timed_out += 1,
            Some("Unviable") => outcome.unbuildable += 1,
            _ => outcome.missed.push(name.to_owned()),
        }
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_with_any_other_summary_is_missed() {
        let json = r#"{"outcomes": [
            {"scenario": "Baseline", "summary": "Success"},
            {"scenario": {"Mutant": {"name": "a"}}, "summary": "CaughtMutant"},
            {"scenario": {"Mutant": {"name": "b"}}, "summary": "MissedMutant"},
            {"scenario": {"Mutant": {"name": "c"}}, "summary": "Timeout"},
            {"scenario": {"Mutant": {"name": "d"}}, "summary": "Unviable"},
            {"scenario": {"Mutant": {"name": "e"}}, "summary": "Failure"}
        ]}"#;

        let missed = vec!["b".to_owned(), "e".to_owned()];
        assert_eq!(outcome(json).unwrap(), Outcome { detected: 1, timed_out: 1, unbuildable: 1, missed });
        assert!(outcome("{}").is_err());
    }
}
