//! The house rules that the generator does not depend on: extensions, examples, prose. `openapi/README.md` lists all
//! rules.
//!
//! Start at [`check`]. The generator itself refuses what it does not support.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{
    problem::Problem,
    schema_walk::{self, Node, Operation},
};

const MAX_LINE_CHARS: usize = 120;
/// What the name of every extension of this API begins with; those of others are ignored.
const VENDOR: &str = "x-ideogram-";
/// The extension of schemas.
const SCHEMA_EXTENSION: &str = "x-ideogram-json";
/// The extensions that only some operations have.
const OPTIONAL_EXTENSIONS: [&str; 4] = ["x-ideogram-status", "x-ideogram-job", "x-ideogram-poll", "x-ideogram-quote"];
/// The extensions that every operation has, and their values.
const EXTENSIONS: [(&str, &str); 3] = [
    ("x-ideogram-billing", "`paid` or `free`"),
    ("x-ideogram-retry", "`safe` or `unsafe`"),
    ("x-ideogram-images", "a number, or the request property that says how many"),
];
const ERROR: &str = "#/components/responses/Error";
/// Errors that every operation declares.
const ERRORS: [&str; 4] = ["401", "403", "4XX", "5XX"];
const COMPONENTS: &str = "#/components/schemas/";

/// What the descriptions of a drafted operation begin with.
pub(crate) const UNWRITTEN: &str = "TODO";

/// Reports broken rules.
pub(crate) fn check(document: &str, root: &Value, problems: &mut Vec<Problem>) {
    let mut rules = Rules { document, root, problems };
    for (index, line) in document.lines().enumerate() {
        if line.chars().count() > MAX_LINE_CHARS {
            let message = format!("longer than {MAX_LINE_CHARS} characters");
            let problem = Problem::of_file(crate::DOCUMENT, message, "break the line").at_line(Some(index + 1));
            rules.problems.push(problem);
        }
    }
    rules.quotes();
    for operation in schema_walk::operations(root) {
        rules.operation(&operation);
    }
    for schema in schema_walk::walk(root).schemas {
        rules.schema(&schema);
    }
    rules.prose(&Node::root(root));
    // A reference that is broken leads nowhere, so its target would be reported too.
    if rules.problems.is_empty() {
        rules.components_are_used();
    }
}

struct Rules<'r> {
    document: &'r str,
    root: &'r Value,
    problems: &'r mut Vec<Problem>,
}

impl Rules<'_> {
    fn report(&mut self, pointer: &str, message: impl Into<String>, repair: impl Into<String>) {
        self.problems.push(Problem::of_document(self.document, pointer, message, repair));
    }

    /// Texts that tools with YAML 1.1 read as something else are quoted.
    fn quotes(&mut self) {
        for found in ideogram_codegen::Document::parse(self.document).unwrap_or_default().ambiguous {
            let message = format!("`{}` without quotes, which YAML 1.1 reads as {}", found.text, found.meaning);
            let problem = Problem::of_file(crate::DOCUMENT, message, format!("write `'{}'`", found.text));
            self.problems.push(problem.at_pointer(&found.pointer).at_line(Some(found.line)));
        }
    }

    /// Refuses extensions of this API that nothing reads.
    fn extensions(&mut self, node: &Node<'_>, known: &[&str]) {
        for (key, value) in node.children() {
            if !key.starts_with(VENDOR) || known.contains(&key.as_str()) {
                continue;
            }
            let repair = format!("remove it, or write one of: {}", known.join(", "));
            let message = format!("unknown extension `{key}`");
            let problem = Problem::of_document(self.document, &value.pointer, message, repair);
            let absent = known.iter().copied().filter(|name| node.get(name).is_none());
            let meant = ideogram_codegen::nearest(&key[VENDOR.len()..], absent.map(|name| &name[VENDOR.len()..]));
            self.problems.push(match meant {
                Some(name) => problem.meant(&format!("{VENDOR}{name}")),
                None => problem,
            });
        }
    }

    fn operation(&mut self, operation: &Operation<'_>) {
        let node = &operation.node;
        let known = EXTENSIONS.iter().map(|(name, _)| *name).chain(OPTIONAL_EXTENSIONS);
        self.extensions(node, &known.collect::<Vec<_>>());
        for (extension, values) in EXTENSIONS {
            if node.get(extension).is_none() {
                self.report(
                    &node.pointer,
                    format!("`{}` has no `{extension}`", operation.id),
                    format!("add it: {values}"),
                );
            }
        }
        let tags = node.children_of("tags");
        let known = self.root["tags"].as_array();
        let is_known = |tag: &Value| known.into_iter().flatten().any(|known| known["name"] == *tag);
        match tags.as_slice() {
            [(_, tag)] if is_known(tag.value) => {}
            [(_, tag)] => self.report(&tag.pointer, format!("unknown tag {}", tag.value), "describe it under `tags`"),
            _ => self.report(&node.pointer, "needs exactly one tag", "write `tags: [name]`"),
        }
        match node.get("summary").and_then(|summary| summary.value.as_str()) {
            None => self.report(&node.pointer, "needs a `summary`", "say in a few words what the call does"),
            Some(summary) if summary.ends_with('.') => {
                self.report(&format!("{}/summary", node.pointer), "a summary ends without a period", "drop it");
            }
            Some(_) => {}
        }
        if node.get("description").is_none() {
            self.report(&node.pointer, "needs a `description`", "say what the call does, and what it costs or changes");
        }
        self.parameters(operation);
        self.body(operation);
        self.responses(operation);
    }

    fn parameters(&mut self, operation: &Operation<'_>) {
        for (_, parameter) in operation.node.children_of("parameters") {
            if parameter.value["in"] == "header" {
                let repair = "use `in: query`; the key is a security scheme, and the client sets the other headers";
                self.report(&format!("{}/in", parameter.pointer), "a parameter in a header", repair);
            }
            if parameter.value["in"] != "path" {
                continue;
            }
            let component = parameter.value["schema"]["$ref"].as_str().and_then(|name| name.strip_prefix('#'));
            let target = component.map(|pointer| self.root.pointer(pointer));
            // A reference without a target is reported by the generator.
            let is_broken = parameter.value["schema"].get("$ref").is_some() && !matches!(target, Some(Some(_)));
            let has_pattern = target.flatten().is_some_and(|component| component.get("pattern").is_some());
            if !has_pattern && !is_broken {
                let repair = "refer to a component of type string with the pattern of the other path ids";
                self.report(&parameter.pointer, "a path id that is no component with a pattern", repair);
            }
        }
    }

    fn body(&mut self, operation: &Operation<'_>) {
        let contents = operation.node.get("requestBody").map(|body| body.children_of("content")).unwrap_or_default();
        if contents.windows(2).any(|pair| pair[0].1.value["schema"] != pair[1].1.value["schema"]) {
            let repair = "the client sends one of them: refer to the same component";
            self.report(&operation.node.pointer, "two media types of a body with different schemas", repair);
        }
        for (media_type, content) in contents {
            let name = content.value["schema"]["$ref"].as_str().unwrap_or_default();
            if !name.starts_with(COMPONENTS) || !name.ends_with("Request") {
                let repair = format!("refer to `{COMPONENTS}...Request`");
                self.report(&content.pointer, "a body is a component whose name ends in `Request`", repair);
            }
            if media_type == "application/json" && content.get("example").is_none() {
                self.report(&content.pointer, "a JSON body needs an `example`", "add one with typical values");
            }
        }
    }

    fn responses(&mut self, operation: &Operation<'_>) {
        let Some(responses) = operation.node.get("responses") else { return };
        let response = responses.get("200").and_then(|response| response.get("content"));
        match response.and_then(|content| content.get("application/json")) {
            Some(json) if json.get("example").is_none() => {
                self.report(&json.pointer, "a response needs an `example`", "add one with typical values");
            }
            Some(json) if json.get("schema").is_some_and(|schema| schema.get("$ref").is_none()) => {
                self.report(&json.pointer, "a response is a named component", "move its schema to the components");
            }
            Some(_) => {}
            None => self.report(&responses.pointer, "needs a JSON response for `200`", "describe it"),
        }
        for status in ERRORS {
            if responses.get(status).is_none() {
                let repair = format!("add `{status}: {{$ref: '{ERROR}'}}`");
                self.report(&responses.pointer, format!("`{status}` is not declared"), repair);
            }
        }
        for (status, response) in responses.children() {
            let reference = response.value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
            // A reference without a target is reported by the generator.
            let is_broken = reference.is_some_and(|pointer| self.root.pointer(pointer).is_none());
            if status != "200" && response.value["$ref"] != ERROR && !is_broken {
                if status.starts_with('2') {
                    let repair = "describe the success as `200`, with the JSON that the service sends, `{}` for none";
                    self.report(&response.pointer, format!("`{status}` is not supported"), repair);
                    continue;
                }
                let message = format!("`{status}` has a response of its own");
                self.report(&response.pointer, message, format!("write `$ref: '{ERROR}'`: there is one form of error"));
            }
        }
    }

    fn schema(&mut self, schema: &Node<'_>) {
        self.extensions(schema, &[SCHEMA_EXTENSION]);
        if schema.value["additionalProperties"] == false {
            let message = "does not allow properties that the service may add";
            self.report(&schema.pointer, message, "drop `additionalProperties: false`");
        }
        for (kind, format) in [("integer", "int64"), ("number", "double")] {
            if schema.value["type"] == kind && schema.value["format"] != format {
                self.report(&schema.pointer, format!("`{kind}` without its format"), format!("add `format: {format}`"));
            }
        }
        let is_component = schema.pointer.matches('/').count() == 3 && schema.pointer.starts_with(&COMPONENTS[1..]);
        let wants_name =
            ["enum", "properties", "pattern", "maxLength"].iter().find(|key| schema.value.get(**key).is_some());
        if let Some(key) = wants_name
            && !is_component
        {
            let repair = format!("move the schema to `{COMPONENTS}Name` and refer to it");
            self.report(&schema.pointer, format!("a schema with `{key}` and no name"), repair);
        }
    }

    /// Refuses components that no operation leads to: often a reference to them was lost.
    fn components_are_used(&mut self) {
        let mut used = BTreeSet::new();
        let mut pending = vec![&self.root["paths"]];
        while let Some(value) = pending.pop() {
            if let Some(target) = value["$ref"].as_str()
                && used.insert(target)
            {
                pending.extend(target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)));
            }
            pending.extend(value.as_object().into_iter().flat_map(Map::values));
            pending.extend(value.as_array().into_iter().flatten());
        }
        let components = Node::root(self.root).get("components").map(|components| components.children());
        for (section, entries) in components.unwrap_or_default() {
            if section == "securitySchemes" {
                continue;
            }
            for (name, entry) in entries.children() {
                if !used.contains(format!("#{}", entry.pointer).as_str()) {
                    let message = format!("no operation refers to `{name}`, directly or through other components");
                    self.report(&entry.pointer, message, "refer to it, or remove it");
                }
            }
        }
    }

    /// Descriptions become rustdoc, so text that rustdoc reads as a link or a tag is refused.
    fn prose(&mut self, node: &Node<'_>) {
        for (key, inner) in node.children() {
            match (key.as_str(), inner.value) {
                ("description" | "summary", Value::String(text)) => {
                    if text.starts_with(UNWRITTEN) || text.trim().is_empty() {
                        let message = format!("a {key} that is not written yet");
                        self.report(&inner.pointer, message, "say what a user needs to know");
                        continue;
                    }
                    let is_title = key == "summary" || inner.pointer.contains("/externalDocs/");
                    if !is_title && !text.trim_end().ends_with(['.', '!', '?', ':']) {
                        self.report(&inner.pointer, "a description without a full stop", "write whole sentences");
                    }
                    let text = without_code(text);
                    let markup =
                        ["[", "]", "http://", "https://", "<"].into_iter().find(|markup| text.contains(markup));
                    if let Some(markup) = markup {
                        let message = format!("`{markup}` in a description, which rustdoc reads as markup");
                        let repair = "put it in backticks, or say it in words; links go to `externalDocs`";
                        self.report(&inner.pointer, message, repair);
                    }
                }
                ("example" | "examples" | "default" | "enum", _) => {}
                _ => self.prose(&inner),
            }
        }
    }
}

/// Returns the text outside of backticks.
fn without_code(text: &str) -> String {
    text.split('`').step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_in_backticks_is_not_checked() {
        assert_eq!(without_code("a `b[0]` c `<d>` e"), "a  c  e");
    }
}
