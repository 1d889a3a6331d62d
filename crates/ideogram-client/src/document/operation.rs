//! What the document says of an operation beside its types: how it is sent, what it costs, whether it may be repeated.
//!
//! The constants themselves are generated: [`crate::operations`].

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
    /// The path, parameters in braces.
    pub path: &'static str,
    /// The group that the document puts it into; empty if none.
    pub tag: &'static str,
    /// One line.
    pub summary: &'static str,
    /// All that the document says.
    pub description: &'static str,
    /// The page of the vendor's reference; empty if none is known.
    pub docs_url: &'static str,
    /// Whether the service announces its removal.
    pub deprecated: bool,
    /// Whether a call costs money.
    pub billing: Billing,
    /// Whether a call may be sent twice without harm.
    pub retry: Retry,
    /// How many images a call makes.
    pub images: ImageCount,
    /// The media type of the request body; empty without a body.
    pub media_type: &'static str,
    /// Parameters and members of the body.
    pub inputs: &'static [Input],
    /// What the body must be; none without a body, or if any will do.
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

/// Whether a call may be sent twice without harm. An operation without a mark counts as unsafe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// Sent twice is as good as sent once.
    Safe,
    /// Sent twice may create, add or bill twice.
    Unsafe,
}

/// How many images a call makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageCount {
    /// Always as many.
    Fixed(u64),
    /// As many as this member of the request says, one if it says nothing; dots lead into nested objects.
    Property(&'static str),
}

/// A parameter, or a member of the request body.
#[derive(Debug)]
#[non_exhaustive]
pub struct Input {
    /// The name on the wire.
    pub name: &'static str,
    /// Where it goes.
    pub location: Location,
    /// Whether a call without it is refused.
    pub required: bool,
    /// What its value must be; for an input that can be given several times, a list of what each must be.
    pub schema: &'static Schema,
    /// What the document says of it.
    pub description: &'static str,
}

impl Input {
    /// What a single value of it holds.
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

    /// Whether it can be given several times.
    pub fn is_repeated(&self) -> bool {
        matches!(self.schema, Schema::Array { .. })
    }

    /// The values that the document knows; none if it is no enum.
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

/// Where an input goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// Into the path.
    Path,
    /// Behind the `?`.
    Query,
    /// Into a header.
    Header,
    /// Into the body.
    Body,
}

/// What an input holds.
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
