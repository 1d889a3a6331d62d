//! Rules that need the whole document: colliding names, circular references, files in the wrong location.

use std::collections::{BTreeMap, BTreeSet};

use super::Reader;
use crate::{
    model::{
        ImageCount, Kind, Location, MediaType, Model, Operation, PartKind, Property, Schema, Shape, references_of,
        schemas_of,
    },
    names,
};

/// Types that generated code names without a path.
const PRELUDE: [&str; 22] = [
    "Self",
    "Default",
    "Option",
    "Some",
    "None",
    "Result",
    "Ok",
    "Err",
    "String",
    "Vec",
    "Box",
    "From",
    "Into",
    "TryFrom",
    "TryInto",
    "Clone",
    "Debug",
    "PartialEq",
    "Eq",
    "Iterator",
    "ToString",
    "Client",
];

impl Reader<'_> {
    pub(super) fn cross_checks(&self, model: &Model) {
        self.aliases_end(model);
        // The following checks resolve aliases, so aliases must not be circular.
        if !self.problems.borrow().is_empty() {
            return;
        }
        self.component_names(model);
        self.unions(model);
        self.requests_can_be_written(model);
        self.operation_names(model);
        for operation in &model.operations {
            self.operation.replace(Some(operation.id.clone()));
            self.parameters_can_be_sent(model, operation);
            self.body_can_be_sent(model, operation);
            self.late_failures_have_a_status(model, operation);
            self.images_are_counted(model, operation);
            self.jobs_can_be_polled(model, operation);
            self.quotes_have_a_price(model, operation);
            self.polls_tell_a_state(model, operation);
            self.operation.replace(None);
        }
        let with_files = model.with_files();
        for name in model.in_responses() {
            if with_files.contains(name) {
                self.report_at(
                    &model.components[name].pointer,
                    "a file inside a response",
                    "use `format: byte` for encoded bytes",
                );
            }
        }
    }

    /// Refuses requests that generated code cannot encode: it has no way to write `null` in a list or map.
    fn requests_can_be_written(&self, model: &Model) {
        for name in model.in_requests() {
            let component = &model.components[name];
            if let Shape::Object(object) = &component.shape
                && object.properties.is_empty()
            {
                self.report_at(
                    &component.pointer,
                    format!("`{name}` is part of a request, but has no properties"),
                    "describe its properties",
                );
            }
            for schema in schemas_of(&component.shape) {
                if holds_null(model, schema) {
                    self.report_at(
                        &component.pointer,
                        format!("a list or map in `{name}` may hold null"),
                        "remove `nullable` from its items",
                    );
                }
            }
        }
    }

    fn aliases_end(&self, model: &Model) {
        for (name, component) in &model.components {
            let mut seen = BTreeSet::from([name.as_str()]);
            let mut pending = alias_targets(&component.shape);
            while let Some(next) = pending.pop() {
                if next == name {
                    self.report_at(
                        &component.pointer,
                        format!("`{name}` refers to itself without an object in between"),
                        "make it an object, or remove the circular reference",
                    );
                    break;
                }
                if seen.insert(next)
                    && let Some(target) = model.components.get(next)
                {
                    pending.extend(alias_targets(&target.shape));
                }
            }
        }
    }

    fn component_names(&self, model: &Model) {
        for (name, component) in &model.components {
            let wanted = names::type_name(name);
            if *name != wanted || !names::is_identifier(name) {
                let repair = if names::is_identifier(&wanted) {
                    format!("call it `{wanted}`")
                } else {
                    "use letters first, then letters and digits".to_owned()
                };
                self.report_at(&component.pointer, format!("`{name}` is not the name of a type"), repair);
            }
            if PRELUDE.contains(&name.as_str()) {
                self.report_at(
                    &component.pointer,
                    format!("`{name}` is a name that generated code uses"),
                    "choose another name",
                );
            }
            if let Shape::Object(object) = &component.shape
                && object.rest.is_some()
                && object.properties.iter().any(|property| names::field_name(&property.name) == "extra")
            {
                self.report_at(
                    &component.pointer,
                    "`extra` holds the properties that the document does not name",
                    "remove the schema of `additionalProperties`",
                );
            }
            match &component.shape {
                Shape::Object(object) => self.distinct(
                    &component.pointer,
                    object
                        .properties
                        .iter()
                        .map(|property| (property.name.as_str(), names::field_name(&property.name))),
                ),
                Shape::Enum(values) => self.distinct(
                    &component.pointer,
                    values
                        .iter()
                        .map(|value| (value.as_str(), names::variant_name(name, value)))
                        .chain([("any unrecognized value", "Unrecognized".to_owned())]),
                ),
                Shape::Union(_) | Shape::Alias(_) => {}
            }
        }
    }

    fn operation_names(&self, model: &Model) {
        for (index, operation) in model.operations.iter().enumerate() {
            self.operation.replace(Some(operation.id.clone()));
            if self.client_methods.contains(&operation.method_name) {
                self.report_at(
                    &operation.pointer,
                    format!("`Client` already has a method `{}`", operation.method_name),
                    "choose another `operationId`, or rename the method of `Client`",
                );
            }
            if let Some(earlier) = model.operations[..index].iter().find(|other| {
                other.id == operation.id
                    || other.method_name == operation.method_name
                    || names::constant_name(&other.id) == names::constant_name(&operation.id)
            }) {
                let holder = format!("{} {}", earlier.http_method.to_uppercase(), earlier.path);
                let id_pointer = |operation: &Operation| format!("{}/operationId", operation.pointer);
                let line = self.document.line(&id_pointer(earlier)).map(|line| format!(" in line {line}"));
                let message = if operation.id == earlier.id {
                    format!("`{}` is also the id of `{holder}`{}", operation.id, line.unwrap_or_default())
                } else {
                    format!(
                        "`{}` and `{}` of `{holder}`{} have the same method name `{}`",
                        operation.id,
                        earlier.id,
                        line.unwrap_or_default(),
                        operation.method_name
                    )
                };
                self.report_at(&id_pointer(operation), message, "give each operation an id of its own");
            }
            let names = operation
                .parameters
                .iter()
                .map(|parameter| (parameter.name.as_str(), names::field_name(&parameter.name)));
            self.distinct(&operation.pointer, names);
            self.operation.replace(None);
        }
    }

    /// Refuses names that are equal in Rust, and names that are not valid in Rust.
    fn distinct<'n>(&self, pointer: &str, names: impl Iterator<Item = (&'n str, String)>) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (name, rust_name) in names {
            if !names::is_identifier(&rust_name) {
                self.report_at(
                    pointer,
                    format!("`{name}` is not a valid name in Rust"),
                    "use letters, digits and underscores",
                );
            } else if let Some(other) = seen.insert(rust_name.clone(), name) {
                self.report_at(
                    pointer,
                    format!("`{other}` and `{name}` are both `{rust_name}` in Rust"),
                    "rename one of them",
                );
            }
        }
    }

    fn unions(&self, model: &Model) {
        let with_files = model.with_files();
        for (name, component) in &model.components {
            let Shape::Union(union) = &component.shape else { continue };
            let mut seen = BTreeSet::new();
            for kind in &union.kinds {
                let Some(object) = model.object(&kind.component) else {
                    self.report_at(
                        &component.pointer,
                        format!("`{}` is not an object, so it cannot be a kind of `{name}`", kind.component),
                        "list components that have `properties`",
                    );
                    continue;
                };
                if with_files.contains(kind.component.as_str()) {
                    self.report_at(
                        &component.pointer,
                        format!("`{}` holds a file", kind.component),
                        "files go into parts of their own",
                    );
                }
                let discriminators = union.discriminator.iter();
                if discriminators
                    .filter(|name| object.properties.iter().any(|property| property.name == **name))
                    .count()
                    == object.properties.len()
                {
                    self.report_at(
                        &component.pointer,
                        format!("`{}` has no property but the discriminator", kind.component),
                        "give it another property",
                    );
                }
                if !seen.insert(kind.component.as_str()) {
                    self.report_at(
                        &component.pointer,
                        format!("`{}` is in the union twice", kind.component),
                        "list it once",
                    );
                }
                if let Some(discriminator) = &union.discriminator {
                    if !object.properties.iter().any(|property| property.name == *discriminator) {
                        self.report_at(
                            &component.pointer,
                            format!("`{}` has no property `{discriminator}`", kind.component),
                            "add the discriminator to every kind",
                        );
                    }
                    self.only_inside_union(model, name, &kind.component);
                } else if !object.properties.iter().any(|property| property.required) {
                    self.report_at(
                        &component.pointer,
                        format!("no required property distinguishes `{}` from the other kinds", kind.component),
                        "require a property of its own, or add a discriminator",
                    );
                }
            }
            if holds_directly(model, name) {
                self.report_at(
                    &component.pointer,
                    format!("`{name}` contains itself without an array in between"),
                    "put an array in between, so that its size is finite",
                );
            }
        }
    }

    /// Refuses a kind that is used outside its union: the union encodes the discriminator.
    fn only_inside_union(&self, model: &Model, union: &str, kind: &str) {
        let elsewhere = model
            .components
            .iter()
            .find(|(name, component)| name.as_str() != union && references_of(&component.shape).contains(&kind));
        let in_operation = model.operations.iter().any(|operation| {
            let in_responses = operation.response.as_ref().is_some_and(|response| is_component(response, kind));
            in_responses || operation.body.as_ref().is_some_and(|body| body.component == kind)
        });
        if elsewhere.is_some() || in_operation {
            let user = elsewhere.map_or("an operation", |(name, _)| name.as_str());
            self.report_at(
                &model.components[kind].pointer,
                format!("`{kind}` is a kind of `{union}` and also used by {user}"),
                format!("use `{union}` there, or a component of its own"),
            );
        }
    }

    fn parameters_can_be_sent(&self, model: &Model, operation: &Operation) {
        for parameter in &operation.parameters {
            let resolved = model.resolved(&parameter.schema);
            if parameter.schema.nullable || resolved.nullable || holds_null(model, &parameter.schema) {
                self.report_at(
                    &operation.pointer,
                    format!("parameter `{}` may be null", parameter.name),
                    "remove `nullable`; an optional parameter can be omitted",
                );
            }
            let named = matches!(parameter.schema.kind, Kind::Component(_));
            let fits = match (parameter.location, &resolved.kind) {
                (Location::Path, Kind::Text(_)) => named,
                (Location::Path, kind) => matches!(kind, Kind::Integer(..)),
                (Location::Query, Kind::Array(items, _)) => is_scalar(model, items),
                (Location::Query | Location::Header, _) => is_scalar(model, resolved),
            };
            if !fits {
                let repair = match parameter.location {
                    Location::Path => "use an integer, or refer to a named component of type string",
                    Location::Query => "use text, an enum, a number, a boolean, or an array of those",
                    Location::Header => "use text, an enum, a number or a boolean",
                };
                self.report_at(
                    &operation.pointer,
                    format!("parameter `{}` cannot be sent in its described form", parameter.name),
                    repair,
                );
            }
        }
    }

    fn body_can_be_sent(&self, model: &Model, operation: &Operation) {
        let Some(body) = &operation.body else { return };
        let component = &model.components[&body.component];
        let with_files = model.with_files();
        match (body.media_type, model.object(&body.component)) {
            (MediaType::Json, _) => {
                if !matches!(component.shape, Shape::Object(_) | Shape::Union(_)) {
                    self.report_at(
                        &component.pointer,
                        "a JSON body must be an object or a union",
                        "put the value into a property of an object",
                    );
                }
                if with_files.contains(body.component.as_str()) {
                    self.report_at(&component.pointer, "a file in a JSON body", "send it as multipart/form-data");
                }
            }
            (MediaType::Multipart, None) => {
                self.report_at(
                    &component.pointer,
                    "a multipart body must be an object",
                    "describe its parts as `properties`",
                );
            }
            (MediaType::Multipart, Some(object)) => {
                if object.rest.is_some() {
                    self.report_at(
                        &component.pointer,
                        "parts without a name",
                        "remove the schema of `additionalProperties`",
                    );
                }
                for part in body.part_media_types.keys() {
                    let property = object.properties.iter().find(|property| property.name == *part);
                    if property.is_none_or(|property| model.part_kind(&property.schema) != PartKind::Json) {
                        self.report_at(
                            &operation.pointer,
                            format!("`encoding` of `{part}`, which is not a JSON part"),
                            "files say their media type themselves, and text needs none",
                        );
                    }
                }
                for property in &object.properties {
                    let resolved = model.resolved(&property.schema);
                    let item = match &resolved.kind {
                        Kind::Array(items, _) => model.resolved(items),
                        _ => resolved,
                    };
                    let nested = matches!(item.kind, Kind::Array(..) | Kind::Map(_));
                    let deep_file = matches!(&item.kind, Kind::Component(name) if with_files.contains(name.as_str()));
                    if nested || deep_file {
                        self.report_at(
                            &component.pointer,
                            format!("part `{}` cannot be encoded", property.name),
                            "use a scalar, a file, an object without files, or an array of one of these",
                        );
                    }
                }
            }
        }
    }

    fn late_failures_have_a_status(&self, model: &Model, operation: &Operation) {
        let Some(name) = &operation.status_property else { return };
        let property = response_property(model, operation, name);
        if !property.is_some_and(|property| matches!(model.resolved(&property.schema).kind, Kind::Integer(..))) {
            self.report_at(
                &operation.pointer,
                format!("`{name}` is not an integer property of the response"),
                "name the property that holds the status of a failure",
            );
        }
    }

    fn images_are_counted(&self, model: &Model, operation: &Operation) {
        let ImageCount::Property(path) = &operation.images else { return };
        let mut component = operation.body.as_ref().map(|body| body.component.clone());
        let mut counted = false;
        for name in path.split('.') {
            let object = component.as_deref().and_then(|component| model.object(component));
            let property = object.and_then(|object| object.property(name));
            let kind = property.map(|property| &model.resolved(&property.schema).kind);
            counted = matches!(kind, Some(Kind::Integer(..)));
            component = match kind {
                Some(Kind::Component(name)) => Some(name.clone()),
                _ => None,
            };
        }
        if !counted {
            self.report_at(
                &operation.pointer,
                format!("`{path}` is not an integer property of the request"),
                "name the property that holds the number of images",
            );
        }
    }
}

/// Returns a property of the response.
pub(super) fn response_property<'m>(model: &'m Model, operation: &'m Operation, name: &str) -> Option<&'m Property> {
    let Kind::Component(component) = &operation.response.as_ref()?.kind else { return None };
    model.object(component)?.property(name)
}

/// Returns whether the elements of a list or map may be null.
fn holds_null(model: &Model, schema: &Schema) -> bool {
    match &model.resolved(schema).kind {
        Kind::Array(inner, _) | Kind::Map(inner) => {
            inner.nullable || model.resolved(inner).nullable || holds_null(model, inner)
        }
        _ => false,
    }
}

fn alias_targets(shape: &Shape) -> Vec<&str> {
    match shape {
        Shape::Alias(_) => references_of(shape),
        _ => Vec::new(),
    }
}

fn is_component(schema: &Schema, name: &str) -> bool {
    matches!(&schema.kind, Kind::Component(component) if component == name)
}

fn is_scalar(model: &Model, schema: &Schema) -> bool {
    match &model.resolved(schema).kind {
        Kind::Text(_) | Kind::Integer(..) | Kind::Number(..) | Kind::Boolean => true,
        Kind::Component(name) => matches!(model.components[name].shape, Shape::Enum(_)),
        _ => false,
    }
}

/// Returns whether a component contains itself without an array or map in between. progenitor boxes circular objects,
/// but not unions.
fn holds_directly(model: &Model, component: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut pending = vec![component];
    while let Some(name) = pending.pop() {
        let shape = &model.components[name].shape;
        let direct: Vec<&str> = match shape {
            Shape::Union(_) => references_of(shape),
            _ => schemas_of(shape)
                .into_iter()
                .filter_map(|schema| match &model.resolved(schema).kind {
                    Kind::Component(name) => Some(name.as_str()),
                    _ => None,
                })
                .collect(),
        };
        if direct.contains(&component) {
            return true;
        }
        pending.extend(direct.into_iter().filter(|name| seen.insert(*name)));
    }
    false
}
