//! Generates the client from `openapi/ideogram.yaml` into `$OUT_DIR/client.rs`. In a package, `xtask/package/build.rs`
//! takes the place of this script.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process,
};

const DOCUMENT: &str = "../../openapi/ideogram.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    // Relative: a build that was copied to another checkout must read that one's document.
    println!("cargo::rerun-if-changed={DOCUMENT}");
    let document = folder.join(DOCUMENT);
    let text = fs::read_to_string(&document).map_err(|error| format!("cannot read {}: {error}", document.display()))?;
    let mut methods = Vec::new();
    client_methods(&folder.join("src"), &mut methods)?;
    match ideogram_codegen::GeneratedClient::read_with_methods(&text, &methods) {
        Ok(client) => fs::write(PathBuf::from(env::var("OUT_DIR")?).join("client.rs"), client.source())?,
        Err(error) => {
            for problem in error.problems() {
                println!("cargo::error=openapi/ideogram.yaml: {problem}");
            }
            process::exit(1);
        }
    }
    Ok(())
}

/// Collects the methods of `Client` that are written by hand: an operation must not have the name of one. No
/// `rerun-if-changed`: a new method that collides with an operation is a compile error at that method.
fn client_methods(folder: &Path, methods: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            client_methods(&path, methods)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            methods.extend(ideogram_codegen::client_methods(&fs::read_to_string(&path)?));
        }
    }
    Ok(())
}
