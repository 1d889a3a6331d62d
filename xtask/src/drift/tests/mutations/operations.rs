//! Changes of operations, parameters, bodies and statuses.

use serde_json::json;

use super::{GET, POST, Row, set, take};

pub(super) const ROWS: &[Row] = &[
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
