//! A schema with everything that it refers to.
//!
//! References are followed and `allOf` is merged; `nullable`, a type `null` and an alternative `null` mean the same.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::Document;
use crate::schema_walk::Node;

/// Deeper schemas are not compared: a real document has ten levels.
pub(super) const MAX_DEPTH: usize = 40;

/// The keywords of a schema after references and `allOf`, each with its location.
#[derive(Default)]
pub(super) struct Merged<'d> {
    pub(super) keywords: BTreeMap<&'d str, Node<'d>>,
    /// In the order of the document.
    pub(super) properties: Vec<(String, Node<'d>)>,
    pub(super) required: BTreeMap<String, String>,
    pub(super) nullable: Option<String>,
    /// The targets of its references.
    pub(super) references: Vec<String>,
}

/// Merges a schema with everything that it refers to.
pub(super) fn merged<'d>(document: &'d Document, node: &Node<'d>) -> Merged<'d> {
    let mut merged = Merged::default();
    merged.add(document, node, MAX_DEPTH);
    merged
}

impl<'d> Merged<'d> {
    fn add(&mut self, document: &'d Document, node: &Node<'d>, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        if let Some(target) = document.target(node) {
            self.references.push(target.pointer.clone());
            self.add(document, &target, depth);
        }
        for (_, part) in node.children_of("allOf") {
            self.add(document, &part, depth);
        }
        for key in ["anyOf", "oneOf"] {
            let Some(list) = node.get(key) else { continue };
            let (nulls, others): (Vec<_>, Vec<_>) =
                list.children().into_iter().partition(|(_, one)| one.value["type"] == "null");
            if let [(_, null)] = nulls.as_slice() {
                self.nullable = Some(null.pointer.clone());
            }
            match others.as_slice() {
                [(_, only)] => self.add(document, only, depth),
                _ => drop(self.keywords.insert(key, list.clone())),
            }
        }
        let entries = node.value.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        for (key, value) in entries.filter_map(|key| Some((key, node.get(key)?))) {
            match key {
                "properties" => {
                    for (name, property) in value.children() {
                        self.properties.retain(|(other, _)| *other != name);
                        self.properties.push((name, property));
                    }
                }
                "required" => {
                    let names = value.children().into_iter();
                    let names = names.filter_map(|(_, name)| Some((name.value.as_str()?.to_owned(), name.pointer)));
                    self.required.extend(names);
                }
                "nullable" if value.value == true => self.nullable = Some(value.pointer),
                "type" => {
                    if value.value.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "null")) {
                        self.nullable = Some(value.pointer.clone());
                    }
                    self.keywords.insert(key, value);
                }
                "allOf" | "anyOf" | "oneOf" | "$ref" => {}
                _ => drop(self.keywords.insert(key, value)),
            }
        }
    }

    pub(super) fn property(&self, name: &str) -> Option<&Node<'d>> {
        self.properties.iter().find(|(other, _)| other == name).map(|(_, property)| property)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node<'d>> {
        self.keywords.get(key)
    }

    /// The type in one word.
    pub(super) fn kind(&self) -> &str {
        let written = self.get("type").and_then(|kind| match kind.value {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
            kind => kind.as_str(),
        });
        match written {
            Some("string") if self.get("format").is_some_and(|format| format.value == "binary") => "file",
            Some(kind) if kind != "object" || self.alternatives().is_none() => kind,
            _ if self.alternatives().is_some() => "union",
            _ if !self.properties.is_empty() => "object",
            _ if self.get("items").is_some() => "array",
            _ => "any",
        }
    }

    /// The schemas of a union: alternatives that say more than which properties they require.
    pub(super) fn alternatives(&self) -> Option<&Node<'d>> {
        let list = self.get("oneOf").or_else(|| self.get("anyOf"))?;
        (!list.children().iter().all(|(_, one)| is_required_alone(one.value))).then_some(list)
    }
}

pub(super) fn is_required_alone(schema: &Value) -> bool {
    schema.as_object().is_some_and(|keywords| keywords.len() == 1 && keywords.contains_key("required"))
}
