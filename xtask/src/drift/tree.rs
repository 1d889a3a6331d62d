//! A tree of facts that is equal for equal documents, however they are written.

use std::collections::BTreeMap;

/// An operation, a parameter, a body, a schema: whatever has facts of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// What it is, such as `property`: the fact that differs if only one document has it.
    pub(crate) kind: &'static str,
    /// What it is in a few words, for the same case.
    pub(crate) summary: String,
    pub(crate) pointer: String,
    pub(crate) facts: BTreeMap<FactName, Fact>,
    /// By label: what to add to the location of this tree, with the separator in front.
    pub(crate) children: BTreeMap<String, Tree>,
}

/// The name of a fact, and the item if several facts have this name, as the values of an enum do.
pub(crate) type FactName = (&'static str, String);

/// What one document says, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) text: String,
    /// Nothing if the document does not have the operation.
    pub(crate) pointer: Option<String>,
}

impl Fact {
    pub(crate) fn new(text: impl Into<String>, pointer: &str) -> Self {
        Self { text: text.into(), pointer: Some(pointer.to_owned()) }
    }
}

impl Tree {
    pub(crate) fn new(kind: &'static str, pointer: &str) -> Self {
        Self { kind, pointer: pointer.to_owned(), ..Self::default() }
    }

    /// Adds a fact that there is once.
    pub(crate) fn fact(&mut self, name: &'static str, text: impl Into<String>, pointer: &str) {
        self.facts.insert((name, String::new()), Fact::new(text, pointer));
    }

    /// Adds one of several facts with the same name.
    pub(crate) fn item(&mut self, name: &'static str, text: &str, pointer: &str) {
        self.facts.insert((name, text.to_owned()), Fact::new(text, pointer));
    }

    pub(crate) fn get(&self, name: &'static str) -> Option<&str> {
        self.facts.get(&(name, String::new())).map(|fact| fact.text.as_str())
    }

    /// The items of a fact, with commas.
    pub(crate) fn items(&self, name: &'static str) -> String {
        let items = self.facts.iter().filter(|((other, item), _)| *other == name && !item.is_empty());
        items.map(|(_, fact)| fact.text.as_str()).collect::<Vec<_>>().join(", ")
    }
}
