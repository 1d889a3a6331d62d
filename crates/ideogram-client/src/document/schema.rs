//! The schemas of request values: types, bounds, allowed values and exclusions.
//!
//! Each [`Input`](crate::operation::Input) of an operation has a generated [`Schema`]. It checks every request before it
//! is sent, of typed builders and of [`Client::call`](crate::Client::call) alike.

use std::{fmt, sync::OnceLock};

/// The schema of a value.
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
        /// The minimum number of characters.
        min_length: Option<u64>,
        /// The maximum number of characters.
        max_length: Option<u64>,
        /// The pattern that the text must match.
        pattern: Option<&'static Pattern>,
        /// The schema of the JSON that the text may hold in place of plain text; it is not checked here.
        json: Option<&'static Schema>,
    },
    /// One of these texts. The service may know more.
    Enum(&'static [&'static str]),
    /// A whole number; both bounds are allowed values.
    Integer {
        /// The lower bound.
        minimum: Option<i64>,
        /// The upper bound.
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
        /// The minimum number of elements.
        min_items: Option<u64>,
        /// The maximum number of elements.
        max_items: Option<u64>,
    },
    /// An object with any names, whose values have this schema.
    Map(&'static Schema),
    /// An object with known properties.
    Object(&'static Object),
    /// One of several kinds of object.
    Union(&'static Union),
}

/// A bound of a number.
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
    /// The rules about several properties.
    pub rules: &'static [Rule],
    /// The schema of all other properties; `None` if no others are allowed.
    pub additional: Option<&'static Schema>,
}

/// A property of an object.
#[derive(Debug)]
#[non_exhaustive]
pub struct Property {
    /// The name on the wire.
    pub name: &'static str,
    /// Whether it must be present.
    pub required: bool,
    /// Whether it may be `null`.
    pub nullable: bool,
    /// The value that the service takes when it is left out, as text; `None` if the document names none.
    pub default: Option<&'static str>,
    /// The schema of its value.
    pub schema: &'static Schema,
}

/// A rule about the properties of an object.
#[derive(Debug)]
#[non_exhaustive]
pub enum Rule {
    /// These properties exclude each other.
    NotTogether(&'static [&'static str]),
    /// Exactly one of these sets is present in full.
    ExactlyOne(&'static [&'static [&'static str]]),
    /// At least one of these sets is present in full.
    AtLeastOne(&'static [&'static [&'static str]]),
}

/// One of several kinds of object.
#[derive(Debug)]
#[non_exhaustive]
pub struct Union {
    /// The property whose value names the kind. Without it, the first kind applies whose required properties are present.
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
    /// The properties of this kind.
    pub object: &'static Object,
}

impl Object {
    /// Returns the property with this name.
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}

/// A pattern of the document, compiled on first use.
pub struct Pattern {
    source: &'static str,
    example: Option<&'static str>,
    compiled: OnceLock<Option<regex_lite::Regex>>,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pattern({:?})", self.source)
    }
}

impl Pattern {
    pub(crate) const fn new(source: &'static str) -> Self {
        Self { source, example: None, compiled: OnceLock::new() }
    }

    pub(crate) const fn with_example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }

    /// Returns whether a text matches. A pattern that cannot be compiled matches every text: the service decides.
    pub fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| regex_lite::Regex::new(self.source).ok());
        compiled.as_ref().is_none_or(|pattern| pattern.is_match(text))
    }

    /// Returns why a text is refused that does not match.
    pub(crate) fn mismatch(&self) -> String {
        let example = self.example.map(|example| format!("; an example is `{example}`")).unwrap_or_default();
        format!("does not match `{}`{example}", self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_as_in_json_schema() {
        static ID: Pattern = Pattern::new(r"^(?:[^/?#%\s.]|\.[^/?#%\s.]|\.\.[^/?#%\s])[^/?#%\s]*$");

        for text in ["a", "abc", "a.", ".a", "..a", "...", "a..", "ä", ".\u{7f}"] {
            assert!(ID.matches(text), "{text}");
        }
        for text in ["", ".", "..", "/", "a/b", "./a", "../", " ", "a b", "a?", "..#", "%2e", ".%", "a\n"] {
            assert!(!ID.matches(text), "{text}");
        }
    }
}
