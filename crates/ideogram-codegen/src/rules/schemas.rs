//! Reads schemas.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::Value;

use super::{Reader, kind_of};
use crate::{
    document::Node,
    model::{
        ArrayBounds, Choice, Component, IntegerBounds, Kind, NumberBounds, Object, Property, Schema, Shape, TextBounds,
        Union, UnionKind,
    },
};

/// Keywords without effect on validity.
const ANNOTATIONS: [&str; 8] =
    ["description", "title", "example", "default", "deprecated", "readOnly", "writeOnly", "externalDocs"];
/// The keywords of schemas that a document may have.
pub const SCHEMA_KEYWORDS: [&str; 31] = [
    "type",
    "format",
    "enum",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "discriminator",
    "nullable",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
    "uniqueItems",
    "description",
    "title",
    "example",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "externalDocs",
];
const NUMBER_KEYS: [&str; 7] =
    ["type", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "nullable"];
const SCHEMAS: &str = "#/components/schemas/";

impl<'d> Reader<'d> {
    pub(super) fn components(&self, root: &Node<'d>) -> BTreeMap<String, Component> {
        let Some(components) = root.get("components") else { return BTreeMap::new() };
        let known = ["schemas", "responses", "parameters", "requestBodies", "securitySchemes", "examples"];
        self.only_keys(&components, &known);
        let Some(schemas) = components.get("schemas") else { return BTreeMap::new() };
        if !schemas.value.is_object() {
            self.report(&schemas, "expected an object of named schemas", "write `Name: {type: ...}` pairs");
        }
        schemas.entries().map(|(name, node)| (name.to_owned(), self.component(&node))).collect()
    }

    fn component(&self, node: &Node<'d>) -> Component {
        let shape = if node.get("enum").is_some() {
            self.enumeration(node)
        } else if node.get("properties").is_some() {
            self.object(node)
        } else if node.get("oneOf").is_some() {
            self.union(node)
        } else {
            Shape::Alias(self.schema(node))
        };
        let description = self.optional_text(node, "description");
        let default = match &shape {
            Shape::Alias(schema) => schema.default.clone(),
            _ => self.default(node),
        };
        Component { shape, default, description, pointer: node.pointer.clone() }
    }

    fn enumeration(&self, node: &Node<'d>) -> Shape {
        self.only_schema_keys(node, &["type", "enum", "nullable"]);
        if self.text(node, "type") != "string" {
            let repair = "write `type: string`, or describe the numbers with bounds";
            self.report(node, "only text can be an enum here", repair);
        }
        let listed = node.get("enum");
        let (nulls, values): (Vec<_>, Vec<_>) =
            listed.iter().flat_map(Node::items).partition(|value| value.value.is_null());
        // In OpenAPI 3.0.3 `nullable` alone does not add null to the values of `enum`.
        if self.flag(node, "nullable") != (nulls.len() == 1) {
            self.report(node, "`nullable` and the values of the enum disagree", "list `null` if it may be null");
        }
        let mut distinct: Vec<String> = Vec::new();
        for value in &values {
            let text = self.text_of(value);
            if distinct.contains(&text) {
                self.report(value, format!("the value `{text}` is listed twice"), "remove one of the two");
            } else if !text.is_empty() {
                distinct.push(text);
            }
        }
        if distinct.is_empty() {
            self.report(node, "an enum without values", "list its values");
        }
        Shape::Enum(distinct)
    }

    fn object(&self, node: &Node<'d>) -> Shape {
        let keys = ["type", "properties", "required", "additionalProperties", "not", "oneOf", "anyOf", "nullable"];
        self.only_schema_keys(node, &keys);
        if node.get("type").is_some_and(|kind| kind.value != "object") {
            self.report(node, "`properties` belong to objects", "write `type: object`");
        }
        let required = node.get("required").map(|names| self.texts(&names)).unwrap_or_default();
        let properties = node.get("properties").into_iter().flat_map(|properties| {
            if !properties.value.is_object() {
                self.report(&properties, "expected an object of properties", "write `name: {type: ...}` pairs");
            }
            properties.entries()
        });
        let properties: Vec<Property> = properties
            .map(|(name, schema)| Property {
                name: name.to_owned(),
                required: required.iter().any(|other| other == name),
                schema: self.schema(&schema),
            })
            .collect();
        for name in &required {
            if !properties.iter().any(|property| property.name == *name) {
                let message = format!("`{name}` is required but not among the properties");
                self.report(node, message, "describe it, or drop it");
            }
        }
        let rest = node.get("additionalProperties").and_then(|rest| self.additional(&rest));
        let object = Object { choices: self.choices(node, &properties), properties, rest };
        Shape::Object(object)
    }

    fn additional(&self, node: &Node<'d>) -> Option<Schema> {
        match node.value {
            // Responses are open in any case, and requests contain what their type has.
            Value::Bool(_) => None,
            _ => Some(self.schema(node)),
        }
    }

    /// Reads `not`, `oneOf` and `anyOf` next to `properties`, which may only say which properties can be combined.
    fn choices(&self, node: &Node<'d>, properties: &[Property]) -> Vec<Choice> {
        let mut choices = Vec::new();
        if let Some(not) = node.get("not") {
            let alternatives: Vec<_> = match not.get("anyOf") {
                Some(several) => several.items().collect(),
                None => vec![not],
            };
            choices.extend(alternatives.iter().map(|one| {
                let names = self.required_set(one, properties);
                let is_required = |name: &&String| properties.iter().any(|it| it.required && it.name == **name);
                if let Some(name) = names.iter().find(is_required) {
                    let message = format!("`{name}` is required, so what it excludes can never be sent");
                    self.report(one, message, "drop the exclusion, or make the property optional");
                }
                Choice::NotTogether(names)
            }));
        }
        let sets = |list: Node<'d>| list.items().map(|one| self.required_set(&one, properties)).collect();
        choices.extend(node.get("oneOf").map(|list| Choice::ExactlyOne(sets(list))));
        choices.extend(node.get("anyOf").map(|list| Choice::AtLeastOne(sets(list))));
        choices
    }

    fn required_set(&self, node: &Node<'d>, properties: &[Property]) -> Vec<String> {
        let names = node.get("required").map(|names| self.texts(&names)).unwrap_or_default();
        let only_required = node.value.as_object().is_some_and(|object| object.len() == 1);
        if names.is_empty() || !only_required {
            let repair = "write `required: [a, b]` alone, or make the schema a union of named components";
            self.report(node, "next to `properties`, only sets of required properties are supported here", repair);
        }
        for name in &names {
            if !properties.iter().any(|property| property.name == *name) {
                self.report(node, format!("`{name}` is not among the properties"), "name properties of this object");
            }
        }
        names
    }

    fn union(&self, node: &Node<'d>) -> Shape {
        self.only_schema_keys(node, &["type", "oneOf", "discriminator", "nullable"]);
        let discriminator = node.get("discriminator");
        if let Some(discriminator) = &discriminator {
            self.only_keys(discriminator, &["propertyName", "mapping"]);
        }
        let mapping = discriminator.as_ref().and_then(|discriminator| discriminator.get("mapping"));
        let references = node.get("oneOf").into_iter().flat_map(|list| {
            if list.items().next().is_none() {
                self.report(&list, "`oneOf` must list at least one component", "write `oneOf: [{$ref: ...}]`");
            }
            list.items()
        });
        let kinds = references.filter_map(|item| {
            let component = self.referenced_component(&item)?;
            let mapped = mapping.as_ref().and_then(|mapping| {
                mapping.entries().find_map(|(value, target)| {
                    let target = target.value.as_str()?;
                    (target.strip_prefix(SCHEMAS).unwrap_or(target) == component).then(|| value.to_owned())
                })
            });
            if mapping.is_some() && mapped.is_none() {
                let message = format!("`{component}` has no value in the discriminator's mapping");
                self.report(&item, message, "add it to `mapping`");
            }
            let value = discriminator.as_ref().map(|_| mapped.unwrap_or_else(|| component.clone()));
            Some(UnionKind { component, value })
        });
        let kinds: Vec<UnionKind> = kinds.collect();
        for (value, target) in mapping.iter().flat_map(Node::entries) {
            let named = target.value.as_str().map(|target| target.strip_prefix(SCHEMAS).unwrap_or(target));
            if !kinds.iter().any(|kind| Some(kind.component.as_str()) == named) {
                let message = format!("the mapping of `{value}` does not refer to a kind of the union");
                self.report(&target, message, "name a component of `oneOf`");
            }
        }
        Shape::Union(Union { discriminator: discriminator.map(|node| self.text(&node, "propertyName")), kinds })
    }

    fn referenced_component(&self, node: &Node<'d>) -> Option<String> {
        let repair = format!("write `$ref: '{SCHEMAS}Name'` with a name that exists");
        let Some(reference) = node.get("$ref") else {
            self.report(node, "expected a reference to a component", repair);
            return None;
        };
        let target = reference.value.as_str();
        // Without a target, it has been reported already.
        if target.is_some_and(|target| self.document.follow(target).is_none()) {
            return None;
        }
        let target = target.unwrap_or_default();
        let Some(name) = target.strip_prefix(SCHEMAS).filter(|name| !name.contains('/')) else {
            self.report(&reference, format!("the reference `{target}` leads to no schema"), repair);
            return None;
        };
        if node.value.as_object().is_some_and(|object| object.len() > 1) {
            let repair = "write `allOf: [{$ref: ...}]` and put the other keywords next to `allOf`";
            self.report(node, "OpenAPI 3.0 ignores keywords next to `$ref`", repair);
        }
        Some(name.to_owned())
    }

    /// Reads the schema of a property, parameter, item, response or body.
    pub(super) fn schema(&self, node: &Node<'d>) -> Schema {
        let of_kind = |kind| Schema {
            nullable: self.may_be_null(node, &kind),
            default: self.default(node),
            kind,
            description: if node.get("$ref").is_none() {
                self.optional_text(node, "description")
            } else {
                String::new()
            },
        };
        if node.get("$ref").is_some() {
            return of_kind(self.referenced_component(node).map_or(Kind::Any, Kind::Component));
        }
        if let Some(list) = node.get("allOf") {
            self.only_schema_keys(node, &["allOf", "nullable"]);
            let mut items = list.items();
            return match (items.next(), items.next()) {
                (Some(only), None) => of_kind(self.referenced_component(&only).map_or(Kind::Any, Kind::Component)),
                _ => {
                    let repair = "write the properties out in one component";
                    self.report(&list, "`allOf` must have exactly one entry, a reference", repair);
                    of_kind(Kind::Any)
                }
            };
        }
        for keyword in ["enum", "properties", "oneOf"] {
            if let Some(inline) = node.get(keyword) {
                self.report(
                    &inline,
                    format!("`{keyword}` outside of a named component"),
                    format!("move the schema to `{SCHEMAS}Name` and refer to it, so that its type has a name"),
                );
                return of_kind(Kind::Any);
            }
        }
        if node.get("type").is_none() && self.flag(node, "nullable") {
            self.report(
                node,
                "`nullable` has no meaning without `type`",
                "write the `type` next to it, or leave it out",
            );
        }
        of_kind(self.plain(node))
    }

    /// The `default` of a scalar as text; `None` for a reference, whose component has its own.
    fn default(&self, node: &Node<'d>) -> Option<String> {
        if node.get("$ref").is_some() {
            return None;
        }
        self.check_stated_default(node, node);
        default_of(node)
    }

    /// Refuses a description that names another default than the schema has, itself or by its component.
    pub(super) fn check_stated_default(&self, described: &Node<'d>, schema: &Node<'d>) {
        let description = self.optional_text(described, "description");
        let stated = description.split_once("Default ").and_then(|(_, rest)| rest.split_whitespace().next());
        let Some(stated) = stated.map(|stated| stated.trim_end_matches(['.', ',', ';']).trim_matches('`')) else {
            return;
        };
        let reference = schema.get("$ref").or_else(|| schema.get("allOf")?.items().next()?.get("$ref"));
        let component = reference.and_then(|reference| self.document.follow(reference.value.as_str()?));
        let default = default_of(schema).or_else(|| default_of(&component?));
        if default.as_deref() != Some(stated) {
            let found = default.map_or_else(|| "there is none".to_owned(), |default| format!("it is `{default}`"));
            let message = format!("the description says that the default is `{stated}`, and {found}");
            self.report(described, message, "write the same value in the description and as `default`");
        }
    }

    /// Returns whether the schema, or the enum, object or union that it refers to, is nullable. The model resolves
    /// aliases.
    fn may_be_null(&self, node: &Node<'d>, kind: &Kind) -> bool {
        let own = node.get("$ref").is_none() && self.flag(node, "nullable");
        let Kind::Component(name) = kind else { return own };
        let component = self.document.follow(&format!("{SCHEMAS}{name}"));
        let has_own_shape =
            |component: &Node<'d>| ["enum", "properties", "oneOf"].iter().any(|key| component.get(key).is_some());
        own || component.is_some_and(|node| has_own_shape(&node) && self.flag(&node, "nullable"))
    }

    /// The pattern of a text: the client compiles it with the same engine, and would let every text pass otherwise.
    fn pattern(&self, node: &Node<'d>) -> Option<String> {
        let pattern = self.optional_text(node, "pattern");
        if let (Err(error), Some(found)) = (Regex::new(&pattern), node.get("pattern")) {
            let problem = format!("the pattern `{pattern}` cannot be read: {error}");
            self.report(&found, problem, "correct it, or write it without lookaround and backreferences");
        }
        Some(pattern).filter(|pattern| !pattern.is_empty())
    }

    /// The format of a scalar: an unknown one, such as a misspelt `date-time`, would mean another type.
    fn format(&self, node: &Node<'d>, kind: Option<&str>) -> String {
        let known: &[&str] = match kind {
            Some("string") => &["binary", "date", "date-time", "uri", "uuid"],
            Some("integer") => &["int32", "int64"],
            Some("number") => &["float", "double"],
            _ => &[],
        };
        let format = self.optional_text(node, "format");
        if let Some(found) = node.get("format").filter(|_| !known.is_empty() && !known.contains(&format.as_str())) {
            let message = format!("unknown format `{format}`");
            self.report(&found, message, format!("use {}, or leave it out", known.join(", ")));
        }
        format
    }

    /// Refuses a lower bound above the upper one: no value is valid, and every sample would be reported.
    fn bounds_agree(&self, node: &Node<'d>) {
        for (lower, upper) in [("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")] {
            let bound = |key| Some((node.get(key)?, node.get(key)?.value.as_f64()?));
            if let (Some((_, least)), Some((found, most))) = (bound(lower), bound(upper))
                && least > most
            {
                self.report(&found, format!("`{upper}` {most} is below `{lower}` {least}"), "correct one of them");
            }
        }
    }

    fn plain(&self, node: &Node<'d>) -> Kind {
        self.bounds_agree(node);
        let Some(kind) = node.get("type") else {
            self.only_schema_keys(node, &["nullable"]);
            return Kind::Any;
        };
        let format = self.format(node, kind.value.as_str());
        match kind.value.as_str() {
            Some("string") => {
                self.only_schema_keys(node, &["type", "format", "minLength", "maxLength", "pattern", "nullable"]);
                match format.as_str() {
                    "binary" => Kind::File,
                    "date-time" => Kind::Time,
                    _ => Kind::Text(TextBounds {
                        min_length: self.count(node, "minLength"),
                        max_length: self.count(node, "maxLength"),
                        pattern: self.pattern(node),
                        example: node.get("example").and_then(|example| example.value.as_str().map(str::to_owned)),
                        json: self.extension(node, "-json").and_then(|json| self.referenced_component(&json)),
                    }),
                }
            }
            Some("integer") => {
                self.only_schema_keys(node, &NUMBER_KEYS);
                Kind::Integer(self.integer_bounds(node), if format == "int32" { "int32" } else { "int64" })
            }
            Some("number") => {
                self.only_schema_keys(node, &NUMBER_KEYS);
                Kind::Number(self.number_bounds(node), if format == "float" { "float" } else { "double" })
            }
            Some("boolean") => {
                self.only_schema_keys(node, &["type", "nullable"]);
                Kind::Boolean
            }
            Some("array") => {
                self.only_schema_keys(node, &["type", "items", "minItems", "maxItems", "uniqueItems", "nullable"]);
                let bounds =
                    ArrayBounds { min_items: self.count(node, "minItems"), max_items: self.count(node, "maxItems") };
                let items = node.get("items").map(|items| self.schema(&items));
                if items.is_none() {
                    self.report(node, "an array without `items`", "say what it holds");
                }
                let any = || Schema { kind: Kind::Any, nullable: false, default: None, description: String::new() };
                Kind::Array(Box::new(items.unwrap_or_else(any)), bounds)
            }
            Some("object") => {
                self.only_schema_keys(node, &["type", "additionalProperties", "nullable"]);
                match node.get("additionalProperties").and_then(|rest| self.additional(&rest)) {
                    Some(values) => Kind::Map(Box::new(values)),
                    None => Kind::FreeObject,
                }
            }
            other => {
                let found = other.map_or_else(|| kind_of(kind.value).to_owned(), |name| format!("`{name}`"));
                let message = format!("unknown type {found}");
                self.report(&kind, message, "use string, integer, number, boolean, array or object");
                Kind::Any
            }
        }
    }

    fn number_bounds(&self, node: &Node<'d>) -> NumberBounds {
        let bound = |key| self.number(node, key, "a number", "write a number", Value::as_f64);
        NumberBounds {
            minimum: bound("minimum"),
            maximum: bound("maximum"),
            exclusive_minimum: self.flag(node, "exclusiveMinimum"),
            exclusive_maximum: self.flag(node, "exclusiveMaximum"),
        }
    }

    /// Reads bounds of integers, which floats cannot represent beyond 2^53.
    fn integer_bounds(&self, node: &Node<'d>) -> IntegerBounds {
        let bound = |key, exclusive, step: i64| {
            let bound = self.number(node, key, "a whole number", "write a whole number", Value::as_i64)?;
            Some(if self.flag(node, exclusive) { bound.saturating_add(step) } else { bound })
        };
        IntegerBounds {
            minimum: bound("minimum", "exclusiveMinimum", 1),
            maximum: bound("maximum", "exclusiveMaximum", -1),
        }
    }

    fn count(&self, node: &Node<'d>, key: &str) -> Option<u64> {
        self.number(node, key, "a whole number", "write 0 or more", Value::as_u64)
    }

    fn number<T>(
        &self,
        node: &Node<'d>,
        key: &str,
        wanted: &str,
        repair: &str,
        read: fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let found = node.get(key)?;
        let number = read(found.value);
        if number.is_none() {
            self.report(&found, format!("expected {wanted}, found {}", kind_of(found.value)), repair);
        }
        number
    }

    fn only_schema_keys(&self, node: &Node<'d>, known: &[&str]) {
        let known: Vec<&str> = known.iter().copied().chain(ANNOTATIONS).collect();
        // The keywords that are there decide what a schema is, so a misspelled one may be any.
        self.only_near_keys(node, &known, &SCHEMA_KEYWORDS);
    }
}

fn default_of(node: &Node) -> Option<String> {
    let found = node.get("default")?;
    match found.value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(found.value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
