//! What the files of the workspace still lack for the document: written if it can be derived, named if not.
//!
//! Start at [`missing`]. Everything here reads source as text, so that the whole list comes at once and without a build;
//! tests check each point by running it.

use std::collections::BTreeSet;

use ideogram_codegen::{GeneratedClient, Inputs, OperationSummary};
use serde_json::Value;

use crate::{
    functions::Functions,
    schema_walk,
    sources::{Sources, Validity},
};

const EXAMPLE_PROGRAMS: &str = "crates/ideogram-client/examples";
const MOCK_SERVER: &str = "crates/ideogram-mock/src";
const HANDLERS: &str = "crates/ideogram-mock/src/handlers";
const HANDLED_CALLS: &str = "crates/ideogram-mock/tests/server/every_operation.rs";
/// The samples from which the mock server takes its first datasets and models.
const FIRST_STATE: [&str; 2] =
    ["openapi/examples/get_dataset/demo.json", "openapi/examples/list_custom_models/demo.json"];
const TYPED_CALLS: &str = "tests/contract/requests";
const IMAGE_COMMANDS: &str = "crates/ideogram-cli/src/commands/image/table.rs";
const IMAGE_FLAGS: &str = "crates/ideogram-cli/src/commands/image/flags.rs";
/// The property of legacy operations that holds all others; the command has flags for those.
const LEGACY_OBJECT: &str = "image_request";
const COMMAND_COLUMN: &str = "crates/ideogram-cli/src/commands/operations.rs";

/// Something that a file lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The file, from the root of the workspace.
    pub file: String,
    /// What it lacks, and why.
    pub reason: String,
    /// The text of the file, if it can be derived; then the file does not exist yet.
    pub derived: Option<String>,
}

/// Returns the samples that can be taken from the examples of a document, for operations without any.
pub fn missing_samples(sources: &Sources) -> Vec<Need> {
    let Ok(root) = ideogram_codegen::read_yaml(sources.document()) else { return Vec::new() };
    let operations = schema_walk::operations(&root).into_iter();
    let without = operations.filter(|operation| {
        !operation.id.is_empty()
            && !sources.samples().any(|sample| sample.operation == operation.id && sample.validity == Validity::Example)
    });
    let need = |operation: schema_walk::Operation<'_>| {
        let example = &operation.node.value["responses"]["200"]["content"]["application/json"]["example"];
        (!example.is_null()).then(|| Need {
            file: format!("{}{}/typical.json", Validity::Example.folder(), operation.id),
            reason: format!("`{}` has no sample response; this is the example of the document", operation.id),
            derived: serde_json::to_string_pretty(example).ok().map(|text| text + "\n"),
        })
    };
    without.filter_map(need).collect()
}

/// Returns what nobody has to do, but may want to know.
pub(crate) fn notes(sources: &Sources, client: &GeneratedClient) -> Vec<String> {
    let handlers = functions(sources, HANDLERS);
    let operations = client.operations();
    let without = operations.iter().filter(|operation| handlers.reached_from(operation.id).is_none());
    let note = |operation: &OperationSummary<'_>| {
        format!(
            "the mock server responds to `{}` with the example of the document; for state, it needs a handler in \
             `{HANDLERS}/`, and a line in `find` of `mod.rs`",
            operation.id
        )
    };
    without.map(note).collect()
}

/// Returns everything that is missing for the operations of a valid document.
pub fn missing(sources: &Sources, client: &GeneratedClient) -> Vec<Need> {
    let handlers = functions(sources, HANDLERS);
    let calls = functions(sources, TYPED_CALLS);
    let root = ideogram_codegen::read_yaml(sources.document()).unwrap_or_default();
    let first_state = FIRST_STATE.iter().filter_map(|path| sources.get(path));
    let mock_server: String = sources.in_folder(MOCK_SERVER).map(|(_, text)| text).chain(first_state).collect();
    let mut needs = Vec::new();
    for operation in client.operations() {
        if let Some(module) = handlers.module_of(operation.id) {
            needs.extend(unsent(&root, operation.id, module, &mock_server));
            needs.extend(handled_call(sources, &operation));
        }
        needs.extend(example_program(sources, client, &operation));
        needs.extend(typed_call(client, &operation, &calls));
        needs.extend(handled_query(&operation, &handlers));
        needs.extend(command(sources, &operation));
    }
    needs
}

/// The required properties of the response that the source of the mock server never names.
fn unsent(root: &Value, id: &str, module: &str, mock_server: &str) -> Option<Need> {
    let operation = schema_walk::operations(root).into_iter().find(|operation| operation.id == id)?;
    let schema = &operation.node.value["responses"]["200"]["content"]["application/json"]["schema"];
    let mut required = BTreeSet::new();
    required_properties(root, schema, &mut BTreeSet::new(), &mut required);
    let is_named =
        |name: &str| mock_server.contains(&format!("\"{name}\"")) || mock_server.contains(&format!("{name}:"));
    let missing = listed(required.into_iter().filter(|name| !is_named(name)))?;
    let reason = format!("the mock server does not send {missing}, which the response of `{id}` requires");
    Some(by_hand(format!("{HANDLERS}/{module}.rs"), reason))
}

/// Names in backticks, with commas; `None` if there are none.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> Option<String> {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Collects the required properties of a schema and of those in it; `seen` has the components that were visited.
fn required_properties<'d>(
    root: &'d Value,
    schema: &'d Value,
    seen: &mut BTreeSet<&'d str>,
    required: &mut BTreeSet<&'d str>,
) {
    if let Some(target) = schema["$ref"].as_str() {
        if let Some(component) = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer))
            && seen.insert(target)
        {
            required_properties(root, component, seen, required);
        }
        return;
    }
    required.extend(schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str));
    let inner = schema["properties"].as_object().into_iter().flat_map(|properties| properties.values());
    let all_of = schema["allOf"].as_array().into_iter().flatten();
    let others = all_of.chain([&schema["items"], &schema["additionalProperties"]]);
    for schema in inner.chain(others).filter(|schema| schema.is_object()) {
        required_properties(root, schema, seen, required);
    }
}

/// A call in the tests of the mock server, which check every handler's response. What is looked for are the HTTP method and
/// the last segment of the path that is not a parameter; a test looks at the calls themselves.
fn handled_call(sources: &Sources, operation: &OperationSummary<'_>) -> Option<Need> {
    let calls = sources.get(HANDLED_CALLS)?;
    let segment = operation.path.rsplit('/').find(|segment| !segment.starts_with('{'))?;
    let method = match operation.http_method.as_str() {
        "GET" => "session.get(".to_owned(),
        "POST" => "session.post(".to_owned(),
        other => format!("Method::{other}"),
    };
    (!calls.contains(segment) || !calls.contains(&method)).then(|| {
        let reason = format!("no test calls the handler of `{} {}`", operation.http_method, operation.path);
        by_hand(HANDLED_CALLS, reason)
    })
}

fn functions(sources: &Sources, folder: &str) -> Functions {
    let mut functions = Functions::default();
    for (path, text) in sources.in_folder(folder) {
        let file = path.rsplit('/').next().unwrap_or(path);
        functions.add(file.trim_end_matches(".rs"), text);
    }
    functions
}

fn by_hand(file: impl Into<String>, reason: impl Into<String>) -> Need {
    Need { file: file.into(), reason: reason.into(), derived: None }
}

/// A program that calls the operation: one that is there, or a derived one.
fn example_program(sources: &Sources, client: &GeneratedClient, operation: &OperationSummary<'_>) -> Option<Need> {
    let call = format!(".{}()", operation.method_name);
    if sources.in_folder(EXAMPLE_PROGRAMS).any(|(_, text)| text.contains(&call)) {
        return None;
    }
    let name = operation.method_name;
    let call = client.sample_call(operation.id, Inputs::Required, |_| "setup::image()".to_owned());
    let setters = call.map(|call| known_to_the_mock_server(sources, operation, call.setters));
    let derived = setters.ok().map(|setters| {
        let line = format!("    let response = client.{name}(){}.send().await?;", setters.concat());
        let call = if line.len() <= 120 {
            line
        } else {
            let lines: String = setters.iter().map(|setter| format!("        {setter}\n")).collect();
            format!("    let response = client\n        .{name}()\n{lines}        .send()\n        .await?;")
        };
        format!(
            "//! {}.\n//!\n//! `cargo run -p ideogram-client --example {name} -- --mock`\n\n\
             #![allow(clippy::print_stdout, reason = \"an example shows what came back\")]\n\nmod setup;\n\n\
             use std::error::Error;\n\n#[tokio::main]\nasync fn main() -> Result<(), Box<dyn Error>> {{\n    \
             let (client, _mock) = setup::client().await?;\n\n{call}\n    println!(\"{{response:#?}}\");\n    Ok(())\n}}\n",
            operation.summary
        )
    });
    let reason = format!("no example calls `{}`", operation.id);
    Some(Need { file: format!("{EXAMPLE_PROGRAMS}/{name}.rs"), reason, derived })
}

/// Replaces ids in the path by those that the mock server has from the beginning: the program runs against it.
fn known_to_the_mock_server(sources: &Sources, operation: &OperationSummary<'_>, setters: Vec<String>) -> Vec<String> {
    let known = |setter: String| {
        let name = setter.trim_start_matches('.').split('(').next().unwrap_or_default();
        if !operation.path.contains(&format!("{{{name}}}")) {
            return setter;
        }
        let samples = FIRST_STATE.iter().filter_map(|path| serde_json::from_str(sources.get(path)?).ok());
        let id = samples.into_iter().find_map(|sample: Value| first_text(&sample, name).map(str::to_owned));
        id.map_or(setter.clone(), |id| format!(".{name}({id:?})"))
    };
    setters.into_iter().map(known).collect()
}

/// The first text of a property, at any depth.
fn first_text<'v>(value: &'v Value, property: &str) -> Option<&'v str> {
    match value {
        Value::Object(properties) => properties
            .get(property)
            .and_then(Value::as_str)
            .or_else(|| properties.values().find_map(|inner| first_text(inner, property))),
        Value::Array(items) => items.iter().find_map(|item| first_text(item, property)),
        _ => None,
    }
}

/// Typed calls for the contract tests, unless they are derived.
fn typed_call(client: &GeneratedClient, operation: &OperationSummary<'_>, calls: &Functions) -> Option<Need> {
    let is_plain = !operation.runs_as_job && !operation.has_quote;
    let sample = |inputs| client.sample_call(operation.id, inputs, str::to_owned);
    let why = match sample(Inputs::Required).and_then(|_| sample(Inputs::All)) {
        Ok(_) if is_plain => return None,
        Ok(_) => "it can run as a job, or has a quote".to_owned(),
        Err(why) => why,
    };
    let file = format!("{TYPED_CALLS}/{}", if is_plain { "calls.rs" } else { "calls_v2.rs" });
    let Some(sent) = calls.reached_from(operation.id) else {
        let reason = format!("`{}` has no typed call, and none can be derived: {why}", operation.id);
        return Some(by_hand(file, reason));
    };
    let inputs = operation.inputs.iter().map(|input| input.name);
    let missing = listed(inputs.filter(|name| !sent.contains(*name)))?;
    Some(by_hand(file, format!("no typed call of `{}` sends {missing}", operation.id)))
}

/// The query parameters that a handler of the mock server reads. The response to an operation without a handler
/// is an example, whatever the query is.
fn handled_query(operation: &OperationSummary<'_>, handlers: &Functions) -> Option<Need> {
    let read = handlers.reached_from(operation.id)?;
    let query = operation.inputs.iter().filter(|input| input.in_query).map(|input| input.name);
    let ignored = listed(query.filter(|name| !read.contains(*name)))?;
    let reason = format!("the handler of `{}` ignores the query parameter {ignored}", operation.id);
    Some(by_hand(format!("{HANDLERS}/{}.rs", handlers.module_of(operation.id).unwrap_or("mod")), reason))
}

/// The command of the operation: the image commands have rows for operations and for properties.
fn command(sources: &Sources, operation: &OperationSummary<'_>) -> Option<Need> {
    let id = operation.id;
    let command = sources.command_for(id, operation.method_name);
    let text = |path| sources.get(path).unwrap_or_default();
    if !operation.paid || !operation.makes_images {
        let constant = format!("operations::{},", id.to_ascii_uppercase());
        let is_listed = [IMAGE_COMMANDS, COMMAND_COLUMN].iter().any(|path| text(path).contains(&constant));
        return command.filter(|_| !is_listed).map(|command| {
            by_hand(COMMAND_COLUMN, format!("`{command}` calls `{id}`, and the list of operations does not say so"))
        });
    }
    if command.is_none() {
        return Some(by_hand(IMAGE_COMMANDS, format!("`{id}` creates images, and no image command has a row for it")));
    }
    let has_flag = |name: &str| name == LEGACY_OBJECT || text(IMAGE_FLAGS).contains(&format!("\"{name}\""));
    let inputs = operation.inputs.iter().filter(|input| !input.in_query).map(|input| input.name);
    let missing = listed(inputs.filter(|name| !has_flag(name)))?;
    Some(by_hand(IMAGE_FLAGS, format!("no flag sets {missing} of `{id}`")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_required_property_that_the_mock_server_never_names_is_reported() {
        let root = json!({
            "paths": {"/lanterns": {"get": {"operationId": "list_lanterns", "responses": {"200": {"content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Lanterns"}},
            }}}}}},
            "components": {"schemas": {
                "Lanterns": {"required": ["lanterns"], "properties": {
                    "lanterns": {"type": "array", "items": {"$ref": "#/components/schemas/Lantern"}},
                }},
                "Lantern": {"required": ["color", "height"], "properties": {
                    "color": {}, "height": {}, "note": {}, "inside": {"$ref": "#/components/schemas/Lantern"},
                }},
            }},
        });
        let reported =
            |mock_server: &str| unsent(&root, "list_lanterns", "lanterns", mock_server).map(|need| need.reason);

        assert_eq!(reported(r#"json!({"lanterns": [{"color": "red", "height": 3}]})"#), None);
        assert_eq!(reported(r#"Lantern { height: 3 }; json!({"lanterns": [], "color": ""})"#), None);
        assert_eq!(
            reported(r#"json!({"lanterns": [{"color": "red"}]})"#).unwrap(),
            "the mock server does not send `height`, which the response of `list_lanterns` requires"
        );
    }
}
