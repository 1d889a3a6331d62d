//! `cargo xtask regen [--check]`: checks document and samples, writes derived files, leaves snapshots for review.

use std::{fs, path::Path, process::Stdio};

use anyhow::{Context as _, Result, bail};
use ideogram_codegen::GeneratedClient;

use crate::{
    artifacts, cargo,
    check::check,
    snapshots::{self, Survey},
    sources::Sources,
};

/// What to do with files that are out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Write them; changed snapshots become pending and are never accepted.
    Write,
    /// Change nothing, print the differences, fail.
    Check,
}

/// Runs the task and prints what it did.
///
/// # Errors
///
/// If the document or a sample is wrong, or, when checking, if anything would change. Each error names the repair.
pub fn regen(root: &Path, mode: Mode) -> Result<()> {
    let sources = Sources::read(root)?;
    let client =
        check(&sources).context("the files of `openapi/` have problems; correct them, then run the task again")?;
    say(&format!("checked: {} operations, {} samples", client.operations().len(), sources.samples().count()));

    let outdated = artifacts::outdated(&sources, &client)?;
    for file in &outdated {
        say(&format!("{}\n{}", if mode == Mode::Write { "written:" } else { "differs:" }, file.diff));
        if mode == Mode::Write {
            fs::write(root.join(file.path), &file.wanted).with_context(|| format!("cannot write `{}`", file.path))?;
        }
    }
    let outdated = if mode == Mode::Check { outdated.iter().map(|file| file.path).collect() } else { Vec::new() };

    match mode {
        Mode::Write => write_pending(root, &client, &sources),
        Mode::Check => check_snapshots(root, &client, &sources, &outdated),
    }
}

/// Runs the tests that compare snapshots, which write pending snapshots.
fn write_pending(root: &Path, client: &GeneratedClient, sources: &Sources) -> Result<()> {
    let expected = snapshots::expected(client, sources);
    // Pending snapshots of an earlier run may be out of date; the tests write those that still differ.
    let pending = snapshots::survey(root, &expected)?.pending;
    for path in pending.iter().filter(|path| snapshots::is_contract_snapshot(path)) {
        fs::remove_file(root.join(path)).with_context(|| format!("cannot remove `{path}`"))?;
    }
    say("comparing snapshots; this builds the client ...");
    let environment = [("INSTA_UPDATE", "new"), ("INSTA_FORCE_PASS", "1"), ("INSTA_OUTPUT", "none")];
    if let Some(report) = failure_of_comparison(root, &environment)? {
        say(&report);
        bail!("the tests that compare snapshots fail for another reason than a changed snapshot, see above");
    }

    let Survey { orphaned, pending, .. } = snapshots::survey(root, &expected)?;
    if !orphaned.is_empty() {
        say(&format!("unused, remove them:\n{}", indented_lines(&orphaned)));
    }
    if pending.is_empty() {
        say("no snapshots to review");
    } else {
        say(&format!("to review:\n{}\n{}", indented_lines(&pending), how_to_review(root)));
    }
    Ok(())
}

fn check_snapshots(root: &Path, client: &GeneratedClient, sources: &Sources, outdated: &[&str]) -> Result<()> {
    let Survey { orphaned, pending, missing } = snapshots::survey(root, &snapshots::expected(client, sources))?;
    let mut violations = Vec::new();
    for (paths, violation) in [(&pending, "not reviewed"), (&orphaned, "unused"), (&missing, "missing")] {
        if !paths.is_empty() {
            violations.push(format!("{violation}:\n{}", indented_lines(paths)));
        }
    }
    // The tests print the differences.
    if violations.is_empty()
        && let Some(report) = failure_of_comparison(root, &[("INSTA_UPDATE", "no")])?
    {
        say(&report);
        violations.push("snapshots differ from the document, see above".to_owned());
    }
    if !outdated.is_empty() {
        violations.push(format!("outdated: {}", outdated.join(", ")));
    }
    if !violations.is_empty() {
        bail!("{}\nrun `cargo xtask regen`, then `cargo insta review`", violations.join("\n"));
    }
    say("up to date");
    Ok(())
}

const COMPARE: &str = "cargo test --workspace --test contract -- surface:: samples::";

/// Returns the output of the tests if they fail. Tests the workspace, because a part of it would be built again with
/// other features.
fn failure_of_comparison(root: &Path, environment: &[(&str, &str)]) -> Result<Option<String>> {
    let mut command = cargo();
    command.args(COMPARE.split(' ').skip(1)).arg("--quiet").current_dir(root).envs(environment.iter().copied());
    // The output of the compiler is printed at once.
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot run `{COMPARE}`"))?;
    Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn how_to_review(root: &Path) -> String {
    let mut command = cargo();
    command.args(["insta", "--version"]).current_dir(root).stdout(Stdio::null()).stderr(Stdio::null());
    let is_installed = command.status().is_ok_and(|status| status.success());
    if is_installed {
        "next: `cargo insta review`".to_owned()
    } else {
        "next: `cargo install --locked cargo-insta`, then `cargo insta review`; or read each file and drop `.new` from \
         the names of those you accept"
            .to_owned()
    }
}

fn indented_lines(paths: &[String]) -> String {
    paths.iter().map(|path| format!("  {path}")).collect::<Vec<_>>().join("\n")
}

#[expect(clippy::print_stdout, reason = "the report is the result of the task")]
fn say(text: &str) {
    println!("{text}");
}
