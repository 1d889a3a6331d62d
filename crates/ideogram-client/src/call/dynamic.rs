//! Calls of any operation by its id, with fields as text: for commands and scripts.
//!
//! Start at [`Client::call`]. The operation's constant ([`crate::operations`]) describes its inputs, its billing, its
//! retry safety and its number of images, so these calls behave like typed ones.

use std::fmt::Display;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::call;
use crate::{
    CallBuilder, Client, Error, File, Response, Validation,
    generated::operations,
    operation::{Input, InputKind, Location, Operation},
    request::{Body, Part, PartContent, Request},
    validate::Source,
    values::path_value::check_path_value,
};

/// The media type of a part that holds JSON.
const JSON: &str = "application/json";

/// A call of an operation that is named by its id.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until `send()` is called"]
pub struct DynamicCall<'c> {
    client: &'c Client,
    operation: &'static Operation,
    fields: Vec<(String, Field)>,
    json: Option<Value>,
    /// Properties that the document does not know, as JSON.
    unchecked: Vec<(String, Result<String, String>)>,
    validation: Option<Validation>,
}

#[derive(Clone, Debug)]
enum Field {
    Text(String),
    File(File),
}

impl Client {
    /// Returns a call of the operation with this id, such as `get_dataset` or `post_generate_image_v3`.
    ///
    /// ```no_run
    /// # async fn example(client: &ideogram_client::Client) -> Result<(), ideogram_client::Error> {
    /// let response = client.call("get_dataset")?.field("dataset_id", "abc").send().await?;
    /// println!("{}", response["file_count"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if there is no such operation.
    pub fn call(&self, operation_id: &str) -> Result<DynamicCall<'_>, Error> {
        let operation = operations::ALL.iter().find(|operation| operation.id == operation_id);
        let operation = operation.ok_or_else(|| {
            let ids: Vec<&str> = operations::ALL.iter().map(|operation| operation.id).collect();
            Error::invalid_argument(format!("there is no operation `{operation_id}`; use one of: {}", ids.join(", ")))
        })?;
        Ok(DynamicCall {
            client: self,
            operation,
            fields: Vec::new(),
            json: None,
            unchecked: Vec::new(),
            validation: None,
        })
    }
}

impl DynamicCall<'_> {
    /// Sets a parameter or a property of the body, as text: a number in digits, `true` or `false`, an object as JSON.
    /// Call it several times for a property that is a list.
    pub fn field(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.fields.push((name.into(), Field::Text(value.to_string())));
        self
    }

    /// Adds a file.
    pub fn file(mut self, name: impl Into<String>, file: impl Into<File>) -> Self {
        self.fields.push((name.into(), Field::File(file.into())));
        self
    }

    /// Sets the whole body, a JSON object; fields are added to it. In a multipart body, each property becomes a part.
    pub fn json(mut self, body: Value) -> Self {
        self.json = Some(body);
        self
    }

    /// Adds a property of the body that the document does not know, without a check.
    ///
    /// In a multipart body, text, numbers and booleans are sent as text, and everything else as JSON.
    ///
    /// ```no_run
    /// # async fn example(client: &ideogram_client::Client) -> Result<(), ideogram_client::Error> {
    /// let call = client.call("post_generate_image_v3")?.field("prompt", "a lantern").unchecked_field("lens", &"85mm");
    /// # call.send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn unchecked_field(mut self, name: impl Into<String>, value: &(impl Serialize + ?Sized)) -> Self {
        let json = serde_json::to_string(value).map_err(|error| error.to_string());
        self.unchecked.push((name.into(), json));
        self
    }

    /// Replaces the [`Validation`] of the client: with [`Validation::Off`], the service decides about values that the
    /// document forbids.
    pub fn validation(mut self, validation: Validation) -> Self {
        self.validation = Some(validation);
        self
    }

    /// Builds the request without sending it.
    ///
    /// Names, types, bounds, allowed values and exclusions are checked against the document, with the messages of the
    /// typed builders, unless [`DynamicCall::validation`] excepts them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if something is missing, unknown or malformed.
    pub fn prepare(self) -> Result<Request, Error> {
        let operation = self.operation;
        let unchecked: Vec<String> = self.unchecked.iter().map(|(name, _)| name.clone()).collect();
        let validation = self.validation.clone();
        let request = self.fill().map_err(|reason| Error::invalid_argument(reason).in_operation(operation))?;
        request.validated_by(validation).checked(Source::Data, &unchecked)
    }

    /// Sends the call, and returns status, headers and raw body with the decoded response.
    pub async fn response(self) -> Result<Response<Value>, Error> {
        let client = self.client;
        call(client, self.prepare()?).await
    }

    /// Sends the call and returns the decoded response.
    pub async fn send(self) -> Result<Value, Error> {
        Ok(self.response().await?.into_value())
    }

    /// Like `response()`, for programs without `async`: the thread waits.
    #[cfg(feature = "blocking")]
    pub fn response_blocking(self) -> Result<Response<Value>, Error> {
        let client = self.client;
        super::call_blocking(client, self.prepare()?)
    }

    /// Like `send()`, for programs without `async`: the thread waits.
    #[cfg(feature = "blocking")]
    pub fn send_blocking(self) -> Result<Value, Error> {
        Ok(self.response_blocking()?.into_value())
    }

    fn fill(self) -> Result<Request, String> {
        let Self { client, operation, fields, json, unchecked, validation: _ } = self;
        let unknown = fields.iter().find(|(name, _)| operation.inputs.iter().all(|input| input.name != name));
        if let Some((name, _)) = unknown {
            return Err(no_input(operation, name));
        }
        let mut properties = match json {
            None => Map::new(),
            Some(_) if operation.media_type.is_empty() => return Err("this operation has no body".to_owned()),
            Some(Value::Object(properties)) => properties,
            Some(_) => return Err("the body must be a JSON object".to_owned()),
        };
        let unchecked = unknown_properties(operation, &properties, unchecked)?;

        let mut request = client.new_request(operation);
        let mut parts = Vec::new();
        for input in operation.inputs {
            let values: Vec<&Field> =
                fields.iter().filter(|(name, _)| name == input.name).map(|(_, field)| field).collect();
            if values.len() > 1 && !input.is_repeated() {
                return Err(format!("`{}` can be set only once", input.name));
            }
            let in_body =
                input.location == Location::Body && properties.get(input.name).is_some_and(|value| !value.is_null());
            if input.required && values.is_empty() && !in_body {
                return Err(format!("`{}` is missing", input.name));
            }
            if input.location != Location::Body {
                for field in values {
                    parameter(&mut request, input, field)?;
                }
            } else if operation.media_type == JSON {
                let values = values.into_iter().map(|field| value(input, field)).collect::<Result<Vec<_>, _>>()?;
                if input.is_repeated() && !values.is_empty() {
                    properties.insert(input.name.to_owned(), Value::Array(values));
                } else if let Some(value) = values.into_iter().next() {
                    properties.insert(input.name.to_owned(), value);
                }
            } else {
                match properties.remove(input.name) {
                    Some(value) if values.is_empty() => parts.extend(parts_of(input, value)?),
                    _ => {}
                }
                for field in values {
                    parts.push(part(input, field)?);
                }
            }
        }
        match operation.media_type {
            "" => {}
            JSON => {
                properties.keys().try_for_each(|name| check_switch(operation, name))?;
                properties.extend(unchecked);
                request.set_body(Body::Json(Bytes::from(Value::Object(properties).to_string())));
            }
            _ => {
                if let Some(name) = properties.keys().next() {
                    return Err(no_input(operation, name));
                }
                let unchecked = unchecked.into_iter();
                parts.extend(unchecked.map(|(name, value)| {
                    let content = scalar_part(&value).unwrap_or_else(|| json_part(&value));
                    Part { name: name.into(), content }
                }));
                request.set_body(Body::Multipart(parts));
            }
        }
        Ok(request)
    }
}

/// Refuses what the client sets itself.
fn check_switch(operation: &Operation, name: &str) -> Result<(), String> {
    let job = operation.job.as_ref().and_then(|job| job.property).map(|property| (property, "submit()"));
    let quote = operation.quote.as_ref().map(|quote| (quote.parameter, "quote()"));
    match [job, quote].into_iter().flatten().find(|(switch, _)| *switch == name) {
        Some((_, method)) => {
            Err(format!("`{name}` changes what the response is, so the client sets it: use `{method}`"))
        }
        None => Ok(()),
    }
}

/// Returns the properties that the document does not know, and refuses duplicates.
fn unknown_properties(
    operation: &Operation,
    known: &Map<String, Value>,
    unchecked: Vec<(String, Result<String, String>)>,
) -> Result<Map<String, Value>, String> {
    let mut properties = Map::new();
    for (name, json) in unchecked {
        if operation.media_type.is_empty() {
            return Err(format!("`{name}` cannot be sent: this operation has no body"));
        }
        if operation.inputs.iter().any(|input| input.name == name) {
            return Err(format!("`{name}` is known, and is not sent unchecked"));
        }
        check_switch(operation, &name)?;
        let value = json.and_then(|json| serde_json::from_str(&json).map_err(|error| error.to_string()));
        let value = value.map_err(|reason| format!("`{name}` cannot be written as JSON: {reason}"))?;
        if known.contains_key(&name) || properties.insert(name.clone(), value).is_some() {
            return Err(format!("`{name}` can be set only once"));
        }
    }
    Ok(properties)
}

impl CallBuilder for DynamicCall<'_> {
    type Output = Value;

    fn operation(&self) -> &'static Operation {
        self.operation
    }

    fn client(&self) -> &Client {
        self.client
    }

    fn prepare(self) -> Result<Request, Error> {
        self.prepare()
    }
}

fn no_input(operation: &Operation, name: &str) -> String {
    if let Err(reason) = check_switch(operation, name) {
        return reason;
    }
    let names: Vec<&str> = operation.inputs.iter().map(|input| input.name).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    format!("there is no `{name}`; use one of: {names}")
}

/// Puts a parameter into path, query or headers.
fn parameter(request: &mut Request, input: &'static Input, field: &Field) -> Result<(), String> {
    let Field::Text(text) = field else { return Err(not_a_file(input)) };
    let value = value(input, field)?;
    let text = if let Value::String(text) = &value { text } else { text };
    match input.location {
        Location::Path => {
            check_path_value(text).map_err(|reason| format!("`{}` {reason}", input.name))?;
            request.path(input.name, text);
        }
        Location::Query => request.query(input.name, text),
        Location::Header => request.header(input.name, text).map_err(|error| error.to_string())?,
        Location::Body => {}
    }
    Ok(())
}

/// Reads a text as JSON of the type of the input.
fn value(input: &Input, field: &Field) -> Result<Value, String> {
    let Field::Text(text) = field else { return Err(not_a_file(input)) };
    let name = input.name;
    let parsed = || serde_json::from_str::<Value>(text.trim());
    let (is_valid, wanted): (fn(&Value) -> bool, _) = match input.kind() {
        InputKind::Text => return Ok(Value::String(text.clone())),
        InputKind::File => return Err(format!("`{name}` takes a file")),
        InputKind::Json => return parsed().map_err(|error| format!("`{name}` takes JSON: {error}")),
        InputKind::Integer => (|value| value.is_i64() || value.is_u64(), "a whole number"),
        InputKind::Number => (Value::is_number, "a number"),
        InputKind::Boolean => (Value::is_boolean, "`true` or `false`"),
    };
    parsed().ok().filter(is_valid).ok_or_else(|| format!("`{name}` takes {wanted}, not `{text}`"))
}

fn not_a_file(input: &Input) -> String {
    format!("`{}` does not take a file", input.name)
}

/// One part of a multipart body.
fn part(input: &'static Input, field: &Field) -> Result<Part, String> {
    let content = match (input.kind(), field) {
        (InputKind::File, Field::File(file)) => PartContent::File(file.clone()),
        (InputKind::Json, Field::Text(text)) => {
            value(input, field)?;
            // Unchanged: a model reads the properties of a structured prompt in their order.
            PartContent::Json { text: text.trim().to_owned(), media_type: Some(JSON) }
        }
        (_, Field::Text(text)) => match value(input, field)? {
            Value::String(text) => PartContent::Text(text),
            _ => PartContent::Text(text.trim().to_owned()),
        },
        (_, Field::File(_)) => return Err(not_a_file(input)),
    };
    Ok(Part { name: input.name.into(), content })
}

/// Returns the parts for a property of a JSON object.
fn parts_of(input: &'static Input, value: Value) -> Result<Vec<Part>, String> {
    let values = match value {
        // Like an absent property.
        Value::Null => return Ok(Vec::new()),
        Value::Array(values) if input.is_repeated() => values,
        value => vec![value],
    };
    let part = |value: Value| match (input.kind(), value) {
        (InputKind::File, _) => Err(format!("`{}` takes a file, which JSON cannot contain", input.name)),
        (InputKind::Json, value) => Ok(json_part(&value)),
        (_, value) => scalar_part(&value).ok_or_else(|| format!("`{}` does not take {value}", input.name)),
    };
    values.into_iter().map(|value| Ok(Part { name: input.name.into(), content: part(value)? })).collect()
}

fn scalar_part(value: &Value) -> Option<PartContent> {
    match value {
        Value::String(text) => Some(PartContent::Text(text.clone())),
        Value::Bool(_) | Value::Number(_) => Some(PartContent::Text(value.to_string())),
        _ => None,
    }
}

fn json_part(value: &Value) -> PartContent {
    PartContent::Json { text: value.to_string(), media_type: Some(JSON) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn client() -> Client {
        Client::new("secret-1234").unwrap()
    }

    fn parts(request: &Request) -> Vec<(&str, String)> {
        let text = |part: &Part| match &part.content {
            PartContent::Text(text) => text.clone(),
            PartContent::Json { text, media_type } => format!("{} {text}", media_type.unwrap_or("-")),
            PartContent::File(file) => file.name().into_owned(),
        };
        request.parts().iter().map(|part| (part.name.as_ref(), text(part))).collect()
    }

    #[test]
    fn json_text_is_sent_unchanged() {
        let json = "{\"b\": 1.50,\n \"a\": [\"\\u00e9\", 12345678901234567890123]}";
        let client = client();
        let call = client.call("post_generate_image_v3").unwrap().validation(Validation::Off);
        let call = call.field("prompt", "x").field("color_palette", json);

        let request = call.prepare().unwrap();

        assert_eq!(parts(&request)[1], ("color_palette", format!("application/json {json}")));
    }

    #[test]
    fn unchecked_properties_are_sent() {
        let client = client();
        let multipart = client.call("post_generate_image_v3").unwrap().field("prompt", "x");
        let unknown = json!({"b": [1], "a": null});
        let multipart =
            multipart.unchecked_field("lens", "85mm").unchecked_field("number", &2).unchecked_field("more", &unknown);
        let json = client.call("create_dataset").unwrap().field("name", "x").unchecked_field("more", &unknown);

        assert_eq!(
            parts(&multipart.prepare().unwrap()),
            [
                ("prompt", "x".to_owned()),
                ("lens", "85mm".to_owned()),
                ("number", "2".to_owned()),
                ("more", "application/json {\"b\":[1],\"a\":null}".to_owned()),
            ]
        );
        let body = json.prepare().unwrap().json_body().unwrap().clone();
        assert_eq!(body, r#"{"name":"x","more":{"b":[1],"a":null}}"#);
    }

    #[test]
    fn unchecked_properties_replace_no_others() {
        let client = client();
        let call = || client.call("create_dataset").unwrap().field("name", "x");
        for (call, reason) in [
            (call().unchecked_field("name", "y"), "is known"),
            (call().unchecked_field("more", "y").unchecked_field("more", "z"), "only once"),
            (call().json(json!({"more": 1})).unchecked_field("more", "z"), "only once"),
            (client.call("list_datasets").unwrap().unchecked_field("more", "y"), "has no body"),
            (call().unchecked_field("more", &std::collections::HashMap::from([((), 1)])), "cannot be written as JSON"),
        ] {
            let error = call.prepare().unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        let client = client();
        let deep = "[".repeat(200_000);
        for call in [
            client.call("post_generate_image_v3").unwrap().field("prompt", "x").field("color_palette", &deep),
            client.call("post_remix_image").unwrap().field("image_request", format!("{{\"a\":{deep}")),
        ] {
            assert!(call.prepare().is_err());
        }
    }
}
