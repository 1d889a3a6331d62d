//! One operation: its address, what it takes, what it answers.

use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{
    form::FormRules,
    schema::{Check, Scalar, Schemas},
};
use crate::size::Size;

/// The member of some bodies that holds all others but the files.
pub(crate) const WRAPPER: &str = "image_request";

/// One operation of the document.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: PathTemplate,
    /// Whether a call that succeeds is billed.
    pub(crate) is_paid: bool,
    /// How many images a call makes.
    pub(crate) images: ImageCount,
    /// The sizes that an image may have, from the enum of the response's or else of the request's `resolution`; empty
    /// when every size is possible.
    pub(crate) sizes: Vec<Size>,
    /// Whether a request may have a member `aspect_ratio`.
    pub(crate) takes_ratio: bool,
    pub(crate) parameters: Vec<Parameter>,
    /// One for each media type; none when the operation takes no body.
    pub(crate) bodies: Vec<Body>,
    /// What a response with status 200 must look like.
    pub(crate) response: Check,
}

/// How many images a call makes.
#[derive(Debug)]
pub(crate) enum ImageCount {
    Fixed(u32),
    /// As many as a member of the request says, or 1; by JSON pointer.
    Property(String),
}

/// A path with variables in braces.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PathTemplate(Vec<Segment>);

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Variable(String),
}

/// A parameter in path or query.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) required: bool,
    /// How one value is written.
    pub(crate) scalar: Scalar,
    /// Whether the name may come several times.
    pub(crate) repeated: bool,
    pub(crate) check: Check,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
}

/// A form in which an operation takes its body.
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
        let response = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        if response.is_null() {
            return Err("no schema for a response with 200".to_owned());
        }
        let options = bodies.clone().next().map(|(_, body)| options(&body["schema"], schemas)).unwrap_or_default();
        let image = schemas.resolve(&schemas.resolve(&schemas.resolve(response)["properties"]["data"])["items"]);
        let sizes = [&image["properties"]["resolution"], &options["resolution"]].map(|member| sizes(member, schemas));
        Ok(Self {
            id: id.to_owned(),
            method,
            path: PathTemplate::read(path),
            // Without a mark a call counts as billed: that is the safer mistake.
            is_paid: operation["x-ideogram-billing"] != "free",
            images: ImageCount::read(&operation["x-ideogram-images"]),
            sizes: sizes.into_iter().find(|sizes| !sizes.is_empty()).unwrap_or_default(),
            takes_ratio: options["aspect_ratio"].is_object(),
            parameters: parameters
                .iter()
                .map(|parameter| Parameter::read(parameter, schemas))
                .collect::<Result<_, _>>()?,
            bodies: bodies.map(|(media_type, body)| Body::read(media_type, body, schemas)).collect::<Result<_, _>>()?,
            response: schemas.response(response),
        })
    }

    /// Compiles every schema now rather than with its first use.
    #[cfg(test)]
    pub(super) fn compile(&self) {
        let parameters = self.parameters.iter().map(|parameter| &parameter.check);
        let bodies = self.bodies.iter().map(|body| &body.check);
        for check in parameters.chain(bodies).chain([&self.response]) {
            let _ = check.complaint(&Value::Null);
        }
    }
}

impl ImageCount {
    fn read(mark: &Value) -> Self {
        match (mark.as_u64().map(u32::try_from), mark.as_str()) {
            (Some(Ok(count)), _) => Self::Fixed(count),
            (_, Some(member)) => Self::Property(format!("/{}", member.replace('.', "/"))),
            // What the house rules assume of an operation without a mark.
            _ => Self::Fixed(1),
        }
    }

    /// How many images a call with this body makes.
    pub(crate) fn count(&self, body: &Value) -> u32 {
        match self {
            Self::Fixed(count) => *count,
            Self::Property(pointer) => {
                body.pointer(pointer).and_then(Value::as_u64).and_then(|count| count.try_into().ok()).unwrap_or(1)
            }
        }
    }
}

/// The members of a body that say what to make: its own, or those of the one object that wraps them.
fn options(body: &Value, schemas: &Schemas) -> Value {
    let members = &schemas.resolve(body)["properties"];
    match &members[WRAPPER] {
        Value::Null => members.clone(),
        wrapped => schemas.resolve(wrapped)["properties"].clone(),
    }
}

/// The sizes that an enum lists.
fn sizes(member: &Value, schemas: &Schemas) -> Vec<Size> {
    let values = schemas.resolve(member)["enum"].as_array().into_iter().flatten();
    values.filter_map(|value| Size::read(value.as_str()?)).collect()
}

impl PathTemplate {
    fn read(path: &str) -> Self {
        let segment = |text: &str| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => Segment::Variable(name.to_owned()),
            None => Segment::Literal(text.to_owned()),
        };
        Self(path.split('/').map(segment).collect())
    }

    /// Names and decoded values of the variables, if `path` (percent-encoded) fits.
    ///
    /// The path is split before it is decoded, so that no value can move a border; an empty value fits nothing.
    pub(super) fn variables(&self, path: &str) -> Option<Vec<(String, String)>> {
        let given: Vec<_> = path.split('/').collect();
        if given.len() != self.0.len() {
            return None;
        }
        let mut variables = Vec::new();
        for (segment, given) in self.0.iter().zip(given) {
            let given = percent_decode_str(given).decode_utf8_lossy();
            match segment {
                Segment::Literal(text) if *text == given => {}
                Segment::Variable(name) if !given.is_empty() => variables.push((name.clone(), given.into_owned())),
                Segment::Literal(_) | Segment::Variable(_) => return None,
            }
        }
        Some(variables)
    }
}

impl Parameter {
    fn read(parameter: &Value, schemas: &Schemas) -> Result<Self, String> {
        let name = parameter["name"].as_str().ok_or("a parameter without a name")?;
        let place = match parameter["in"].as_str() {
            Some("path") => Place::Path,
            Some("query") => Place::Query,
            _ => return Err(format!("`{name}` is neither in the path nor in the query")),
        };
        let schema = &parameter["schema"];
        let items = &schemas.resolve(schema)["items"];
        Ok(Self {
            name: name.to_owned(),
            place,
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
