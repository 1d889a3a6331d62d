//! The house rules: reads a document and refuses everything that the generator does not support.
//!
//! Start at [`read`]. A keyword that no function here reads is a problem, so no keyword is ignored silently. `schemas`
//! reads schemas, `operations` reads paths, `jobs` reads the extensions for jobs and quotes, and `cross_checks` checks the
//! whole document. All problems are collected.

mod cross_checks;
mod jobs;
mod operations;
mod schemas;

pub use self::schemas::SCHEMA_KEYWORDS;
use std::cell::RefCell;

use serde_json::Value;

pub(crate) use self::jobs::id_parameter;
use crate::{
    Error, Problem,
    document::{Document, Node},
    model::{Model, Operation, Tag},
    spelling,
};

/// The contents of a valid document.
#[derive(Debug)]
pub(crate) struct DocumentFacts {
    pub(crate) model: Model,
    pub(crate) server_url: String,
    /// The header that carries the API key, from the one security scheme.
    pub(crate) api_key_header: Option<String>,
}

/// Reads a document whose operations must not have the names of `client_methods`.
///
/// # Errors
///
/// All problems of the document.
pub(crate) fn read(document: &Document, client_methods: &[String]) -> Result<DocumentFacts, Error> {
    let reader = Reader { document, client_methods, problems: RefCell::default(), operation: RefCell::default() };
    let facts = reader.document();
    match Error::from_problems(reader.problems.into_inner()) {
        Some(error) => Err(error),
        None => Ok(facts),
    }
}

struct Reader<'d> {
    document: &'d Document,
    /// Methods that the hand-written part of the client has.
    client_methods: &'d [String],
    problems: RefCell<Vec<Problem>>,
    /// The operation being read, for the problems found in it.
    operation: RefCell<Option<String>>,
}

impl<'d> Reader<'d> {
    fn document(&self) -> DocumentFacts {
        let root = self.document.node();
        let known = ["openapi", "info", "servers", "paths", "components", "security", "tags", "externalDocs"];
        self.only_keys(&root, &known);
        let version = self.text(&root, "openapi");
        if !version.starts_with("3.0.") {
            let message = format!("OpenAPI version `{version}` is not 3.0.x");
            self.report(&root.get("openapi").unwrap_or(root.clone()), message, "write `openapi: 3.0.3`");
        }

        self.references_have_targets(&root);
        let info = self.required_object(&root, "info");
        let (title, info_version) =
            info.map_or_else(Default::default, |info| (self.text(&info, "title"), self.text(&info, "version")));
        let components = self.components(&root);
        let operations = self.operations(&root);
        let tags = self.tags(&root);
        let mut model = Model { title, version: info_version, tags, operations, components };
        self.cross_checks(&model);
        model.remove_inputs_set_by_client();

        DocumentFacts { model, server_url: self.server_url(&root), api_key_header: self.api_key_header(&root) }
    }

    fn tags(&self, root: &Node<'d>) -> Vec<Tag> {
        let tags = root.get("tags");
        let tags = tags.iter().flat_map(Node::items);
        tags.map(|tag| Tag { name: self.text(&tag, "name"), description: self.optional_text(&tag, "description") })
            .collect()
    }

    /// Checks all references, also in error responses and in media types that are not sent.
    fn references_have_targets(&self, node: &Node<'d>) {
        for (key, value) in node.entries() {
            match value.value.as_str() {
                Some(target) if key == "$ref" && self.document.follow(target).is_none() => {
                    self.report(&value, format!("the reference `{target}` has no target"), self.near_target(target));
                }
                // Examples are data; `$ref` has no meaning in them.
                _ if key == "example" => {}
                _ => self.references_have_targets(&value),
            }
        }
        node.items().for_each(|item| self.references_have_targets(&item));
    }

    /// Returns the repair of a reference without a target: the reference that was probably meant.
    fn near_target(&self, target: &str) -> String {
        let default = "write `#/components/schemas/Name` with a name that exists";
        let mut meant = "#".to_owned();
        let mut is_misspelled = false;
        // A name alone is a schema, as in a mapping.
        let path = if target.contains('/') { target } else { &format!("components/schemas/{target}") };
        for token in path.trim_start_matches(['#', '/']).split('/') {
            let Some(node) = self.document.follow(&meant) else { return default.to_owned() };
            let names: Vec<&str> = node.entries().map(|(name, _)| name).collect();
            let name = if names.contains(&token) { Some(token) } else { spelling::nearest(token, names) };
            let Some(name) = name else { return default.to_owned() };
            is_misspelled |= name != token;
            meant = format!("{meant}/{name}");
        }
        if is_misspelled { format!("did you mean `{meant}`?") } else { format!("write `{meant}`") }
    }

    fn server_url(&self, root: &Node<'d>) -> String {
        let Some(server) = root.get("servers").and_then(|servers| servers.items().next()) else {
            self.report(root, "the document has no server", "add `servers: [{url: https://...}]`");
            return String::new();
        };
        if server.get("variables").is_some() {
            self.report(&server, "server variables are not supported", "write the address out");
        }
        self.text(&server, "url").trim_end_matches('/').to_owned()
    }

    fn api_key_header(&self, root: &Node<'d>) -> Option<String> {
        let schemes = root.get("components")?.get("securitySchemes")?;
        let mut header = None;
        for (index, (_, scheme)) in schemes.entries().enumerate() {
            if index > 0 {
                self.report(&scheme, "a second security scheme", "keep the one that API keys use");
            }
            let (kind, location) = (self.text(&scheme, "type"), scheme.get("in"));
            if kind != "apiKey" || location.is_none_or(|location| location.value != "header") {
                self.report(&scheme, "only `type: apiKey` with `in: header` is supported", "describe the key's header");
            }
            header = Some(self.text(&scheme, "name"));
            if header.as_deref().is_some_and(|name| !is_header_name(name)) {
                self.report(&scheme, "`name` is not a header name", "use letters, digits and `-`");
            }
        }
        header
    }

    fn report(&self, node: &Node<'_>, message: impl Into<String>, repair: impl Into<String>) {
        self.report_at(&node.pointer, message, repair);
    }

    fn report_at(&self, pointer: &str, message: impl Into<String>, repair: impl Into<String>) {
        self.add(self.document.problem(pointer, message).repair(repair));
    }

    /// Reports a name in an extension of an operation, at its own line. `key` is its key in the extension, if that is an
    /// object; `known` are the names that are possible there.
    fn report_name<'n>(
        &self,
        operation: &Operation,
        (suffix, key): (&str, Option<&str>),
        name: &str,
        message: String,
        known: impl IntoIterator<Item = &'n str>,
        repair: &str,
    ) {
        let extension = self.document.follow(&format!("#{}", operation.pointer)).and_then(|node| {
            let mut extensions = node.entries().filter(|(key, _)| key.starts_with("x-") && key.ends_with(suffix));
            extensions.next().map(|(_, extension)| extension)
        });
        let found = match key {
            Some(key) => extension.and_then(|extension| extension.get(key)),
            None => extension,
        };
        let pointer = found.map_or_else(|| operation.pointer.clone(), |found| found.pointer);
        let meant = spelling::nearest(name, known).map(|meant| format!("did you mean `{meant}`?"));
        self.report_at(&pointer, message, meant.as_deref().unwrap_or(repair));
    }

    fn add(&self, problem: Problem) {
        let operation = self.operation.borrow().clone();
        self.problems.borrow_mut().push(problem.in_operation(operation));
    }

    /// Refuses unknown keywords. Extensions (`x-…`) are allowed.
    fn only_keys(&self, node: &Node<'d>, known: &[&str]) {
        if !node.value.is_object() {
            self.report(node, format!("expected an object, found {}", kind_of(node.value)), "write `key: value` pairs");
        }
        self.only_near_keys(node, known, known);
    }

    /// Refuses unknown keywords; `near` are those that may be meant by a misspelled one. An object with a misspelled
    /// keyword is read wrongly, so its other unknown keywords are not reported.
    fn only_near_keys(&self, node: &Node<'d>, known: &[&str], near: &[&str]) {
        let unknown = || node.entries().filter(|(key, _)| !key.starts_with("x-") && !known.contains(key));
        let meant = |key: &str| spelling::nearest(key, near.iter().copied().filter(|name| node.get(name).is_none()));
        let is_property = |key: &str, value: &Node<'d>| {
            node.get("properties").is_some() && is_schema(value) && meant(key) != Some("additionalProperties")
        };
        let is_misspelled =
            unknown().any(|(key, value)| !near.contains(&key) && !is_property(key, &value) && meant(key).is_some());
        for (key, value) in unknown() {
            if is_property(key, &value) {
                let problem =
                    self.document.problem(&value.pointer, format!("`{key}` is a property beside `properties`"));
                self.add(problem.meant(key).repair("indent it: it belongs inside `properties`"));
                continue;
            }
            let problem = self.document.problem(&value.pointer, format!("unsupported keyword `{key}`"));
            match meant(key).filter(|_| !near.contains(&key)) {
                Some(name) => self.add(problem.meant(name)),
                None if is_misspelled => {}
                None => {
                    self.add(problem.repair(format!("remove it, or express it with one of: {}", known.join(", "))));
                }
            }
        }
    }

    /// Reads a required text; reports a problem and returns an empty text if it is not text.
    fn text(&self, node: &Node<'d>, key: &str) -> String {
        match node.get(key) {
            Some(found) => self.text_of(&found),
            None => {
                self.report(node, format!("`{key}` is missing"), format!("add `{key}`"));
                String::new()
            }
        }
    }

    fn optional_text(&self, node: &Node<'d>, key: &str) -> String {
        node.get(key).map(|found| self.text_of(&found)).unwrap_or_default()
    }

    fn text_of(&self, node: &Node<'d>) -> String {
        if node.value.as_str().is_none() {
            self.report(node, format!("expected text, found {}", kind_of(node.value)), "write it in quotes");
        }
        node.value.as_str().unwrap_or_default().to_owned()
    }

    fn flag(&self, node: &Node<'d>, key: &str) -> bool {
        node.get(key).is_some_and(|found| {
            found.value.as_bool().unwrap_or_else(|| {
                let message = format!("expected true or false, found {}", kind_of(found.value));
                self.report(&found, message, "write `true` or `false`");
                false
            })
        })
    }

    /// Reads a list of texts; reports and skips other items.
    fn texts(&self, node: &Node<'d>) -> Vec<String> {
        if !node.value.is_array() {
            self.report(node, format!("expected a list, found {}", kind_of(node.value)), "write `[a, b]`");
        }
        node.items().map(|item| self.text_of(&item)).filter(|text| !text.is_empty()).collect()
    }

    fn required_object(&self, node: &Node<'d>, key: &str) -> Option<Node<'d>> {
        let found = node.get(key).filter(|found| found.value.is_object());
        if found.is_none() {
            self.report(node, format!("`{key}` is missing or not an object"), format!("add `{key}:`"));
        }
        found
    }

    /// Follows the reference of a parameter, body or response, if it is one.
    fn followed(&self, node: Node<'d>, section: &str) -> Option<Node<'d>> {
        let Some(reference) = node.get("$ref") else { return Some(node) };
        let target = reference.value.as_str().unwrap_or_default();
        // Without a target, it has been reported already.
        let found = self.document.follow(target)?;
        if target.starts_with(&format!("#/components/{section}/")) && found.get("$ref").is_none() {
            return Some(found);
        }
        let message = format!("the reference `{target}` leads to something else");
        self.report(&reference, message, format!("name an entry of `#/components/{section}/`"));
        None
    }
}

/// Returns whether a value looks like a schema, as the value of an unknown keyword.
fn is_schema(node: &Node<'_>) -> bool {
    ["type", "$ref", "allOf", "oneOf", "anyOf", "enum", "properties"].iter().any(|key| node.get(key).is_some())
}

fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
