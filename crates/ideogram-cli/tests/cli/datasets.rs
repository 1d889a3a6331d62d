//! `datasets list`, `create` and `get`.

use ideogram_mock::MockServer;

use crate::{
    invocation::{ideogram, serve, snapshot},
    rogue::Rogue,
};

#[test]
fn a_newcomer_sees_a_dataset_without_key_or_network() {
    snapshot!(ideogram(["--mock", "datasets", "get", "demo"]).run(), @"
    exit code: 0
    ----- stdout -----
    Name:        Paper lanterns (demo)
    Id:          demo
    Created:     2026-06-30 09:12:44 UTC
    Files:       18
    Total size:  9.7 MiB
    Models:      Zm9v4kQ1T0eYb8uJr2xLhg
                 c5Rn8WqYTzKd0aXo6iUvpQ

    FILE                         SIZE
    bamboo-frame.jpg        614.4 KiB
    blue-lantern.jpg        505.8 KiB
    child-with-lantern.jpg  525.8 KiB
    festival-gate.webp      343.1 KiB
    floating-lights.png       1.4 MiB
    folding-table.jpg       403.7 KiB
    hand-painted.jpg        430.3 KiB
    lantern-row.png           1.7 MiB
    market-stall.jpg        590.7 KiB
    rainy-street.jpg        486.5 KiB
    red-lantern.jpg         470.8 KiB
    red-lantern.txt              64 B
    river-at-night.png        1.2 MiB
    river-at-night.txt          118 B
    sky-lanterns.jpg        511.2 KiB
    sky-lanterns.txt             93 B
    temple-steps.webp       275.5 KiB
    workshop-window.jpg     343.7 KiB
    ");
}

#[test]
fn a_dataset_as_json_is_the_response_of_the_service() {
    let ran = ideogram(["--mock", "--output", "json", "datasets", "get", "demo"]).run();

    let properties: Vec<_> = ran.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(properties, ["dataset", "file_count", "files", "custom_model_ids"]);
    assert_eq!(ran.json()["files"].as_array().unwrap().len(), 18);
    assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""));
}

#[test]
fn getting_a_dataset_is_one_request_with_the_key() {
    let server = serve(MockServer::builder().api_key("secret-1234"));

    let ran = ideogram(["datasets", "get", "abc"]).against(&server).run();

    let requests = server.requests();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(
        (request.method.as_str(), request.path.as_str(), request.query.as_deref()),
        ("GET", "/datasets/abc", None)
    );
    assert_eq!(request.headers["Api-Key"], "secret-1234");
    assert!(!request.headers.contains_key("api-version"));
    assert!(!ran.stderr().contains("secret-1234"));
    snapshot!(ran, @"
    exit code: 5
    ----- stderr -----
    error: cannot get the dataset abc
      caused by: get_dataset: 404 Not Found: Dataset not found.
    hint: `ideogram datasets list` shows what this key has access to
    ");
}

#[test]
fn an_option_for_the_address_goes_before_the_variable() {
    let server = serve(MockServer::builder());

    let run = ideogram(["datasets", "list", "--base-url", server.url(), "--output", "json"]);
    let ran = run.env("IDEOGRAM_BASE_URL", "http://127.0.0.1:1").env("IDEOGRAM_API_KEY", server.api_key()).run();

    assert_eq!((ran.code(), server.requests().len()), (Some(0), 1));
}

#[test]
fn the_mock_ignores_key_and_address_of_the_environment() {
    let server = serve(MockServer::builder());

    let ran = ideogram(["--mock", "datasets", "get", "demo"]).against(&server).run();

    assert_eq!(ran.code(), Some(0));
    assert!(server.requests().is_empty());
}

#[test]
fn datasets_are_listed_as_a_table() {
    snapshot!(ideogram(["--mock", "datasets", "list"]).run(), @"
    exit code: 0
    ----- stdout -----
    ID    NAME                   CREATED
    demo  Paper lanterns (demo)  2026-06-30 09:12:44 UTC
    ");
}

#[test]
fn datasets_are_listed_as_json() {
    snapshot!(ideogram(["--mock", "datasets", "list", "--output", "json"]).run(), @r#"
    exit code: 0
    ----- stdout -----
    {
      "datasets": [
        {
          "dataset_id": "demo",
          "name": "Paper lanterns (demo)",
          "user_id": "kX0p3rZcSLi4mB2vD7qNfw",
          "creation_time": "2026-06-30T09:12:44.307115+00:00",
          "cover_asset_identifier": {
            "asset_type": "UPLOAD",
            "asset_id": "7uS_VESkRI6O3-sVgHQp_A"
          }
        }
      ]
    }
    "#);
}

#[test]
fn an_empty_list_has_no_output_and_a_hint() {
    let rogue = Rogue::responding("200 OK", r#"{"datasets":[]}"#);

    snapshot!(ideogram(["datasets", "list"]).at(rogue.url()).run(), @"
    exit code: 0
    ----- stderr -----
    no datasets yet; to create one: ideogram datasets create NAME
    ");
}

#[test]
fn a_new_dataset_is_shown_with_its_id_and_the_next_step() {
    let server = serve(MockServer::builder());

    let ran = ideogram(["datasets", "create", "Paper lanterns"]).against(&server).run();

    assert_eq!(server.requests().len(), 1);
    snapshot!(ran, @"
    exit code: 0
    ----- stdout -----
    Name:     Paper lanterns
    Id:       bnieaqG5ZfQGxF0YgAlFTw
    Created:  2026-07-01 09:00:00 UTC
    ----- stderr -----
    next, upload a folder of images to it: ideogram datasets sync bnieaqG5ZfQGxF0YgAlFTw DIR
    ");
}

#[test]
fn a_new_dataset_in_the_embedded_server_has_a_warning_that_it_is_not_stored() {
    snapshot!(ideogram(["--mock", "datasets", "create", "x", "--output", "json"]).run(), @r#"
    exit code: 0
    ----- stdout -----
    {
      "dataset_id": "bnieaqG5ZfQGxF0YgAlFTw",
      "name": "x",
      "user_id": "kX0p3rZcSLi4mB2vD7qNfw",
      "creation_time": "2026-07-01T09:00:00.000000+00:00"
    }
    ----- stderr -----
    {"note":"this was done in a mock server that ends with the command; `ideogram mock serve` runs one that stays"}
    "#);
}

#[test]
fn quiet_leaves_the_response_only() {
    let ran = ideogram(["--mock", "--quiet", "datasets", "create", "x"]).run();

    assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""));
    assert!(ran.stdout().starts_with("Name:"));
}

#[test]
fn missing_facts_are_printed_as_unknown() {
    let body = r#"{"dataset":{"dataset_id":"d","name":"n","user_id":"u","creation_time":"soon"},"file_count":9,
        "files":[{"file_name":"a.png","file_size_bytes":2048},{"file_name":null},{"file_name":"c.png","file_size_bytes":-1}],
        "custom_model_ids":[]}"#;
    let rogue = Rogue::responding("200 OK", body);

    snapshot!(ideogram(["datasets", "get", "d"]).at(rogue.url()).run(), @"
    exit code: 0
    ----- stdout -----
    Name:        n
    Id:          d
    Created:     soon
    Files:       9 counted by the service, 3 listed
    Total size:  at least 2.0 KiB: the size of 2 files is unknown
    Models:      -

    FILE      SIZE
    a.png  2.0 KiB
    -            -
    c.png        -
    ");
}

#[test]
fn an_id_may_begin_with_a_hyphen() {
    let server = serve(MockServer::builder());

    let ran = ideogram(["datasets", "get", "-S_VESkRI6O3-sVgHQp_Aa", "-q", "--output", "json"]).against(&server).run();

    assert_eq!(ran.code(), Some(5));
    assert_eq!(server.requests()[0].path, "/datasets/-S_VESkRI6O3-sVgHQp_Aa");
}
