//! The document's description of requests, read as plain JSON.

use std::collections::BTreeSet;

use serde_json::Value;
use xtask::Sources;

/// The document as JSON.
pub(super) struct Document(pub(super) Value);

/// One operation, as the document has it.
pub(super) struct Operation<'d> {
    pub(super) id: &'d str,
    pub(super) method: String,
    pub(super) path: &'d str,
    /// False for `security: []`.
    pub(super) needs_key: bool,
    pub(super) parameters: Vec<&'d Value>,
    /// The media type with its schema and encoding.
    pub(super) body: Option<(&'d str, &'d Value)>,
}

impl Document {
    pub(super) fn read() -> Self {
        let sources = Sources::read(&xtask::workspace_root()).unwrap();
        Self(ideogram_codegen::read_yaml(sources.document()).unwrap())
    }

    pub(super) fn operations(&self) -> Vec<Operation<'_>> {
        let mut operations = Vec::new();
        for (path, item) in self.0["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(operation["operationId"].is_string(), "{path}: `{method}` is no operation");
                let content = operation["requestBody"]["content"].as_object();
                let content = content.map(|content| {
                    // Where the service takes both, the client sends the one that carries files.
                    let sent = content.get_key_value("multipart/form-data").or_else(|| content.iter().next());
                    sent.map(|(media_type, body)| (media_type.as_str(), body)).unwrap()
                });
                operations.push(Operation {
                    id: operation["operationId"].as_str().unwrap(),
                    method: method.to_uppercase(),
                    path,
                    needs_key: operation["security"].is_null(),
                    parameters: operation["parameters"].as_array().into_iter().flatten().collect(),
                    body: content,
                });
            }
        }
        operations
    }

    /// The schema behind references.
    pub(super) fn resolved<'d>(&'d self, schema: &'d Value) -> &'d Value {
        match (schema["$ref"].as_str(), &schema["allOf"][0]) {
            (Some(reference), _) => self.resolved(self.0.pointer(reference.strip_prefix('#').unwrap()).unwrap()),
            (None, Value::Null) => schema,
            (None, behind) => self.resolved(behind),
        }
    }

    /// The names of properties, and of properties within them: `image_request/prompt`.
    fn properties(&self, schema: &Value, prefix: &str, found: &mut BTreeSet<String>) {
        let schema = self.resolved(schema);
        for kind in schema["oneOf"].as_array().into_iter().flatten().chain(schema.get("items")) {
            self.properties(kind, prefix, found);
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            found.insert(format!("{prefix}{name}"));
            self.properties(property, &format!("{prefix}{name}/"), found);
        }
    }
}

impl<'d> Operation<'d> {
    pub(super) fn parameters_in(&self, location: &str) -> impl Iterator<Item = (&'d str, &'d Value)> {
        let there = self.parameters.iter().filter(move |parameter| parameter["in"] == location);
        there.map(|parameter| (parameter["name"].as_str().unwrap(), &parameter["schema"]))
    }

    /// All inputs: parameters and properties of the body.
    pub(super) fn inputs(&self, document: &Document) -> BTreeSet<String> {
        let mut inputs =
            self.parameters.iter().map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect();
        if let Some((_, body)) = self.body {
            document.properties(&body["schema"], "", &mut inputs);
        }
        inputs
    }

    /// The smallest sets of inputs: one, or one for each choice.
    pub(super) fn smallest(&self, document: &Document) -> BTreeSet<BTreeSet<String>> {
        let required = |schema: &Value| -> BTreeSet<String> {
            schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        let parameters = self.parameters.iter().filter(|parameter| parameter["required"] == true);
        let mut always: BTreeSet<_> =
            parameters.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect();
        let schema = self.body.map_or(&Value::Null, |(_, body)| document.resolved(&body["schema"]));
        always.extend(required(schema));
        match schema["oneOf"].as_array() {
            Some(choices) => choices.iter().map(|choice| &always | &required(choice)).collect(),
            None => BTreeSet::from([always]),
        }
    }
}
