//! What is written for the schema of a component, or in its place.

use serde_json::{Map, Value, json};

use super::{
    super::merged::{Merged, is_required_alone},
    Drafter,
    keywords::{comment, component_of, hint, nullable, reference, unknown, values, without_description},
};
use crate::{house_rules::UNWRITTEN, schema_walk::Node};

impl<'d> Drafter<'d> {
    pub(super) fn component(&mut self, merged: &Merged<'d>, name: &str, written: &mut Map<String, Value>) {
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
        written.insert("oneOf".to_owned(), names.iter().map(|name| reference(name)).collect());
        let Some(discriminator) = merged.get("discriminator") else { return };
        let mapped = |(value, target): (String, Node<'d>)| {
            let name = target.value.as_str()?.rsplit('/').next();
            let at = kinds.iter().position(|(_, kind)| component_of(kind.value) == name)?;
            Some((value, reference(&names[at])["$ref"].take()))
        };
        let mapping: Map<_, _> = discriminator.children_of("mapping").into_iter().filter_map(mapped).collect();
        let mut kept = json!({"propertyName": discriminator.value["propertyName"]});
        if !mapping.is_empty() {
            kept["mapping"] = Value::Object(mapping);
        }
        written.insert("discriminator".to_owned(), kept);
    }

    /// Whatever is neither an object with properties nor a union.
    pub(super) fn plain(&mut self, merged: &Merged<'d>, hint: &str, written: &mut Map<String, Value>) {
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
