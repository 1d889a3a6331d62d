//! Derives a call of an operation: the arguments as JSON, and the same as calls of the builder's setters.
//!
//! Start at [`sample_call`]. It knows calls with plain arguments: texts, numbers, enums, files, and lists of these. The
//! examples of the document are the values of texts.

use serde_json::{Map, Value};

use crate::{
    document::{Document, Node},
    model::{Choice, Kind, Model, Schema, Shape},
    names,
};

/// Which inputs a sample call has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// Only those that are required.
    Required,
    /// All of them.
    All,
}

/// A call of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleCall {
    /// Parameters and properties of the body by their names on the wire; a file is its name.
    pub arguments: Map<String, Value>,
    /// Rust source: calls of setters such as `.search("lanterns")`, one an argument.
    pub setters: Vec<String>,
}

/// The name of the one file, or of the first and second.
const FILES: [&str; 2] = ["a.png", "b.png"];

/// Returns a call of the operation `id`; `file` returns the expression for a file of a name.
///
/// # Errors
///
/// Why there is none: the operation does not exist, or an argument is not plain, or arguments exclude each other.
pub(crate) fn sample_call(
    document: &Document,
    model: &Model,
    id: &str,
    inputs: Inputs,
    file: &dyn Fn(&str) -> String,
) -> Result<SampleCall, String> {
    let unknown = || format!("there is no operation `{id}`");
    let operation = model.operation(id).ok_or_else(unknown)?;
    let node = document.follow(&format!("#{}", operation.pointer)).ok_or_else(unknown)?;
    let mut call = SampleCall { arguments: Map::new(), setters: Vec::new() };
    let mut add = |name: &str, required: bool, schema: &Schema, described: Option<Node<'_>>| {
        if required || inputs == Inputs::All {
            let example = described.and_then(|node| example(document, &node));
            let plain = value(model, schema, example.as_ref(), file);
            let (argument, source) = plain.ok_or_else(|| format!("no value can be derived for `{name}`"))?;
            call.arguments.insert(name.to_owned(), argument);
            call.setters.push(format!(".{}({source})", names::field_name(name)));
        }
        Ok::<_, String>(())
    };
    for parameter in &operation.parameters {
        let described = node
            .get("parameters")
            .and_then(|list| list.items().find(|described| described.value["name"] == parameter.name.as_str()));
        add(&parameter.name, parameter.required, &parameter.schema, described)?;
    }
    if let Some(body) = &operation.body {
        let object = model.object(&body.component).ok_or("the body is one of several objects")?;
        let excludes = |choice: &&Choice| inputs == Inputs::All || !matches!(choice, Choice::NotTogether(_));
        if let Some(choice) = object.choices.iter().find(excludes) {
            let names: Vec<String> = choice.properties().iter().map(|name| format!("`{name}`")).collect();
            return Err(format!("which of {} to send is a choice", names.join(", ")));
        }
        for property in &object.properties {
            let pointer = format!("#/components/schemas/{}/properties/{}", body.component, property.name);
            add(&property.name, property.required, &property.schema, document.follow(&pointer))?;
        }
    }
    Ok(call)
}

/// The example of a parameter or schema, its own or that of the component it refers to.
fn example(document: &Document, node: &Node<'_>) -> Option<Value> {
    if let Some(example) = node.get("example") {
        return Some(example.value.clone());
    }
    let behind = match (node.get("schema"), node.get("$ref"), node.get("allOf")) {
        (Some(schema), ..) => schema,
        (None, Some(reference), _) => document.follow(reference.value.as_str()?)?,
        (None, None, Some(list)) => list.items().next()?,
        (None, None, None) => return None,
    };
    example(document, &behind)
}

/// Returns a value and its Rust expression.
fn value(
    model: &Model,
    schema: &Schema,
    example: Option<&Value>,
    file: &dyn Fn(&str) -> String,
) -> Option<(Value, String)> {
    let text = |text: &str| (Value::from(text), format!("{text:?}"));
    match &model.resolved(schema).kind {
        Kind::Text(bounds) => match example.and_then(Value::as_str) {
            Some(example) => Some(text(example)),
            None if bounds.pattern.is_some() || bounds.min_length.is_some_and(|min| min > 1) => None,
            None if bounds.max_length.is_some_and(|max| max < 5) => Some(text("a")),
            None => Some(text("a cat")),
        },
        Kind::Component(name) => match &model.components.get(name)?.shape {
            Shape::Enum(values) => values.first().map(|value| text(value)),
            _ => None,
        },
        Kind::Integer(bounds, _) => {
            let number = 1.max(bounds.minimum.unwrap_or(1)).min(bounds.maximum.unwrap_or(i64::MAX));
            Some((Value::from(number), number.to_string()))
        }
        Kind::Boolean => Some((Value::from(true), "true".to_owned())),
        Kind::File => Some((Value::from(FILES[0]), file(FILES[0]))),
        Kind::Array(items, bounds) => {
            if bounds.min_items.is_some_and(|min| min > 1) {
                return None;
            }
            let several = matches!(model.resolved(items).kind, Kind::File) && bounds.max_items != Some(1);
            let values = if several {
                FILES.map(|name| (Value::from(name), file(name))).to_vec()
            } else {
                let first = example.and_then(|list| list.get(0));
                vec![value(model, items, first, file)?]
            };
            let (values, sources): (Vec<_>, Vec<_>) = values.into_iter().unzip();
            Some((Value::from(values), format!("[{}]", sources.join(", "))))
        }
        _ => None,
    }
}
