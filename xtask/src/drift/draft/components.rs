//! Writes schemas of the service as named components in house style.
//!
//! Start at [`Drafter::inline`]: it returns what to write at the place of a schema, and collects the components that
//! this refers to. A component of ours with the same name and the same facts is used again.

use serde_json::{Map, Value, json};

use super::super::{
    compare::{Difference, tree_differences},
    merged::{Merged, merged},
    schema::schema,
};
use super::{
    Drafter,
    keywords::{SCHEMAS, comment, reference, request_name},
    sample::sample,
};
use crate::{house_rules::UNWRITTEN, schema_walk::Node};

/// The pattern of ids in paths: it keeps a value inside its path segment.
pub(super) const PATH_ID: &str = r"^(?:[^/?#%\s.]|\.[^/?#%\s.]|\.\.[^/?#%\s])[^/?#%\s]*$";

impl<'d> Drafter<'d> {
    /// The drafted components and ours.
    pub(super) fn all_components(&self) -> Value {
        let mut all = self.ours.root()["components"]["schemas"].as_object().cloned().unwrap_or_default();
        all.extend(self.drafted.clone());
        Value::Object(all)
    }

    /// Returns a value that is valid against a component, with the optional properties where `all` is set.
    pub(super) fn example(&self, name: &str, all: bool) -> Value {
        sample(&self.all_components(), &reference(name), all)
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
            let reference = reference(&self.named(node, hint));
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
            differences.into_iter().filter(|one| !is_written_anyway(one)).collect::<Vec<_>>()
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
            let parts = home.children_of("allOf");
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

    pub(super) fn is_union_of_objects(&self, merged: &Merged<'d>) -> bool {
        let kinds = merged.alternatives().map(Node::children).unwrap_or_default();
        kinds.iter().all(|(_, kind)| {
            let kind = super::super::merged::merged(self.theirs, kind);
            kind.kind() == "object" && !kind.properties.is_empty()
        })
    }
}

/// Numbers have a format here in any case, and the default of a component is written where it is used.
fn is_written_anyway(difference: &Difference) -> bool {
    let is_format = difference.fact == "format" && ["int64", "double"].contains(&difference.ours.text.as_str());
    is_format || difference.fact == "default" && difference.location.is_empty()
}
