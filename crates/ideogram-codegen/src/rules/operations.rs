//! Reads paths: operations with their extensions, parameters, bodies and responses.

use std::collections::BTreeMap;

use super::{Reader, kind_of};
use crate::{
    document::Node,
    model::{Billing, Body, ImageCount, Location, MediaType, Operation, Parameter, Retry, Schema},
    names,
};

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];
const OPERATION_KEYS: [&str; 11] = [
    "operationId",
    "tags",
    "summary",
    "description",
    "externalDocs",
    "parameters",
    "requestBody",
    "responses",
    "deprecated",
    "servers",
    "security",
];

/// A path without the names of its parameters.
fn route(path: &str) -> String {
    path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment }).collect::<Vec<_>>().join("/")
}

impl<'d> Reader<'d> {
    pub(super) fn operations(&self, root: &Node<'d>) -> Vec<Operation> {
        let Some(paths) = self.required_object(root, "paths") else { return Vec::new() };
        let mut operations = Vec::new();
        let mut routes: BTreeMap<String, &str> = BTreeMap::new();
        for (path, item) in paths.entries() {
            // A server cannot tell them apart.
            if let Some(other) = routes.insert(route(path), path) {
                let problem = format!("`{path}` and `{other}` are one path with other names of parameters");
                self.report(&item, problem, "put their operations under one of the two");
            }
            if !path.starts_with('/') {
                let message = format!("the path `{path}` does not start with a slash");
                self.report(&item, message, format!("write `/{path}`"));
            }
            let known: Vec<&str> = METHODS.into_iter().chain(["parameters", "summary", "description"]).collect();
            self.only_keys(&item, &known);
            for (method, node) in item.entries().filter(|(key, _)| METHODS.contains(key)) {
                let id = node.get("operationId").and_then(|id| id.value.as_str()).unwrap_or_default().to_owned();
                self.operation.replace(Some(id).filter(|id| !id.is_empty()));
                operations.push(self.operation(path, method, &node, &item));
                self.operation.replace(None);
            }
        }
        operations
    }

    fn operation(&self, path: &str, method: &str, node: &Node<'d>, item: &Node<'d>) -> Operation {
        self.only_keys(node, &OPERATION_KEYS);
        let id = self.text(node, "operationId");
        if !id.is_empty() && !names::is_identifier(&names::method_name(&id, method)) {
            self.report(node, format!("`{id}` does not make a method name"), "use letters, digits and underscores");
        }
        if node.get("servers").is_some() {
            self.report(node, "a server for one operation", "move it to `servers` of the document");
        }
        if let Some(security) = node.get("security")
            && security.value.as_array().is_none_or(|schemes| !schemes.is_empty())
        {
            let repair = "write `security: []` if it needs no key, or leave it out";
            self.report(&security, "a security scheme for one operation", repair);
        }
        if let (Some(billing), Some(retry)) = (self.extension(node, "-billing"), self.extension(node, "-retry"))
            && (billing.value == "paid" && retry.value == "safe")
        {
            let repair = "write `unsafe`: a paid call is retried only if it certainly has not run";
            self.report(&retry, "a paid operation that is safe to retry", repair);
        }
        let docs = node.get("externalDocs");
        Operation {
            method_name: names::method_name(&id, method),
            id,
            http_method: method.to_owned(),
            path: path.to_owned(),
            tag: node.get("tags").and_then(|tags| self.texts(&tags).into_iter().next()),
            summary: self.optional_text(node, "summary"),
            description: self.optional_text(node, "description"),
            docs_url: docs.map(|docs| self.text(&docs, "url")),
            deprecated: self.flag(node, "deprecated"),
            needs_key: node.get("security").is_none(),
            billing: self.mark(node, "-billing", [("paid", Billing::Paid), ("free", Billing::Free)], Billing::Paid),
            retry: self.mark(node, "-retry", [("safe", Retry::Safe), ("unsafe", Retry::Unsafe)], Retry::Unsafe),
            images: self.images(node),
            status_property: self.extension(node, "-status").map(|property| {
                if !property.value.is_string() {
                    self.report(&property, "expected the name of a response property", "write `status_code`");
                }
                property.value.as_str().unwrap_or_default().to_owned()
            }),
            job: self.job(node),
            quote: self.quote(node),
            poll: self.poll(node),
            parameters: self.parameters(path, node, item),
            body: node.get("requestBody").and_then(|body| self.body(body)),
            response: self.response(node),
            success: success_status(node),
            statuses: responses(node).into_iter().map(|(status, _)| status.to_owned()).collect(),
            pointer: node.pointer.clone(),
        }
    }

    /// Returns the extension `x-<vendor><suffix>` for any vendor.
    pub(super) fn extension(&self, node: &Node<'d>, suffix: &str) -> Option<Node<'d>> {
        let mut found = node.entries().filter(|(key, _)| key.starts_with("x-") && key.ends_with(suffix));
        let first = found.next().map(|(_, value)| value);
        if let Some((key, value)) = found.next() {
            self.report(&value, format!("`{key}` repeats another extension"), "keep one of them");
        }
        first
    }

    /// Returns the value that an extension names.
    fn mark<T: Copy>(&self, node: &Node<'d>, suffix: &str, values: [(&str, T); 2], default: T) -> T {
        let Some(found) = self.extension(node, suffix) else { return default };
        if let Some((_, value)) = values.iter().find(|(name, _)| found.value == name) {
            return *value;
        }
        let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
        let key = found.pointer.rsplit('/').next().unwrap_or_default();
        let value = found.value.as_str().map_or_else(|| found.value.to_string(), str::to_owned);
        let message = format!("`{value}` is not a value of `{key}`");
        self.report(&found, message, format!("write one of: {}", names.join(", ")));
        default
    }

    fn images(&self, node: &Node<'d>) -> ImageCount {
        let Some(found) = self.extension(node, "-images") else { return ImageCount::Fixed(1) };
        match (found.value.as_u64(), found.value.as_str()) {
            (Some(number), _) => ImageCount::Fixed(number),
            (_, Some(property)) => ImageCount::Property(property.to_owned()),
            _ => {
                let repair = "write 0, 1 or `num_images`";
                self.report(&found, "expected a number or the name of a request property", repair);
                ImageCount::Fixed(1)
            }
        }
    }

    fn parameters(&self, path: &str, node: &Node<'d>, item: &Node<'d>) -> Vec<Parameter> {
        let list = |node: &Node<'d>| node.get("parameters").into_iter().flat_map(|list| list.items());
        let mut parameters: Vec<Parameter> = Vec::new();
        for node in list(node).chain(list(item)) {
            let Some(node) = self.followed(node, "parameters") else { continue };
            let Some(parameter) = self.parameter(&node) else { continue };
            // Parameters of the operation override those of the path.
            if !parameters.iter().any(|other| other.name == parameter.name && other.location == parameter.location) {
                parameters.push(parameter);
            }
        }
        let template = path_names(path);
        for parameter in parameters.iter().filter(|parameter| parameter.location == Location::Path) {
            if !template.contains(&parameter.name.as_str()) {
                let message = format!("path parameter `{}` is not in the path", parameter.name);
                self.report(node, message, format!("put `{{{}}}` into the path", parameter.name));
            }
        }
        for (index, name) in template.iter().enumerate() {
            if template[..index].contains(name) {
                self.report(node, format!("`{{{name}}}` is in the path twice"), "give each segment a name of its own");
            }
            if !parameters.iter().any(|parameter| parameter.location == Location::Path && parameter.name == *name) {
                let message = format!("`{{{name}}}` of the path has no parameter");
                self.report(node, message, "describe it under `parameters` with `in: path`");
            }
        }
        let plain = path.split('/').all(|part| {
            !part.contains(['{', '}'])
                || part.starts_with('{') && part.ends_with('}') && part.matches(['{', '}']).count() == 2
        });
        if !plain || path.contains(['?', '#', '%', ' ']) {
            let message = format!("the path `{path}` has segments that are neither plain nor `{{named}}`");
            self.report(node, message, "give each parameter a whole segment");
        }
        parameters
    }

    fn parameter(&self, node: &Node<'d>) -> Option<Parameter> {
        let keys = ["name", "in", "required", "description", "schema", "style", "explode", "example", "deprecated"];
        self.only_keys(node, &keys);
        let location = match self.text(node, "in").as_str() {
            "path" => Location::Path,
            "query" => Location::Query,
            "header" => Location::Header,
            other => {
                self.report(node, format!("parameters in `{other}` are not supported"), "use path, query or header");
                return None;
            }
        };
        let name = self.text(node, "name");
        let required = self.flag(node, "required");
        if location == Location::Path && !required {
            self.report(node, "a path parameter is always required", "add `required: true`");
        }
        if location == Location::Header && !super::is_header_name(&name) {
            self.report(node, format!("`{name}` is not a header name"), "use letters, digits and `-`");
        }
        let (style, explode) = (self.optional_text(node, "style"), node.get("explode"));
        let expected = if location == Location::Query { "form" } else { "simple" };
        let repeats = explode.is_none_or(|explode| explode.value == (location == Location::Query));
        if (!style.is_empty() && style != expected) || !repeats {
            let repair = format!("use the default: `style: {expected}`, arrays repeated");
            self.report(node, "unsupported style of parameter", repair);
        }
        let Some(schema) = node.get("schema") else {
            self.report(node, "a parameter without `schema`", "add `schema`");
            return None;
        };
        let description = self.optional_text(node, "description");
        self.check_stated_default(node, &schema);
        Some(Parameter { name, location, required, description, schema: self.schema(&schema) })
    }

    fn body(&self, node: Node<'d>) -> Option<Body> {
        let node = self.followed(node, "requestBodies")?;
        self.only_keys(&node, &["description", "required", "content"]);
        if !self.flag(&node, "required") {
            self.report(&node, "an optional body", "add `required: true`; let its properties be optional");
        }
        let content = self.required_object(&node, "content")?;
        let supported = [MediaType::Multipart, MediaType::Json];
        for (media_type, entry) in content.entries() {
            if !supported.iter().any(|supported| supported.as_str() == media_type) {
                let message = format!("bodies of type `{media_type}` are not supported");
                self.report(&entry, message, "use application/json or multipart/form-data");
            }
        }
        // Multipart first: only multipart can carry files.
        let (media_type, entry) = supported.into_iter().find_map(|kind| Some((kind, content.get(kind.as_str())?)))?;
        self.only_keys(&entry, &["schema", "example", "examples", "encoding"]);
        let mut part_media_types = BTreeMap::new();
        for (part, encoding) in entry.get("encoding").into_iter().flat_map(|encoding| encoding.entries()) {
            self.only_keys(&encoding, &["contentType"]);
            let content_type = self.optional_text(&encoding, "contentType");
            if !content_type.is_empty() {
                part_media_types.insert(part.to_owned(), content_type);
            }
        }
        let component = self.named_component(&entry, "a body")?.kind.component()?.to_owned();
        Some(Body { media_type, component, part_media_types })
    }

    /// Reads the schema of a body or response, which must have a name.
    fn named_component(&self, node: &Node<'d>, what: &str) -> Option<Schema> {
        let Some(schema) = node.get("schema") else {
            self.report(node, format!("{what} without `schema`"), "add `schema: {$ref: ...}`");
            return None;
        };
        let read = self.schema(&schema);
        // A reference that leads to no component has been reported.
        if read.kind.component().is_none() && schema.get("$ref").is_none() {
            let message = format!("{what} must be a named component, found {}", kind_of(schema.value));
            self.report(&schema, message, "write `$ref: '#/components/schemas/Name'`");
        }
        Some(read)
    }

    fn response(&self, node: &Node<'d>) -> Option<Schema> {
        let mut successes = Vec::new();
        for (status, response) in responses(node) {
            if !is_status(status) {
                let message = format!("`{status}` is not a status");
                self.report(&response, message, "use a number, `4XX`, `5XX` or `default`");
            }
            let Some(response) = self.followed(response, "responses") else { continue };
            self.only_keys(&response, &["description", "content", "headers"]);
            if is_success(status) {
                successes.push((response.pointer.clone(), self.content(&response)));
            }
        }
        let Some((_, first)) = successes.first() else {
            self.report(node, "no successful response is described", "add one for `200` to `responses`");
            return None;
        };
        let name = |schema: &Option<Schema>| Some(schema.as_ref()?.kind.component()?.to_owned());
        if let Some((pointer, _)) = successes.iter().find(|(_, other)| name(other) != name(first)) {
            let repair = "give every 2xx status the same schema";
            self.report_at(pointer, "successful responses of different shapes", repair);
        }
        first.clone()
    }

    fn content(&self, response: &Node<'d>) -> Option<Schema> {
        let content = response.get("content")?;
        let Some(json) = content.get("application/json") else {
            if let Some((media_type, entry)) = content.entries().next() {
                let message = format!("responses of type `{media_type}` are not supported");
                self.report(&entry, message, "describe an application/json response");
            }
            return None;
        };
        self.only_keys(&json, &["schema", "example", "examples"]);
        self.named_component(&json, "a response")
    }
}

fn responses<'d>(operation: &Node<'d>) -> Vec<(&'d str, Node<'d>)> {
    operation.get("responses").into_iter().flat_map(|responses| responses.entries()).collect()
}

/// Returns the success status for the lowered document.
fn success_status(operation: &Node<'_>) -> String {
    let responses = responses(operation);
    let success = responses.iter().map(|(status, _)| *status).find(|status| is_success(status));
    success.unwrap_or("200").to_uppercase()
}

fn is_status(status: &str) -> bool {
    let is_number = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit());
    match status.split_at_checked(1) {
        Some(("1" | "2" | "3" | "4" | "5", rest)) => {
            rest.len() == 2 && (is_number(rest) || rest.eq_ignore_ascii_case("xx"))
        }
        _ => status == "default",
    }
}

fn is_success(status: &str) -> bool {
    status.starts_with('2')
}

/// Returns the names in braces of a path template.
fn path_names(path: &str) -> Vec<&str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect()
}
