//! Reads the operations of a document as trees of facts.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{document::Document, schema::schema, tree::Tree};
use crate::schema_walk::Node;

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// An operation of a document.
pub(crate) struct Operation<'d> {
    /// Method and path, such as `GET /models`.
    pub(crate) title: String,
    /// The id; empty if there is none.
    pub(crate) id: String,
    pub(crate) node: Node<'d>,
    /// Parameters of the operation, before those of its path.
    pub(crate) parameters: Vec<Node<'d>>,
}

/// The operations by method and path, with the names of parameters left out of the path: renaming one changes nothing
/// on the wire.
pub(crate) fn operations(document: &Document) -> BTreeMap<(String, &'static str), Operation<'_>> {
    let mut found = BTreeMap::new();
    for (path, item) in Node::root(document.root()).children_of("paths") {
        let item = document.followed(item);
        for method in METHODS {
            let Some(node) = item.get(method) else { continue };
            let parameters = [&node, &item].into_iter().flat_map(|holder| holder.children_of("parameters"));
            let operation = Operation {
                title: format!("{} {path}", method.to_uppercase()),
                id: node.value["operationId"].as_str().unwrap_or_default().to_owned(),
                parameters: parameters.map(|(_, node)| document.followed(node)).collect(),
                node,
            };
            found.insert((without_names(&path), method), operation);
        }
    }
    found
}

fn without_names(path: &str) -> String {
    let segments = path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// Reads everything that is compared.
pub(crate) fn facts(document: &Document, operation: &Operation<'_>) -> Tree {
    let node = &operation.node;
    let mut tree = Tree::new("operation", &node.pointer);
    let at = |key: &str| node.get(key).map_or_else(|| node.pointer.clone(), |found| found.pointer);
    tree.fact("operationId", &operation.id, &at("operationId"));
    let deprecated = if node.value["deprecated"] == true { "deprecated" } else { "not deprecated" };
    tree.fact("deprecated", deprecated, &at("deprecated"));
    tree.fact("security", security(document, node), &at("security"));
    for parameter in &operation.parameters {
        let text = |key: &str| parameter.value[key].as_str().unwrap_or_default().to_owned();
        let label = format!("{} {}", text("in"), text("name"));
        tree.children.entry(label).or_insert_with(|| self::parameter(document, parameter));
    }
    if let Some(body) = node.get("requestBody").map(|body| document.followed(body)) {
        tree.children.insert("request".to_owned(), request(document, &body));
    }
    for (status, response) in node.children_of("responses") {
        let response = document.followed(response);
        let mut child = Tree { summary: "declared".to_owned(), ..Tree::new("status", &response.pointer) };
        content(document, &response, &mut child);
        tree.children.insert(format!("response {}", status.to_uppercase()), child);
    }
    tree
}

fn parameter(document: &Document, node: &Node<'_>) -> Tree {
    let described = node.get("schema").unwrap_or_else(|| node.clone());
    let mut tree = schema(document, &described, "parameter", false);
    let required = if node.value["required"] == true { "required" } else { "optional" };
    tree.fact("required", required, &node.pointer);
    tree.summary = format!("{required} {}", tree.summary);
    tree.pointer.clone_from(&node.pointer);
    if node.value["deprecated"] == true {
        tree.fact("deprecated", "deprecated", &node.pointer);
    }
    // The defaults of OpenAPI: arrays of the query are repeated.
    let in_query = node.value["in"] == "query";
    let explode = node.value["explode"].as_bool().unwrap_or(in_query);
    if tree.get("type") == Some("array") {
        tree.fact("list", if explode { "repeated" } else { "joined" }, &node.pointer);
    }
    tree
}

fn request(document: &Document, body: &Node<'_>) -> Tree {
    let mut tree = Tree { summary: "a body".to_owned(), ..Tree::new("request", &body.pointer) };
    let required = if body.value["required"] == true { "required" } else { "optional" };
    tree.fact("required", required, &body.pointer);
    content(document, body, &mut tree);
    tree
}

/// Adds a child for each media type.
fn content(document: &Document, holder: &Node<'_>, tree: &mut Tree) {
    for (media_type, entry) in holder.children_of("content") {
        let described = entry.get("schema").unwrap_or_else(|| Node { value: &Value::Null, ..entry.clone() });
        let mut child = schema(document, &described, "media type", true);
        for (part, encoding) in entry.children_of("encoding") {
            if let (Some(property), Some(written)) =
                (child.children.get_mut(&format!(" {part}")), encoding.get("contentType"))
            {
                property.fact("contentType", written.value.as_str().unwrap_or_default(), &written.pointer);
            }
        }
        tree.children.insert(format!(" {media_type}"), child);
    }
}

/// The ways to authorize a call, in words.
pub(super) fn security(document: &Document, node: &Node<'_>) -> String {
    let required = node.value.get("security").unwrap_or(&document.root()["security"]);
    let schemes = &document.root()["components"]["securitySchemes"];
    let name = |name: &String| {
        let scheme = &schemes[name.as_str()];
        match (scheme["name"].as_str(), scheme["scheme"].as_str()) {
            (Some(header), _) => format!("`{header}`"),
            (_, Some(scheme)) => format!("`{scheme}` token"),
            _ => format!("`{name}`"),
        }
    };
    let all = |set: &Value| {
        let names = set.as_object().into_iter().flatten().map(|(key, _)| name(key));
        names.collect::<Vec<_>>().join(" and ")
    };
    let mut ways: Vec<String> = required.as_array().into_iter().flatten().map(all).collect();
    ways.sort_unstable();
    if ways.is_empty() { "no key".to_owned() } else { ways.join(" or ") }
}
