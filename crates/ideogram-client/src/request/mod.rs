//! A request as data: everything that is sent, except the key.
//!
//! `prepare()` of every builder returns it. Since it is data and not a stream, it can be printed without being sent, and
//! every attempt can build its body again.

mod part;
mod summary;

use std::{
    fmt::{self, Display},
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use serde::Serialize;
use serde_json::Value;

pub(crate) use self::part::{Multipart, Parts};
pub use self::{
    part::{Part, PartContent},
    summary::{BodySummary, ContentSummary, PartSummary, RequestSummary},
};
pub use crate::values::file::FileInfo;
use crate::{
    Error, File, Validation,
    call::retry::may_run_twice,
    operation::{Billing, ImageCount, Input, Job, Location, Operation},
    schema::Schema,
    validate::{Checker, Source},
};

/// Characters of a path segment that are not encoded: the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request that has not been sent.
#[derive(Clone, Debug)]
pub struct Request {
    operation: &'static Operation,
    /// The address of the service, with the query. Shared by the requests of a client: there may be many.
    url: Arc<Url>,
    path: String,
    headers: HeaderMap,
    body: Body,
    /// The values of parameters before encoding, for checks.
    parameters: Vec<(String, String)>,
    validation: Validation,
    mode: Mode,
}

/// What the service does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It responds with the result.
    Call,
    /// It responds with the id of a job.
    Job,
    /// It responds with the price, and does nothing else.
    Quote,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Empty,
    Json(Bytes),
    Multipart(Vec<Part>),
}

impl Request {
    pub(crate) fn new(operation: &'static Operation, base_url: Arc<Url>, validation: Validation) -> Self {
        Self {
            operation,
            url: base_url,
            path: operation.path.to_owned(),
            headers: HeaderMap::new(),
            body: Body::Empty,
            parameters: Vec::new(),
            validation,
            mode: Mode::Call,
        }
    }

    /// The operation.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The HTTP method.
    pub fn method(&self) -> Method {
        // Generated from the document's own list of methods.
        Method::from_bytes(self.operation.method.as_bytes()).expect("operations have a valid method")
    }

    /// The address, with its parameters.
    pub fn url(&self) -> Url {
        let mut url = Url::clone(&self.url);
        let path = format!("{}{}", url.path().trim_end_matches('/'), self.path);
        url.set_path(&path);
        url
    }

    /// The headers of the call. The key and the headers of every request are added when it is sent.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The JSON body, if there is one.
    pub fn json_body(&self) -> Option<&Bytes> {
        match &self.body {
            Body::Json(json) => Some(json),
            _ => None,
        }
    }

    /// The parts of a multipart body, in order; empty for other bodies.
    pub fn parts(&self) -> &[Part] {
        match &self.body {
            Body::Multipart(parts) => parts,
            _ => &[],
        }
    }

    /// The id in the path of a request that polls, which has no other parameter.
    pub(crate) fn id_in_path(&self) -> &str {
        self.parameters.first().map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The number of images that the call makes, according to the document: it takes this many permits for images in
    /// flight. A quote makes none.
    pub fn images(&self) -> u32 {
        if self.mode == Mode::Quote {
            return 0;
        }
        let number = match self.operation.images {
            ImageCount::Fixed(number) => Some(number),
            ImageCount::Property(property) => self.body.number(property),
        };
        // Without a valid number, one image: the service refuses the call, or uses its default.
        number.map_or(1, |number| u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// Whether a successful call is billed. A quote is free.
    pub fn billing(&self) -> Billing {
        if self.mode == Mode::Quote { Billing::Free } else { self.operation.billing }
    }

    pub(crate) fn may_run_twice(&self) -> bool {
        self.mode == Mode::Quote || may_run_twice(self.operation)
    }

    /// Returns the request that `submit()` sends: the response has the id of a job.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the operation does not run as a job, or the
    /// request is that of a quote.
    pub fn into_job(mut self) -> Result<Self, Error> {
        if self.mode == Mode::Job {
            return Ok(self);
        }
        let Some(job) = &self.operation.job else {
            return Err(self.refused("this operation does not run as a job; use `send()`"));
        };
        if self.mode == Mode::Quote {
            return Err(self.refused("this request is for a price quote, and does not run as a job"));
        }
        if let Some(property) = job.property {
            self.body = self.body.with_true(property);
        }
        self.mode = Mode::Job;
        Ok(self)
    }

    /// Returns the request that `quote()` sends: the response has the price, and nothing is made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the operation has no quotes, or the request is
    /// that of a job.
    pub fn into_quote(mut self) -> Result<Self, Error> {
        if self.mode == Mode::Quote {
            return Ok(self);
        }
        let Some(quote) = &self.operation.quote else {
            return Err(self.refused("this operation has no price quotes"));
        };
        if self.mode == Mode::Job {
            return Err(self.refused("this request is for a job: take the quote of the request before `into_job`"));
        }
        Arc::make_mut(&mut self.url).query_pairs_mut().append_pair(quote.parameter, "true");
        self.mode = Mode::Quote;
        Ok(self)
    }

    /// Refuses a call whose response would not have its result.
    pub(crate) fn check_mode(&self) -> Result<(), Error> {
        if let Some(Job { property: Some(_), webhook: Some(webhook), .. }) = &self.operation.job
            && self.mode == Mode::Call
            && self.body.has(webhook)
        {
            let reason = format!("with `{webhook}`, the response has only the id of a job: use `submit()`");
            return Err(self.refused(&reason));
        }
        Ok(())
    }

    fn refused(&self, reason: &str) -> Error {
        Error::invalid_argument(reason.to_owned()).in_operation(self.operation)
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// Replaces the files of the request.
    ///
    /// # Errors
    ///
    /// The first error of `file`.
    pub fn try_map_files<E>(mut self, mut file: impl FnMut(&File) -> Result<File, E>) -> Result<Self, E> {
        if let Body::Multipart(parts) = &mut self.body {
            for part in parts {
                if let PartContent::File(content) = &mut part.content {
                    *content = file(content)?;
                }
            }
        }
        Ok(self)
    }

    pub(crate) fn body(&self) -> &Body {
        &self.body
    }

    pub(crate) fn base_url(&self) -> &Url {
        &self.url
    }

    /// Whether the body can be sent more than once.
    pub(crate) fn is_reusable(&self) -> bool {
        self.parts().iter().all(|part| match &part.content {
            PartContent::File(file) => file.is_reusable(),
            _ => true,
        })
    }

    /// Inspects the files of a multipart body, with one entry for each part.
    pub(crate) async fn inspect_files(&self) -> Result<Vec<Option<FileInfo>>, Error> {
        let mut infos = Vec::with_capacity(self.parts().len());
        for part in self.parts() {
            infos.push(match &part.content {
                PartContent::File(file) => {
                    let info = file.inspect().await;
                    Some(info.map_err(|error| part.unreadable(&error).in_operation(self.operation))?)
                }
                _ => None,
            });
        }
        Ok(infos)
    }

    pub(crate) fn path(&mut self, name: &str, value: &impl Display) {
        let value = value.to_string();
        let encoded = utf8_percent_encode(&value, SEGMENT).to_string();
        self.path = self.path.replacen(&format!("{{{name}}}"), &encoded, 1);
        self.parameters.push((name.to_owned(), value));
    }

    pub(crate) fn query(&mut self, name: &str, value: &impl Display) {
        let value = value.to_string();
        Arc::make_mut(&mut self.url).query_pairs_mut().append_pair(name, &value);
        self.parameters.push((name.to_owned(), value));
    }

    pub(crate) fn header(&mut self, name: &'static str, value: &impl Display) -> Result<(), Error> {
        let text = value.to_string();
        let value =
            HeaderValue::from_str(&text).map_err(|_| self.refused(&format!("`{name}` is not valid in a header")))?;
        self.headers.insert(HeaderName::from_bytes(name.as_bytes()).expect("the rules check header names"), value);
        self.parameters.push((name.to_owned(), text));
        Ok(())
    }

    pub(crate) fn json<T: Serialize>(&mut self, body: &T) -> Result<(), Error> {
        let json = serde_json::to_vec(body)
            .map_err(|error| self.refused("the request body cannot be written as JSON").with_source(error))?;
        self.set_body(Body::Json(Bytes::from(json)));
        Ok(())
    }

    pub(crate) fn set_body(&mut self, body: Body) {
        if matches!(body, Body::Json(_)) {
            self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        self.body = body;
    }

    pub(crate) fn multipart<T: Multipart>(&mut self, body: &T) -> Result<(), Error> {
        let mut parts = Parts::default();
        body.encode(&mut parts).map_err(|error| error.in_operation(self.operation))?;
        self.body = Body::Multipart(parts.parts);
        Ok(())
    }

    /// Replaces the validation, if there is another one.
    pub(crate) fn validated_by(mut self, validation: Option<Validation>) -> Self {
        self.validation = validation.unwrap_or(self.validation);
        self
    }

    /// Returns the request if the document forbids none of its values, apart from these properties.
    pub(crate) fn checked(self, source: Source, unchecked: &[String]) -> Result<Self, Error> {
        let mut checker = Checker::new(source);
        self.check(&mut checker);
        let result = self.validation.filter(checker.finish());
        match result.or_else(|violations| violations.except(unchecked)) {
            Ok(()) => Ok(self),
            Err(violations) => Err(self.refused(&violations.to_string()).with_source(violations)),
        }
    }

    fn check(&self, checker: &mut Checker) {
        for input in self.operation.inputs.iter().filter(|input| input.location != Location::Body) {
            let values = self.parameters.iter().filter(|(name, _)| name == input.name);
            let contents: Vec<_> = values.map(|(_, text)| PartContent::Text(text.clone())).collect();
            checker.enter(input.name, |checker| check_parts(checker, input, contents.iter()));
        }
        let Some(object) = self.operation.body else { return };
        match &self.body {
            Body::Empty => {}
            Body::Json(json) => match serde_json::from_slice(json) {
                Ok(body) => checker.value(&body, &Schema::Object(object)),
                Err(error) => checker.report(format!("is not valid JSON: {error}")),
            },
            Body::Multipart(parts) => {
                for input in self.operation.inputs.iter().filter(|input| input.location == Location::Body) {
                    let contents = parts.iter().filter(|part| part.name == input.name).map(|part| &part.content);
                    checker.enter(input.name, |checker| check_parts(checker, input, contents));
                }
                checker.rules(object, |name| parts.iter().any(|part| part.name == name));
            }
        }
    }
}

impl Body {
    fn with_true(self, property: &'static str) -> Self {
        match self {
            Self::Empty => Self::Empty,
            // The rest stays as it was written, byte for byte.
            Self::Json(json) => {
                let text = String::from_utf8_lossy(&json);
                let object = text.trim_end().strip_suffix('}').unwrap_or(&text);
                let comma = if object.trim_end().ends_with('{') { "" } else { "," };
                Self::Json(Bytes::from(format!("{object}{comma}{}:true}}", Value::from(property))))
            }
            Self::Multipart(mut parts) => {
                parts.push(Part { name: property.into(), content: PartContent::Text("true".to_owned()) });
                Self::Multipart(parts)
            }
        }
    }

    fn has(&self, property: &str) -> bool {
        match self {
            Self::Empty => false,
            Self::Json(json) => serde_json::from_slice::<Value>(json).is_ok_and(|body| !body[property].is_null()),
            Self::Multipart(parts) => parts.iter().any(|part| part.name == property),
        }
    }

    /// Returns the whole number in a property; dots lead into objects.
    fn number(&self, property: &str) -> Option<u64> {
        let (first, inner) = property.split_once('.').map_or((property, None), |(first, inner)| (first, Some(inner)));
        let value: Value = match self {
            Self::Empty => return None,
            Self::Json(json) => serde_json::from_slice::<Value>(json).ok()?.get(first)?.clone(),
            Self::Multipart(parts) => match &parts.iter().find(|part| part.name == first)?.content {
                PartContent::Text(text) | PartContent::Json { text, .. } => serde_json::from_str(text).ok()?,
                PartContent::File(_) => return None,
            },
        };
        inner.map_or(Some(&value), |inner| value.pointer(&format!("/{}", inner.replace('.', "/"))))?.as_u64()
    }
}

/// Checks the values of an input; an absent input has none.
fn check_parts<'p>(checker: &mut Checker, input: &Input, contents: impl Iterator<Item = &'p PartContent>) {
    let contents: Vec<_> = contents.collect();
    let check = |checker: &mut Checker, content: &PartContent, schema: &Schema| match content {
        PartContent::File(_) => {}
        PartContent::Text(text) => checker.text(text, schema),
        PartContent::Json { text, .. } => match serde_json::from_str(text) {
            Ok(value) => checker.value(&value, schema),
            Err(error) => checker.report(format!("is not valid JSON: {error}")),
        },
    };
    match input.schema {
        Schema::Array { items, min_items, max_items } if input.is_repeated() => {
            if input.required || !contents.is_empty() {
                checker.size(contents.len() as u64, *min_items, *max_items, "element");
            }
            for (index, content) in contents.into_iter().enumerate() {
                checker.enter(&index.to_string(), |checker| check(checker, content, items));
            }
        }
        schema => contents.into_iter().for_each(|content| check(checker, content, schema)),
    }
}

impl Display for Request {
    /// Writes method, address and body, without the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method(), self.url())?;
        match &self.body {
            Body::Empty => Ok(()),
            Body::Json(json) => write!(formatter, "\n{}", String::from_utf8_lossy(json)),
            Body::Multipart(parts) => parts.iter().try_for_each(|part| write!(formatter, "\n{part}")),
        }
    }
}
