//! The JSON Schema of every generated type (feature `schemars`) says the same as its component of the document.
//!
//! [`Expected`] translates each component, and the translation must equal the generated schema. [`DIFFERENCES`] lists
//! what a generated schema says in another way or not at all, each with its reason; any other difference fails, also
//! one of a new keyword.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    document::checked,
    listed,
    true_document::{Form, TrueDocument, component_name, entries, form, items, remove_switches},
};

/// What a generated schema says in another way than the document, or not at all.
///
/// The keywords of the first column may be absent. `Expected` has a comment where it applies one of the others.
const DIFFERENCES: &[(&[&str], &str)] = &[
    (
        &["minimum", "maximum", "exclusiveMinimum", "minLength", "maxLength", "pattern", "minItems", "maxItems"],
        "bounds of a request are checked by its `validate()`; a response with a value beyond them decodes",
    ),
    (&["not", "oneOf", "anyOf"], "choices of the properties of an object are checked by `validate()`"),
    (&["default"], "the server decides; the client sends the values of the caller"),
    (&["example"], "for people"),
    (&["x-ideogram-json"], "the operation constants have it"),
    (&["description"], "the documentation of the type, which is in the snapshots of the surface"),
    (&["format: uri"], "a link is text that the client does not convert"),
    (&["format: binary"], "a file is the type `File`, which serializes as its description"),
    (&["enum"], "a later version of the service may have more values, so the known ones are `examples`"),
    (&["discriminator"], "a later version may have more kinds, so a union accepts any object besides the known kinds"),
    (&["discriminator.propertyName"], "the union serializes the discriminator, so its kinds do not have it"),
    (&["nullable"], "JSON Schema has the type `null` instead, which also stands for an absent property"),
    (&["required"], "a response may do without a list, which is then empty, or without a nullable property"),
    (&["x-ideogram-job.property"], "a method of the builder sets the property that makes a call a job"),
];

/// What a component must be as JSON Schema.
struct Expected<'d> {
    document: TrueDocument<'d>,
    /// Keywords without a translation and without a reason.
    unknown: Vec<String>,
}

impl<'d> Expected<'d> {
    fn component(&mut self, name: &str) -> Value {
        let component = self.document.component(name);
        let keywords = entries(component).map(|(keyword, _)| keyword);
        match form(component) {
            Form::Object => self.object(name, component),
            Form::Replaced if component.get("enum").is_some() => {
                self.check_keywords(name, keywords, &["type", "enum"]);
                json!({"type": component["type"], "examples": component["enum"]})
            }
            Form::Replaced => {
                self.check_keywords(name, keywords, &["oneOf", "discriminator"]);
                let kinds = items(&component["oneOf"]).into_iter().map(|kind| reference(component_name(kind).unwrap()));
                // Any object, for kinds that this version does not know.
                json!({"anyOf": kinds.chain([json!({"type": "object"})]).collect::<Vec<_>>()})
            }
            Form::Alias => unreachable!("`{name}` has no type"),
        }
    }

    fn object(&mut self, name: &str, component: &'d Value) -> Value {
        let translated = ["type", "properties", "required", "additionalProperties", "nullable"];
        self.check_keywords(name, entries(component).map(|(keyword, _)| keyword), &translated);
        let (mut properties, mut required) = (Map::new(), Vec::new());
        let in_response = self.document.in_responses.contains(name);
        let discriminators = self.document.discriminators(name);
        for (property, schema) in entries(&component["properties"]) {
            if discriminators.contains(&property) {
                continue;
            }
            let location = format!("{name}.{property}");
            let meaning = self.document.meaning(schema);
            let (is_list, nullable) = (meaning.schema["type"] == "array", meaning.nullable);
            let in_document = items(&component["required"]).into_iter().any(|it| it == property);
            let is_required = in_document && !(in_response && (is_list || nullable));
            let mut value = self.value(&location, schema);
            if is_list {
                // An absent list is empty. An empty list that the document requires is serialized, too.
                if in_document && !is_required {
                    value["default"] = json!([]);
                }
            } else if nullable || !is_required {
                value = or_null(value);
            }
            properties.insert(property.to_owned(), value);
            if is_required {
                required.push(property);
            }
        }
        let mut expected = json!({"type": component["type"], "properties": properties});
        required.sort_unstable();
        if !required.is_empty() {
            expected["required"] = json!(required);
        }
        if let Some(rest) = component.get("additionalProperties") {
            expected["additionalProperties"] = self.value(name, rest);
        }
        expected
    }

    fn value(&mut self, location: &str, schema: &'d Value) -> Value {
        let meaning = self.document.meaning(schema);
        let translated = ["type", "format", "items", "nullable", "additionalProperties"];
        self.check_keywords(location, meaning.keywords.iter().copied(), &translated);
        let schema = meaning.schema;
        // The id of a path is text where it is not in a path.
        if let Some(component) = meaning.component.filter(|_| form(schema) != Form::Alias) {
            return reference(component);
        }
        match schema["format"].as_str() {
            Some("binary") => return reference("File"),
            Some("uri") => return json!({"type": schema["type"]}),
            _ => {}
        }
        let mut expected = Map::new();
        for keyword in ["type", "format"] {
            expected.extend(schema.get(keyword).map(|value| (keyword.to_owned(), value.clone())));
        }
        for keyword in ["items", "additionalProperties"] {
            if let Some(inner) = schema.get(keyword) {
                expected.insert(keyword.to_owned(), self.value(&format!("{location}[]"), inner));
            }
        }
        expected.into()
    }

    fn check_keywords<'k>(&mut self, location: &str, keywords: impl Iterator<Item = &'k str>, translated: &[&str]) {
        let is_known = |keyword: &str| {
            translated.contains(&keyword) || DIFFERENCES.iter().any(|(keywords, _)| keywords.contains(&keyword))
        };
        let unknown = keywords.filter(|keyword| !is_known(keyword));
        self.unknown.extend(unknown.map(|keyword| format!("{location}: what becomes of `{keyword}`?")));
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

/// The schema of an optional value.
fn or_null(mut schema: Value) -> Value {
    match schema.get("type").cloned() {
        Some(name) => {
            schema["type"] = json!([name, "null"]);
            schema
        }
        None => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

/// The generated schemas without what every one has: title, dialect, and the definitions of other types.
fn generated() -> BTreeMap<&'static str, Value> {
    let mut schemas: BTreeMap<&str, Value> = BTreeMap::new();
    let mut definitions: BTreeMap<String, Value> = BTreeMap::new();
    for (name, schema) in listed::schemas() {
        let mut schema = serde_json::to_value(schema).unwrap();
        let members = schema.as_object_mut().unwrap();
        assert_eq!(members.remove("title"), Some(name.into()));
        assert_eq!(members.remove("$schema"), Some("https://json-schema.org/draft/2020-12/schema".into()), "{name}");
        let defined = members.remove("$defs");
        let defined = defined.into_iter().flat_map(|it| it.as_object().cloned().unwrap());
        normalize(&mut schema);
        let mut all = BTreeMap::new();
        for (other, mut definition) in defined {
            normalize(&mut definition);
            all.insert(other, definition);
        }
        for target in std::iter::once(&schema).chain(all.values()).flat_map(references) {
            assert!(all.contains_key(target) || target == name, "{name}: no definition of `{target}`");
        }
        definitions.extend(all);
        schemas.insert(name, schema);
    }
    for (name, definition) in definitions {
        match schemas.get(name.as_str()) {
            Some(schema) => assert_eq!(&definition, schema, "the definition of `{name}` in other schemas"),
            None => assert_eq!((name.as_str(), definition), ("File", file())),
        }
    }
    schemas
}

/// The description of a file, which is what `File` serializes to.
fn file() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "size_bytes": {"type": ["integer", "null"], "minimum": 0},
            "media_type": {"type": ["string", "null"]},
        },
        "required": ["media_type", "name", "size_bytes"],
    })
}

/// Drops the documentation, and the order of the required properties. A property may be named `description`, so only text
/// is dropped.
fn normalize(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.retain(|name, value| !(name == "description" && value.is_string()));
            if let Some(Value::Array(required)) = members.get_mut("required") {
                required.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            }
            members.values_mut().for_each(normalize);
        }
        Value::Array(items) => items.iter_mut().for_each(normalize),
        _ => {}
    }
}

/// The names of the definitions that a schema refers to.
fn references(schema: &Value) -> Vec<&str> {
    match schema {
        Value::Object(members) => {
            let own = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/"));
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// What the generated schemas say otherwise than the document.
fn differences(document: &Value, generated: &BTreeMap<&str, Value>) -> Vec<String> {
    let mut expected = Expected { document: TrueDocument::of(document), unknown: Vec::new() };
    let mut differences = Vec::new();
    let components = entries(&document["components"]["schemas"]);
    let components: Vec<_> = components.filter(|(_, component)| form(component) != Form::Alias).collect();
    let names: Vec<_> = components.iter().map(|(name, _)| *name).collect();
    differences.extend(generated.keys().filter(|it| !names.contains(it)).map(|it| format!("no component `{it}`")));
    for name in names {
        let wanted = expected.component(name);
        match generated.get(name) {
            Some(schema) if *schema == wanted => {}
            Some(schema) => {
                differences.push(format!("{name}: the document says\n  {wanted}\nits type says\n  {schema}"));
            }
            None => differences.push(format!("no type `{name}`")),
        }
    }
    differences.extend(expected.unknown);
    differences
}

fn document() -> Value {
    let (sources, _) = checked();
    let mut document = ideogram_codegen::read_yaml(sources.document()).unwrap();
    remove_switches(&mut document);
    document
}

#[test]
fn every_generated_json_schema_says_the_same_as_its_component() {
    let differences = differences(&document(), &generated());

    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn a_json_schema_that_differs_from_its_component_is_noticed() {
    let (document, generated) = (document(), generated());
    let schemas = "/components/schemas";

    for (pointer, wrong) in [
        (format!("{schemas}/Dataset/properties/name/type"), json!("integer")),
        (format!("{schemas}/Dataset/properties/creation_time/format"), json!("date")),
        (format!("{schemas}/Dataset/properties/cover_asset_identifier"), json!({"type": "string"})),
        (format!("{schemas}/Dataset/properties/name/nullable"), json!(true)),
        (format!("{schemas}/Dataset/required"), json!(["creation_time", "dataset_id", "user_id"])),
        (format!("{schemas}/Dataset/properties/dataset_id"), Value::Null),
        (format!("{schemas}/UsageBucket/required"), json!(["end_time", "start_time"])),
        (format!("{schemas}/UsageBucket/properties/line_items/items"), json!({"type": "string"})),
        (format!("{schemas}/RenderingSpeed/enum"), json!(["FLASH", "TURBO"])),
        (format!("{schemas}/V4PromptElement/oneOf"), json!([])),
        (format!("{schemas}/V4PromptElement/discriminator/propertyName"), json!("kind")),
        (format!("{schemas}/Seed/type"), json!("number")),
        (format!("{schemas}/Seed/multipleOf"), json!(2)),
        (format!("{schemas}/Another"), json!({"type": "object", "properties": {}})),
    ] {
        let mut edited = document.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = edited.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
        match &wrong {
            Value::Null => drop(parent.shift_remove(name)),
            wrong => drop(parent.insert(name.to_owned(), wrong.clone())),
        }

        assert!(!differences(&edited, &generated).is_empty(), "`{pointer}` as `{wrong}` goes unnoticed");
    }
}
