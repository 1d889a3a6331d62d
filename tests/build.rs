//! Lists types and responses of the document, so that tests need no lists of their own; and generates the client of
//! another document, the pet shop, which the library of this package includes.
//!
//! A new component or operation is tested without a line of Rust; the tests check the lists against the document.

use std::{env, error::Error, fmt::Write as _, fs, path::PathBuf};

use ideogram_codegen::{GeneratedClient, read_yaml};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo package --workspace` also builds a copy of this package, alone: there is nothing to test in it.
    if !PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../openapi").is_dir() {
        return Ok(());
    }
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    let petshop = read("../crates/ideogram-codegen/tests/bridge/petshop.yaml")?;
    fs::write(folder.join("client.rs"), GeneratedClient::read(&petshop)?.source())?;

    let document = read("../openapi/ideogram.yaml")?;
    let document = read_yaml(&document)?;
    let mut source = String::new();
    schemas(&document, &mut source)?;
    responses(&document, &mut source)?;
    fs::write(folder.join("listed.rs"), source)?;
    Ok(())
}

fn read(document: &str) -> Result<String, Box<dyn Error>> {
    let path = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join(document);
    println!("cargo::rerun-if-changed={}", path.display());
    Ok(fs::read_to_string(path)?)
}

/// The JSON Schema of every type of a body. Path ids are never part of a body.
fn schemas(document: &Value, source: &mut String) -> Result<(), Box<dyn Error>> {
    writeln!(source, "#[allow(clippy::too_many_lines, reason = \"a list\")]")?;
    writeln!(source, "pub(crate) fn schemas() -> Vec<(&'static str, schemars::Schema)> {{ vec![")?;
    let components = document["components"]["schemas"].as_object().into_iter().flatten();
    // Other components are text or numbers with bounds, which have no type of their own.
    let is_type = |schema: &Value| ["properties", "enum", "oneOf"].iter().any(|keyword| schema.get(keyword).is_some());
    for (name, _) in components.filter(|(_, schema)| is_type(schema)) {
        writeln!(source, "({name:?}, schemars::schema_for!(types::{name})),")?;
    }
    writeln!(source, "] }}")?;
    Ok(())
}

/// The type of every operation's response.
fn responses(document: &Value, source: &mut String) -> Result<(), Box<dyn Error>> {
    writeln!(source, "pub(crate) fn decoder(operation: &str) -> Option<Decoder> {{ match operation {{")?;
    let items = document["paths"].as_object().into_iter().flatten().filter_map(|(_, item)| item.as_object()).flatten();
    for (_, operation) in items {
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
        let name = schema.as_str().and_then(|schema| schema.rsplit('/').next());
        if let (Some(id), Some(name)) = (operation["operationId"].as_str(), name) {
            writeln!(source, "{id:?} => Some(decode::<types::{name}>),")?;
        }
    }
    writeln!(source, "_ => None }} }}")?;
    Ok(())
}
