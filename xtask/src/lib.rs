//! The maintenance tasks of this workspace, callable from tests so that `cargo test` alone notices what is stale.
//!
//! Start at [`check()`]: document and samples in, client or problems out, no I/O. [`ARTIFACTS`] are the derived files.
//! `main.rs` parses the command line; each task is a module of its own. Nothing here links the client: what needs it
//! runs through cargo.

mod artifacts;
mod check;
mod ci;
mod contract;
mod contract_tools;
mod coverage;
mod expand;
mod fuzz;
mod house_rules;
mod mutants;
mod problem;
mod regen;
mod samples;
mod schema;
pub mod snapshots;
mod sources;
mod surface;
mod walk;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

pub use self::{
    artifacts::{ARTIFACTS, Artifact, Stale, stale},
    check::check,
    ci::ci,
    contract::{Part, contract},
    expand::expand,
    fuzz::fuzz,
    mutants::mutants,
    problem::{Problem, Problems},
    regen::{Mode, regen},
    sources::{DOCUMENT, Sample, Sources, Validity},
    surface::surface,
};

/// The root of the workspace.
pub fn workspace_root() -> PathBuf {
    // Cargo says which package it runs, this one or that of the tests, and both lie directly below the root. What was
    // true when this was compiled may be another copy of the workspace.
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map_or(package.clone(), Path::to_owned)
}

/// The cargo that runs this, to be run again.
fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
