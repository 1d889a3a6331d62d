//! Rules that need the whole document: colliding names, circular references, files in the wrong location.

use std::collections::{BTreeMap, BTreeSet};

use super::Reader;
use crate::{
    model::{
        ImageCount, Kind, Location, MediaType, Model, Operation, PartKind, Property, Schema, Shape, references_of,
        schemas_of, transitive,
    },
    names,
};

/// Types that generated code names without a path, separated by spaces.
const PRELUDE: &str = "Self Default Option Some None Result Ok Err String Vec Box From Into TryFrom TryInto Clone Debug \
                       PartialEq Eq Iterator ToString Client";

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
        let components_with_files = model.components_with_files();
        for name in model.in_responses() {
            if components_with_files.contains(name) {
                let repair = "use `format: byte` for encoded bytes";
                self.report_at(&model.components[name].pointer, "a file inside a response", repair);
            }
        }
    }

    /// Refuses requests that generated code cannot encode: it has no way to write `null` in a list or map.
    fn requests_can_be_written(&self, model: &Model) {
        for name in model.in_requests() {
            let component = &model.components[name];
            let report = |message: String, repair: &str| self.report_at(&component.pointer, message, repair);
            if model.object(name).is_some_and(|object| object.properties.is_empty()) {
                report(format!("`{name}` is part of a request, but has no properties"), "describe its properties");
            }
            if schemas_of(&component.shape).into_iter().any(|schema| holds_null(model, schema)) {
                report(format!("a list or map in `{name}` may hold null"), "remove `nullable` from its items");
            }
        }
    }

    fn aliases_end(&self, model: &Model) {
        for (name, component) in &model.components {
            let targets = |name: &str| match model.components.get(name).map(|component| &component.shape) {
                Some(shape @ Shape::Alias(_)) => references_of(shape),
                _ => Vec::new(),
            };
            if transitive(targets(name), targets).contains(name.as_str()) {
                let message = format!("`{name}` refers to itself without an object in between");
                self.report_at(&component.pointer, message, "make it an object, or remove the circular reference");
            }
        }
    }

    fn component_names(&self, model: &Model) {
        for (name, component) in &model.components {
            let report = |message: String, repair: &str| self.report_at(&component.pointer, message, repair);
            let wanted = names::type_name(name);
            if *name != wanted || !names::is_identifier(name) {
                let repair = if names::is_identifier(&wanted) {
                    format!("call it `{wanted}`")
                } else {
                    "use letters first, then letters and digits".to_owned()
                };
                report(format!("`{name}` is not the name of a type"), &repair);
            }
            if PRELUDE.split(' ').any(|used| used == name) {
                report(format!("`{name}` is a name that generated code uses"), "choose another name");
            }
            if let Shape::Object(object) = &component.shape
                && object.rest.is_some()
                && object.properties.iter().any(|property| names::field_name(&property.name) == "extra")
            {
                let message = "`extra` holds the properties that the document does not name";
                report(message.to_owned(), "remove the schema of `additionalProperties`");
            }
            match &component.shape {
                Shape::Object(object) => {
                    let names = object.properties.iter().map(|property| property.name.as_str());
                    self.distinct(&component.pointer, names.map(|name| (name, names::field_name(name))));
                }
                Shape::Enum(values) => {
                    let values = values.iter().map(|value| (value.as_str(), names::variant_name(name, value)));
                    let unknown = ("any unrecognized value", "Unrecognized".to_owned());
                    self.distinct(&component.pointer, values.chain([unknown]));
                }
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
            let names = operation.parameters.iter().map(|parameter| parameter.name.as_str());
            self.distinct(&operation.pointer, names.map(|name| (name, names::field_name(name))));
            self.operation.replace(None);
        }
    }

    /// Refuses names that are equal in Rust, and names that are not valid in Rust.
    fn distinct<'n>(&self, pointer: &str, names: impl Iterator<Item = (&'n str, String)>) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (name, rust_name) in names {
            if !names::is_identifier(&rust_name) {
                let message = format!("`{name}` is not a valid name in Rust");
                self.report_at(pointer, message, "use letters, digits and underscores");
            } else if let Some(other) = seen.insert(rust_name.clone(), name) {
                let message = format!("`{other}` and `{name}` are both `{rust_name}` in Rust");
                self.report_at(pointer, message, "rename one of them");
            }
        }
    }

    fn unions(&self, model: &Model) {
        let components_with_files = model.components_with_files();
        for (name, component) in &model.components {
            let Shape::Union(union) = &component.shape else { continue };
            let report = |message: String, repair: &str| self.report_at(&component.pointer, message, repair);
            let mut seen = BTreeSet::new();
            for kind in union.kinds.iter().map(|kind| kind.component.as_str()) {
                let Some(object) = model.object(kind) else {
                    let message = format!("`{kind}` is not an object, so it cannot be a kind of `{name}`");
                    report(message, "list components that have `properties`");
                    continue;
                };
                if components_with_files.contains(kind) {
                    report(format!("`{kind}` holds a file"), "files go into parts of their own");
                }
                if object.properties.iter().all(|property| Some(&property.name) == union.discriminator.as_ref()) {
                    report(format!("`{kind}` has no property but the discriminator"), "give it another property");
                }
                if !seen.insert(kind) {
                    report(format!("`{kind}` is in the union twice"), "list it once");
                }
                if let Some(discriminator) = &union.discriminator {
                    if object.property(discriminator).is_none() {
                        let message = format!("`{kind}` has no property `{discriminator}`");
                        report(message, "add the discriminator to every kind");
                    }
                    self.only_inside_union(model, name, kind);
                } else if !object.properties.iter().any(|property| property.required) {
                    let message = format!("no required property distinguishes `{kind}` from the other kinds");
                    report(message, "require a property of its own, or add a discriminator");
                }
            }
            if holds_directly(model, name) {
                let message = format!("`{name}` contains itself without an array in between");
                report(message, "put an array in between, so that its size is finite");
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
            let response = operation.response.as_ref().and_then(|response| response.kind.component());
            let body = operation.body.as_ref().map(|body| body.component.as_str());
            [response, body].contains(&Some(kind))
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
            if model.is_nullable(&parameter.schema) || holds_null(model, &parameter.schema) {
                let message = format!("parameter `{}` may be null", parameter.name);
                self.report_at(&operation.pointer, message, "remove `nullable`; an optional parameter can be omitted");
            }
            let named = matches!(parameter.schema.kind, Kind::Component(_));
            let fits = match (parameter.location, &resolved.kind) {
                (Location::Path, Kind::Text(_)) => named,
                (Location::Path, kind) => !named && matches!(kind, Kind::Integer(..)),
                (Location::Query, Kind::Array(items, _)) => is_scalar(model, items),
                (Location::Query | Location::Header, _) => is_scalar(model, resolved),
            };
            if !fits {
                let repair = match parameter.location {
                    Location::Path => "use an integer, or refer to a named component of type string",
                    Location::Query => "use text, an enum, a number, a boolean, or an array of those",
                    Location::Header => "use text, an enum, a number or a boolean",
                };
                let message = format!("parameter `{}` cannot be sent in its described form", parameter.name);
                self.report_at(&operation.pointer, message, repair);
            }
        }
    }

    fn body_can_be_sent(&self, model: &Model, operation: &Operation) {
        let Some(body) = &operation.body else { return };
        let component = &model.components[&body.component];
        let report = |message: &str, repair: &str| self.report_at(&component.pointer, message, repair);
        let components_with_files = model.components_with_files();
        match (body.media_type, model.object(&body.component)) {
            (MediaType::Json, _) => {
                if !matches!(component.shape, Shape::Object(_) | Shape::Union(_)) {
                    report("a JSON body must be an object or a union", "put the value into a property of an object");
                }
                if components_with_files.contains(body.component.as_str()) {
                    report("a file in a JSON body", "send it as multipart/form-data");
                }
            }
            (MediaType::Multipart, None) => {
                report("a multipart body must be an object", "describe its parts as `properties`");
            }
            (MediaType::Multipart, Some(object)) => {
                if object.rest.is_some() {
                    report("parts without a name", "remove the schema of `additionalProperties`");
                }
                for part in body.part_media_types.keys() {
                    let property = object.property(part);
                    if property.is_none_or(|property| model.part_kind(&property.schema) != PartKind::Json) {
                        self.report_at(
                            &operation.pointer,
                            format!("`encoding` of `{part}`, which is not a JSON part"),
                            "files say their media type themselves, and text needs none",
                        );
                    }
                }
                for property in &object.properties {
                    let item = model.item_or_self(&property.schema);
                    let nested = matches!(item.kind, Kind::Array(..) | Kind::Map(_));
                    let deep_file =
                        matches!(&item.kind, Kind::Component(name) if components_with_files.contains(name.as_str()));
                    if nested || deep_file {
                        let repair = "use a scalar, a file, an object without files, or an array of one of these";
                        report(&format!("part `{}` cannot be encoded", property.name), repair);
                    }
                }
            }
        }
    }

    fn late_failures_have_a_status(&self, model: &Model, operation: &Operation) {
        let Some(name) = &operation.status_property else { return };
        let property = response_property(model, operation, name);
        if !property.is_some_and(|property| is_integer(model, property)) {
            let message = format!("`{name}` is not an integer property of the response");
            let known = response_properties(model, operation).iter().filter(|it| is_integer(model, it));
            let repair = "name the property that holds the status of a failure";
            self.report_name(operation, ("-status", None), name, message, known.map(|it| it.name.as_str()), repair);
        }
    }

    fn images_are_counted(&self, model: &Model, operation: &Operation) {
        let ImageCount::Property(path) = &operation.images else { return };
        let mut component = operation.body.as_ref().map(|body| body.component.as_str());
        let mut kind = None;
        for name in path.split('.') {
            let property = component.and_then(|component| model.object(component)?.property(name));
            kind = property.map(|property| &model.resolved(&property.schema).kind);
            component = kind.and_then(Kind::component);
        }
        if !matches!(kind, Some(Kind::Integer(..))) {
            let message = format!("`{path}` is not an integer property of the request");
            let properties = operation.body.iter().flat_map(|body| model.properties(&body.component));
            let known: Vec<String> = properties.flat_map(|property| integers(model, property)).collect();
            let repair = "name the property that holds the number of images";
            self.report_name(operation, ("-images", None), path, message, known.iter().map(String::as_str), repair);
        }
    }
}

/// Returns the properties of the response.
pub(super) fn response_properties<'m>(model: &'m Model, operation: &'m Operation) -> &'m [Property] {
    let component = operation.response.as_ref().and_then(|response| response.kind.component());
    component.and_then(|component| model.object(component)).map_or(&[], |object| &object.properties)
}

/// Returns a property of the response.
pub(super) fn response_property<'m>(model: &'m Model, operation: &'m Operation, name: &str) -> Option<&'m Property> {
    response_properties(model, operation).iter().find(|property| property.name == name)
}

fn is_integer(model: &Model, property: &Property) -> bool {
    matches!(model.resolved(&property.schema).kind, Kind::Integer(..))
}

/// Returns the path of a property if it is an integer, and those of its integers if it is an object.
fn integers(model: &Model, property: &Property) -> Vec<String> {
    let inner = model.resolved(&property.schema).kind.component().map_or(&[][..], |name| model.properties(name));
    let inner = inner.iter().filter(|inner| is_integer(model, inner));
    let inner = inner.map(|inner| format!("{}.{}", property.name, inner.name));
    is_integer(model, property).then(|| property.name.clone()).into_iter().chain(inner).collect()
}

/// Returns whether the elements of a list or map may be null.
fn holds_null(model: &Model, schema: &Schema) -> bool {
    match &model.resolved(schema).kind {
        Kind::Array(inner, _) | Kind::Map(inner) => model.is_nullable(inner) || holds_null(model, inner),
        _ => false,
    }
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
    let direct = |name: &str| match &model.components[name].shape {
        shape @ Shape::Union(_) => references_of(shape),
        shape => {
            let kinds = schemas_of(shape).into_iter().map(|schema| &model.resolved(schema).kind);
            kinds.filter_map(Kind::component).collect()
        }
    };
    transitive(direct(component), direct).contains(component)
}
