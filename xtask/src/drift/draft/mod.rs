//! Drafts an operation of the service in house style, to be edited by hand.
//!
//! Start at [`draft`]. Descriptions are not taken over: each is `TODO`, which the house rules refuse. What a person must
//! decide is a comment that begins with `TODO`, next to the careful value.

mod components;
mod keywords;
mod sample;
mod shapes;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use serde_json::{Map, Value, json};

use self::keywords::{comment, component_of, reference, request_name};
use super::{
    document::Document,
    operation::{Operation, operations, security},
};
use crate::{house_rules::UNWRITTEN, schema_walk::Node};

const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data";
const ERROR: &str = "#/components/responses/Error";

/// Returns YAML of the operation with an id, or with a method and a path.
pub(crate) fn draft(ours: &Document, theirs: &Document, name: &str) -> Result<String> {
    let operations = operations(theirs);
    let operation = operations.values().find(|operation| operation.id == name || operation.title == name);
    let operation = operation.ok_or_else(|| {
        let ids = operations.values().map(|operation| operation.id.as_str());
        let meant = ideogram_codegen::nearest(name, ids).map(|id| format!("; did you mean `{id}`?"));
        anyhow!("no operation `{name}`{}", meant.unwrap_or_default())
    })?;
    let mut drafter = Drafter { ours, theirs, names: BTreeMap::new(), drafted: Map::new() };
    Ok(drafter.text(operation))
}

struct Drafter<'d> {
    ours: &'d Document,
    theirs: &'d Document,
    /// The names of components, by the location in their document, and whether the use is nullable where the schema is not.
    names: BTreeMap<(String, bool), String>,
    /// The drafted components, without those of ours.
    drafted: Map<String, Value>,
}

impl<'d> Drafter<'d> {
    fn text(&mut self, operation: &Operation<'d>) -> String {
        let (method, path) = operation.title.split_once(' ').unwrap_or_default();
        let (written, tag) = self.operation(operation);
        let mut document = Map::new();
        let place = self.theirs.place_without_folder(&operation.node.pointer);
        comment(&mut document, &format!("Drafted from {place}. Write each description, decide each `TODO`."));
        let tags = self.ours.root()["tags"].as_array();
        if !tags.into_iter().flatten().any(|known| known["name"] == tag.as_str()) {
            document.insert("tags".to_owned(), json!([{"name": tag, "description": UNWRITTEN}]));
        }
        document.insert("paths".to_owned(), json!({path: {method.to_lowercase(): written}}));
        document.insert("components".to_owned(), json!({"schemas": self.drafted}));
        yaml::write(&Value::Object(document))
    }

    /// The operation and its tag.
    fn operation(&mut self, operation: &Operation<'d>) -> (Value, String) {
        let node = &operation.node;
        let mut written = Map::new();
        let method = operation.title.split(' ').next().unwrap_or_default();
        let id = if operation.id.is_empty() { words_of(&operation.title) } else { operation.id.clone() };
        written.insert("operationId".to_owned(), json!(id));
        self.marks(operation, method == "GET", &mut written);
        let tag = node.value["tags"][0].as_str().unwrap_or("untagged").to_owned();
        written.insert("tags".to_owned(), json!([tag]));
        written.insert("summary".to_owned(), json!(UNWRITTEN));
        written.insert("description".to_owned(), json!(UNWRITTEN));
        if node.value["deprecated"] == true {
            written.insert("deprecated".to_owned(), json!(true));
        }
        match security(self.theirs, node).as_str() {
            "no key" => drop(written.insert("security".to_owned(), json!([]))),
            ways if !ways.contains(&security(self.ours, &Node::root(self.ours.root()))) => {
                comment(&mut written, &format!("TODO: the service wants {ways}, which this document cannot express."));
            }
            _ => {}
        }
        self.parameters(operation, &mut written);
        if let Some(body) = node.get("requestBody").map(|body| self.theirs.followed(body)) {
            self.body(&id, &body, &mut written);
        }
        let responses = self.responses(&id, node);
        written.insert("responses".to_owned(), responses);
        (Value::Object(written), tag)
    }

    /// The extensions, with the values that cannot cost anybody money.
    fn marks(&self, operation: &Operation<'d>, is_get: bool, written: &mut Map<String, Value>) {
        comment(written, "TODO: `free` if a source says so.");
        written.insert("x-ideogram-billing".to_owned(), json!("paid"));
        comment(written, "TODO: `safe` if it is free and a second call changes nothing.");
        written.insert("x-ideogram-retry".to_owned(), json!("unsafe"));
        let facts = super::operation::facts(self.theirs, operation);
        let request = facts.children.get("request");
        let bodies = || request.into_iter().flat_map(|request| request.children.values());
        let has = |name: &str| bodies().any(|body| body.children.contains_key(&format!(" {name}")));
        let counts = bodies()
            .any(|body| body.children.get(" num_images").is_some_and(|count| count.get("type") == Some("integer")));
        comment(written, "TODO: how many images the call creates.");
        let images = if counts { json!("num_images") } else { json!(i32::from(!is_get)) };
        written.insert("x-ideogram-images".to_owned(), images);
        if has("async") || has("webhook_url") {
            comment(
                written,
                "TODO: `x-ideogram-job`: the call can run as a job, without `async` and the address here.",
            );
        }
        if facts.children.contains_key("query dry_run") {
            comment(written, "TODO: `x-ideogram-quote`: the call has a price without running, with `dry_run`.");
        }
    }

    fn parameters(&mut self, operation: &Operation<'d>, written: &mut Map<String, Value>) {
        let mut parameters = Vec::new();
        for node in &operation.parameters {
            let text = |key: &str| node.value[key].as_str().unwrap_or_default();
            let (name, place) = (text("name"), text("in"));
            let schema = node.get("schema").unwrap_or_else(|| node.clone());
            let schema = match place {
                "path" => reference(&self.path_id(name, &schema)),
                "query" => self.query(&schema, &format!("{} {name}", operation_words(&operation.id))),
                _ => {
                    comment(written, &format!("TODO: the parameter `{name}` in `{place}` is left out."));
                    continue;
                }
            };
            let required = node.value["required"] == true || place == "path";
            parameters.push(json!({
                "name": name, "in": place, "required": required, "description": UNWRITTEN, "schema": schema,
            }));
        }
        if !parameters.is_empty() {
            written.insert("parameters".to_owned(), Value::Array(parameters));
        }
    }

    /// A parameter is text, a number, a boolean, an enum or a list of these; its owner has the description.
    fn query(&mut self, node: &Node<'d>, hint: &str) -> Value {
        let mut schema = self.inline(node, hint);
        let Some(written) = schema.as_object_mut() else { return schema };
        written.remove("description");
        // One that may be left out need not be null.
        written.remove("nullable");
        if written.get("format").is_some_and(|format| format == "date-time") {
            written.remove("format");
            comment(written, "TODO: a time, which parameters cannot be; a component with a pattern is more exact.");
        }
        schema
    }

    fn body(&mut self, id: &str, body: &Node<'d>, written: &mut Map<String, Value>) {
        let content = body.children_of("content");
        let supported = |wanted: &str| content.iter().find(|(media_type, _)| media_type == wanted);
        let Some((_, first)) = supported(MULTIPART).or_else(|| supported(JSON)) else {
            comment(written, "TODO: the body of the service is neither JSON nor multipart.");
            return;
        };
        let Some(schema) = first.get("schema") else { return };
        let hint = request_name(&operation_words(id));
        let name = self.named(&schema, &hint);
        let mut media_types = Map::new();
        for (media_type, entry) in &content {
            if entry.get("schema").map(|other| other.value) != Some(schema.value) {
                comment(written, &format!("TODO: `{media_type}` of the service, with another schema, is left out."));
            } else if media_type == MULTIPART {
                media_types.insert(media_type.clone(), self.multipart(&name));
            } else if media_type == JSON {
                let example = self.example(&name, false);
                media_types.insert(media_type.clone(), json!({"schema": reference(&name), "example": example}));
            } else {
                comment(written, &format!("TODO: `{media_type}` of the service is left out."));
            }
        }
        written.insert("requestBody".to_owned(), json!({"required": true, "content": media_types}));
    }

    /// A form, with the media type of the parts that hold JSON.
    fn multipart(&self, name: &str) -> Value {
        let all = self.all_components();
        let is_json = |schema: &Value| match component_of(schema) {
            Some(name) => all[name].get("properties").is_some() || all[name].get("oneOf").is_some(),
            None => schema["type"] == "object",
        };
        let properties = all[name]["properties"].as_object().into_iter().flatten();
        let parts = properties.filter(|(_, schema)| is_json(schema.get("items").unwrap_or(schema)));
        let encoding: Map<_, _> = parts.map(|(part, _)| (part.clone(), json!({"contentType": JSON}))).collect();
        let mut form = json!({"schema": reference(name)});
        if !encoding.is_empty() {
            form["encoding"] = Value::Object(encoding);
        }
        form
    }

    fn responses(&mut self, id: &str, node: &Node<'d>) -> Value {
        let declared = node.children_of("responses");
        let followed = |node: &Node<'d>| self.theirs.followed(node.clone());
        let success = declared.iter().find(|(status, _)| status.starts_with('2')).map(|(_, node)| followed(node));
        let schema = success.and_then(|success| success.get("content")?.get(JSON)?.get("schema"));
        let mut written = Map::new();
        match schema {
            Some(schema) => {
                let hint = format!("{} response", operation_words(id));
                let name = self.named(&schema, &hint);
                let example = self.example(&name, true);
                let content = json!({JSON: {"schema": reference(&name), "example": example}});
                written.insert("200".to_owned(), json!({"description": UNWRITTEN, "content": content}));
            }
            None => comment(&mut written, "TODO: no JSON comes with success, which the house rules do not allow."),
        }
        let statuses =
            declared.iter().map(|(status, _)| status.to_uppercase()).filter(|status| !status.starts_with('2'));
        let mut statuses: Vec<String> = statuses.chain(["401", "403", "4XX", "5XX"].map(str::to_owned)).collect();
        // Numbers before the letters of `4XX`.
        statuses.sort_by_key(|status| (status.ends_with('X'), status.clone()));
        statuses.dedup();
        for status in statuses {
            written.insert(status, json!({"$ref": ERROR}));
        }
        Value::Object(written)
    }
}

/// The id as the name of a component, without the method that it may begin with.
fn operation_words(id: &str) -> String {
    let words = ["post_", "get_"].iter().find_map(|method| id.strip_prefix(method)).unwrap_or(id);
    ideogram_codegen::component_name(words)
}

/// An id for an operation without one.
fn words_of(title: &str) -> String {
    let words = title.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("_")
}
