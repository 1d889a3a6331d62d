//! The OpenAPI document as the server reads it: the operations with their requests and responses.
//!
//! Start at [`Document::embedded`]. This reader is independent: it shares the file with the client's generator, but no
//! code. Nothing here knows the name of an operation.

mod form;
mod operation;
mod schema;
mod yaml;

use std::sync::LazyLock;

use serde_json::Value;

pub(crate) use self::{
    form::{FormRules, PartKind, PartRule},
    operation::{Body, Location, Operation, Poll, WRAPPER},
};

/// Its text; the build script finds the folder.
const TEXT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", env!("OPENAPI"), "/ideogram.yaml"));

/// The document, read once per process, and not before the first server needs it.
static EMBEDDED: LazyLock<Document> =
    LazyLock::new(|| Document::read(TEXT).expect("a test reads the embedded document"));

/// The part of the document that a server needs.
#[derive(Debug)]
pub(crate) struct Document {
    operations: Vec<Operation>,
    /// From the operation that returns the state of a job.
    poll: Poll,
    /// The maximum of seeds.
    max_seed: u32,
    /// The name of the header that carries the key.
    key_header: String,
}

/// A path of the document that matches the path of a request, with the values of its variables.
#[derive(Debug)]
pub(crate) struct Route {
    /// One for each method of the path.
    pub(crate) operations: Vec<&'static Operation>,
    /// Names and decoded values.
    pub(crate) variables: Vec<(String, String)>,
}

impl Document {
    pub(crate) fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Reads a document.
    ///
    /// # Errors
    ///
    /// A message for the maintainer who has edited the document.
    fn read(text: &str) -> Result<Self, String> {
        let root = yaml::read(text)?;
        let schemas = schema::Schemas::new(&root)?;
        let paths = root["paths"].as_object().ok_or("the document has no `paths`")?;
        let (mut operations, mut poll) = (Vec::new(), None);
        for (path, item) in paths {
            for (method, operation) in item.as_object().ok_or_else(|| format!("`{path}` is not an object"))? {
                let located = |why| format!("{method} {path}: {why}");
                poll = poll.or(operation::extension(operation, "x-ideogram-poll").map_err(located)?);
                operations.push(Operation::read(path, method, operation, &schemas).map_err(located)?);
            }
        }
        let poll = poll.ok_or("no operation has `x-ideogram-poll`")?;
        let max_seed = root["components"]["schemas"]["Seed"]["maximum"].as_u64().and_then(|max| max.try_into().ok());
        let max_seed = max_seed.ok_or("the schema `Seed` has no `maximum` of 32 bits")?;
        Ok(Self { operations, poll, max_seed, key_header: key_header(&root)? })
    }

    pub(crate) fn poll(&self) -> &Poll {
        &self.poll
    }

    pub(crate) fn max_seed(&self) -> u32 {
        self.max_seed
    }

    pub(crate) fn key_header(&self) -> &str {
        &self.key_header
    }

    /// Returns the route of a `path` (percent-encoded); if several match, the one with the fewest variables.
    pub(crate) fn route(&'static self, path: &str) -> Option<Route> {
        let matching = self.operations.iter().filter_map(|operation| Some((operation, operation.variables(path)?)));
        let (first, variables) = matching.min_by_key(|(_, variables)| variables.len())?;
        let operations = self.operations.iter().filter(|operation| operation.path == first.path).collect();
        Some(Route { operations, variables })
    }
}

fn key_header(root: &Value) -> Result<String, String> {
    let schemes = root["components"]["securitySchemes"].as_object().ok_or("the document has no `securitySchemes`")?;
    let key = schemes.values().find(|scheme| scheme["type"] == "apiKey" && scheme["in"] == "header");
    key.and_then(|key| key["name"].as_str()).map(str::to_owned).ok_or_else(|| "no key in a header".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_document_can_be_read_and_compiled() {
        let document = Document::read(TEXT).unwrap();

        assert_eq!(document.key_header(), "Api-Key");
        for operation in &document.operations {
            operation.compile();
        }
    }

    #[test]
    fn the_example_of_every_operation_is_a_valid_response() {
        for operation in &Document::embedded().operations {
            assert_eq!(operation.response.violation(&operation.example), None, "{}", operation.id);
        }
    }

    #[test]
    fn variables_are_decoded() {
        let route = Document::embedded().route("/datasets/a%20b").unwrap();

        assert_eq!(route.variables, [("dataset_id".to_owned(), "a b".to_owned())]);
    }
}
