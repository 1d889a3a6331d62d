//! Each change of a small document of the service is found, and nothing else.

mod operations;
mod schemas;

use serde_json::Value;

use super::{Shown, THEIRS, compared};

const FORM: &str = "/components/schemas/Form";
const LANTERN: &str = "/components/schemas/Lantern";
const POST: &str = "/paths/~1lanterns/post";
const GET: &str = "/paths/~1lanterns~1{lantern_id}/get";

/// Replaces the value at a pointer, or adds it.
fn set(root: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/");
    match root.pointer_mut(parent).unwrap() {
        Value::Array(items) if key == "-" => items.push(value),
        parent => parent[&key] = value,
    }
}

/// Removes the value at a pointer and returns it.
fn take(root: &mut Value, pointer: &str) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/");
    match root.pointer_mut(parent).unwrap() {
        Value::Array(items) => items.remove(key.parse().unwrap()),
        parent => parent.as_object_mut().unwrap().remove(&key).unwrap(),
    }
}

/// What the report says of a changed document, without the places and the last line.
fn found(change: impl Fn(&mut Value)) -> String {
    let mut root: Value = serde_json::from_str(THEIRS).unwrap();
    change(&mut root);
    let report = compared(&serde_json::to_string_pretty(&root).unwrap(), "[]", Shown::Undecided);
    let lines: Vec<&str> = report.text.lines().collect();
    let (last, lines) = lines.split_last().unwrap();
    assert_eq!(*last, format!("{} not decided, 0 decided", report.undecided));
    let without_place = lines.iter().map(|line| match line.rsplit_once("  ") {
        Some((text, place)) if place.starts_with("ours.yaml:") || place.starts_with("theirs.json:") => text,
        _ => line,
    });
    without_place.map(|line| format!("{line}\n")).collect()
}

/// One change and what the report says of it.
type Row = (fn(&mut Value), &'static str);

#[test]
fn each_change_is_found_and_nothing_else() {
    for (change, expected) in schemas::ROWS.iter().chain(operations::ROWS) {
        assert_eq!(found(change), *expected);
    }
}
