//! A document to compare: its values, the lines they are in, and the targets of its references.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::schema_walk::Node;

/// Longest time for a download.
const MAX_SECONDS: &str = "60";

/// A document that is read tolerantly: only what is needed must be there.
pub(crate) struct Document {
    /// The name of the file in messages.
    name: String,
    yaml: ideogram_codegen::Document,
}

impl Document {
    /// Reads YAML or JSON.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self> {
        let yaml = match ideogram_codegen::Document::parse(text) {
            Ok(read) => read,
            // JSON has escapes that YAML has not; without lines it can be compared all the same.
            Err(error) => match serde_json::from_str(text) {
                Ok(root) => ideogram_codegen::Document::without_lines(root),
                Err(_) => return Err(error).with_context(|| format!("cannot read `{name}`")),
            },
        };
        ensure!(yaml.root["paths"].is_object(), "`{name}` is not an OpenAPI document: it has no `paths`");
        Ok(Self { name: name.to_owned(), yaml })
    }

    /// Reads a file, or downloads a document with `curl`.
    pub(crate) fn read(source: &str) -> Result<Self> {
        let is_url = source.starts_with("https://") || source.starts_with("http://");
        let text = if is_url {
            download(source)?
        } else {
            fs::read_to_string(source).with_context(|| format!("cannot read `{source}`"))?
        };
        // An address may carry a secret in its query.
        Self::parse(if is_url { source.split('?').next().unwrap_or_default() } else { source }, &text)
    }

    pub(crate) fn root(&self) -> &Value {
        &self.yaml.root
    }

    /// Follows references until something else comes. A reference that leads nowhere is returned as it is.
    pub(crate) fn followed<'d>(&'d self, mut node: Node<'d>) -> Node<'d> {
        for _ in 0..16 {
            match self.target(&node) {
                Some(target) => node = target,
                None => break,
            }
        }
        node
    }

    /// The target of a reference inside the document.
    pub(crate) fn target<'d>(&'d self, node: &Node<'d>) -> Option<Node<'d>> {
        let pointer = node.value.get("$ref")?.as_str()?.strip_prefix('#')?;
        Some(Node { pointer: pointer.to_owned(), value: self.yaml.root.pointer(pointer)? })
    }

    /// Name and line of a location, in the form that editors and terminals turn into links.
    pub(crate) fn place(&self, pointer: &str) -> String {
        match self.yaml.line(pointer) {
            Some(line) => format!("{}:{line}", self.name),
            None => format!("{} #{pointer}", self.name),
        }
    }

    /// As [`Document::place`], for text that goes into the repository: where the file lies is nobody's business.
    pub(crate) fn place_without_folder(&self, pointer: &str) -> String {
        self.place(pointer).split_off(self.name.rfind('/').map_or(0, |index| index + 1))
    }
}

fn download(url: &str) -> Result<String> {
    let mut command = Command::new("curl");
    command.args(["--fail", "--silent", "--show-error", "--location", "--max-time", MAX_SECONDS, "--", url]);
    let output =
        command.output().context("cannot run `curl`, which downloads documents; download it and name the file")?;
    if !output.status.success() {
        bail!("cannot download `{url}`: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{url}` is not text in UTF-8"))
}
