//! The model of a document.
//!
//! [`crate::rules`] builds a [`Model`] and refuses everything that it cannot represent. All later steps (lowering,
//! constants, encoders, checks) read only the model.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) title: String,
    pub(crate) version: String,
    /// The declared tags, in the order of the document.
    pub(crate) tags: Vec<Tag>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) components: BTreeMap<String, Component>,
}

/// A group of operations.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) description: String,
}

/// One method on one path.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method_name: String,
    /// The HTTP method in lower case, as the document writes it.
    pub(crate) http_method: String,
    pub(crate) path: String,
    pub(crate) tag: Option<String>,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) docs_url: Option<String>,
    pub(crate) deprecated: bool,
    /// False for `security: []`.
    pub(crate) needs_key: bool,
    pub(crate) billing: Billing,
    pub(crate) retry: Retry,
    pub(crate) images: ImageCount,
    /// The property of a successful response that holds the status of a failure.
    pub(crate) status_property: Option<String>,
    pub(crate) job: Option<Job>,
    pub(crate) quote: Option<Quote>,
    pub(crate) poll: Option<Poll>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    /// The schema of a successful response; `None` when it has no content.
    pub(crate) response: Option<Schema>,
    /// The success status in the lowered document.
    pub(crate) success: String,
    /// Every status that the document declares, in its order.
    pub(crate) statuses: Vec<String>,
    pub(crate) pointer: String,
}

/// Whether a call costs money. Without the extension: paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Billing {
    Paid,
    Free,
}

/// Whether a call may be retried without side effects. Without the extension: unsafe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    Safe,
    Unsafe,
}

/// How many images a call creates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ImageCount {
    Fixed(u64),
    /// The value of this property of the request, one if it is absent; dots separate nested objects.
    Property(String),
}

/// A call that can run as a job: its response has an id, and another operation returns the state of the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// The boolean property of the request that makes the call a job; without it, every call is one.
    pub(crate) property: Option<String>,
    /// The property with the address of a webhook, which makes the call a job, too.
    pub(crate) webhook: Option<String>,
    /// The id of the operation that returns the state of the job.
    pub(crate) poll: String,
}

/// A call that can be priced without being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quote {
    /// The boolean query parameter.
    pub(crate) parameter: String,
    /// The component of the response with the price.
    pub(crate) response: String,
}

/// How the response of an operation tells the state of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Poll {
    pub(crate) status: String,
    /// The status of a job that has its result.
    pub(crate) completed: String,
    /// The status of a job that will never have one.
    pub(crate) failed: String,
    /// The property with the reason of a failure.
    pub(crate) reason: Option<String>,
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

/// The schema of a property, parameter or item.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
    /// What the service takes when the value is left out, as text. That of a component is in its [`Component`].
    pub(crate) default: Option<String>,
    pub(crate) description: String,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Component(String),
    Text(TextBounds),
    Time,
    File,
    /// With its format, `int32` or `int64`.
    Integer(IntegerBounds, &'static str),
    /// With its format, `float` or `double`.
    Number(NumberBounds, &'static str),
    Boolean,
    Array(Box<Schema>, ArrayBounds),
    Map(Box<Schema>),
    FreeObject,
    Any,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TextBounds {
    pub(crate) min_length: Option<u64>,
    pub(crate) max_length: Option<u64>,
    pub(crate) pattern: Option<String>,
    /// The example of the schema, for messages about the pattern.
    pub(crate) example: Option<String>,
    /// The component whose JSON the text may hold.
    pub(crate) json: Option<String>,
}

/// Inclusive bounds.
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

#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) shape: Shape,
    pub(crate) default: Option<String>,
    pub(crate) description: String,
    pub(crate) pointer: String,
}

#[derive(Debug)]
pub(crate) enum Shape {
    Object(Object),
    Enum(Vec<String>),
    Union(Union),
    /// A name for a value with a Rust type of its own: bounded text, a number, an array.
    Alias(Schema),
}

#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) properties: Vec<Property>,
    pub(crate) choices: Vec<Choice>,
    /// The schema of additional properties.
    pub(crate) rest: Option<Schema>,
}

impl Object {
    pub(crate) fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}

#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) schema: Schema,
}

/// Which properties may be combined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// `not: {required: [a, b]}`
    NotTogether(Vec<String>),
    /// `oneOf: [{required: [a]}, {required: [b]}]`
    ExactlyOne(Vec<Vec<String>>),
    /// `anyOf: [{required: [a]}, {required: [b]}]`
    AtLeastOne(Vec<Vec<String>>),
}

impl Choice {
    /// The properties that it mentions.
    pub(crate) fn properties(&self) -> Vec<&str> {
        match self {
            Self::NotTogether(names) => names.iter().map(String::as_str).collect(),
            Self::ExactlyOne(sets) | Self::AtLeastOne(sets) => sets.iter().flatten().map(String::as_str).collect(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Union {
    /// The property that selects the kind; without it, the required properties do.
    pub(crate) discriminator: Option<String>,
    pub(crate) kinds: Vec<UnionKind>,
}

#[derive(Debug)]
pub(crate) struct UnionKind {
    pub(crate) component: String,
    /// The discriminator's value, where there is one.
    pub(crate) value: Option<String>,
}

/// How one value of a part is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartKind {
    /// A file, with name and media type.
    File,
    /// Text: numbers in decimal, `true` and `false`, enum values as they are.
    Text,
    /// An object as JSON text.
    Json,
}

impl Kind {
    pub(crate) fn component(&self) -> Option<&str> {
        match self {
            Self::Component(name) => Some(name),
            _ => None,
        }
    }
}

impl Model {
    /// Follows aliases to the schema that defines the Rust type.
    pub(crate) fn resolved<'m>(&'m self, schema: &'m Schema) -> &'m Schema {
        let mut schema = schema;
        // Rules refuse circular aliases, but some of them run this before that is known.
        for _ in 0..32 {
            let component = schema.kind.component().and_then(|name| self.components.get(name));
            let Some(Component { shape: Shape::Alias(behind), .. }) = component else { break };
            schema = behind;
        }
        schema
    }

    /// Whether a value may be null, by its own schema or by the alias behind it.
    pub(crate) fn is_nullable(&self, schema: &Schema) -> bool {
        schema.nullable || self.resolved(schema).nullable
    }

    /// What the service takes when a value is left out: by its own schema, or by the component that it refers to.
    pub(crate) fn default_of<'m>(&'m self, schema: &'m Schema) -> Option<&'m str> {
        let component = || self.components.get(schema.kind.component()?)?.default.as_deref();
        schema.default.as_deref().or_else(component)
    }

    /// The schema of an element of a list, and of any other value itself.
    pub(crate) fn item_or_self<'m>(&'m self, schema: &'m Schema) -> &'m Schema {
        let resolved = self.resolved(schema);
        match &resolved.kind {
            Kind::Array(items, _) => self.resolved(items),
            _ => resolved,
        }
    }

    /// Whether a component is the type of a path parameter.
    pub(crate) fn is_path_value(&self, component: &str) -> bool {
        self.operations.iter().flat_map(|operation| &operation.parameters).any(|parameter| {
            parameter.location == Location::Path && parameter.schema.kind.component() == Some(component)
        })
    }

    pub(crate) fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// The component as an object; `None` if it is not one.
    pub(crate) fn object(&self, component: &str) -> Option<&Object> {
        match &self.components.get(component)?.shape {
            Shape::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The properties of a component; none if it is not an object.
    pub(crate) fn properties(&self, component: &str) -> &[Property] {
        self.object(component).map_or(&[], |object| &object.properties)
    }

    /// Components that a response can contain.
    pub(crate) fn in_responses(&self) -> BTreeSet<&str> {
        let responses = self.operations.iter().filter_map(|operation| operation.response.as_ref());
        let quotes = self.operations.iter().filter_map(|operation| Some(operation.quote.as_ref()?.response.as_str()));
        self.reachable(responses.flat_map(direct_references).chain(quotes))
    }

    /// Removes the properties and parameters that change what kind of call a request is: the client sets them itself.
    pub(crate) fn remove_inputs_set_by_client(&mut self) {
        for operation in &mut self.operations {
            if let Some(quote) = &operation.quote {
                operation.parameters.retain(|parameter| parameter.name != quote.parameter);
            }
            let switch = operation.job.as_ref().and_then(|job| job.property.as_ref()).zip(operation.body.as_ref());
            if let Some((property, body)) = switch
                && let Some(Component { shape: Shape::Object(object), .. }) = self.components.get_mut(&body.component)
            {
                object.properties.retain(|other| other.name != *property);
            }
        }
    }

    /// Components that a request body can contain.
    pub(crate) fn in_requests(&self) -> BTreeSet<&str> {
        self.reachable(self.operations.iter().filter_map(|operation| Some(operation.body.as_ref()?.component.as_str())))
    }

    /// Components that hold a file, directly or through others.
    pub(crate) fn components_with_files(&self) -> BTreeSet<&str> {
        let holds = |name: &str| {
            self.reachable([name].into_iter())
                .into_iter()
                .any(|inner| schemas_of(&self.components[inner].shape).iter().any(|schema| contains_file(schema)))
        };
        self.components.keys().map(String::as_str).filter(|name| holds(name)).collect()
    }

    /// How a property of a multipart body is written: each item of an array is a part.
    pub(crate) fn part_kind(&self, property: &Schema) -> PartKind {
        match &self.item_or_self(property).kind {
            Kind::File => PartKind::File,
            Kind::Component(name) if matches!(self.components[name].shape, Shape::Enum(_)) => PartKind::Text,
            Kind::Component(_) | Kind::Array(..) | Kind::Map(_) | Kind::FreeObject | Kind::Any => PartKind::Json,
            Kind::Text(_) | Kind::Time | Kind::Integer(..) | Kind::Number(..) | Kind::Boolean => PartKind::Text,
        }
    }

    fn reachable<'m>(&'m self, from: impl Iterator<Item = &'m str>) -> BTreeSet<&'m str> {
        let exists = |name: &&str| self.components.contains_key(*name);
        transitive(from.filter(exists), |name| {
            references_of(&self.components[name].shape).into_iter().filter(exists).collect()
        })
    }
}

/// Returns these names and all that `next` leads to from them.
pub(crate) fn transitive<'m>(
    from: impl IntoIterator<Item = &'m str>,
    next: impl Fn(&'m str) -> Vec<&'m str>,
) -> BTreeSet<&'m str> {
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<&str> = from.into_iter().collect();
    while let Some(name) = waiting.pop() {
        if seen.insert(name) {
            waiting.extend(next(name));
        }
    }
    seen
}

/// Returns the schemas inside a shape.
pub(crate) fn schemas_of(shape: &Shape) -> Vec<&Schema> {
    match shape {
        Shape::Object(object) => {
            object.properties.iter().map(|property| &property.schema).chain(object.rest.as_ref()).collect()
        }
        Shape::Alias(schema) => vec![schema],
        Shape::Enum(_) | Shape::Union(_) => Vec::new(),
    }
}

/// Returns the components that a shape refers to.
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
        Kind::Text(bounds) => bounds.json.as_deref().into_iter().collect(),
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
