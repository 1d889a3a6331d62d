//! Lowers a document into what progenitor accepts.
//!
//! Start at [`lower`]: it builds the lowered document from the model, so progenitor sees only what the rules have
//! checked. Other modules generate from the original what the lowered document has lost. The rules:
//!
//! | rule | reason |
//! | --- | --- |
//! | [`multipart_becomes_form`] | progenitor has no multipart; a form body gives the typed struct, and marks it for retarget |
//! | [`one_media_type`] | progenitor panics on two media types for one body |
//! | [`only_success`] | progenitor panics on errors of different shapes; the runtime reads every error itself |
//! | [`bounds_are_dropped`] | typify enforces bounds while decoding; requests are checked by generated `Validate` instead |
//! | aliases are inlined | typify generates newtypes that take no literal; `.seed(42)` must compile |
//! | no `default` | typify sends defaults; the server decides |
//! | [`tolerant_in_responses`] | required arrays and nullable properties must survive null and absence |
//! | [`replaced`] | enums, unions and path values are types of our own; typify only sees their names |
//! | `format: binary` stays | a conversion of `settings` turns it into the runtime's file type |
//! | [`discriminators_written_by_unions`] | the union writes the discriminator; a kind must not have it as a field |

use serde_json::{Map, Value, json};

use crate::{
    docs,
    model::{Body, Component, Kind, Location, MediaType, Model, Object, Operation, Parameter, Schema, Shape},
};

/// Returns the lowered document with these operations of the model.
pub(crate) fn lower(model: &Model, operations: &[Operation]) -> Value {
    let in_responses = model.in_responses();
    let mut schemas = Map::new();
    for (name, component) in &model.components {
        let lowered = match &component.shape {
            Shape::Object(object) => {
                object_schema(model, name, object, component, in_responses.contains(name.as_str()))
            }
            _ => replaced(component),
        };
        schemas.insert(name.clone(), lowered);
    }
    let mut paths = Map::new();
    for operation in operations {
        let item = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        item[&operation.http_method] = lowered_operation(model, operation);
    }
    json!({
        "openapi": "3.0.3",
        "info": {"title": model.title, "version": model.version},
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

fn lowered_operation(model: &Model, operation: &Operation) -> Value {
    let mut lowered = json!({
        "operationId": operation.method_name,
        "parameters": operation.parameters.iter().map(|parameter| lowered_parameter(model, parameter)).collect::<Vec<_>>(),
        "responses": only_success(model, operation),
    });
    if let Some(body) = &operation.body {
        lowered["requestBody"] = one_media_type(body);
    }
    lowered
}

fn lowered_parameter(model: &Model, parameter: &Parameter) -> Value {
    let schema = match (parameter.location, &parameter.schema.kind) {
        // A path value has its own type, which is named after the component.
        (Location::Path, Kind::Component(name)) => reference(name),
        _ => schema(model, &parameter.schema),
    };
    json!({"name": parameter.name, "in": location(parameter.location), "required": parameter.required, "schema": schema})
}

fn location(location: Location) -> &'static str {
    match location {
        Location::Path => "path",
        Location::Query => "query",
        Location::Header => "header",
    }
}

/// Keeps the first success status; the runtime reads the other responses.
fn only_success(model: &Model, operation: &Operation) -> Value {
    let mut success = json!({"description": ""});
    if let Some(response) = &operation.response {
        success["content"] = json!({"application/json": {"schema": schema(model, response)}});
    }
    json!({ &operation.success: success })
}

/// Keeps the media type that the model has chosen.
fn one_media_type(body: &Body) -> Value {
    let media_type = match body.media_type {
        MediaType::Json => "application/json",
        MediaType::Multipart => multipart_becomes_form(),
    };
    json!({"required": true, "content": {media_type: {"schema": reference(&body.component)}}})
}

/// `.form_urlencoded(&body)` appears nowhere else in a lowered document: retarget replaces it by the encoder.
fn multipart_becomes_form() -> &'static str {
    "application/x-www-form-urlencoded"
}

fn object_schema(model: &Model, name: &str, object: &Object, component: &Component, in_responses: bool) -> Value {
    let hidden = discriminators_written_by_unions(model, name);
    let mut properties = Map::new();
    let mut required = Vec::new();
    for property in object.properties.iter().filter(|property| !hidden.contains(&property.name.as_str())) {
        let mut lowered = schema(model, &property.schema);
        let may_be_missing = in_responses && tolerant_in_responses(model, &property.schema, &mut lowered);
        if property.required && !may_be_missing {
            required.push(property.name.clone());
        }
        let description = docs::own_description(model, &property.schema);
        if !description.is_empty() {
            lowered = with_description(lowered, &description);
        }
        properties.insert(property.name.clone(), lowered);
    }
    let mut lowered = json!({"type": "object", "description": component.description, "properties": properties});
    if !required.is_empty() {
        lowered["required"] = required.into();
    }
    if let Some(rest) = &object.rest {
        lowered["additionalProperties"] = schema(model, rest);
    }
    lowered
}

fn discriminators_written_by_unions<'m>(model: &'m Model, component: &str) -> Vec<&'m str> {
    let discriminators = model.components.values().filter_map(|other| match &other.shape {
        Shape::Union(union) if union.kinds.iter().any(|kind| kind.component == component) => {
            union.discriminator.as_deref()
        }
        _ => None,
    });
    discriminators.collect()
}

/// Lets a property of a response be `null` or absent if Rust has an empty value for it: an empty list, or `None` for a
/// nullable property. Returns whether the property may be missing although the document requires it.
fn tolerant_in_responses(model: &Model, property: &Schema, lowered: &mut Value) -> bool {
    let resolved = model.resolved(property);
    if matches!(resolved.kind, Kind::Array(..) | Kind::Map(_) | Kind::FreeObject) {
        // `null` is read as empty by the runtime, so the field needs no `Option`.
        if let Some(object) = lowered.as_object_mut() {
            object.remove("nullable");
        }
        return true;
    }
    property.nullable || resolved.nullable
}

/// Returns a placeholder for a component whose type codegen generates, or that no lowered schema uses.
fn replaced(component: &Component) -> Value {
    json!({"type": "string", "description": component.description})
}

pub(crate) fn schema(model: &Model, schema: &Schema) -> Value {
    let resolved = match &schema.kind {
        Kind::Component(name) if model.is_path_value(name) => schema,
        _ => model.resolved(schema),
    };
    let nullable = schema.nullable || resolved.nullable;
    let mut lowered = match &resolved.kind {
        Kind::Component(name) if nullable => json!({"allOf": [reference(name)]}),
        Kind::Component(name) => return reference(name),
        kind => bounds_are_dropped(model, kind),
    };
    if nullable && !matches!(resolved.kind, Kind::Any) {
        lowered["nullable"] = true.into();
    }
    lowered
}

fn bounds_are_dropped(model: &Model, kind: &Kind) -> Value {
    match kind {
        Kind::Component(name) => reference(name),
        Kind::Text(_) => json!({"type": "string"}),
        Kind::Time => json!({"type": "string", "format": "date-time"}),
        Kind::File => json!({"type": "string", "format": "binary"}),
        Kind::Integer(_, format) => json!({"type": "integer", "format": format}),
        Kind::Number(_, format) => json!({"type": "number", "format": format}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Array(items, _) => json!({"type": "array", "items": schema(model, items)}),
        Kind::Map(values) => json!({"type": "object", "additionalProperties": schema(model, values)}),
        Kind::FreeObject => json!({"type": "object"}),
        Kind::Any => json!({}),
    }
}

fn reference(component: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{component}")})
}

fn with_description(lowered: Value, description: &str) -> Value {
    let mut lowered = match lowered.get("$ref") {
        Some(_) => json!({"allOf": [lowered]}),
        None => lowered,
    };
    lowered["description"] = description.into();
    lowered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{document::Document, rules};

    fn lowered(components: &str, operation: &str) -> Value {
        let text = format!(
            "openapi: 3.0.3\ninfo: {{title: T, version: '1'}}\nservers: [{{url: https://example.test}}]\n\
             paths:\n  /a:\n    post:\n      operationId: a\n{operation}\ncomponents:\n  schemas:\n{components}\n"
        );
        let document = Document::parse(&text).unwrap();
        let model = rules::read(&document, &[]).unwrap().model;
        lower(&model, &model.operations)
    }

    /// The lowered required properties, and the lowered schema, of a component with the required property `m`.
    fn property(schema: &str, operation: &str) -> (Value, Value) {
        let components = format!(
            "    A: {{type: object, required: [m], properties: {{m: {schema}}}}}\n    E: {{type: string, enum: [x]}}"
        );
        let component = lowered(&components, operation)["components"]["schemas"]["A"].clone();
        (component["required"].clone(), component["properties"]["m"].clone())
    }

    #[test]
    fn properties_of_responses_are_tolerant_and_have_no_bounds() {
        let response = "      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}}";
        let required = || json!(["m"]);
        for (schema, expected) in [
            (
                "{type: integer, minimum: 1, maximum: 1, default: 1, format: int64}",
                (required(), json!({"type": "integer", "format": "int64"})),
            ),
            (
                "{type: array, minItems: 2, maxItems: 2, nullable: true, items: {type: string, pattern: a}}",
                (Value::Null, json!({"type": "array", "items": {"type": "string"}})),
            ),
            ("{type: string, nullable: true}", (Value::Null, json!({"type": "string", "nullable": true}))),
            (
                "{allOf: [{$ref: '#/components/schemas/E'}], description: Why.}",
                (required(), json!({"allOf": [{"$ref": "#/components/schemas/E"}], "description": "Why."})),
            ),
            // Formats of text other than times and files are plain text.
            ("{type: string, format: uri}", (required(), json!({"type": "string"}))),
            ("{type: string, format: uuid}", (required(), json!({"type": "string"}))),
            ("{type: string, format: date}", (required(), json!({"type": "string"}))),
        ] {
            assert_eq!(property(schema, response), expected, "{schema}");
        }
    }

    #[test]
    fn a_required_array_of_a_request_stays_required() {
        let request = "      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}\n      responses: {'200': {description: ok}}";

        assert_eq!(property("{type: array, items: {type: string}}", request).0, json!(["m"]));
    }

    #[test]
    fn errors_are_not_the_generators_business() {
        let operation = "      responses:\n        '200': {description: ok}\n        '400': {description: no, content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}\n        default: {description: no}";
        let lowered = lowered("    A: {type: object, properties: {}}", operation);

        assert_eq!(lowered["paths"]["/a"]["post"]["responses"], json!({"200": {"description": ""}}));
    }
}
