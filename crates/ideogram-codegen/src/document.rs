//! A document as written: its nodes, their places, and where references lead.

use std::collections::HashMap;

use serde_json::Value;

use crate::{Error, Problem, yaml};

/// A document that is valid YAML; nothing more is known of it.
pub(crate) struct Document {
    root: Value,
    lines: HashMap<String, usize>,
}

impl Document {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let yaml::Located { root, lines } = yaml::read(text)?;
        Ok(Self { root, lines })
    }

    pub(crate) fn root(&self) -> Node<'_> {
        Node { value: &self.root, pointer: String::new() }
    }

    /// Where a local reference leads.
    pub(crate) fn follow(&self, reference: &str) -> Option<Node<'_>> {
        let pointer = reference.strip_prefix('#')?;
        let value = self.root.pointer(pointer)?;
        Some(Node { value, pointer: pointer.to_owned() })
    }

    /// A problem at a node, or at the nearest node above it whose line is known.
    pub(crate) fn problem(&self, pointer: &str, message: impl Into<String>) -> Problem {
        let mut nearest = pointer;
        let line = loop {
            if let Some(line) = self.lines.get(nearest) {
                break Some(*line);
            }
            match nearest.rfind('/') {
                Some(end) => nearest = &nearest[..end],
                None => break None,
            }
        };
        Problem::at(line, pointer.to_owned(), message)
    }
}

/// A value with its place.
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

    /// Members of an object; none if it is something else.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'d str, Node<'d>)> + use<'d> {
        let pointer = self.pointer.clone();
        self.value.as_object().into_iter().flatten().map(move |(key, value)| {
            (key.as_str(), Node { value, pointer: format!("{pointer}/{}", yaml::escape(key)) })
        })
    }

    /// Items of an array; none if it is something else.
    pub(crate) fn items(&self) -> impl Iterator<Item = Node<'d>> + use<'d> {
        let pointer = self.pointer.clone();
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(move |(index, value)| Node { value, pointer: format!("{pointer}/{index}") })
    }
}
