//! The document as its schemas describe the wire: names, references and aliases mean nothing there.
//!
//! Start at [`TrueDocument`]. `lowered` and `json_schemas` compare with it what codegen makes of the document.

use std::collections::BTreeSet;

use serde_json::Value;

/// The kind of a component in the true document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Object,
    /// An enum or a union: lowered to a name only, since its type is written by codegen and not by the generator.
    Replaced,
    /// A name for text or a number with bounds: the lowered document has its target instead.
    Alias,
}

/// The pointer of a parameter, by its name: its number changes when another one is added.
pub(crate) fn parameter_pointer(document: &Value, operation: &str, name: &str) -> String {
    let pointer = format!("{operation}/parameters");
    let parameters = document.pointer(&pointer).and_then(Value::as_array);
    let number = parameters.and_then(|all| all.iter().position(|parameter| parameter["name"] == name));
    format!("{pointer}/{}", number.unwrap_or_else(|| panic!("`{operation}` has no parameter `{name}`")))
}

/// A schema behind names that mean nothing on the wire.
pub(crate) struct Meaning<'d> {
    /// The object, enum or union that it is.
    pub(crate) component: Option<&'d str>,
    pub(crate) schema: &'d Value,
    pub(crate) nullable: bool,
    pub(crate) keywords: BTreeSet<&'d str>,
}

/// The document as it is written, in contrast to the lowered one.
pub(crate) struct TrueDocument<'d> {
    root: &'d Value,
    /// Components in successful responses.
    pub(crate) in_responses: BTreeSet<&'d str>,
}

impl<'d> TrueDocument<'d> {
    pub(crate) fn of(root: &'d Value) -> Self {
        let mut document = Self { root, in_responses: BTreeSet::new() };
        let operations = entries(&root["paths"]).flat_map(|(_, item)| entries(item));
        let responses = operations.flat_map(|(_, operation)| entries(&operation["responses"]));
        let mut waiting: Vec<&Value> =
            responses.filter(|(status, _)| status.starts_with('2')).map(|(_, response)| response).collect();
        while let Some(value) = waiting.pop() {
            if let Some(name) = component_name(value)
                && document.in_responses.insert(name)
            {
                waiting.push(document.component(name));
            }
            waiting.extend(entries(value).map(|(_, property)| property));
            waiting.extend(value.as_array().into_iter().flatten());
        }
        document
    }

    pub(crate) fn component(&self, name: &str) -> &'d Value {
        &self.root["components"]["schemas"][name]
    }

    /// The discriminators of the unions that a component is a kind of.
    pub(crate) fn discriminators(&self, name: &str) -> Vec<&'d str> {
        let unions = entries(&self.root["components"]["schemas"]).map(|(_, component)| component);
        let of_it = unions.filter(|union| items(&union["oneOf"]).iter().any(|kind| component_name(kind) == Some(name)));
        of_it.filter_map(|union| union["discriminator"]["propertyName"].as_str()).collect()
    }

    /// Whether a component is the type of a path parameter: such an alias keeps its name.
    fn is_path_value(&self, component: &str) -> bool {
        let paths = entries(&self.root["paths"]).flat_map(|(_, item)| entries(item));
        let mut parameters = paths.flat_map(|(_, operation)| items(&operation["parameters"]));
        parameters.any(|parameter| parameter["in"] == "path" && component_name(&parameter["schema"]) == Some(component))
    }

    /// A schema of the true document, behind aliases.
    pub(crate) fn meaning(&self, schema: &'d Value) -> Meaning<'d> {
        let mut meaning = Meaning { component: None, schema, nullable: false, keywords: BTreeSet::new() };
        loop {
            let schema = meaning.schema;
            meaning.nullable |= schema["nullable"] == true;
            let keywords = entries(schema).map(|(keyword, _)| keyword);
            meaning.keywords.extend(keywords.filter(|keyword| !["$ref", "allOf"].contains(keyword)));
            if let Some(name) = component_name(schema) {
                let component = self.component(name);
                meaning.schema = component;
                if form(component) != Form::Alias || self.is_path_value(name) {
                    meaning.nullable |= component["nullable"] == true;
                    meaning.component = Some(name);
                    return meaning;
                }
            } else if let Some(behind) = schema.get("allOf") {
                meaning.schema = &behind[0];
            } else {
                return meaning;
            }
        }
    }
}

pub(crate) fn form(component: &Value) -> Form {
    if component["type"] == "object" {
        Form::Object
    } else if component.get("enum").is_some() || component.get("oneOf").is_some() {
        Form::Replaced
    } else {
        Form::Alias
    }
}

pub(crate) fn component_name(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

pub(crate) fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, property)| (name.as_str(), property))
}

pub(crate) fn items(value: &Value) -> Vec<&Value> {
    value.as_array().into_iter().flatten().collect()
}

/// Removes what the client sets itself: the properties that make a call a job, and the parameters that make it a
/// request for its price.
pub(crate) fn remove_switches(truth: &mut Value) {
    let mut switches = Vec::new();
    for operation in truth["paths"].as_object_mut().unwrap().values_mut().flat_map(|it| it.as_object_mut().unwrap()) {
        let operation = operation.1;
        let parameter = operation["x-ideogram-quote"]["parameter"].clone();
        if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
            parameters.retain(|it| it["name"] != parameter);
        }
        let contents = entries(&operation["requestBody"]["content"]).map(|(_, body)| component_name(&body["schema"]));
        let property = operation["x-ideogram-job"]["property"].as_str().unwrap_or_default();
        switches.extend(contents.flatten().map(|name| (name.to_owned(), property.to_owned())));
    }
    for (component, property) in switches {
        if let Some(properties) = truth["components"]["schemas"][&component]["properties"].as_object_mut() {
            properties.shift_remove(&property);
        }
    }
}
