//! Inputs to start from, made from the files of the workspace at run time: nothing of them is kept a second time.

use std::{collections::BTreeSet, fs};

use xtask::Sources;

/// One input, with a name that can be a file's.
pub(crate) struct Seed {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Seed {
    fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), bytes: text.into().into_bytes() }
    }
}

/// The samples, valid ones and news.
pub(crate) fn responses() -> Vec<Seed> {
    let sources = Sources::read(&xtask::workspace_root()).unwrap();
    sources.samples().map(|sample| Seed::new(sample.path.replace('/', "_"), sample.text)).collect()
}

/// The document, whole and one excerpt for each path, and the pet shop. Excerpts are small, so that a mutant is soon
/// tried, and one accident stays visible in what it does.
pub(crate) fn documents() -> Vec<Seed> {
    let root = xtask::workspace_root();
    let petshop = fs::read_to_string(root.join("crates/ideogram-codegen/tests/bridge/petshop.yaml")).unwrap();
    let sources = Sources::read(&root).unwrap();
    let document = sources.document();
    let mut seeds = vec![Seed::new("document", document), Seed::new("petshop", petshop)];
    seeds.extend(excerpts(document).into_iter().map(|(name, text)| Seed::new(name, text)));
    seeds
}

/// For each path a document of its own: the lines about it, and those of the operation and the schemas that it needs.
fn excerpts(document: &str) -> Vec<(String, String)> {
    let (head, rest) = document.split_once("\npaths:\n").unwrap();
    let (paths, rest) = rest.split_once("\ncomponents:\n").unwrap();
    let (components, schemas) = rest.split_once("\n  schemas:\n").unwrap();
    let schemas = blocks(schemas, 4);
    let paths = blocks(paths, 2);
    // A call that runs as a job names the operation that returns its state.
    let polled = |path: &str| {
        let (_, poll) = path.split_once("        poll: ")?;
        let id = format!("operationId: {}\n", poll.lines().next()?);
        paths.iter().find(|path| path.contains(&id)).copied()
    };
    let excerpt = |(number, path): (usize, &&str)| {
        let path = [*path, polled(path).unwrap_or_default()].concat();
        let mut needed = BTreeSet::new();
        need(components, &schemas, &mut needed);
        need(&path, &schemas, &mut needed);
        let needed: String = needed.into_iter().map(|index| schemas[index]).collect();
        let text = format!("{head}\npaths:\n{path}\ncomponents:\n{components}\n  schemas:\n{needed}");
        (format!("excerpt_{number}"), text)
    };
    paths.iter().enumerate().map(excerpt).collect()
}

/// The schemas that a text refers to, directly or by way of others.
fn need(text: &str, schemas: &[&str], needed: &mut BTreeSet<usize>) {
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split(|character: char| !character.is_alphanumeric()).next().unwrap_or_default();
        let found = schemas.iter().position(|schema| schema.trim_start().starts_with(&format!("{name}:")));
        if let Some(index) = found
            && needed.insert(index)
        {
            need(schemas[index], schemas, needed);
        }
    }
}

/// A text cut before every key at an indentation; what stands before the first key is left out.
fn blocks(text: &str, indentation: usize) -> Vec<&str> {
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_start_matches(' ');
        if line.len() - content.len() == indentation && !content.starts_with(['#', '\n']) {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| &text[*start..end]).collect()
}
