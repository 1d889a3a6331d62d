//! `cargo xtask regen [--check]`: checks document and samples, writes derived files, leaves snapshots for review.

use std::{fs, path::Path, process::Stdio};

use anyhow::{Context as _, Result, bail};
use ideogram_codegen::GeneratedClient;

use crate::{
    artifacts, cargo,
    check::check,
    create_folder, is_installed,
    needs::{self, Need},
    print,
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
pub fn regen(root: &Path, mode: Mode) -> Result<()> {
    let mut sources = Sources::read(root)?;
    let samples = needs::missing_samples(&sources);
    if mode == Mode::Write {
        write_derived(root, &samples)?;
    }
    // As if they were there, so that everything else is found in the same run.
    for need in &samples {
        sources = sources.with(&need.file, need.derived.clone().unwrap_or_default());
    }
    let client =
        check(&sources).context("the files of `openapi/` have problems; correct them, then run the task again")?;
    print(&format!("checked: {} operations, {} samples", client.operations().len(), sources.samples().count()));

    let outdated = artifacts::outdated(&sources, &client)?;
    for file in &outdated {
        print(&format!("{}\n{}", if mode == Mode::Write { "written:" } else { "differs:" }, file.diff));
        if mode == Mode::Write {
            fs::write(root.join(file.path), &file.wanted).with_context(|| format!("cannot write `{}`", file.path))?;
        }
    }
    let needs = needs::missing(&sources, &client);
    match mode {
        Mode::Write => {
            write_derived(root, &needs)?;
            let left = described(needs.iter().filter(|need| need.derived.is_none()));
            write_pending(root, &client, &sources)?;
            print_notes(&sources, &client);
            if !left.is_empty() {
                print(&format!("left to do by hand:\n{}", indented_lines(&left)));
            }
            Ok(())
        }
        Mode::Check => {
            print_notes(&sources, &client);
            let outdated: Vec<_> = outdated.iter().map(|file| format!("{}: outdated", file.path)).collect();
            check_rest(root, &client, &sources, [outdated, described(samples.iter().chain(&needs))].concat())
        }
    }
}

/// Prints what nobody has to do, but may want to know.
fn print_notes(sources: &Sources, client: &GeneratedClient) {
    for note in needs::notes(sources, client) {
        print(&format!("note: {note}"));
    }
}

/// Writes the files that can be derived.
fn write_derived(root: &Path, needs: &[Need]) -> Result<()> {
    let derived = needs.iter().filter_map(|need| Some((need, need.derived.as_ref()?)));
    for (Need { file, reason, .. }, text) in derived {
        let path = root.join(file);
        create_folder(path.parent().unwrap_or(root))?;
        fs::write(&path, text).with_context(|| format!("cannot write `{file}`"))?;
        print(&format!("written: {file}, because {reason}"));
    }
    Ok(())
}

/// One line for each, with the file first.
fn described<'n>(needs: impl Iterator<Item = &'n Need>) -> Vec<String> {
    needs.map(|Need { file, reason, .. }| format!("{file}: {reason}")).collect()
}

/// Runs the tests that compare snapshots, which write pending snapshots.
fn write_pending(root: &Path, client: &GeneratedClient, sources: &Sources) -> Result<()> {
    let expected = snapshots::expected(client, sources);
    // Pending snapshots of an earlier run may be out of date; the tests write those that still differ.
    let pending = snapshots::survey(root, &expected)?.pending;
    for path in pending.iter().filter(|path| path.ends_with(".snap.new")) {
        fs::remove_file(root.join(path)).with_context(|| format!("cannot remove `{path}`"))?;
    }
    let environment = [("INSTA_UPDATE", "new"), ("INSTA_FORCE_PASS", "1"), ("INSTA_OUTPUT", "none")];
    if let Some(report) = failure_of_comparison(root, &environment)? {
        print(&report);
        bail!("the tests that compare snapshots fail for another reason than a changed snapshot, see above");
    }

    let Survey { orphaned, pending, .. } = snapshots::survey(root, &expected)?;
    if !orphaned.is_empty() {
        print(&format!("unused, remove them:\n{}", indented_lines(&orphaned)));
    }
    if pending.is_empty() {
        print("no snapshots to review");
    } else {
        print(&format!("to review:\n{}\n{}", indented_lines(&pending), how_to_review(root)));
    }
    Ok(())
}

/// Checks the snapshots, without a build if something is wrong already.
fn check_rest(root: &Path, client: &GeneratedClient, sources: &Sources, mut violations: Vec<String>) -> Result<()> {
    let Survey { orphaned, pending, missing } = snapshots::survey(root, &snapshots::expected(client, sources))?;
    let mut different = snapshots::different_surface(root, client)?;
    different.retain(|path| !pending.contains(&format!("{path}.new")));
    for (paths, violation) in [
        (pending, "not reviewed"),
        (orphaned, "unused"),
        (missing, "missing"),
        (different, "differs from the document"),
    ] {
        violations.extend(paths.iter().map(|path| format!("{path}: {violation}")));
    }
    // The tests print the differences.
    if violations.is_empty()
        && let Some(report) = failure_of_comparison(root, &[("INSTA_UPDATE", "no")])?
    {
        print(&report);
        violations.push("snapshots differ from the document, see above".to_owned());
    }
    if !violations.is_empty() {
        bail!(
            "not up to date:\n{}\nrun `cargo xtask regen`, which writes what can be derived, then `cargo insta review`",
            indented_lines(&violations)
        );
    }
    print("up to date");
    Ok(())
}

/// Returns the output of the tests if they fail.
fn failure_of_comparison(root: &Path, environment: &[(&str, &str)]) -> Result<Option<String>> {
    print("comparing snapshots; this builds the client and the command (minutes the first time, else about one) ...");
    let mut command = cargo();
    let arguments = snapshots::COMPARE.split_whitespace().skip(1);
    command.args(arguments).arg("--quiet").current_dir(root).envs(environment.iter().copied());
    // The output of the compiler is printed at once.
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot run `{}`", snapshots::COMPARE))?;
    Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn how_to_review(root: &Path) -> String {
    if is_installed(cargo().arg("insta").current_dir(root)) {
        "next: `cargo insta review`".to_owned()
    } else {
        "next: `cargo install --locked cargo-insta`, then `cargo insta review`; or read each file, and to \
         accept it, remove its line `assertion_line` and drop `.new` from its name"
            .to_owned()
    }
}

fn indented_lines(paths: &[String]) -> String {
    paths.iter().map(|path| format!("  {path}")).collect::<Vec<_>>().join("\n")
}
