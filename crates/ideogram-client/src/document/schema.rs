//! What the document says of request values, as data: types, bounds, allowed values, and which properties exclude
//! others.
//!
//! The constants are generated: each [`Input`](crate::operation::Input) of an operation has its [`Schema`]. The same
//! constants check every request before it is sent, whether a typed builder or [`Client::call`](crate::Client::call)
//! made it.

use std::{fmt, sync::OnceLock};

/// What a value must be.
#[derive(Debug)]
#[non_exhaustive]
pub enum Schema {
    /// Any JSON value.
    Any,
    /// `true` or `false`.
    Boolean,
    /// A file.
    File,
    /// A date and time as text.
    Time,
    /// Text.
    Text {
        /// The fewest characters.
        min_length: Option<u64>,
        /// The most characters.
        max_length: Option<u64>,
        /// The pattern that it must match.
        pattern: Option<&'static Pattern>,
    },
    /// One of these texts. The service may know more by now.
    Enum(&'static [&'static str]),
    /// A whole number; both bounds are allowed values.
    Integer {
        /// The smallest.
        minimum: Option<i64>,
        /// The largest.
        maximum: Option<i64>,
    },
    /// A number.
    Number {
        /// The lower bound.
        minimum: Option<Bound>,
        /// The upper bound.
        maximum: Option<Bound>,
    },
    /// A list.
    Array {
        /// The schema of each element.
        items: &'static Schema,
        /// The fewest elements.
        min_items: Option<u64>,
        /// The most elements.
        max_items: Option<u64>,
    },
    /// An object with any names, whose values have this schema.
    Map(&'static Schema),
    /// An object with known properties.
    Object(&'static Object),
    /// One of several kinds of object.
    Union(&'static Union),
}

/// The bound of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Bound {
    /// The bound.
    pub value: f64,
    /// Whether the bound itself is refused.
    pub is_exclusive: bool,
}

/// An object with known properties.
#[derive(Debug)]
#[non_exhaustive]
pub struct Object {
    /// The properties, in the order of the document.
    pub properties: &'static [Property],
    /// Which properties may stand together.
    pub rules: &'static [Rule],
    /// The schema of properties that the document does not name; none if it allows no others.
    pub additional: Option<&'static Schema>,
}

/// A property of an object.
#[derive(Debug)]
#[non_exhaustive]
pub struct Property {
    /// The name on the wire.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it may be `null`.
    pub nullable: bool,
    /// What its value must be.
    pub schema: &'static Schema,
}

/// Which properties of an object may stand together.
#[derive(Debug)]
#[non_exhaustive]
pub enum Rule {
    /// Not all of these at once.
    NotTogether(&'static [&'static str]),
    /// The properties of exactly one of these sets.
    ExactlyOne(&'static [&'static [&'static str]]),
    /// The properties of at least one of these sets.
    AtLeastOne(&'static [&'static [&'static str]]),
}

/// One of several kinds of object.
#[derive(Debug)]
#[non_exhaustive]
pub struct Union {
    /// The property whose value tells the kinds apart; without it, the first kind whose required properties are there.
    pub discriminator: Option<&'static str>,
    /// The kinds, in the order of the document.
    pub kinds: &'static [UnionKind],
}

/// A kind of a union.
#[derive(Debug)]
#[non_exhaustive]
pub struct UnionKind {
    /// The value of the discriminator; empty if there is none.
    pub value: &'static str,
    /// Its properties.
    pub object: &'static Object,
}

impl Object {
    /// The property of this name.
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}

/// A pattern of the document, compiled when it is first needed.
pub struct Pattern {
    source: &'static str,
    compiled: OnceLock<Option<regress::Regex>>,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pattern({:?})", self.source)
    }
}

impl Pattern {
    pub(crate) const fn new(source: &'static str) -> Self {
        Self { source, compiled: OnceLock::new() }
    }

    /// A pattern that cannot be compiled forbids nothing: the service decides.
    pub fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| regress::Regex::with_flags(self.source, "u").ok());
        compiled.as_ref().is_none_or(|pattern| pattern.find(text).is_some())
    }

    pub(crate) fn source(&self) -> &'static str {
        self.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_json_schema() {
        static ID: Pattern = Pattern::new(r"^(?!\.{1,2}$)[^/]+$");

        assert!(ID.matches("abc") && ID.matches("..."));
        assert!(!ID.matches("..") && !ID.matches("a/b") && !ID.matches(""));
    }
}
