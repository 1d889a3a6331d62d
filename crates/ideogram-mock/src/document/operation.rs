//! One operation: its path, its parameters and bodies, its response.

use http::Method;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    form::FormRules,
    schema::{Check, Scalar, Schemas},
};
use crate::size::Size;

/// The property of some bodies that holds all others but the files.
pub(crate) const WRAPPER: &str = "image_request";

/// One operation of the document.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// With variables in braces.
    pub(crate) path: String,
    /// False for `security: []`.
    pub(crate) needs_key: bool,
    /// Whether a successful call is billed.
    pub(crate) is_paid: bool,
    /// How many images a call creates.
    pub(crate) images: ImageCount,
    /// How a call runs as a job, if it can.
    pub(crate) job: Option<Job>,
    /// The query parameter that asks for the price of a call.
    pub(crate) quote: Option<String>,
    /// The sizes that an image may have, from the enum of the response's or else of the request's `resolution`; empty
    /// when every size is possible.
    pub(crate) sizes: Vec<Size>,
    /// Whether a request may have a property `aspect_ratio`.
    pub(crate) takes_ratio: bool,
    pub(crate) parameters: Vec<Parameter>,
    /// One for each media type; none when the operation takes no body.
    pub(crate) bodies: Vec<Body>,
    /// The check of a response with status 200.
    pub(crate) response: Check,
    /// The document's example of that response.
    pub(crate) example: Value,
}

/// How many images a call creates.
#[derive(Debug)]
pub(crate) enum ImageCount {
    Fixed(u32),
    /// The value of a property of the request, or 1; a JSON pointer.
    Property(String),
}

/// How a call runs as a job: its response has an id, and its images come later.
#[derive(Debug, Deserialize)]
pub(crate) struct Job {
    /// The boolean property of a request that makes its call a job; without it, every call is a job.
    property: Option<String>,
    /// The property with the address of a webhook, which makes a call a job, too.
    webhook: Option<String>,
}

/// How the response that tells the state of a job names it.
#[derive(Debug, Deserialize)]
pub(crate) struct Poll {
    /// The property with the status.
    pub(crate) status: String,
    /// The status of a job that has its images.
    pub(crate) completed: String,
    /// The status of a job without images.
    pub(crate) failed: String,
    /// The property with the reason of a failure.
    pub(crate) reason: String,
}

/// A parameter in path or query.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) location: Location,
    pub(crate) required: bool,
    /// How one value is written.
    pub(crate) scalar: Scalar,
    /// Whether the name may be repeated.
    pub(crate) repeated: bool,
    pub(crate) check: Check,
}

/// The location of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Location {
    Path,
    Query,
}

/// The body of an operation in one media type.
#[derive(Debug)]
pub(crate) struct Body {
    /// As in the document, without parameters: `application/json`.
    pub(crate) media_type: String,
    pub(crate) check: Check,
    /// How the parts are read, when the body is a form.
    pub(crate) form: Option<FormRules>,
}

impl Operation {
    pub(super) fn read(path: &str, method: &str, operation: &Value, schemas: &Schemas) -> Result<Self, String> {
        let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).map_err(|error| error.to_string())?;
        let id = operation["operationId"].as_str().ok_or("no `operationId`")?;
        let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
        let content = &operation["responses"]["200"]["content"]["application/json"];
        let response = &content["schema"];
        if response.is_null() {
            return Err("no schema for a response with 200".to_owned());
        }
        let options = bodies.clone().next().map(|(_, body)| options(&body["schema"], schemas)).unwrap_or_default();
        let image = schemas.resolve(&schemas.resolve(&schemas.resolve(response)["properties"]["data"])["items"]);
        let sizes =
            [&image["properties"]["resolution"], &options["resolution"]].map(|property| sizes(property, schemas));
        Ok(Self {
            id: id.to_owned(),
            method,
            path: path.to_owned(),
            needs_key: operation["security"].is_null(),
            // Without the extension a call counts as billed: that is the safer assumption.
            is_paid: operation["x-ideogram-billing"] != "free",
            images: ImageCount::read(&operation["x-ideogram-images"]),
            job: extension(operation, "x-ideogram-job")?,
            quote: operation["x-ideogram-quote"]["parameter"].as_str().map(str::to_owned),
            sizes: sizes.into_iter().find(|sizes| !sizes.is_empty()).unwrap_or_default(),
            takes_ratio: options["aspect_ratio"].is_object(),
            parameters: parameters
                .iter()
                .map(|parameter| Parameter::read(parameter, schemas))
                .collect::<Result<_, _>>()?,
            bodies: bodies.map(|(media_type, body)| Body::read(media_type, body, schemas)).collect::<Result<_, _>>()?,
            response: schemas.response(response),
            example: content["example"].clone(),
        })
    }

    /// Returns names and decoded values of the variables, if `path` (percent-encoded) matches.
    ///
    /// The path is split before it is decoded, so a value may contain an encoded slash; an empty value does not match.
    pub(super) fn variables(&self, path: &str) -> Option<Vec<(String, String)>> {
        if path.split('/').count() != self.path.split('/').count() {
            return None;
        }
        let mut variables = Vec::new();
        for (segment, value) in self.path.split('/').zip(path.split('/')) {
            let value = percent_decode_str(value).decode_utf8_lossy();
            match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if !value.is_empty() => variables.push((name.to_owned(), value.into_owned())),
                None if segment == value => {}
                _ => return None,
            }
        }
        Some(variables)
    }

    /// Compiles every schema now rather than with its first use.
    #[cfg(test)]
    pub(super) fn compile(&self) {
        let parameters = self.parameters.iter().map(|parameter| &parameter.check);
        let bodies = self.bodies.iter().map(|body| &body.check);
        for check in parameters.chain(bodies).chain([&self.response]) {
            let _ = check.violation(&Value::Null);
        }
    }
}

impl Job {
    /// Returns whether a call with this body is a job.
    pub(crate) fn is_for(&self, body: &Value) -> bool {
        self.property.as_ref().is_none_or(|name| body[name] == true) || self.webhook(body).is_some()
    }

    /// Returns the address of the webhook in a body.
    pub(crate) fn webhook<'b>(&self, body: &'b Value) -> Option<&'b str> {
        body[self.webhook.as_ref()?].as_str()
    }
}

/// Returns an extension of an operation that is an object.
pub(super) fn extension<T: DeserializeOwned>(operation: &Value, name: &str) -> Result<Option<T>, String> {
    Option::deserialize(&operation[name]).map_err(|error| format!("`{name}`: {error}"))
}

impl ImageCount {
    fn read(extension: &Value) -> Self {
        match (extension.as_u64().map(u32::try_from), extension.as_str()) {
            (Some(Ok(count)), _) => Self::Fixed(count),
            (_, Some(property)) => Self::Property(format!("/{}", property.replace('.', "/"))),
            // The house rules assume one image without the extension.
            _ => Self::Fixed(1),
        }
    }

    /// Returns how many images a call with this body creates.
    pub(crate) fn count(&self, body: &Value) -> u32 {
        match self {
            Self::Fixed(count) => *count,
            Self::Property(pointer) => {
                body.pointer(pointer).and_then(Value::as_u64).and_then(|count| count.try_into().ok()).unwrap_or(1)
            }
        }
    }
}

/// Returns the properties of a body, or of the object that it wraps.
fn options(body: &Value, schemas: &Schemas) -> Value {
    let properties = &schemas.resolve(body)["properties"];
    match &properties[WRAPPER] {
        Value::Null => properties.clone(),
        wrapped => schemas.resolve(wrapped)["properties"].clone(),
    }
}

/// Returns the sizes that an enum lists.
fn sizes(property: &Value, schemas: &Schemas) -> Vec<Size> {
    let values = schemas.resolve(property)["enum"].as_array().into_iter().flatten();
    values.filter_map(|value| Size::read(value.as_str()?)).collect()
}

impl Parameter {
    fn read(parameter: &Value, schemas: &Schemas) -> Result<Self, String> {
        let name = parameter["name"].as_str().ok_or("a parameter without a name")?;
        let location = match parameter["in"].as_str() {
            Some("path") => Location::Path,
            Some("query") => Location::Query,
            _ => return Err(format!("`{name}` is neither in the path nor in the query")),
        };
        let schema = &parameter["schema"];
        let items = &schemas.resolve(schema)["items"];
        Ok(Self {
            name: name.to_owned(),
            location,
            required: parameter["required"] == true,
            scalar: Scalar::of(schemas.resolve(if items.is_null() { schema } else { items })),
            repeated: !items.is_null(),
            check: schemas.request(schema),
        })
    }
}

impl Body {
    fn read(media_type: &str, body: &Value, schemas: &Schemas) -> Result<Self, String> {
        let schema = &body["schema"];
        let form = match media_type {
            "application/json" => None,
            "multipart/form-data" => Some(FormRules::read(schema, &body["encoding"], schemas)),
            _ => return Err(format!("a body of type `{media_type}`, which the mock cannot read")),
        };
        Ok(Self { media_type: media_type.to_owned(), check: schemas.request(schema), form })
    }
}
