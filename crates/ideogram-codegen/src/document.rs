//! A parsed document: its nodes, their locations, and the targets of references.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    Ambiguous, Error, Problem,
    yaml::{self, Yaml},
};

/// A document that is valid YAML and not checked any further.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// The whole document, as JSON.
    pub root: Value,
    /// The unquoted texts and keys that YAML 1.1 reads as something else; many tools still do.
    pub ambiguous: Vec<Ambiguous>,
    /// The line (counted from 1) of each node, by its JSON pointer.
    pub(crate) lines: HashMap<String, usize>,
}

impl Document {
    /// Reads YAML. JSON is YAML, so this reads JSON too.
    ///
    /// # Errors
    ///
    /// The text is not YAML, with the line.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let Yaml { root, lines, ambiguous } = yaml::read(text)?;
        Ok(Self { root, ambiguous, lines })
    }

    /// Returns a document whose lines are not known.
    pub fn without_lines(root: Value) -> Self {
        Self { root, ..Self::default() }
    }

    pub(crate) fn node(&self) -> Node<'_> {
        Node { value: &self.root, pointer: String::new() }
    }

    /// Returns the target of a local reference.
    pub(crate) fn follow(&self, reference: &str) -> Option<Node<'_>> {
        let pointer = reference.strip_prefix('#')?;
        let value = self.root.pointer(pointer)?;
        Some(Node { value, pointer: pointer.to_owned() })
    }

    /// The line, counted from 1, of the node at a JSON pointer, or of the nearest node above it whose line is known.
    pub fn line(&self, pointer: &str) -> Option<usize> {
        let mut nearest = pointer;
        loop {
            if let Some(line) = self.lines.get(nearest) {
                return Some(*line);
            }
            nearest = &nearest[..nearest.rfind('/')?];
        }
    }

    /// Returns a problem at a node, with the line of the nearest node above it whose line is known.
    pub(crate) fn problem(&self, pointer: &str, message: impl Into<String>) -> Problem {
        Problem::new(message).at_pointer(pointer).at_line(self.line(pointer))
    }
}

/// A value with its location.
#[derive(Clone, Debug)]
pub(crate) struct Node<'d> {
    pub(crate) value: &'d Value,
    pub(crate) pointer: String,
}

impl<'d> Node<'d> {
    pub(crate) fn get(&self, key: &str) -> Option<Node<'d>> {
        let value = self.value.get(key)?;
        Some(Node { value, pointer: format!("{}/{}", self.pointer, yaml::escape(key)) })
    }

    /// Returns the properties of an object; none for other values.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'d str, Node<'d>)> + use<'d> {
        let pointer = self.pointer.clone();
        self.value.as_object().into_iter().flatten().map(move |(key, value)| {
            (key.as_str(), Node { value, pointer: format!("{pointer}/{}", yaml::escape(key)) })
        })
    }

    /// Returns the items of an array; none for other values.
    pub(crate) fn items(&self) -> impl Iterator<Item = Node<'d>> + use<'d> {
        let pointer = self.pointer.clone();
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(move |(index, value)| Node { value, pointer: format!("{pointer}/{index}") })
    }
}
