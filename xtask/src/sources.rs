//! The files of `openapi/` and the sources that have something for each operation, held in memory, so that a check can
//! also run on a changed copy.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result};

/// The document, from the root of the workspace.
pub const DOCUMENT: &str = "openapi/ideogram.yaml";

/// The folders to read, from the root of the workspace.
const FOLDERS: [&str; 6] = [
    "openapi",
    COMMANDS,
    "crates/ideogram-client/examples",
    "crates/ideogram-mock/src",
    "crates/ideogram-mock/tests/server",
    "tests/contract/requests",
];
/// One file for each subcommand, with a folder for each word of the command but the last.
const COMMANDS: &str = "crates/ideogram-cli/src/commands";
/// The table of the commands that make images.
const IMAGE_COMMANDS: &str = "crates/ideogram-cli/src/commands/image/table.rs";

/// Texts by path from the root of the workspace, with slashes.
#[derive(Clone, Debug)]
pub struct Sources {
    files: BTreeMap<String, String>,
}

/// Whether a sample is valid against the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Valid: `openapi/examples/`.
    Example,
    /// Invalid, but clients must decode it: `openapi/news/`.
    News,
}

/// A response of the service in a file.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'s> {
    /// The file, from the root of the workspace.
    pub path: &'s str,
    /// The id of its operation.
    pub operation: &'s str,
    /// The name of the case.
    pub case: &'s str,
    /// The folder that it is in.
    pub validity: Validity,
    /// Its content.
    pub text: &'s str,
}

impl Validity {
    const ALL: [Self; 2] = [Self::Example, Self::News];

    /// The folder of such samples, from the root of the workspace, with a slash at the end.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Example => "openapi/examples/",
            Self::News => "openapi/news/",
        }
    }
}

impl Sources {
    /// Reads the files of a workspace.
    pub fn read(root: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for folder in FOLDERS {
            read_folder(root, folder, &mut files)?;
        }
        Ok(Self { files })
    }

    /// A document without any other file.
    #[cfg(test)]
    pub(crate) fn of_document(text: &str) -> Self {
        Self { files: BTreeMap::from([(DOCUMENT.to_owned(), text.to_owned())]) }
    }

    /// Returns a copy in which one file is replaced or added.
    pub fn with(mut self, path: &str, text: impl Into<String>) -> Self {
        self.files.insert(path.to_owned(), text.into());
        self
    }

    /// The text of a file; `None` if there is none of that name.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The files of a folder and of those in it: path and text.
    pub(crate) fn in_folder<'s>(&'s self, folder: &str) -> impl Iterator<Item = (&'s str, &'s str)> {
        let prefix = format!("{folder}/");
        let files = self.files.iter().filter(move |(path, _)| path.starts_with(&prefix));
        files.map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The document; empty if it is missing, which no check accepts.
    pub fn document(&self) -> &str {
        self.get(DOCUMENT).unwrap_or_default()
    }

    /// The samples in the order of their paths, without misplaced files.
    pub fn samples(&self) -> impl Iterator<Item = Sample<'_>> {
        self.files.iter().filter_map(|(path, text)| {
            let validity = validity_of(path)?;
            let (operation, file) = path.strip_prefix(validity.folder())?.split_once('/')?;
            let case = file.strip_suffix(".json").filter(|case| is_case(case))?;
            Some(Sample { path, operation, case, validity, text })
        })
    }

    /// The subcommand for an operation: the row of the image commands that names it, or the file that calls its method.
    /// The file of a subcommand has a help text; files that several subcommands share have none.
    pub(crate) fn command_for(&self, operation: &str, method: &str) -> Option<String> {
        let constant = format!("operations::{}", operation.to_ascii_uppercase());
        let names = |row: &&str| {
            let mut after = row.match_indices(&constant).map(|(at, _)| row[at + constant.len()..].chars().next());
            after.any(|next| next.is_none_or(|next| !next.is_ascii_alphanumeric() && next != '_'))
        };
        let rows = self.get(IMAGE_COMMANDS).unwrap_or_default().split("ImageCommand {");
        let name = |row: &str| row.split_once("name: \"")?.1.split_once('"').map(|(name, _)| name.to_owned());
        if let Some(name) = rows.into_iter().find(names).and_then(name) {
            return Some(format!("ideogram {name}"));
        }
        let call = format!(".{method}()");
        let is_command = |path: &str, text: &str| path.starts_with(COMMANDS) && text.contains("after_help = ");
        let (path, _) = self.files.iter().find(|(path, text)| is_command(path, text) && text.contains(&call))?;
        let words = path.strip_prefix(COMMANDS)?.strip_suffix(".rs")?.replace('/', " ").replace('_', "-");
        Some(format!("ideogram{}", words.strip_suffix(" mod").unwrap_or(&words)))
    }

    /// Misplaced files in the folders of samples.
    pub(crate) fn misplaced(&self) -> impl Iterator<Item = &str> {
        let paths = self.files.keys().map(String::as_str);
        paths.filter(|path| validity_of(path).is_some() && !self.samples().any(|sample| sample.path == *path))
    }
}

fn validity_of(path: &str) -> Option<Validity> {
    Validity::ALL.into_iter().find(|validity| path.starts_with(validity.folder()))
}

/// Returns whether a name can be part of the name of a snapshot.
fn is_case(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn read_folder(root: &Path, folder: &str, files: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in fs::read_dir(root.join(folder)).with_context(|| format!("cannot read the folder `{folder}`"))? {
        let entry = entry.with_context(|| format!("cannot read the folder `{folder}`"))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Files of desktops and editors, and images.
        if name.starts_with('.') || name.ends_with(".png") {
            continue;
        }
        let path = format!("{folder}/{name}");
        if entry.path().is_dir() {
            read_folder(root, &path, files)?;
        } else {
            let text = fs::read_to_string(entry.path()).with_context(|| format!("cannot read `{path}` as text"))?;
            files.insert(path, text);
        }
    }
    Ok(())
}
