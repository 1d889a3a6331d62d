//! Each change of a small document of the service is found, and nothing else.

use serde_json::Value;

use super::{Document, OURS, THEIRS, differences};

const ROWS: &str = include_str!("mutations.yaml");

/// The object or list that a pointer leads into, and the key in it.
fn place<'v>(root: &'v mut Value, pointer: &str) -> (&'v mut Value, String) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    (root.pointer_mut(parent).unwrap(), key.replace("~1", "/"))
}

/// Replaces the value at a pointer, or adds it.
fn set(root: &mut Value, pointer: &str, value: Value) {
    match place(root, pointer) {
        (Value::Array(items), key) if key == "-" => items.push(value),
        (parent, key) => parent[key] = value,
    }
}

/// Removes the value at a pointer and returns it.
fn take(root: &mut Value, pointer: &str) -> Value {
    match place(root, pointer) {
        (Value::Array(items), key) => items.remove(key.parse().unwrap()),
        (parent, key) => parent.as_object_mut().unwrap().remove(&key).unwrap(),
    }
}

fn change(root: &mut Value, row: &Value) {
    for (from, to) in row["move"].as_object().into_iter().flatten() {
        let moved = take(root, from);
        set(root, to.as_str().unwrap(), moved);
    }
    for (pointer, value) in row["set"].as_object().into_iter().flatten() {
        set(root, pointer, value.clone());
    }
    for pointer in row["remove"].as_array().into_iter().flatten() {
        take(root, pointer.as_str().unwrap());
    }
}

#[test]
fn each_change_is_found_and_nothing_else() {
    let ours = Document::parse("ours.yaml", OURS).unwrap();
    let rows = ideogram_codegen::read_yaml(ROWS).unwrap();
    for row in rows.as_array().unwrap() {
        let mut theirs: Value = serde_json::from_str(THEIRS).unwrap();
        change(&mut theirs, row);

        let theirs = Document::parse("theirs.json", &theirs.to_string()).unwrap();
        let found = differences(&ours, &theirs)
            .into_iter()
            .map(|it| Value::from(vec![&*it.operation, &it.location, it.fact, &it.ours.text, &it.theirs.text]));
        assert_eq!(found.collect::<Value>(), row["found"], "{row}");
    }
}
