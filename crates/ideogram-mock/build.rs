//! Sets `OPENAPI` to the folder with the document and its samples.

use std::{env, error::Error, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    // A package has its own copy, which `cargo xtask package` adds; the workspace has one for all.
    let copy = package.join("openapi");
    let folder = if copy.is_dir() { copy } else { package.join("../../openapi") };
    println!("cargo::rustc-env=OPENAPI={}", folder.display());
    Ok(())
}
