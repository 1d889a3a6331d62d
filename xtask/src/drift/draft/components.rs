//! Writes schemas of the service as named components in house style.
//!
//! Start at [`Components::inline`]: it returns what to write at the place of a schema, and collects the components that
//! this refers to. A component of ours with the same name and the same facts is used again.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::{
    compare::{Difference, tree_differences},
    document::Document,
    merged::{Merged, is_required_alone, merged},
    schema::schema,
};
use super::keywords::{comment, hint, nullable, request_name, unknown, values, without_description};
use crate::{house_rules::UNWRITTEN, schema_walk::Node};

const SCHEMAS: &str = "#/components/schemas/";
/// The pattern of ids in paths: it keeps a value inside its path segment.
pub(super) const PATH_ID: &str = r"^(?!\.{1,2}$)[^/?#%\s]+$";

/// The components of a draft.
pub(super) struct Components<'d> {
    ours: &'d Document,
    theirs: &'d Document,
    /// By the location in their document, and whether the use is nullable where the schema is not.
    names: BTreeMap<(String, bool), String>,
    drafted: Map<String, Value>,
}

impl<'d> Components<'d> {
    pub(super) fn new(ours: &'d Document, theirs: &'d Document) -> Self {
        Self { ours, theirs, names: BTreeMap::new(), drafted: Map::new() }
    }

    /// The drafted components, without those of ours.
    pub(super) fn drafted(&self) -> &Map<String, Value> {
        &self.drafted
    }

    /// The drafted components and ours.
    pub(super) fn all(&self) -> Value {
        let mut all = self.ours.root()["components"]["schemas"].as_object().cloned().unwrap_or_default();
        all.extend(self.drafted.clone());
        Value::Object(all)
    }

    /// Returns what to write for a property, an item or a parameter; `hint` names its component if it has no name.
    pub(super) fn inline(&mut self, node: &Node<'d>, hint: &str) -> Value {
        let merged = merged(self.theirs, node);
        let mut written = Map::new();
        let needs_name = match merged.kind() {
            "string" => ["enum", "const", "pattern", "maxLength"].iter().any(|key| merged.get(key).is_some()),
            "object" => !merged.properties.is_empty(),
            "union" => self.is_union_of_objects(&merged),
            _ => false,
        };
        if needs_name {
            let reference = json!({"$ref": format!("{SCHEMAS}{}", self.named(node, hint))});
            let default = merged.get("default").filter(|default| !default.value.is_null());
            let Some(default) = default else { return reference };
            written.insert("allOf".to_owned(), json!([reference]));
            written.insert("default".to_owned(), default.value.clone());
        } else {
            self.plain(&merged, hint, &mut written);
        }
        written.insert("description".to_owned(), json!(UNWRITTEN));
        Value::Object(written)
    }

    /// Returns the name of the component for a schema, and drafts it unless it is there.
    pub(super) fn named(&mut self, node: &Node<'d>, hint: &str) -> String {
        let target = self.home(node);
        let merged = merged(self.theirs, node);
        let only_here =
            merged.nullable.is_some() && super::super::merged::merged(self.theirs, &target).nullable.is_none();
        let key = (target.pointer.clone(), only_here);
        if let Some(name) = self.names.get(&key) {
            return name.clone();
        }
        let own = target.pointer.strip_prefix(&SCHEMAS[1..]).filter(|_| target.pointer != node.pointer);
        let own = ideogram_codegen::component_name(own.unwrap_or(hint));
        let wanted = match own.strip_suffix("Request") {
            _ if only_here => format!("Optional{own}"),
            _ if hint.ends_with("Request") && node.pointer.contains("/content/") => request_name(&own),
            _ => own.clone(),
        };
        let ours = self.our_component(&wanted);
        let differences = ours.map(|ours| {
            let (ours, theirs) = (schema(self.ours, &ours, "schema", true), schema(self.theirs, node, "schema", true));
            let differences = tree_differences(&ours, &theirs);
            differences.into_iter().filter(|one| !is_number_format(one)).collect::<Vec<_>>()
        });
        // The same words for a schema that may be null are another component.
        let optional = format!("Optional{wanted}");
        let wanted = if merged.nullable.is_some() && self.drafted.contains_key(&wanted) { optional } else { wanted };
        let is_ours = differences.as_ref().is_some_and(Vec::is_empty);
        let name = if is_ours { wanted.clone() } else { self.free(&wanted) };
        self.names.insert(key, name.clone());
        if !is_ours {
            // Reserves the name, because the schema may refer to itself.
            self.drafted.insert(name.clone(), Value::Null);
            let mut written = Map::new();
            if let Some(differences) = differences {
                let facts: Vec<String> =
                    differences.iter().map(|one| format!("{} {}", one.location, one.fact).trim().to_owned()).collect();
                comment(&mut written, &format!("TODO: differs from our `{wanted}` in: {}.", facts.join(", ")));
            }
            self.component(&merged, &wanted, &mut written);
            self.drafted.insert(name.clone(), Value::Object(written));
        }
        name
    }

    /// Follows references, and `allOf` of one, to where a schema is written.
    fn home(&self, node: &Node<'d>) -> Node<'d> {
        let mut home = node.clone();
        for _ in 0..16 {
            let parts = home.get("allOf").map(|list| list.children()).unwrap_or_default();
            let only = parts.into_iter().next().filter(|_| {
                home.value["allOf"].as_array().is_some_and(|parts| parts.len() == 1) && home.get("properties").is_none()
            });
            match self.theirs.target(&home).or(only.map(|(_, part)| part)) {
                Some(next) => home = next,
                None => break,
            }
        }
        home
    }

    fn our_component(&self, name: &str) -> Option<Node<'d>> {
        let pointer = format!("{}{name}", &SCHEMAS[1..]);
        self.ours.root().pointer(&pointer).map(|value| Node { pointer: pointer.clone(), value })
    }

    /// A name that neither our document nor the draft has.
    pub(super) fn free(&self, wanted: &str) -> String {
        let is_free = |name: &String| self.our_component(name).is_none() && !self.drafted.contains_key(name);
        let (stem, end) = wanted.strip_suffix("Request").map_or((wanted, ""), |stem| (stem, "Request"));
        let numbered = (2..).map(|number| format!("{stem}No{number}{end}"));
        std::iter::once(wanted.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
    }

    /// Adds the component of a path parameter.
    pub(super) fn path_id(&mut self, name: &str, node: &Node<'d>) -> String {
        let wanted = ideogram_codegen::component_name(name);
        if self.our_component(&wanted).is_some_and(|ours| ours.get("pattern").is_some()) {
            return wanted;
        }
        let pattern = merged(self.theirs, node).get("pattern").map_or(json!(PATH_ID), |pattern| pattern.value.clone());
        let name = self.free(&wanted);
        self.drafted.insert(name.clone(), json!({"type": "string", "description": UNWRITTEN, "pattern": pattern}));
        name
    }

    fn is_union_of_objects(&self, merged: &Merged<'d>) -> bool {
        let kinds = merged.alternatives().map(Node::children).unwrap_or_default();
        kinds.iter().all(|(_, kind)| {
            let kind = super::super::merged::merged(self.theirs, kind);
            kind.kind() == "object" && !kind.properties.is_empty()
        })
    }

    fn component(&mut self, merged: &Merged<'d>, name: &str, written: &mut Map<String, Value>) {
        match merged.kind() {
            "object" => self.object(merged, name, written),
            "union" if self.is_union_of_objects(merged) => self.union(merged, name, written),
            _ => self.plain(merged, name, written),
        }
        written.entry("description").or_insert_with(|| json!(UNWRITTEN));
    }

    fn object(&mut self, merged: &Merged<'d>, name: &str, written: &mut Map<String, Value>) {
        written.insert("type".to_owned(), json!("object"));
        nullable(merged, written);
        written.insert("description".to_owned(), json!(UNWRITTEN));
        let required = merged.required.keys().filter(|name| merged.property(name).is_some());
        let required: Vec<&String> = required.collect();
        if !required.is_empty() {
            written.insert("required".to_owned(), json!(required));
        }
        for key in ["not", "oneOf", "anyOf"] {
            let Some(found) = merged.get(key) else { continue };
            let alternatives = found.value.as_array().or_else(|| found.value["anyOf"].as_array());
            let is_supported = match alternatives {
                Some(list) => list.iter().all(is_required_alone),
                None => is_required_alone(found.value),
            };
            if is_supported {
                written.insert(key.to_owned(), found.value.clone());
            } else {
                comment(written, &format!("TODO: `{key}` of the service, which is more than names of properties."));
            }
        }
        unknown(merged, written);
        let mut properties = Map::new();
        for (property, node) in &merged.properties {
            properties.insert(property.clone(), self.inline(node, &hint(name, property)));
        }
        written.insert("properties".to_owned(), Value::Object(properties));
    }

    fn union(&mut self, merged: &Merged<'d>, name: &str, written: &mut Map<String, Value>) {
        let Some(list) = merged.alternatives().cloned() else { return };
        if merged.nullable.is_some() {
            written.insert("type".to_owned(), json!("object"));
        }
        nullable(merged, written);
        written.insert("description".to_owned(), json!(UNWRITTEN));
        let kinds = list.children();
        let names: Vec<String> =
            kinds.iter().map(|(index, kind)| self.named(kind, &format!("{name} kind {index}"))).collect();
        let references = names.iter().map(|name| json!({"$ref": format!("{SCHEMAS}{name}")}));
        written.insert("oneOf".to_owned(), references.collect());
        let Some(discriminator) = merged.get("discriminator") else { return };
        let mut written_mapping = Map::new();
        for (value, target) in discriminator.get("mapping").map(|mapping| mapping.children()).unwrap_or_default() {
            let target = target.value.as_str().unwrap_or_default();
            let target = target.rsplit('/').next().unwrap_or_default();
            let at = kinds.iter().position(|(_, kind)| {
                kind.value["$ref"].as_str().is_some_and(|reference| reference.ends_with(&format!("/{target}")))
            });
            if let Some(at) = at {
                written_mapping.insert(value, json!(format!("{SCHEMAS}{}", names[at])));
            }
        }
        let mut kept = json!({"propertyName": discriminator.value["propertyName"]});
        if !written_mapping.is_empty() {
            kept["mapping"] = Value::Object(written_mapping);
        }
        written.insert("discriminator".to_owned(), kept);
    }

    /// Whatever is neither an object with properties nor a union.
    fn plain(&mut self, merged: &Merged<'d>, hint: &str, written: &mut Map<String, Value>) {
        let kind = merged.kind();
        let name = match kind {
            "file" => Some("string"),
            "union" | "any" => None,
            kind => Some(kind),
        };
        if let Some(name) = name {
            written.insert("type".to_owned(), json!(name));
        }
        let keep = |keys: &[&str], written: &mut Map<String, Value>| {
            for key in keys {
                if let Some(found) = merged.get(key).filter(|found| !found.value.is_null()) {
                    written.insert((*key).to_owned(), found.value.clone());
                }
            }
        };
        match kind {
            "file" | "string" => keep(&["format", "minLength", "maxLength", "pattern"], written),
            "integer" | "number" => {
                let format = if kind == "integer" { "int64" } else { "double" };
                written.insert("format".to_owned(), json!(format));
                keep(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"], written);
            }
            "array" => keep(&["minItems", "maxItems", "uniqueItems"], written),
            _ => {}
        }
        if name.is_some() {
            nullable(merged, written);
        }
        match kind {
            "string" => values(merged, written),
            "array" => {
                let items = merged
                    .get("items")
                    .map_or_else(|| json!({}), |items| without_description(self.inline(items, hint)));
                written.insert("items".to_owned(), items);
            }
            "object" => {
                if let Some(inner) = merged.get("additionalProperties").filter(|inner| inner.value.is_object()) {
                    let inner = without_description(self.inline(inner, hint));
                    written.insert("additionalProperties".to_owned(), inner);
                }
            }
            "integer" | "number" if merged.get("enum").is_some() => {
                comment(written, "TODO: the service lists values; only texts can be an enum here.");
            }
            "union" => comment(written, "TODO: a union of the service that is not one of objects."),
            _ => {}
        }
        if name.is_some()
            && written.get("enum").is_none()
            && let Some(default) = merged.get("default").filter(|default| !default.value.is_null() && kind != "file")
        {
            written.insert("default".to_owned(), default.value.clone());
        }
        unknown(merged, written);
    }
}

/// Numbers have a format here in any case.
fn is_number_format(difference: &Difference) -> bool {
    difference.fact == "format" && ["int64", "double"].contains(&difference.ours.text.as_str())
}
