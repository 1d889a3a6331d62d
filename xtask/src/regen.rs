//! `cargo xtask regen [--check]`: document and samples checked, derived files made anew, snapshots left for review.

use std::{fs, path::Path, process::Stdio};

use anyhow::{Context as _, Result, bail};
use ideogram_codegen::GeneratedClient;

use crate::{
    artifacts, cargo,
    check::check,
    snapshots::{self, Survey},
    sources::Sources,
};

/// What to do about a file that is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Write it; snapshots become pending, none is ever accepted.
    Write,
    /// Change nothing, show the difference, fail.
    Check,
}

/// Runs the task and says what it did.
///
/// # Errors
///
/// If the document or a sample is wrong, or, when checking, if anything would change. Each error names the repair.
pub fn regen(root: &Path, mode: Mode) -> Result<()> {
    let sources = Sources::read(root)?;
    let client =
        check(&sources).context("the files of `openapi/` are not in order; correct them, then run it again")?;
    say(&format!("in order: {} operations, {} samples", client.operations().len(), sources.samples().count()));

    let stale = artifacts::stale(&sources, &client)?;
    for file in &stale {
        say(&format!("{}\n{}", if mode == Mode::Write { "written:" } else { "differs:" }, file.diff));
        if mode == Mode::Write {
            fs::write(root.join(file.path), &file.wanted).with_context(|| format!("cannot write `{}`", file.path))?;
        }
    }
    let stale = if mode == Mode::Check { stale.iter().map(|file| file.path).collect() } else { Vec::new() };

    match mode {
        Mode::Write => write_pending(root, &client, &sources),
        Mode::Check => check_snapshots(root, &client, &sources, &stale),
    }
}

/// Runs the tests that compare snapshots, for the files they leave behind.
fn write_pending(root: &Path, client: &GeneratedClient, sources: &Sources) -> Result<()> {
    let expected = snapshots::expected(client, sources);
    // What an earlier run left may be out of date; the tests write anew what still differs.
    let pending = snapshots::survey(root, &expected)?.pending;
    for path in pending.iter().filter(|path| snapshots::is_ours(path)) {
        fs::remove_file(root.join(path)).with_context(|| format!("cannot remove `{path}`"))?;
    }
    say("comparing snapshots; this builds the client ...");
    let writing = [("INSTA_UPDATE", "new"), ("INSTA_FORCE_PASS", "1"), ("INSTA_OUTPUT", "none")];
    if let Some(report) = failure_of_comparison(root, &writing)? {
        say(&report);
        bail!("the tests that compare snapshots fail for another reason than a difference, see above; correct it");
    }

    let Survey { orphaned, pending, .. } = snapshots::survey(root, &expected)?;
    if !orphaned.is_empty() {
        say(&format!("of no use any more, remove them:\n{}", listed(&orphaned)));
    }
    if pending.is_empty() {
        say("no snapshot waits for review");
    } else {
        say(&format!("waiting for your review:\n{}\n{}", listed(&pending), how_to_review(root)));
    }
    Ok(())
}

fn check_snapshots(root: &Path, client: &GeneratedClient, sources: &Sources, stale: &[&str]) -> Result<()> {
    let Survey { orphaned, pending, missing } = snapshots::survey(root, &snapshots::expected(client, sources))?;
    let mut complaints = Vec::new();
    for (paths, complaint) in [(&pending, "not reviewed"), (&orphaned, "of no use any more"), (&missing, "missing")] {
        if !paths.is_empty() {
            complaints.push(format!("{complaint}:\n{}", listed(paths)));
        }
    }
    // The differences themselves are what the tests print.
    if complaints.is_empty()
        && let Some(report) = failure_of_comparison(root, &[("INSTA_UPDATE", "no")])?
    {
        say(&report);
        complaints.push("snapshots differ from what the document makes, see above".to_owned());
    }
    if !stale.is_empty() {
        complaints.push(format!("stale: {}", stale.join(", ")));
    }
    if !complaints.is_empty() {
        bail!("{}\nrun `cargo xtask regen`, then `cargo insta review`", complaints.join("\n"));
    }
    say("nothing to do");
    Ok(())
}

const COMPARE: &str = "cargo test --workspace --test contract -- surface:: samples::";

/// What the tests say if they fail. The whole workspace, since parts of it would be built again with other features.
fn failure_of_comparison(root: &Path, environment: &[(&str, &str)]) -> Result<Option<String>> {
    let mut command = cargo();
    command.args(COMPARE.split(' ').skip(1)).arg("--quiet").current_dir(root).envs(environment.iter().copied());
    // The compiler's progress and complaints are worth seeing at once.
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

fn listed(paths: &[String]) -> String {
    paths.iter().map(|path| format!("  {path}")).collect::<Vec<_>>().join("\n")
}

#[expect(clippy::print_stdout, reason = "the report is what the task is run for")]
fn say(text: &str) {
    println!("{text}");
}
