//! What the document says, in the terms the bridge works with.
//!
//! [`crate::rules`] builds a [`Model`] from a document and refuses what has no place here. Everything after it
//! (lowering, constants, encoders, checks) reads the model, so each of them means the same by a member or a part.

use std::collections::{BTreeMap, BTreeSet};

/// A whole document.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) title: String,
    pub(crate) version: String,
    pub(crate) operations: Vec<Operation>,
    pub(crate) components: BTreeMap<String, Component>,
}

/// One method on one path.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    /// The name of the client's method.
    pub(crate) method_name: String,
    /// The HTTP method in lower case, as the document writes it.
    pub(crate) http_method: String,
    pub(crate) path: String,
    pub(crate) tag: Option<String>,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) docs_url: Option<String>,
    pub(crate) deprecated: bool,
    pub(crate) billing: Billing,
    pub(crate) retry: Retry,
    pub(crate) images: ImageCount,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    /// The schema of a successful response; `None` when it has no content.
    pub(crate) response: Option<Schema>,
    /// The one success status that stands for all in the lowered copy.
    pub(crate) success: String,
    /// Every status that the document declares, in its order.
    pub(crate) statuses: Vec<String>,
    pub(crate) pointer: String,
}

/// Whether a call costs money. Unmarked counts as paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Billing {
    Paid,
    Free,
}

/// Whether a call may be sent twice without harm. Unmarked counts as unsafe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    Safe,
    Unsafe,
}

/// How many images a call makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ImageCount {
    Fixed(u64),
    /// As many as this member of the request says, one if it says nothing; dots lead into nested objects.
    Property(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    Path,
    Query,
    Header,
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) location: Location,
    pub(crate) required: bool,
    pub(crate) description: String,
    pub(crate) schema: Schema,
}

/// The body of a request, in the one media type that the client sends.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) media_type: MediaType,
    /// The component of the body's schema.
    pub(crate) component: String,
    /// Media types that the document gives to single parts.
    pub(crate) part_media_types: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaType {
    Json,
    Multipart,
}

impl MediaType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Multipart => "multipart/form-data",
        }
    }
}

/// A schema as it stands at a member, parameter or item.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
    pub(crate) description: String,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Component(String),
    Text(TextBounds),
    Time,
    File,
    Integer(IntegerBounds, IntegerWidth),
    Number(NumberBounds, FloatWidth),
    Boolean,
    Array(Box<Schema>, ArrayBounds),
    Map(Box<Schema>),
    /// Free-form JSON object.
    FreeObject,
    /// Any JSON value.
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntegerWidth {
    I32,
    I64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FloatWidth {
    F32,
    F64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TextBounds {
    pub(crate) min_length: Option<u64>,
    pub(crate) max_length: Option<u64>,
    pub(crate) pattern: Option<String>,
}

/// Bounds that are allowed values themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct IntegerBounds {
    pub(crate) minimum: Option<i64>,
    pub(crate) maximum: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NumberBounds {
    pub(crate) minimum: Option<f64>,
    pub(crate) maximum: Option<f64>,
    pub(crate) exclusive_minimum: bool,
    pub(crate) exclusive_maximum: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ArrayBounds {
    pub(crate) min_items: Option<u64>,
    pub(crate) max_items: Option<u64>,
}

/// A named schema.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) shape: Shape,
    pub(crate) description: String,
    pub(crate) pointer: String,
}

#[derive(Debug)]
pub(crate) enum Shape {
    Object(Object),
    Enum(Vec<String>),
    Union(Union),
    /// A name for something that Rust has a type for already: bounded text, a number, an array.
    Alias(Schema),
}

#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) members: Vec<Member>,
    pub(crate) choices: Vec<Choice>,
    /// The schema of members that the document does not name.
    pub(crate) rest: Option<Schema>,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) schema: Schema,
}

/// Which members may stand together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// `not: {required: [a, b]}`
    NotTogether(Vec<String>),
    /// `oneOf: [{required: [a]}, {required: [b]}]`
    ExactlyOne(Vec<Vec<String>>),
    /// `anyOf: [{required: [a]}, {required: [b]}]`
    AtLeastOne(Vec<Vec<String>>),
}

#[derive(Debug)]
pub(crate) struct Union {
    /// The member that tells the kinds apart; without it they are told apart by their required members.
    pub(crate) discriminator: Option<String>,
    pub(crate) kinds: Vec<UnionKind>,
}

#[derive(Debug)]
pub(crate) struct UnionKind {
    pub(crate) component: String,
    /// The discriminator's value, where there is one.
    pub(crate) value: Option<String>,
}

impl Model {
    /// The schema behind names of aliases: what Rust's type is made from.
    pub(crate) fn resolved<'m>(&'m self, schema: &'m Schema) -> &'m Schema {
        let mut schema = schema;
        // Rules refuse aliases in a circle; the bound only makes that independent of their order.
        for _ in 0..32 {
            match &schema.kind {
                Kind::Component(name) => match self.components.get(name).map(|component| &component.shape) {
                    Some(Shape::Alias(behind)) => schema = behind,
                    _ => return schema,
                },
                _ => return schema,
            }
        }
        schema
    }

    /// The members of an object component.
    pub(crate) fn object(&self, component: &str) -> Option<&Object> {
        match &self.components.get(component)?.shape {
            Shape::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Components that a response can contain.
    pub(crate) fn in_responses(&self) -> BTreeSet<&str> {
        let responses = self.operations.iter().filter_map(|operation| operation.response.as_ref());
        self.reachable(responses.flat_map(direct_references))
    }

    /// Components that a request body can contain.
    pub(crate) fn in_requests(&self) -> BTreeSet<&str> {
        self.reachable(self.operations.iter().filter_map(|operation| Some(operation.body.as_ref()?.component.as_str())))
    }

    /// Components that hold a file, directly or through others.
    pub(crate) fn holding_files(&self) -> BTreeSet<&str> {
        let holds = |name: &str| {
            self.reachable([name].into_iter())
                .into_iter()
                .any(|inner| schemas_of(&self.components[inner].shape).iter().any(|schema| contains_file(schema)))
        };
        self.components.keys().map(String::as_str).filter(|name| holds(name)).collect()
    }

    fn reachable<'m>(&'m self, from: impl Iterator<Item = &'m str>) -> BTreeSet<&'m str> {
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<&str> = from.collect();
        while let Some(name) = waiting.pop() {
            let Some((name, component)) = self.components.get_key_value(name) else { continue };
            if seen.insert(name.as_str()) {
                waiting.extend(references_of(&component.shape));
            }
        }
        seen
    }
}

/// The schemas that a shape is made of.
pub(crate) fn schemas_of(shape: &Shape) -> Vec<&Schema> {
    match shape {
        Shape::Object(object) => {
            object.members.iter().map(|member| &member.schema).chain(object.rest.as_ref()).collect()
        }
        Shape::Alias(schema) => vec![schema],
        Shape::Enum(_) | Shape::Union(_) => Vec::new(),
    }
}

/// The components that a shape names.
pub(crate) fn references_of(shape: &Shape) -> Vec<&str> {
    match shape {
        Shape::Union(union) => union.kinds.iter().map(|kind| kind.component.as_str()).collect(),
        _ => schemas_of(shape).into_iter().flat_map(direct_references).collect(),
    }
}

fn direct_references(schema: &Schema) -> Vec<&str> {
    match &schema.kind {
        Kind::Component(name) => vec![name],
        Kind::Array(inner, _) | Kind::Map(inner) => direct_references(inner),
        _ => Vec::new(),
    }
}

fn contains_file(schema: &Schema) -> bool {
    match &schema.kind {
        Kind::File => true,
        Kind::Array(inner, _) | Kind::Map(inner) => contains_file(inner),
        _ => false,
    }
}
