//! `models list` and `get`.

use ideogram_mock::MockServer;

use crate::{
    invocation::{ideogram, serve, snapshot},
    rogue::Rogue,
};

#[test]
fn models_are_listed_with_all_that_is_known_of_them() {
    snapshot!(ideogram(["--mock", "models", "list"]).run(), @"
    exit code: 0
    ----- stdout -----
    ID                      NAME              STATUS     URI                             AVAILABLE  SCOPE   DATASET  CREATED                  UPDATED
    Zm9v4kQ1T0eYb8uJr2xLhg  paper-lanterns    COMPLETED  model/paper-lanterns/version/1  yes        owned   demo     2026-06-30 10:02:07 UTC  2026-06-30 11:21:39 UTC
    c5Rn8WqYTzKd0aXo6iUvpQ  paper-lanterns-2  TRAINING   -                               no         owned   demo     2026-07-01 08:30:11 UTC  2026-07-01 08:30:11 UTC
    H3tB7yLsQ2eVxN9fGk1mDw  House style       COMPLETED  model/house-style/version/0     yes        shared  -        2026-06-02 16:24:11 UTC  2026-06-02 16:24:11 UTC
    ");
}

#[test]
fn models_are_listed_as_json() {
    let ran = ideogram(["--mock", "models", "list", "--output", "json"]).run();

    assert_eq!(ran.json()["models"].as_array().unwrap().len(), 3);
    assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""));
}

#[test]
fn filters_are_sent_as_the_service_writes_them() {
    let server = serve(MockServer::builder());
    let filters = ["--status", "training", "--status", "CREATING", "--scope", "owned"];

    let ran = ideogram(["models", "list"].into_iter().chain(filters)).against(&server).run();

    assert_eq!(server.requests()[0].query.as_deref(), Some("scope=owned&status=TRAINING&status=CREATING"));
    snapshot!(ran, @"
    exit code: 0
    ----- stdout -----
    ID                      NAME              STATUS    URI  AVAILABLE  SCOPE  DATASET  CREATED                  UPDATED
    c5Rn8WqYTzKd0aXo6iUvpQ  paper-lanterns-2  TRAINING  -    no         owned  demo     2026-07-01 08:30:11 UTC  2026-07-01 08:30:11 UTC
    ");
}

#[test]
fn an_empty_filtered_list_says_that_nothing_matches() {
    snapshot!(ideogram(["--mock", "models", "list", "--scope", "owned", "--status", "archived"]).run(), @"
    exit code: 0
    ----- stderr -----
    no models match
    ");
}

#[test]
fn a_model_is_shown_as_fields() {
    snapshot!(ideogram(["--mock", "models", "get", "Zm9v4kQ1T0eYb8uJr2xLhg"]).run(), @"
    exit code: 0
    ----- stdout -----
    Name:       paper-lanterns
    Id:         Zm9v4kQ1T0eYb8uJr2xLhg
    Status:     COMPLETED
    Available:  yes
    URI:        model/paper-lanterns/version/1
    Scope:      owned
    Dataset:    demo
    Created:    2026-06-30 10:02:07 UTC
    Updated:    2026-06-30 11:21:39 UTC
    ");
}

#[test]
fn a_model_is_shown_as_json() {
    snapshot!(ideogram(["--mock", "--output=json", "models", "get", "c5Rn8WqYTzKd0aXo6iUvpQ"]).run(), @r#"
    exit code: 0
    ----- stdout -----
    {
      "model": {
        "model_id": "c5Rn8WqYTzKd0aXo6iUvpQ",
        "name": "paper-lanterns-2",
        "status": "TRAINING",
        "creation_time": "2026-07-01T08:30:11.920346+00:00",
        "is_available_for_generation": false,
        "is_owned": true,
        "custom_model_uri": null,
        "dataset_id": "demo",
        "last_update_time": "2026-07-01T08:30:11.920346+00:00"
      }
    }
    "#);
}

#[test]
fn an_unknown_state_is_printed_unchanged() {
    let body = r#"{"model":{"model_id":"m","name":"n","status":"PAUSED","creation_time":"2000-01-23 04:56:07+00:00",
        "is_available_for_generation":false,"is_owned":false}}"#;
    let rogue = Rogue::responding("200 OK", body);

    snapshot!(ideogram(["models", "get", "m"]).at(rogue.url()).run(), @"
    exit code: 0
    ----- stdout -----
    Name:       n
    Id:         m
    Status:     PAUSED
    Available:  no
    URI:        -
    Scope:      shared
    Dataset:    -
    Created:    2000-01-23 04:56:07 UTC
    Updated:    -
    ");
}
