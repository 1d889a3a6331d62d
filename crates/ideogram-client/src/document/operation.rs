//! The description of an operation: its request, its billing, its retry safety.
//!
//! The constants are generated: [`crate::operations`].

use std::fmt;

use crate::schema::{Object, Schema};

/// An operation of the service.
#[derive(Debug)]
#[non_exhaustive]
pub struct Operation {
    /// The service's own id.
    pub id: &'static str,
    /// The method of [`Client`](crate::Client).
    pub method_name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// The group in the document; empty without one.
    pub tag: &'static str,
    /// The summary, one line.
    pub summary: &'static str,
    /// The description of the document.
    pub description: &'static str,
    /// The page of the vendor's reference; empty if none is known.
    pub docs_url: &'static str,
    /// Whether the service will remove it.
    pub deprecated: bool,
    /// Whether a call carries the API key; one that does not can be made by a client without a key.
    pub needs_key: bool,
    /// Whether a call costs money.
    pub billing: Billing,
    /// Whether a call may be retried after it may have run.
    pub retry: Retry,
    /// The number of images that a call makes.
    pub images: ImageCount,
    /// The property of a response with status 200 that holds the real status if the call failed after the response had
    /// begun; none if that cannot happen.
    pub status_property: Option<&'static str>,
    /// How a call runs as a job; none if it cannot.
    pub job: Option<Job>,
    /// How a call is priced without being made; none if it cannot be.
    pub quote: Option<Quote>,
    /// How the response tells the state of a job; none for operations that do not return one.
    pub poll: Option<Poll>,
    /// The media type of the request body; empty without a body.
    pub media_type: &'static str,
    /// The parameters and the properties of the body.
    pub inputs: &'static [Input],
    /// The schema of the body; `None` without a body, or if any body is valid.
    pub body: Option<&'static Object>,
    /// The statuses that the document declares.
    pub statuses: &'static [&'static str],
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.id)
    }
}

/// Whether a call costs money. An operation without a mark counts as paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Billing {
    /// Billed by the service when it has run.
    Paid,
    /// Never billed.
    Free,
}

/// Whether a call may be retried after it may have run. An operation without a mark counts as unsafe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// Running twice has the same effect as running once.
    Safe,
    /// Running twice may create, add or bill twice.
    Unsafe,
}

/// The number of images that a call makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageCount {
    /// Always this number.
    Fixed(u64),
    /// The number in this property of the request, or one; dots lead into objects.
    Property(&'static str),
}

/// A call that can run as a job: the response has an id, and another operation returns the state of the job.
#[derive(Debug)]
#[non_exhaustive]
pub struct Job {
    /// The boolean property of the request that makes the call a job, which the client sets; none if every call is a
    /// job.
    pub property: Option<&'static str>,
    /// The property with the address of a webhook, which makes the call a job, too.
    pub webhook: Option<&'static str>,
    /// The property of the response with the id of the job, and the parameter of `poll`.
    pub id: &'static str,
    /// The operation that returns the state of the job.
    pub poll: &'static Operation,
}

/// A call that can be priced without being made.
#[derive(Debug)]
#[non_exhaustive]
pub struct Quote {
    /// The boolean query parameter, which the client sets.
    pub parameter: &'static str,
}

/// How a response tells the state of a job. Every other status means that the job has not ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Poll {
    /// The property with the status.
    pub status: &'static str,
    /// The status of a job that has its result.
    pub completed: &'static str,
    /// The status of a job that will never have a result.
    pub failed: &'static str,
    /// The property with the reason of a failure.
    pub reason: Option<&'static str>,
}

/// A parameter, or a property of the request body.
#[derive(Debug)]
#[non_exhaustive]
pub struct Input {
    /// The name on the wire.
    pub name: &'static str,
    /// Its location in the request.
    pub location: Location,
    /// Whether a call without it is refused.
    pub required: bool,
    /// The value that the service takes when it is left out, as text; `None` if the document names none.
    pub default: Option<&'static str>,
    /// The schema of its value; a list for an input with several values.
    pub schema: &'static Schema,
    /// The description of the document.
    pub description: &'static str,
}

impl Input {
    /// The type of a single value.
    pub fn kind(&self) -> InputKind {
        match self.single() {
            Schema::File => InputKind::File,
            Schema::Boolean => InputKind::Boolean,
            Schema::Integer { .. } => InputKind::Integer,
            Schema::Number { .. } => InputKind::Number,
            Schema::Text { .. } | Schema::Enum(_) | Schema::Time => InputKind::Text,
            Schema::Any | Schema::Array { .. } | Schema::Map(_) | Schema::Object(_) | Schema::Union(_) => {
                InputKind::Json
            }
        }
    }

    /// Whether it takes several values.
    pub fn is_repeated(&self) -> bool {
        matches!(self.schema, Schema::Array { .. })
    }

    /// The known values of an enum; empty for other types.
    pub fn values(&self) -> &'static [&'static str] {
        match self.single() {
            Schema::Enum(values) => values,
            _ => &[],
        }
    }

    /// The schema of a single value.
    fn single(&self) -> &'static Schema {
        match self.schema {
            Schema::Array { items, .. } => items,
            schema => schema,
        }
    }
}

/// The location of an input in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// In the path.
    Path,
    /// In the query, after the `?`.
    Query,
    /// In a header.
    Header,
    /// In the body.
    Body,
}

/// The type of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputKind {
    /// Text or the value of an enum.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A file.
    File,
    /// A JSON object.
    Json,
}
