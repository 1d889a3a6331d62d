//! A request, decoded and checked against the document: the input of a handler.
//!
//! Start at [`Call::read`]. It refuses invalid requests of all operations with 400, 413 or 415.

mod body;
mod multipart;
mod parameters;

use std::{collections::BTreeSet, sync::Mutex};

use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode, header, request};
use serde_json::{Map, Value};

pub(crate) use self::body::BodyStream;
use crate::{
    content::Content,
    document::{Body, FormRules, Location, Operation, Route},
    recorder::Record,
    reply::Reply,
};

/// The maximum size of a JSON body, which is held in memory.
const MAX_JSON_BYTES: u64 = 4 * 1024 * 1024;

/// A valid call of an operation.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) operation: &'static Operation,
    /// The parameters of the path.
    path: Vec<(String, String)>,
    /// The parameters of the query, by name.
    pub(crate) query: Query,
    /// The body as JSON; of a form, with file names in place of files.
    pub(crate) body: Value,
    /// The files of a form, in the order in which they were received.
    pub(crate) files: Vec<ReceivedFile>,
}

/// The parameters of the query, by name. They remember which of them have been read.
#[derive(Debug)]
pub(crate) struct Query {
    values: Map<String, Value>,
    read: Mutex<BTreeSet<String>>,
}

/// A file in a form. Its bytes have been inspected and dropped.
#[derive(Debug)]
pub(crate) struct ReceivedFile {
    /// The name of the part.
    pub(crate) part: String,
    pub(crate) file_name: String,
    pub(crate) size: u64,
    pub(crate) content: Content,
}

impl Call {
    /// Reads and checks a request.
    pub(crate) async fn read(
        operation: &'static Operation,
        route: &Route,
        head: &request::Parts,
        stream: &BodyStream,
        record: &Record,
    ) -> Result<Self, Reply> {
        let path = &route.variables;
        // They are texts, as the house rules require.
        let variables = path.iter().map(|(name, text)| (name.clone(), Value::from(text.as_str()))).collect();
        parameters::check(operation, Location::Path, &variables)?;
        let query = parameters::query(operation, &head.uri)?;
        parameters::check(operation, Location::Query, &query)?;

        let query = Query::new(query);
        let mut call = Self { operation, path: path.clone(), query, body: Value::Null, files: Vec::new() };
        if operation.bodies.is_empty() {
            return Ok(call);
        }
        let body = body_form(operation, &head.headers)?;
        call.body = match &body.form {
            None => {
                let body = read_json(stream).await?;
                refuse_files(operation, &body)?;
                body
            }
            Some(rules) => {
                let (properties, files) = multipart::read(rules, head, stream, record).await?;
                call.files = files;
                properties
            }
        };
        match body.check.violation(&call.body) {
            Some(violation) => Err(Reply::bad_request(&violation)),
            None => Ok(call),
        }
    }

    /// A variable of the path.
    pub(crate) fn variable(&self, name: &str) -> &str {
        let variable = self.path.iter().find(|(variable, _)| variable == name);
        &variable.expect("a handler uses variables of its own path").1
    }

    /// A required text of the body.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.body[name].as_str().expect("a handler uses texts that the document requires")
    }
}

impl Query {
    fn new(values: Map<String, Value>) -> Self {
        Self { values, read: Mutex::default() }
    }

    /// The value of a parameter, if the request has it.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.read.lock().expect("no reader panics").insert(name.to_owned());
        self.values.get(name)
    }

    /// A parameter of the request that nobody has read.
    pub(crate) fn ignored(&self) -> Option<&str> {
        let read = self.read.lock().expect("no reader panics");
        self.values.keys().map(String::as_str).find(|name| !read.contains(*name))
    }
}

async fn read_json(stream: &BodyStream) -> Result<Value, Reply> {
    stream.limit_to(MAX_JSON_BYTES);
    let mut body = Vec::new();
    let mut chunks = stream.clone();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.map_err(|reason| stream.refusal(reason))?);
    }
    serde_json::from_slice(&body).map_err(|error| Reply::bad_request(&format!("the body is not JSON: {error}")))
}

/// Refuses files in JSON. An operation that also takes a form has one schema for both, but JSON cannot carry files.
fn refuse_files(operation: &Operation, body: &Value) -> Result<(), Reply> {
    let mut files = operation.bodies.iter().filter_map(|body| body.form.as_ref()).flat_map(FormRules::files);
    match files.find(|name| body.get(name).is_some()) {
        Some(name) => {
            let detail = format!("JSON cannot carry a file, send multipart/form-data - '{name}'");
            Err(Reply::bad_request(&detail))
        }
        None => Ok(()),
    }
}

/// Returns the body of the media type that `Content-Type` names.
fn body_form<'a>(operation: &'a Operation, headers: &HeaderMap) -> Result<&'a Body, Reply> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let body = operation.bodies.iter().find(|body| body.media_type.eq_ignore_ascii_case(media_type));
    body.ok_or_else(|| {
        let expected: Vec<_> = operation.bodies.iter().map(|body| format!("'{}'", body.media_type)).collect();
        let detail = format!("Invalid Content-type ({content_type}), expected {}", expected.join(" or "));
        Reply::problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, &detail)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_parameter_of_the_query_is_ignored_until_it_is_read() {
        let values = json!({"scope": "own", "status": ["READY"]});
        let query = Query::new(values.as_object().unwrap().clone());

        query.get("status");
        query.get("page");
        assert_eq!(query.ignored(), Some("scope"));
        query.get("scope");
        assert_eq!(query.ignored(), None);
    }
}
