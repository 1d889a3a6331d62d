//! Changes of schemas.

use serde_json::json;

use super::{FORM, LANTERN, POST, Row, set, take};

pub(super) const ROWS: &[Row] = &[
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
        |root| set(root, &format!("{LANTERN}/properties/notes/additionalProperties/minLength"), json!(2)),
        "POST /lanterns (post_lantern)
  response 200 application/json notes{}: minLength
    ours    1
    theirs  2
GET /lanterns/{lantern_id} (get_lantern)
  response 200 application/json notes{}: minLength
    ours    1
    theirs  2
",
    ),
    (
        |root| set(root, &format!("{LANTERN}/properties/notes/additionalProperties"), json!(true)),
        "POST /lanterns (post_lantern)
  response 200 application/json notes{}: values of a map
    ours    string
    theirs  absent
GET /lanterns/{lantern_id} (get_lantern)
  response 200 application/json notes{}: values of a map
    ours    string
    theirs  absent
",
    ),
    (
        |root| set(root, &format!("{LANTERN}/properties/holder/anyOf/0/properties/legs/minimum"), json!(3)),
        "POST /lanterns (post_lantern)
  response 200 application/json holder|stand.legs: minimum
    ours    absent
    theirs  3
GET /lanterns/{lantern_id} (get_lantern)
  response 200 application/json holder|stand.legs: minimum
    ours    absent
    theirs  3
",
    ),
    (
        |root| {
            set(
                root,
                &format!("{LANTERN}/properties/holder/anyOf/-"),
                json!({"required": ["cord"], "properties": {"cord": {"type": "string"}}}),
            );
        },
        "POST /lanterns (post_lantern)
  response 200 application/json holder|cord: alternative
    ours    absent
    theirs  object
GET /lanterns/{lantern_id} (get_lantern)
  response 200 application/json holder|cord: alternative
    ours    absent
    theirs  object
",
    ),
];
