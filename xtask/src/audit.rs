//! `cargo xtask audit`: the dependencies, by cargo-deny and cargo-machete.
//!
//! cargo-deny checks licenses, sources, forbidden packages and advisories as `.deny.toml` says, and lists packages that are
//! there in two versions. cargo-machete finds dependencies that no source names.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::{cargo, contract_tools::run, is_installed};

/// The tools, as subcommands of cargo.
const TOOLS: [&str; 2] = ["deny", "machete"];

/// Runs both tools; `advisories` are downloaded.
pub fn audit(root: &Path, advisories: bool) -> Result<()> {
    for tool in TOOLS {
        let is_installed = is_installed(cargo().arg(tool));
        ensure!(is_installed, "cargo-{tool} is missing; run `cargo install --locked cargo-{tool}`");
    }
    let mut deny = cargo();
    deny.args(["deny", "check", "bans", "licenses", "sources"]).current_dir(root);
    if advisories {
        deny.arg("advisories");
    }
    run(&mut deny, "cargo-deny fails; replace what it refuses, or add an exception to `.deny.toml` with its reason")?;
    run(cargo().arg("machete").current_dir(root), "remove the dependencies that cargo-machete has listed")
}
