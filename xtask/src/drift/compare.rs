//! Finds the differences of two documents.

use std::collections::BTreeSet;

use super::{
    document::Document,
    operation::{self, Operation, facts, operations},
    tree::{Fact, FactName, Tree},
};

/// The text of a side that lacks the fact.
pub(crate) const ABSENT: &str = "absent";

/// A difference between our document and theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Method and path.
    pub(crate) title: String,
    /// The operation id: ours, or theirs if we do not have the operation.
    pub(crate) operation: String,
    /// Where in the operation; empty for the operation itself.
    pub(crate) location: String,
    /// What differs: a keyword, or what only one side has.
    pub(crate) fact: &'static str,
    pub(crate) ours: Fact,
    pub(crate) theirs: Fact,
}

/// Compares all operations, in the order of their paths.
pub(crate) fn differences(ours: &Document, theirs: &Document) -> Vec<Difference> {
    let (our_operations, their_operations) = (operations(ours), operations(theirs));
    let keys: BTreeSet<_> = our_operations.keys().chain(their_operations.keys()).collect();
    let mut found = Vec::new();
    for key in keys {
        match (our_operations.get(key), their_operations.get(key)) {
            (Some(our), Some(their)) => {
                let (title, id) = (our.title.as_str(), our.id.as_str());
                let mut comparison = Comparison { title, operation: id, seen: BTreeSet::new(), found: &mut found };
                comparison.trees("", &facts(ours, our), &facts(theirs, their));
            }
            (Some(our), None) => found.push(only_in_one(ours, our, true)),
            (None, Some(their)) => found.push(only_in_one(theirs, their, false)),
            (None, None) => {}
        }
    }
    found
}

fn only_in_one(document: &Document, operation: &Operation<'_>, is_ours: bool) -> Difference {
    let text = format!("present, {}", operation::security(document, &operation.node));
    let present = Fact::new(text, &operation.node.pointer);
    let absent = Fact { text: ABSENT.to_owned(), pointer: None };
    let (ours, theirs) = if is_ours { (present, absent) } else { (absent, present) };
    Difference {
        title: operation.title.clone(),
        operation: operation.id.clone(),
        location: String::new(),
        fact: "operation",
        ours,
        theirs,
    }
}

/// Compares two trees that belong to no operation.
pub(crate) fn tree_differences(ours: &Tree, theirs: &Tree) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut comparison = Comparison { title: "", operation: "", seen: BTreeSet::new(), found: &mut found };
    comparison.trees("", ours, theirs);
    found
}

fn or_absent(fact: Option<Fact>, parent: &Tree) -> Fact {
    fact.unwrap_or_else(|| Fact::new(ABSENT, &parent.pointer))
}

struct Comparison<'c> {
    title: &'c str,
    operation: &'c str,
    /// A schema is compared once for each operation, although a body may use it twice.
    seen: BTreeSet<(FactName, Option<String>, Option<String>)>,
    found: &'c mut Vec<Difference>,
}

impl Comparison<'_> {
    fn trees(&mut self, location: &str, ours: &Tree, theirs: &Tree) {
        let names: BTreeSet<&FactName> = ours.facts.keys().chain(theirs.facts.keys()).collect();
        let is_other_type = ours.get("type") != theirs.get("type");
        for name in names {
            let (our, their) = (ours.facts.get(name), theirs.facts.get(name));
            if our.map(|fact| &fact.text) == their.map(|fact| &fact.text) {
                continue;
            }
            // What follows from another type is not a difference of its own.
            if is_other_type && !["type", "required", "nullable", "deprecated", "contentType"].contains(&name.0) {
                continue;
            }
            if name.0 == "value" && (ours.items("value").is_empty() || theirs.items("value").is_empty()) {
                self.values(location, ours, theirs);
            } else {
                let (our, their) = (or_absent(our.cloned(), ours), or_absent(their.cloned(), theirs));
                self.add(name.clone(), location, our, their);
            }
        }
        if is_other_type {
            return;
        }
        let labels: BTreeSet<&String> = ours.children.keys().chain(theirs.children.keys()).collect();
        for label in labels {
            let inner = format!("{location}{label}");
            match (ours.children.get(label), theirs.children.get(label)) {
                (Some(our), Some(their)) => self.trees(&inner, our, their),
                (our, their) => {
                    let kind = our.or(their).map_or("", |tree| tree.kind);
                    let summary = |tree: &Tree| Fact::new(tree.summary.as_str(), &tree.pointer);
                    let (our, their) = (or_absent(our.map(summary), ours), or_absent(their.map(summary), theirs));
                    self.add((kind, label.clone()), &inner, our, their);
                }
            }
        }
    }

    /// One difference for all values if only one side has an enum.
    fn values(&mut self, location: &str, ours: &Tree, theirs: &Tree) {
        let side = |tree: &Tree| {
            let values = tree.items("value");
            let text = if values.is_empty() { "any".to_owned() } else { values };
            Fact::new(text, &tree.pointer)
        };
        self.add(("values", String::new()), location, side(ours), side(theirs));
    }

    fn add(&mut self, name: FactName, location: &str, ours: Fact, theirs: Fact) {
        let fact = name.0;
        if self.seen.insert((name, ours.pointer.clone(), theirs.pointer.clone())) {
            self.found.push(Difference {
                title: self.title.to_owned(),
                operation: self.operation.to_owned(),
                location: location.trim().to_owned(),
                fact,
                ours,
                theirs,
            });
        }
    }
}
