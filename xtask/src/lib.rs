//! The maintenance tasks of this workspace, callable from tests so that `cargo test` alone finds outdated files.
//!
//! Start at [`check()`]: it takes document and samples and returns the client or problems, without I/O. [`outdated()`]
//! renders the derived files. `main.rs` parses the command line; each task is a module. Nothing here links the client:
//! tasks that need it run cargo.

mod artifacts;
mod audit;
mod calls;
mod check;
mod ci;
mod contract;
mod contract_tools;
mod cost;
mod coverage;
mod drift;
mod expand;
mod functions;
mod fuzz;
mod house_rules;
mod illustrations;
mod local_server;
pub mod measure;
mod mutants;
mod needs;
mod package;
mod package_test;
mod problem;
mod published;
mod readme;
mod regen;
mod samples;
mod schema;
mod schema_walk;
pub mod snapshots;
mod sources;
mod surface;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};
use serde_json::Value;

pub use self::{
    artifacts::{OutdatedArtifact, outdated},
    audit::audit,
    check::check,
    ci::ci,
    contract::{ContractCheck, contract},
    cost::{Row, cost},
    drift::{Shown, draft, drift},
    expand::expand,
    fuzz::fuzz,
    illustrations::illustrations,
    mutants::mutants,
    needs::{Need, missing, missing_samples},
    package::{Destination, package},
    problem::{Problem, Problems},
    regen::{Mode, regen},
    sources::{DOCUMENT, Sample, Sources, Validity},
    surface::surface,
};

/// The root of the workspace.
pub fn workspace_root() -> PathBuf {
    // Cargo sets the folder of the running package, this one or that of the tests; both are directly below the root.
    // The folder at compile time may be another copy of the workspace.
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map_or(package.clone(), Path::to_owned)
}

/// Returns cargo without the `CARGO_PKG_*` variables of this package: build scripts, such as that of ring, would run again
/// when they change. `cargo-machete` decides by them that it is no subcommand.
fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|it| name.starts_with(it))) {
            command.env_remove(name);
        }
    }
    command
}

/// Returns whether a program, or a subcommand of cargo, is installed.
fn is_installed(command: &mut Command) -> bool {
    let version = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Returns the program of a name that a build has made, from the messages of cargo in JSON.
fn built_program(messages: &[u8], name: &str) -> Option<PathBuf> {
    String::from_utf8_lossy(messages).lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let program = message["executable"].as_str().filter(|_| message["target"]["name"] == name);
        program.map(PathBuf::from)
    })
}

/// Returns cargo's target folder.
fn target_folder(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target))
}

/// Creates a folder and those above it, unless they exist.
fn create_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create the folder `{}`", folder.display()))
}

/// Empties a folder, or creates it.
fn recreate(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove `{}`", folder.display()))?;
    }
    create_folder(folder)
}

/// Prints the result of a task to standard output, where a script can read it.
#[expect(clippy::print_stdout, reason = "the one place that prints results")]
fn print(text: &str) {
    println!("{text}");
}

/// Prints progress and results to standard error.
#[expect(clippy::print_stderr, reason = "progress and results of tasks that take minutes")]
pub fn say(text: &str) {
    eprintln!("{text}");
}
