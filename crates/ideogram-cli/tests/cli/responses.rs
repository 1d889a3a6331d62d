//! What becomes of responses that are refusals, that make no sense, that never come, or that nobody reads.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
    time::Duration,
};

use ideogram_mock::{MockServer, Scenario};

use crate::{
    invocation::{ideogram, serve, snapshot},
    rogue::Rogue,
};

#[test]
fn a_wrong_key_and_a_missing_key_have_different_messages_without_the_key() {
    let server = serve(MockServer::builder());

    let ran = ideogram(["datasets", "get", "demo"]).at(server.url()).run();

    assert!(!ran.stderr().contains("secret-1234"));
    snapshot!(ran, @"
    exit code: 3
    ----- stderr -----
    error: cannot get the dataset demo
      caused by: get_dataset: 401 Unauthorized: Access denied. Please verify your API Token is valid.
    hint: http://127.0.0.1:[PORT]/ refuses the key: `ideogram auth status` shows its source; a key is also paused when its balance reaches zero (keys and balance: https://developer.ideogram.ai/ideogram-api/api-setup)
    ");
}

#[test]
fn an_unknown_id_has_a_hint_with_the_command_that_lists_ids() {
    snapshot!(ideogram(["--mock", "models", "get", "nope"]).run(), @"
    exit code: 5
    ----- stderr -----
    error: cannot get the model nope
      caused by: get_custom_model: 404 Not Found: Model not found.
    hint: `ideogram models list` shows what this key has access to
    ");
}

#[test]
fn a_rate_limit_error_has_the_time_to_wait() {
    let server = serve(MockServer::builder());
    server.set_scenario(Scenario::RateLimitedOnce { retry_after: Some(Duration::from_secs(7)) });

    snapshot!(ideogram(["--attempts", "1", "datasets", "list"]).against(&server).run(), @"
    exit code: 8
    ----- stderr -----
    error: cannot list the datasets
      caused by: list_datasets: 429 Too Many Requests: Too many requests in flight.
    hint: wait 7 seconds, then run the command again
    ");
}

#[test]
fn a_failure_of_the_service_after_a_change_has_a_hint_to_check_first() {
    let server = serve(MockServer::builder());
    server.set_scenario(Scenario::ServerErrorOnce { status: 502 });

    snapshot!(ideogram(["datasets", "create", "x"]).against(&server).run(), @r#"
    exit code: 9
    ----- stderr -----
    error: cannot create the dataset "x"
      caused by: create_dataset: 502 Bad Gateway; the call may have run: check before calling again
    hint: it may still have been done: see `ideogram datasets list` before running the command again
    "#);
}

#[test]
fn a_change_whose_response_is_lost_has_a_hint_to_check_first() {
    let server = serve(MockServer::builder());
    server.set_scenario(Scenario::ResponseLostOnce);

    let ran = ideogram(["datasets", "create", "x"]).against(&server).run();

    // Whether the head of the response arrives before the connection breaks is a matter of luck.
    assert_eq!(ran.code(), Some(9));
    assert!(ran.stderr().contains("see `ideogram datasets list`"), "{}", ran.stderr());
}

#[test]
fn a_change_whose_response_breaks_off_was_made() {
    let rogue = Rogue::sending("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"dataset_id\": ");

    snapshot!(ideogram(["datasets", "create", "x"]).at(rogue.url()).run(), @r#"
    exit code: 9
    ----- stderr -----
    error: cannot create the dataset "x"
      caused by: create_dataset: 200 OK: the response broke off (end of file before message length reached)
    hint: it was done, but its response cannot be read; do not run the command again: see `ideogram datasets list`
    "#);
}

#[test]
fn a_call_that_cannot_connect_was_not_sent() {
    snapshot!(ideogram(["--attempts", "1", "datasets", "list"]).at("http://127.0.0.1:1").run(), @"
    exit code: 9
    ----- stderr -----
    error: cannot list the datasets
      caused by: list_datasets: no connection to the service (Connection refused)
    hint: nothing was sent: check the network, and the address http://127.0.0.1:[PORT]/
    ");
}

#[test]
fn a_service_that_does_not_respond_ends_in_a_timeout() {
    let rogue = Rogue::silent();

    snapshot!(ideogram(["--timeout", "0.2", "datasets", "list"]).at(rogue.url()).run(), @"
    exit code: 9
    ----- stderr -----
    error: cannot list the datasets
      caused by: list_datasets: no response in time: the deadline of the call has passed; not retried: the deadline leaves no time for it
    hint: nothing was changed: the command can be run again
    ");
}

#[test]
fn an_html_page_instead_of_json_is_printed() {
    let rogue = Rogue::responding("200 OK", "<html>\x1b[31mhello</html>");

    snapshot!(ideogram(["datasets", "get", "x"]).at(rogue.url()).run(), @r"
    exit code: 1
    ----- stderr -----
    error: cannot get the dataset x
      caused by: get_dataset: 200 OK: the response is not what the document describes: expected value at line 1 column 1
      the response was: <html>\u{1b}[31mhello</html>
    hint: is http://127.0.0.1:[PORT]/ the Ideogram API? If so, a newer version of this command may know the response
    ");
}

#[test]
fn a_long_undecodable_response_is_printed_in_part() {
    let rogue = Rogue::responding("200 OK", &"äöü".repeat(1000));

    let ran = ideogram(["datasets", "get", "x"]).at(rogue.url()).run();

    assert!(ran.stderr().contains("the response of 5.9 KiB begins: äöü"), "{}", ran.stderr());
}

#[test]
fn a_response_that_is_cut_or_empty_or_of_another_shape_is_an_error() {
    for body in ["", "{\"dataset\":", "[]", "null", "{}", "7"] {
        let rogue = Rogue::responding("200 OK", body);

        let ran = ideogram(["datasets", "get", "x"]).at(rogue.url()).run();

        assert_eq!((ran.code(), ran.stdout().as_str()), (Some(1), ""), "{body}");
        assert!(ran.stderr().starts_with("error: cannot get the dataset x\n"), "{}", ran.stderr());
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let rogue = Rogue::responding_with("302 Found", "location: http://example.test/\r\n", "");

    snapshot!(ideogram(["datasets", "get", "x"]).at(rogue.url()).run(), @"
    exit code: 1
    ----- stderr -----
    error: cannot get the dataset x
      caused by: get_dataset: 302 Found: no reason given
      the response has no body
    hint: http://127.0.0.1:[PORT]/ redirects the call, and the key is not sent to another address; use the final address
    ");
}

#[test]
fn json_holds_what_this_version_does_not_know() {
    let body = r#"{"model":{"model_id":"m","name":"n","status":"NEW","creation_time":"2000-01-23 04:56:07+00:00","news":
        {"big":123456789012345678901234567890,"empty":[]},"is_available_for_generation":true,"is_owned":true}}"#;
    let rogue = Rogue::responding("200 OK", body);

    snapshot!(ideogram(["--output", "json", "models", "get", "m"]).at(rogue.url()).run(), @r#"
    exit code: 0
    ----- stdout -----
    {
      "model": {
        "model_id": "m",
        "name": "n",
        "status": "NEW",
        "creation_time": "2000-01-23 04:56:07+00:00",
        "news": {
          "big": 123456789012345678901234567890,
          "empty": []
        },
        "is_available_for_generation": true,
        "is_owned": true
      }
    }
    "#);
}

#[test]
fn a_name_from_the_service_cannot_command_the_terminal() {
    let server = serve(MockServer::builder());
    ideogram(["datasets", "create", "\x1b[2J\u{9b}31m\u{202e}gnp.exe\nEnd"]).against(&server).run();

    let as_text = ideogram(["datasets", "list"]).against(&server).run();
    let as_json = ideogram(["datasets", "list", "--output", "json"]).against(&server).run();

    let is_harmless = |text: &str| !text.contains(['\x1b', '\u{9b}', '\u{202e}']);
    assert!(is_harmless(&as_text.stdout()) && is_harmless(&as_json.stdout()));
    assert_eq!(as_json.json()["datasets"][1]["name"], "\x1b[2J\u{9b}31m\u{202e}gnp.exe\nEnd");
    snapshot!(as_text, @r"
    exit code: 0
    ----- stdout -----
    ID                      NAME                                    CREATED
    demo                    Paper lanterns (demo)                   2026-06-30 09:12:44 UTC
    bnieaqG5ZfQGxF0YgAlFTw  \u{1b}[2J\u{9b}31m\u{202e}gnp.exe\nEnd  2026-07-01 09:00:00 UTC
    ");
}

#[test]
fn a_long_name_is_printed_in_full() {
    let name = "lantern ".repeat(100) + "end";

    let ran = ideogram(["--mock", "datasets", "create", &name]).run();

    assert!(ran.stdout().contains(&name), "{}", ran.stdout());
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let files = (0..100_000).map(|number| format!(r#"{{"file_name":"{number}.png","file_size_bytes":1}}"#));
    let body = format!(
        r#"{{"dataset":{{"dataset_id":"d","name":"n","user_id":"u","creation_time":"2026-06-30T09:12:44Z"}},
            "file_count":100000,"files":[{}],"custom_model_ids":[]}}"#,
        files.collect::<Vec<_>>().join(",")
    );
    for format in ["text", "json"] {
        let rogue = Rogue::responding("200 OK", &body);
        let mut command = ideogram(["--output", format, "datasets", "get", "d"]).at(rogue.url()).into_command();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();

        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        drop(stdout);

        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{format}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{format}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_response_that_cannot_be_written_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = ideogram(["--mock", "datasets", "get", "demo"]).into_command();

    let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();

    assert_eq!(output.status.code(), Some(13));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: cannot write to standard output\n"));
}

#[test]
fn an_announcement_of_the_service_is_printed_once() {
    let link = "Link: <https://developer.ideogram.ai/v2/api-reference/x>; rel=\"successor-version\"\r\n";
    let body = "{\"datasets\": [], \"notice\": \"use \\u001b[31mversion 2\"}";

    let rogue = Rogue::responding_with("200 OK", link, body);
    let ran = ideogram(["datasets", "list"]).at(rogue.url()).run();
    assert_eq!(ran.code(), Some(0), "{ran}");
    assert_eq!(ran.stderr().matches("the service says about list_datasets: use ").count(), 1, "{ran}");
    assert!(ran.stderr().contains("it is replaced by https://developer.ideogram.ai/v2/api-reference/x"), "{ran}");
    assert!(!ran.stderr().contains('\u{1b}'), "{ran}");

    let rogue = Rogue::responding_with("200 OK", link, body);
    let ran = ideogram(["datasets", "list", "--quiet"]).at(rogue.url()).run();
    assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""), "{ran}");
}
