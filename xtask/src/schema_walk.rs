//! Finds the schemas of a document, and their examples and defaults.
//!
//! It follows the structure of OpenAPI, because a property may have the name `example` or `default`.

use serde_json::Value;

const SCHEMA_LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "properties"];
const INNER_SCHEMAS: [&str; 3] = ["items", "not", "additionalProperties"];

/// The schemas and values of a document, each with its location.
#[derive(Debug, Default)]
pub(crate) struct Collected<'d> {
    /// Every schema, inner ones included.
    pub(crate) schemas: Vec<Node<'d>>,
    /// Every `example`, `default` and entry of `examples`, with the schema it belongs to.
    pub(crate) values: Vec<(Node<'d>, &'d Value)>,
}

/// A value with its location.
#[derive(Clone, Debug)]
pub(crate) struct Node<'d> {
    pub(crate) pointer: String,
    pub(crate) value: &'d Value,
}

impl<'d> Node<'d> {
    pub(crate) fn root(value: &'d Value) -> Self {
        Self { pointer: String::new(), value }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        Some(Self { pointer: join(&self.pointer, key), value: self.value.get(key)? })
    }

    /// The properties or items of one property; none if it is absent.
    pub(crate) fn children_of(&self, key: &str) -> Vec<(String, Self)> {
        self.get(key).map(|inner| inner.children()).unwrap_or_default()
    }

    /// Properties of an object or items of a list, with their names or indexes.
    pub(crate) fn children(&self) -> Vec<(String, Self)> {
        let child = |(key, value): (String, &'d Value)| {
            let pointer = join(&self.pointer, &key);
            (key, Self { pointer, value })
        };
        match self.value {
            Value::Object(properties) => properties.iter().map(|(key, value)| child((key.clone(), value))).collect(),
            Value::Array(items) => {
                items.iter().enumerate().map(|(index, item)| child((index.to_string(), item))).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn join(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// An operation of a document.
#[derive(Clone, Debug)]
pub(crate) struct Operation<'d> {
    pub(crate) id: &'d str,
    pub(crate) node: Node<'d>,
}

/// The operations, in the order of the document.
pub(crate) fn operations(root: &Value) -> Vec<Operation<'_>> {
    const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];
    let entries = Node::root(root).children_of("paths").into_iter().flat_map(|(_, item)| item.children());
    let operations = entries.filter(|(method, _)| METHODS.contains(&method.as_str()));
    operations.map(|(_, node)| Operation { id: node.value["operationId"].as_str().unwrap_or_default(), node }).collect()
}

/// Collects the schemas and values in components and operations.
pub(crate) fn walk(root: &Value) -> Collected<'_> {
    let mut collected = Collected::default();
    for (section, entries) in Node::root(root).children_of("components") {
        for (_, entry) in entries.children() {
            match section.as_str() {
                "schemas" => schema(&entry, &mut collected),
                "parameters" => parameter(&entry, &mut collected),
                "responses" | "requestBodies" => content(&entry, &mut collected),
                _ => {}
            }
        }
    }
    for operation in operations(root) {
        for (_, entry) in operation.node.children_of("parameters") {
            parameter(&entry, &mut collected);
        }
        if let Some(body) = operation.node.get("requestBody") {
            content(&body, &mut collected);
        }
        for (_, response) in operation.node.children_of("responses") {
            content(&response, &mut collected);
        }
    }
    collected
}

fn content<'d>(holder: &Node<'d>, collected: &mut Collected<'d>) {
    for (_, media_type) in holder.children_of("content") {
        parameter(&media_type, collected);
    }
}

/// Collects from a parameter or a media type: a schema with examples.
fn parameter<'d>(holder: &Node<'d>, collected: &mut Collected<'d>) {
    let Some(described) = holder.get("schema") else { return };
    schema(&described, collected);
    let examples = holder.children_of("examples").into_iter().filter_map(|(_, example)| example.get("value"));
    for value in holder.get("example").into_iter().chain(examples) {
        collected.values.push((value, described.value));
    }
}

fn schema<'d>(node: &Node<'d>, collected: &mut Collected<'d>) {
    if !node.value.is_object() {
        return;
    }
    collected.schemas.push(node.clone());
    for key in ["example", "default"] {
        if let Some(value) = node.get(key) {
            collected.values.push((value, node.value));
        }
    }
    let listed = SCHEMA_LISTS.iter().flat_map(|key| node.children_of(key)).map(|(_, inner)| inner);
    for inner in listed.chain(INNER_SCHEMAS.iter().filter_map(|key| node.get(key))) {
        schema(&inner, collected);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_property_called_example_is_not_an_example() {
        let root = json!({"components": {"schemas": {"Thing": {
            "type": "object",
            "properties": {"example": {"type": "string", "example": "one"}, "default": {"type": "string"}},
        }}}});

        let collected = walk(&root);

        let pointers: Vec<_> = collected.values.iter().map(|(value, _)| value.pointer.as_str()).collect();
        assert_eq!(pointers, ["/components/schemas/Thing/properties/example/example"]);
        assert_eq!(collected.schemas.len(), 3);
    }

    #[test]
    fn names_in_pointers_are_escaped() {
        let root = json!({"paths": {"/a/{b}": {"get": {"operationId": "x"}}}});

        assert_eq!(operations(&root)[0].node.pointer, "/paths/~1a~1{b}/get");
    }
}
