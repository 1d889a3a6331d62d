//! The lowered document, which the generator sees, describes the same wire as the true one, for every operation.
//!
//! Both are compared keyword by keyword. The tables below list what lowering may leave out or change, each with its
//! reason; any other difference fails, also one of a new keyword.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use ideogram_codegen::GeneratedClient;
use serde_json::Value;
use xtask::Sources;

use crate::true_document::{
    Form, Meaning, TrueDocument, component_name, entries, form, items, parameter_pointer, remove_switches,
};

/// Keywords that an operation of the lowered document may lack.
const OPERATION: &[(&str, &str)] = &[
    ("tags", "for people"),
    ("summary", "for people"),
    ("description", "for people"),
    ("externalDocs", "for people"),
    ("security", "only that no key is needed, which the client sends all the same"),
    ("deprecated", "marks the client's method, not the wire"),
    ("x-ideogram-billing", "a constant of the operation"),
    ("x-ideogram-retry", "a constant of the operation"),
    ("x-ideogram-images", "a constant of the operation"),
    ("x-ideogram-status", "a constant of the operation"),
    ("x-ideogram-job", "a constant of the operation, and a method of its builder"),
    ("x-ideogram-quote", "a constant of the operation, and a method of its builder"),
    ("x-ideogram-poll", "a constant of the operation, and a method of its builder"),
];

/// Keywords that any schema may lack.
const SCHEMA: &[(&str, &str)] = &[
    ("description", "for people; preserved where it becomes documentation"),
    ("example", "for people"),
    ("default", "the server decides; the client sends the values of the caller"),
    ("minimum", "bounds of a request are checked by its `validate()`, those of a response not at all"),
    ("maximum", "as `minimum`"),
    ("exclusiveMinimum", "as `minimum`"),
    ("minLength", "as `minimum`"),
    ("maxLength", "as `minimum`"),
    ("pattern", "as `minimum`"),
    ("minItems", "as `minimum`"),
    ("x-ideogram-json", "in the operation constants"),
    ("maxItems", "as `minimum`"),
];

/// Further keywords that an object may lack.
const OBJECT: &[(&str, &str)] = &[
    ("nullable", "null is absence, and every property of such a type is optional"),
    ("not", "exclusions are checked by `validate()`"),
    ("oneOf", "choices of properties are checked by `validate()`"),
    ("anyOf", "choices of properties are checked by `validate()`"),
];

/// Formats of text that become plain text: the client does not convert them.
const PLAIN_FORMATS: &[&str] = &["uri"];

/// The parts of a document for the runtime only: address, key, errors.
const RUNTIME: &[&str] = &["servers", "security", "tags", "externalDocs"];

struct Comparison<'d> {
    truth: TrueDocument<'d>,
    differences: Vec<String>,
}

impl<'d> Comparison<'d> {
    /// All differences that are not allowed.
    fn differences(truth: &'d Value, lowered: &'d Value, method_names: &BTreeMap<String, String>) -> Vec<String> {
        let mut comparison = Self { truth: TrueDocument::of(truth), differences: Vec::new() };
        comparison.keys("the document", truth, lowered, &["openapi", "info", "paths", "components"], RUNTIME);
        comparison.same_names("paths", &truth["paths"], &lowered["paths"]);
        for (path, item) in entries(&truth["paths"]) {
            comparison.same_names(path, item, &lowered["paths"][path]);
            for (method, operation) in entries(item) {
                let location = format!("{method} {path}");
                comparison.operation(&location, operation, &lowered["paths"][path][method], method_names);
            }
        }
        let schemas = &truth["components"]["schemas"];
        comparison.same_names("components", schemas, &lowered["components"]["schemas"]);
        for (name, component) in entries(schemas) {
            comparison.component(name, component, &lowered["components"]["schemas"][name]);
        }
        comparison.differences
    }

    fn operation(
        &mut self,
        location: &str,
        truth: &'d Value,
        lowered: &'d Value,
        method_names: &BTreeMap<String, String>,
    ) {
        let dropped: Vec<_> = OPERATION.iter().map(|(keyword, _)| *keyword).collect();
        self.keys(location, truth, lowered, &["operationId", "parameters", "requestBody", "responses"], &dropped);

        // The generator derives the method's name from the id.
        let name = truth["operationId"].as_str().and_then(|id| method_names.get(id)).map(String::as_str);
        self.same(location, "the method's name", &name, &lowered["operationId"].as_str());

        let (truths, lowereds) = (items(&truth["parameters"]), items(&lowered["parameters"]));
        self.same(location, "the number of parameters", &truths.len(), &lowereds.len());
        for (truth, lowered) in truths.into_iter().zip(lowereds) {
            self.parameter(location, truth, lowered);
        }

        self.body(location, &truth["requestBody"], &lowered["requestBody"]);

        // Errors and their shapes are the runtime's: it reads every one of them.
        let successes = entries(&truth["responses"]).filter(|(status, _)| status.starts_with('2'));
        let successes: Vec<_> = successes.map(|(status, _)| status).collect();
        let statuses: Vec<_> = entries(&lowered["responses"]).map(|(status, _)| status).collect();
        self.same(location, "the statuses of success", &successes, &statuses);
        for status in successes {
            let (truth, lowered) = (&truth["responses"][status]["content"], &lowered["responses"][status]["content"]);
            self.same_names(&format!("{location} {status}"), truth, lowered);
            for (media_type, truth) in entries(truth) {
                self.schema(location, &truth["schema"], &lowered[media_type]["schema"], true);
            }
        }
    }

    fn parameter(&mut self, location: &str, truth: &'d Value, lowered: &'d Value) {
        let location = format!("{location}, parameter `{}`", truth["name"]);
        self.keys(
            &location,
            truth,
            lowered,
            &["name", "in", "required", "schema"],
            &["description", "style", "explode"],
        );
        for keyword in ["name", "in"] {
            self.same(&location, keyword, &truth[keyword], &lowered[keyword]);
        }
        self.same(&location, "`required`", &(truth["required"] == true), &(lowered["required"] == true));
        // Left out, they have these values.
        for (keyword, default) in [("style", Value::from("form")), ("explode", true.into())] {
            if let Some(value) = truth.get(keyword) {
                self.same(&location, keyword, value, &default);
            }
        }
        match component_name(&lowered["schema"]) {
            // An id in a path keeps its name, for the type that checks that it stays in its segment.
            Some(name) if truth["in"] == "path" => {
                self.same(&location, "the component", &component_name(&truth["schema"]), &Some(name));
                self.same(&location, "the type", &self.truth.component(name)["type"], &"string".into());
            }
            _ => self.schema(&location, &truth["schema"], &lowered["schema"], false),
        }
    }

    fn body(&mut self, location: &str, truth: &'d Value, lowered: &'d Value) {
        let location = format!("{location}, body");
        self.keys(&location, truth, lowered, &["required", "content"], &["description"]);
        self.same(&location, "`required`", &(truth["required"] == true), &(lowered["required"] == true));
        let (mut truths, lowereds): (Vec<_>, Vec<_>) =
            (entries(&truth["content"]).collect(), entries(&lowered["content"]).collect());
        // Of two media types the client sends the one that carries files; both have the same schema.
        if truths.len() == 2 {
            self.same(&location, "the schema of both media types", &truths[0].1["schema"], &truths[1].1["schema"]);
            truths.retain(|(media_type, _)| *media_type == "multipart/form-data");
        }
        self.same(&location, "the number of media types", &truths.len(), &lowereds.len());
        for ((media_type, truth), (lowered_media_type, lowered)) in truths.into_iter().zip(lowereds) {
            // The generator has no multipart: a form stands in for it, and is replaced by the multipart encoder.
            let expected = match media_type {
                "multipart/form-data" => "application/x-www-form-urlencoded",
                same => same,
            };
            self.same(&location, "the media type", expected, lowered_media_type);
            // The multipart encoder has the media types of parts from the true document.
            self.keys(&location, truth, lowered, &["schema"], &["encoding", "example"]);
            self.schema(&location, &truth["schema"], &lowered["schema"], false);
        }
    }

    fn component(&mut self, name: &'d str, truth: &'d Value, lowered: &'d Value) {
        if form(truth) == Form::Object {
            let preserved = ["type", "properties", "required", "additionalProperties"];
            let dropped: Vec<_> = SCHEMA.iter().chain(OBJECT).map(|(keyword, _)| *keyword).collect();
            self.keys(name, truth, lowered, &preserved, &dropped);
            self.object(name, truth, lowered);
        } else {
            let keywords: Vec<_> = entries(lowered).map(|(keyword, _)| keyword).collect();
            self.same(name, "the keywords of a name", &["type", "description"][..], &keywords[..]);
            self.same(name, "the type of a name", &Value::from("string"), &lowered["type"]);
        }
    }

    fn object(&mut self, name: &'d str, truth: &'d Value, lowered: &'d Value) {
        self.same(name, "the type", &truth["type"], &lowered["type"]);
        // A union serializes its discriminator, so its kinds do not have it.
        let hidden = self.truth.discriminators(name);
        let in_response = self.truth.in_responses.contains(name);
        let mut required: BTreeSet<_> = items(&truth["required"]).into_iter().filter_map(Value::as_str).collect();
        let mut names: BTreeSet<_> = entries(&truth["properties"]).map(|(property, _)| property).collect();
        for property in hidden {
            names.remove(property);
            required.remove(property);
        }
        let lowered_names: BTreeSet<_> = entries(&lowered["properties"]).map(|(property, _)| property).collect();
        self.same(name, "the properties", &names, &lowered_names);
        let lowered_required: BTreeSet<_> = items(&lowered["required"]).into_iter().filter_map(Value::as_str).collect();
        if in_response {
            // Where Rust has an empty value, a response may do without a list or a property that can be null.
            required.retain(|property| {
                let meaning = self.truth.meaning(&truth["properties"][*property]);
                let may_be_missing = meaning.nullable || meaning.schema["type"] == "array";
                !may_be_missing || lowered_required.contains(property)
            });
        }
        self.same(name, "the required properties", &required, &lowered_required);
        for property in names {
            let location = format!("{name}.{property}");
            self.schema(&location, &truth["properties"][property], &lowered["properties"][property], in_response);
        }
        match (truth.get("additionalProperties"), lowered.get("additionalProperties")) {
            (None, None) => {}
            (Some(truth), Some(lowered)) => self.schema(name, truth, lowered, in_response),
            _ => self.differences.push(format!("{name}: only one has `additionalProperties`")),
        }
    }

    fn schema(&mut self, location: &str, truth: &'d Value, lowered: &'d Value, in_response: bool) {
        let (truth, lowered) = (self.truth.meaning(truth), lowered_meaning(lowered));
        let is_list = truth.schema["type"] == "array";
        // `null` is read as an empty list.
        if !(in_response && is_list && truth.nullable) {
            self.same(location, "`nullable`", &truth.nullable, &lowered.nullable);
        }
        for keyword in &truth.keywords {
            let known = ["type", "format", "items", "nullable", "enum", "oneOf", "discriminator"].contains(keyword);
            if !known && !SCHEMA.iter().any(|(dropped, _)| dropped == keyword) {
                self.differences.push(format!("{location}: what becomes of `{keyword}`?"));
            }
        }
        for keyword in &lowered.keywords {
            if !["type", "format", "items", "nullable", "description"].contains(keyword) {
                self.differences.push(format!("{location}: the lowered document adds `{keyword}`"));
            }
        }
        self.same(location, "the component", &truth.component, &lowered.component);
        if truth.component.is_some() {
            return;
        }
        self.same(location, "the type", &truth.schema["type"], &lowered.schema["type"]);
        let is_plain = truth.schema["format"].as_str().is_some_and(|format| PLAIN_FORMATS.contains(&format));
        let format = if is_plain { &Value::Null } else { &truth.schema["format"] };
        self.same(location, "the format", format, &lowered.schema["format"]);
        if is_list {
            self.schema(&format!("{location}[]"), &truth.schema["items"], &lowered.schema["items"], in_response);
        }
    }

    /// Compares the preserved keywords; others must be droppable.
    fn keys(&mut self, location: &str, truth: &Value, lowered: &Value, preserved: &[&str], dropped: &[&str]) {
        for (keyword, _) in entries(truth) {
            if !preserved.contains(&keyword) && !dropped.contains(&keyword) {
                self.differences.push(format!("{location}: what becomes of `{keyword}`?"));
            }
        }
        for (keyword, _) in entries(lowered) {
            if !preserved.contains(&keyword) && keyword != "description" {
                self.differences.push(format!("{location}: the lowered document adds `{keyword}`"));
            }
        }
    }

    fn same_names(&mut self, location: &str, truth: &Value, lowered: &Value) {
        let names = |value| entries(value).map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>();
        self.same(location, "the names", &names(truth), &names(lowered));
    }

    fn same<T: PartialEq + Debug + ?Sized>(&mut self, location: &str, what: &str, truth: &T, lowered: &T) {
        if truth != lowered {
            self.differences.push(format!("{location}: {what} is {truth:?}, but lowered {lowered:?}"));
        }
    }
}

fn lowered_meaning(schema: &Value) -> Meaning<'_> {
    let behind = if schema.get("allOf").is_some() { &schema["allOf"][0] } else { schema };
    let keywords = entries(schema).map(|(keyword, _)| keyword);
    Meaning {
        component: component_name(behind),
        schema: behind,
        nullable: schema["nullable"] == true,
        keywords: keywords.filter(|keyword| !["$ref", "allOf"].contains(keyword)).collect(),
    }
}

/// The true document, the lowered one, and the names of methods by operation id.
fn documents() -> (Value, Value, BTreeMap<String, String>) {
    let sources = Sources::read(&xtask::workspace_root()).unwrap();
    let client = GeneratedClient::read(sources.document()).unwrap();
    let operations = client.operations();
    let names = operations.iter().map(|operation| (operation.id.to_owned(), operation.method_name.to_owned()));
    let mut truth = ideogram_codegen::read_yaml(sources.document()).unwrap();
    remove_switches(&mut truth);
    (truth, client.lowered(), names.collect())
}

#[test]
fn the_lowered_document_describes_the_same_wire() {
    let (truth, lowered, method_names) = documents();

    let differences = Comparison::differences(&truth, &lowered, &method_names);

    assert_eq!(method_names.len(), entries(&truth["paths"]).flat_map(|(_, item)| entries(item)).count());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn a_lowering_that_changes_the_wire_is_noticed() {
    let (truth, lowered, method_names) = documents();
    let generate = "/paths/~1v1~1ideogram-v3~1generate/post";
    let dataset = "/paths/~1datasets~1{dataset_id}/get";
    let id = parameter_pointer(&lowered, dataset, "dataset_id");
    let status = parameter_pointer(&lowered, "/paths/~1models/get", "status");
    let schemas = "/components/schemas";

    for (pointer, wrong) in [
        (format!("{generate}/operationId"), "\"another\""),
        (format!("{generate}/requestBody/required"), "false"),
        (format!("{generate}/requestBody/content"), r#"{"application/json": {}}"#),
        (
            format!("{generate}/responses/200/content/application~1json/schema"),
            r##"{"$ref": "#/components/schemas/Dataset"}"##,
        ),
        (format!("{generate}/security"), "[]"),
        (format!("{dataset}/parameters"), "[]"),
        (format!("{id}/in"), "\"query\""),
        (format!("{id}/schema"), r##"{"$ref": "#/components/schemas/ModelId"}"##),
        (format!("{status}/schema/type"), "\"string\""),
        (format!("{status}/required"), "true"),
        ("/paths/~1models/delete".to_owned(), "{}"),
        (format!("{schemas}/GenerateImageV3Request/required"), "[]"),
        (format!("{schemas}/GenerateImageV3Request/properties/extra"), r#"{"type": "string"}"#),
        (format!("{schemas}/GenerateImageV3Request/properties/seed/type"), "\"number\""),
        (format!("{schemas}/GenerateImageV3Request/properties/seed/minimum"), "0"),
        (format!("{schemas}/GenerateImageV3Request/properties/style_codes/items"), r#"{"type": "integer"}"#),
        (format!("{schemas}/GenerateImageV3Request/properties/style_reference_images/items/format"), "null"),
        (format!("{schemas}/GenerateImageV3Request/properties/enable_copyright_detection/nullable"), "false"),
        (format!("{schemas}/ImageGenerationResponseV3/required"), r#"["created", "data", "more"]"#),
        (format!("{schemas}/ImageGenerationResponseV3/required"), "[]"),
        (format!("{schemas}/ImageGenerationResponseV3/properties/created/format"), "null"),
        (format!("{schemas}/V4ObjPromptElement/properties/type"), r#"{"type": "string"}"#),
        (format!("{schemas}/RenderingSpeed/enum"), r#"["TURBO"]"#),
    ] {
        let mut edited = lowered.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        edited.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at `{parent}`"))[name] =
            serde_json::from_str(wrong).unwrap();
        assert_ne!(edited, lowered, "`{pointer}` as `{wrong}` changes nothing");

        let differences = Comparison::differences(&truth, &edited, &method_names);

        assert!(!differences.is_empty(), "`{pointer}` as `{wrong}` goes unnoticed");
    }
}
