//! Each change of a small document of the service is found, and nothing else.

use serde_json::{Value, json};

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

const ROWS: &[Row] = &[
    (
        |root| {
            let sides = take(root, &format!("{FORM}/properties/sides"));
            set(root, &format!("{FORM}/properties/edges"), sides);
        },
        "POST /lanterns (post_lantern)
  request multipart/form-data edges: property
    ours    absent
    theirs  optional integer (int64)
  request multipart/form-data sides: property
    ours    optional integer (int64)
    theirs  absent
",
    ),
    (
        |root| set(root, &format!("{FORM}/required/-"), json!("color")),
        "POST /lanterns (post_lantern)
  request multipart/form-data color: required
    ours    optional
    theirs  required
",
    ),
    (
        |root| {
            take(root, &format!("{LANTERN}/required/0"));
        },
        "POST /lanterns (post_lantern)
  response 200 application/json lantern_id: required
    ours    required
    theirs  optional
GET /lanterns/{lantern_id} (get_lantern)
  response 200 application/json lantern_id: required
    ours    required
    theirs  optional
",
    ),
    (
        |root| set(root, &format!("{FORM}/properties/color/nullable"), json!(true)),
        "POST /lanterns (post_lantern)
  request multipart/form-data color: nullable
    ours    not nullable
    theirs  nullable
",
    ),
    (
        |root| set(root, &format!("{LANTERN}/properties/lit_at/type"), json!("string")),
        "POST /lanterns (post_lantern)
  response 200 application/json lit_at: nullable
    ours    nullable
    theirs  not nullable
GET /lanterns/{lantern_id} (get_lantern)
  response 200 application/json lit_at: nullable
    ours    nullable
    theirs  not nullable
",
    ),
    (
        |root| set(root, &format!("{FORM}/properties/sides/type"), json!("number")),
        "POST /lanterns (post_lantern)
  request multipart/form-data sides: type
    ours    integer
    theirs  number
",
    ),
    (
        |root| set(root, &format!("{FORM}/properties/sides"), json!({"$ref": "#/components/schemas/Lantern"})),
        "POST /lanterns (post_lantern)
  request multipart/form-data sides: type
    ours    integer
    theirs  object
",
    ),
    (
        |root| {
            set(root, &format!("{FORM}/properties/sides/minimum"), json!(4));
            take(root, &format!("{FORM}/properties/sides/maximum"));
        },
        "POST /lanterns (post_lantern)
  request multipart/form-data sides: maximum
    ours    12
    theirs  absent
  request multipart/form-data sides: minimum
    ours    3
    theirs  4
",
    ),
    (
        |root| set(root, &format!("{FORM}/properties/sides/exclusiveMinimum"), json!(true)),
        "POST /lanterns (post_lantern)
  request multipart/form-data sides: exclusiveMinimum
    ours    absent
    theirs  true
",
    ),
    (
        |root| set(root, &format!("{FORM}/properties/sides/default"), json!(8)),
        "POST /lanterns (post_lantern)
  request multipart/form-data sides: default
    ours    6
    theirs  8
",
    ),
    (
        |root| {
            take(root, &format!("{FORM}/properties/sides/format"));
        },
        "POST /lanterns (post_lantern)
  request multipart/form-data sides: format
    ours    int64
    theirs  absent
",
    ),
    (
        |root| set(root, &format!("{LANTERN}/properties/lantern_id/pattern"), json!("^[a-z0-9]+$")),
        "POST /lanterns (post_lantern)
  response 200 application/json lantern_id: pattern
    ours    ^[a-z]+$
    theirs  ^[a-z0-9]+$
GET /lanterns/{lantern_id} (get_lantern)
  response 200 application/json lantern_id: pattern
    ours    ^[a-z]+$
    theirs  ^[a-z0-9]+$
",
    ),
    (
        |root| set(root, &format!("{LANTERN}/properties/hangs_in/maxItems"), json!(2)),
        "POST /lanterns (post_lantern)
  response 200 application/json hangs_in: maxItems
    ours    absent
    theirs  2
GET /lanterns/{lantern_id} (get_lantern)
  response 200 application/json hangs_in: maxItems
    ours    absent
    theirs  2
",
    ),
    (
        |root| set(root, &format!("{FORM}/properties/color/enum"), json!(["red", "green"])),
        "POST /lanterns (post_lantern)
  request multipart/form-data color: value
    ours    absent
    theirs  green
  request multipart/form-data color: value
    ours    yellow
    theirs  absent
",
    ),
    (
        |root| {
            take(root, &format!("{FORM}/properties/color/enum"));
        },
        "POST /lanterns (post_lantern)
  request multipart/form-data color: values
    ours    red, yellow
    theirs  any
",
    ),
    (
        |root| set(root, &format!("{FORM}/properties/color/deprecated"), json!(true)),
        "POST /lanterns (post_lantern)
  request multipart/form-data color: deprecated
    ours    absent
    theirs  deprecated
",
    ),
    (
        |root| set(root, &format!("{FORM}/additionalProperties"), json!(false)),
        "POST /lanterns (post_lantern)
  request multipart/form-data: additionalProperties
    ours    absent
    theirs  false
",
    ),
    (
        |root| {
            set(
                root,
                &format!("{LANTERN}/properties/names"),
                json!({"type": "object", "additionalProperties": {"type": "string"}}),
            );
        },
        "POST /lanterns (post_lantern)
  response 200 application/json names: property
    ours    absent
    theirs  optional object
GET /lanterns/{lantern_id} (get_lantern)
  response 200 application/json names: property
    ours    absent
    theirs  optional object
",
    ),
    (
        |root| {
            take(root, &format!("{POST}/requestBody/content/multipart~1form-data/schema/not"));
        },
        "POST /lanterns (post_lantern)
  request multipart/form-data: exclusion
    ours    not color with shape
    theirs  absent
",
    ),
    (
        |root| {
            take(root, &format!("{POST}/requestBody/content/multipart~1form-data/encoding"));
        },
        "POST /lanterns (post_lantern)
  request multipart/form-data shape: contentType
    ours    application/json
    theirs  absent
",
    ),
    (
        |root| {
            let form = take(root, &format!("{POST}/requestBody/content/multipart~1form-data"));
            set(root, &format!("{POST}/requestBody/content/application~1json"), form);
        },
        "POST /lanterns (post_lantern)
  request application/json: media type
    ours    absent
    theirs  object
  request multipart/form-data: media type
    ours    object
    theirs  absent
",
    ),
    (
        |root| set(root, &format!("{POST}/requestBody/required"), json!(false)),
        "POST /lanterns (post_lantern)
  request: required
    ours    required
    theirs  optional
",
    ),
    (
        |root| {
            take(root, &format!("{POST}/requestBody"));
        },
        "POST /lanterns (post_lantern)
  request: request
    ours    a body
    theirs  absent
",
    ),
    (
        |root| {
            set(root, &format!("{POST}/responses/202"), json!({"description": "Later."}));
            take(root, &format!("{POST}/responses/403"));
        },
        "POST /lanterns (post_lantern)
  response 202: status
    ours    absent
    theirs  declared
  response 403: status
    ours    declared
    theirs  absent
",
    ),
    (
        |root| set(root, &format!("{POST}/deprecated"), json!(true)),
        "POST /lanterns (post_lantern)
  deprecated
    ours    not deprecated
    theirs  deprecated
",
    ),
    (
        |root| set(root, &format!("{POST}/operationId"), json!("create_lantern")),
        "POST /lanterns (post_lantern)
  operationId
    ours    post_lantern
    theirs  create_lantern
",
    ),
    (
        |root| set(root, &format!("{POST}/security"), json!([{"KeyAuth": []}, {"TokenAuth": []}])),
        "POST /lanterns (post_lantern)
  security
    ours    `Api-Key`
    theirs  `Api-Key` or `bearer` token
",
    ),
    (
        |root| set(root, &format!("{POST}/security"), json!([])),
        "POST /lanterns (post_lantern)
  security
    ours    `Api-Key`
    theirs  no key
",
    ),
    (
        |root| set(root, "/components/parameters/Color/required", json!(true)),
        "GET /lanterns/{lantern_id} (get_lantern)
  query color: required
    ours    optional
    theirs  required
",
    ),
    (
        |root| set(root, "/components/parameters/Color/explode", json!(false)),
        "GET /lanterns/{lantern_id} (get_lantern)
  query color: list
    ours    repeated
    theirs  joined
",
    ),
    (
        |root| set(root, "/components/parameters/Color/in", json!("header")),
        "GET /lanterns/{lantern_id} (get_lantern)
  header color: parameter
    ours    absent
    theirs  optional array of string one of red, yellow
  query color: parameter
    ours    optional array of string one of red, yellow
    theirs  absent
",
    ),
    (
        |root| {
            set(
                root,
                "/paths/~1lanterns~1{lantern_id}/delete",
                json!({"operationId": "delete_lantern", "security": [{"TokenAuth": []}]}),
            );
        },
        "DELETE /lanterns/{lantern_id} (delete_lantern)
  operation
    ours    absent
    theirs  present, `bearer` token
",
    ),
    (
        |root| {
            let path = take(root, "/paths/~1lanterns~1{lantern_id}");
            set(root, "/paths/~1lanterns~1{id}", path);
            set(root, "/paths/~1lanterns~1{id}/parameters/0/name", json!("id"));
        },
        "GET /lanterns/{lantern_id} (get_lantern)
  path id: parameter
    ours    absent
    theirs  required string
  path lantern_id: parameter
    ours    required string
    theirs  absent
",
    ),
    (
        |root| {
            take(root, GET);
        },
        "GET /lanterns/{lantern_id} (get_lantern)
  operation
    ours    present, `Api-Key`
    theirs  absent
",
    ),
];

#[test]
fn each_change_is_found_and_nothing_else() {
    for (change, expected) in ROWS {
        assert_eq!(found(change), *expected);
    }
}
