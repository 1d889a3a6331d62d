//! The examples of every help text: each is understood, and runs as it was typed, against the mock server.
#![cfg(unix)]

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

use crate::invocation::ideogram;

/// Every help text with examples.
const HELPS: &[&str] = &[
    "",
    "api",
    "auth login",
    "auth logout",
    "auth status",
    "batch",
    "completions",
    "datasets create",
    "datasets get",
    "datasets list",
    "datasets plan",
    "datasets sync",
    "datasets upload",
    "datasets verify",
    "generations get",
    "generations save",
    "generations wait",
    "man",
    "mock run",
    "mock serve",
    "models get",
    "models list",
    "models train",
    "models wait",
    "operations",
    "usage",
];

/// Examples that are not run, each with its reason; they have tests of their own.
const NOT_RUN: &[(&str, &str)] = &[
    ("auth ", "needs a keyring"),
    ("datasets verify", "finds a difference unless a sync came before"),
    ("models train", "is billed, so it asks first"),
    ("generations ", "needs a generation"),
    ("mock run", "needs a project with tests"),
    ("mock serve", "runs until Ctrl-C"),
    ("| man -l", "needs a pager"),
];

fn examples(words: &str) -> Vec<String> {
    let help = ideogram(words.split_whitespace().chain(["--help"])).run().stdout();
    let (_, examples) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("`{words}` has no examples"));
    let lines = examples.lines().take_while(|line| line.starts_with("  "));
    // An explanation stands behind several spaces.
    let lines = lines.map(|line| line.trim().split("    ").next().unwrap_or_default().to_owned());
    lines.collect()
}

/// A folder in which the examples find what they name.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("lanterns")).unwrap();
    for name in ["red-lantern.jpg", "new-lantern.jpg", "lanterns/a.jpg", "lanterns/b.jpg"] {
        fs::write(path(name), crate::upload::IMAGE).unwrap();
    }
    fs::write(path("prompts.jsonl"), "{\"prompt\": \"a paper lantern\"}\n").unwrap();
    fs::write(path("prompts.csv"), "prompt,num_images\na paper lantern,2\n").unwrap();
    fs::write(path("new-lantern.txt"), "a new lantern\n").unwrap();
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/lanterns.zip"), path("lanterns.zip")).unwrap();
    folder
}

#[test]
fn every_example_runs_as_it_is_typed() {
    let mut run = 0;
    for words in HELPS {
        for example in examples(words) {
            if NOT_RUN.iter().any(|(part, _)| example.contains(part)) {
                continue;
            }
            let id = if words.starts_with("models") { "Zm9v4kQ1T0eYb8uJr2xLhg" } else { "demo" };
            let typed = example.replace(" ID", &format!(" {id}"));
            let folder = folder();

            // What calls the service calls the mock server.
            let program = Path::new(env!("CARGO_BIN_EXE_ideogram"));
            let shim = "ideogram() { case \"$*\" in *--mock*|*--dry-run*|operations*|completions*|man*|api) command ideogram \"$@\";; \
                        *) command ideogram --mock \"$@\";; esac; }";
            let output = Command::new("bash")
                .args(["-c", &format!("set -e -o pipefail; {shim}\n{typed}")])
                .env_clear()
                .env("HOME", folder.path())
                .env("PROFILE", folder.path().join("profile.ps1"))
                .env("PATH", format!("{}:/usr/bin:/bin", program.parent().unwrap().display()))
                .current_dir(folder.path())
                .output()
                .unwrap();

            assert!(output.status.success(), "{typed}: {}", String::from_utf8_lossy(&output.stderr));
            run += 1;
        }
    }
    assert!(run >= 20, "{run}");
}

#[test]
fn examples_that_are_not_run_are_parsed() {
    let all: Vec<String> = HELPS.iter().flat_map(|words| examples(words)).collect();
    for (part, reason) in NOT_RUN {
        assert!(all.iter().any(|example| example.contains(part)), "{part}: {reason}");
    }
}
