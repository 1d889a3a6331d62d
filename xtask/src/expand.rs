//! `cargo xtask expand`: the generated client, formatted.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use crate::{check::check, create_folder, print, sources::Sources, target_folder};

/// Writes `target/expand/client.rs` for readers; the package of the client has the same file.
pub fn expand(root: &Path) -> Result<()> {
    let text = expanded(root)?;
    let folder = target_folder(root).join("expand");
    create_folder(&folder)?;
    let path = folder.join("client.rs");
    fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    print(&path.display().to_string());
    Ok(())
}

/// The generated client, formatted.
pub(crate) fn expanded(root: &Path) -> Result<String> {
    let client = check(&Sources::read(root)?)?;
    let file = syn::parse_file(&client.source()).context("the generated source is not Rust")?;
    Ok(format!("// Generated from `openapi/ideogram.yaml`, do not edit by hand.\n\n{}", prettyplease::unparse(&file)))
}
