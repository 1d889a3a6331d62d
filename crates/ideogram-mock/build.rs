//! Sets `OPENAPI` to the folder with the document and its samples, relative to the package: a build that was copied to
//! another checkout must read that one's document.

use std::{env, error::Error, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    // A package has its own copy, which `cargo xtask package` adds; the workspace has one for all.
    let folder = if package.join("openapi").is_dir() { "openapi" } else { "../../openapi" };
    println!("cargo::rustc-env=OPENAPI={folder}");
    Ok(())
}
