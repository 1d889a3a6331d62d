//! Reads a schema as a tree of facts, whichever way it is written.
//!
//! Start at [`schema`]. An enum of one value and `const` are the same; `merged` does the rest.

use serde_json::Value;

use super::{
    document::Document,
    merged::{MAX_DEPTH, Merged, merged},
    tree::Tree,
};
use crate::schema_walk::Node;

/// Keywords whose value is a fact as it stands.
const PLAIN: [&str; 11] = [
    "format",
    "default",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
];
/// Reads the schema at a node into a tree. `top` is a body, whose properties are separated by a space.
pub(super) fn schema(document: &Document, node: &Node<'_>, kind: &'static str, top: bool) -> Tree {
    Reader { document }.read(node, kind, top, &[])
}

struct Reader<'d> {
    document: &'d Document,
}

impl<'d> Reader<'d> {
    fn read(&self, node: &Node<'d>, kind: &'static str, top: bool, above: &[String]) -> Tree {
        let merged = merged(self.document, node);
        let home = merged.references.last().filter(|_| node.get("properties").is_none());
        let mut tree = Tree::new(kind, home.unwrap_or(&node.pointer));
        let pointer = merged.get("type").map_or(&node.pointer, |kind| &kind.pointer).clone();
        tree.fact("type", merged.kind(), &pointer);
        let nullable = if merged.nullable.is_some() { "nullable" } else { "not nullable" };
        tree.fact("nullable", nullable, merged.nullable.as_ref().unwrap_or(&pointer));
        keywords(&merged, &mut tree);
        let is_recursive = merged.references.iter().any(|reference| above.contains(reference));
        if !is_recursive && above.len() < MAX_DEPTH {
            let above: Vec<String> = above.iter().chain([&node.pointer]).chain(&merged.references).cloned().collect();
            self.inner(&merged, &mut tree, top, &above);
        }
        tree.summary = summary(&tree);
        tree
    }

    fn inner(&self, merged: &Merged<'d>, tree: &mut Tree, top: bool, above: &[String]) {
        let separator = if top { " " } else { "." };
        for (name, property) in &merged.properties {
            let mut child = self.read(property, "property", false, above);
            let required = merged.required.get(name);
            let word = if required.is_some() { "required" } else { "optional" };
            child.fact("required", word, required.unwrap_or(&property.pointer));
            child.summary = format!("{word} {}", child.summary);
            tree.children.insert(format!("{separator}{name}"), child);
        }
        if let Some(items) = merged.get("items") {
            tree.children.insert("[]".to_owned(), self.read(items, "items", false, above));
        }
        if let Some(values) = merged.get("additionalProperties").filter(|values| values.value.is_object()) {
            tree.children.insert("{}".to_owned(), self.read(values, "values of a map", false, above));
        }
        let property = merged.get("discriminator").and_then(|it| it.value["propertyName"].as_str());
        for (index, one) in merged.alternatives().map(Node::children).unwrap_or_default() {
            let child = self.read(&one, "alternative", false, above);
            let label = self.label(&one, property).unwrap_or(index);
            tree.children.insert(format!("|{label}"), child);
        }
    }

    /// What tells an alternative from the others: the value of the discriminator, or the required properties.
    fn label(&self, node: &Node<'d>, discriminator: Option<&str>) -> Option<String> {
        let merged = merged(self.document, node);
        let property = discriminator.and_then(|name| merged.property(name));
        let value = property.map(|property| self.read(property, "property", false, &[]).items("value"));
        if let Some(value) = value.filter(|value| !value.is_empty() && !value.contains(',')) {
            return Some(value);
        }
        let required: Vec<&str> = merged.required.keys().map(String::as_str).collect();
        Some(required.join("+")).filter(|label| !label.is_empty())
    }
}

/// Adds the facts that are written as keywords.
fn keywords(merged: &Merged<'_>, tree: &mut Tree) {
    for key in PLAIN {
        if let Some(found) = merged.get(key)
            // A file has said so by its type.
            && !(key == "format" && found.value == "binary")
        {
            tree.fact(key, text(found.value), &found.pointer);
        }
    }
    for key in ["exclusiveMinimum", "exclusiveMaximum"] {
        match merged.get(key) {
            Some(found) if found.value != false => tree.fact(key, text(found.value), &found.pointer),
            _ => {}
        }
    }
    if let Some(found) = merged.get("deprecated").filter(|found| found.value == true) {
        tree.fact("deprecated", "deprecated", &found.pointer);
    }
    if let Some(closed) = merged.get("additionalProperties").filter(|found| found.value == false) {
        tree.fact("additionalProperties", "false", &closed.pointer);
    }
    if let Some(found) = merged.get("const") {
        tree.item("value", &text(found.value), &found.pointer);
    }
    for (_, value) in merged.get("enum").map(Node::children).unwrap_or_default() {
        if !value.value.is_null() {
            tree.item("value", &text(value.value), &value.pointer);
        }
    }
    for (exclusion, pointer) in exclusions(merged) {
        tree.item("exclusion", &exclusion, &pointer);
    }
}

/// Which properties can be combined, each as a text.
fn exclusions(merged: &Merged<'_>) -> Vec<(String, String)> {
    let set = |one: &Node<'_>| {
        let names = one.value["required"].as_array()?.iter().filter_map(Value::as_str);
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        Some(names.join(" with "))
    };
    let mut found = Vec::new();
    if let Some(not) = merged.get("not") {
        let several = not.get("anyOf").map(|list| list.children().into_iter().map(|(_, one)| one).collect());
        for one in several.unwrap_or_else(|| vec![not.clone()]) {
            found.extend(set(&one).map(|names| (format!("not {names}"), one.pointer)));
        }
    }
    for (key, word) in [("oneOf", "exactly one"), ("anyOf", "at least one")] {
        let list = merged.get(key).filter(|_| merged.alternatives().is_none());
        let Some(list) = list else { continue };
        let mut sets: Vec<_> = list.children().iter().filter_map(|(_, one)| set(one)).collect();
        sets.sort_unstable();
        found.push((format!("{word} of {}", sets.join(", ")), list.pointer.clone()));
    }
    found
}

/// A value as a text that is equal for equal numbers: `1` and `1.0`.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string()),
        other => other.to_string(),
    }
}

/// A schema in a few words.
fn summary(tree: &Tree) -> String {
    let mut words = vec![tree.get("type").unwrap_or_default().to_owned()];
    words.extend(tree.get("format").map(|format| format!("({format})")));
    if let Some(items) = tree.children.get("[]") {
        words.push(format!("of {}", items.summary));
    }
    words
        .extend(Some(tree.items("value")).filter(|values| !values.is_empty()).map(|values| format!("one of {values}")));
    if tree.get("nullable") == Some("nullable") {
        words.push("or null".to_owned());
    }
    words.join(" ")
}
