//! Generates the client from `openapi/ideogram.yaml` into `$OUT_DIR/client.rs`.

use std::{env, error::Error, fs, path::PathBuf, process};

fn main() -> Result<(), Box<dyn Error>> {
    // A link into the workspace; a published crate carries its own copy.
    let document = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("openapi/ideogram.yaml");
    println!("cargo::rerun-if-changed={}", document.display());
    let text = fs::read_to_string(&document).map_err(|error| format!("cannot read {}: {error}", document.display()))?;
    match ideogram_codegen::Client::read(&text) {
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
