//! What is refused before anything is sent.

use ideogram_mock::MockServer;

use crate::invocation::{ideogram, serve, snapshot};

#[test]
fn without_a_key_the_command_says_how_to_get_one_and_how_to_do_without() {
    snapshot!(ideogram(["datasets", "list"]).run(), @r#"
    exit code: 3
    ----- stderr -----
    error: no API key
      caused by: none in --api-key-file, IDEOGRAM_API_KEY, the profile "default" and the keyring, in this order
    hint: how to get a key: https://developer.ideogram.ai/ideogram-api/api-setup
    hint: then store it: ideogram auth login; or set it: export IDEOGRAM_API_KEY=...
    hint: to try the command without a key, add --mock: ideogram --mock datasets list
    "#);
}

#[test]
fn an_empty_key_counts_as_missing() {
    let ran = ideogram(["datasets", "list"]).env("IDEOGRAM_API_KEY", " ").run();

    assert_eq!(ran.code(), Some(3));
    assert!(ran.stderr().contains("no API key"), "{}", ran.stderr());
}

#[test]
fn what_cannot_be_a_key_is_refused_without_being_repeated() {
    let ran = ideogram(["datasets", "list"]).env("IDEOGRAM_API_KEY", "secret 1234").run();

    assert!(!ran.stderr().contains("secret"));
    snapshot!(ran, @"
    exit code: 3
    ----- stderr -----
    error: the key in the environment variable IDEOGRAM_API_KEY is not valid
      caused by: the API key holds white space or characters beyond ASCII, which no key does
    hint: how to get a key: https://developer.ideogram.ai/ideogram-api/api-setup
    ");
}

#[test]
fn an_id_that_would_change_the_path_is_wrong_usage() {
    let server = serve(MockServer::builder());

    for id in ["", ".", "..", "a/b", "../models", "a?b", "a#b", "a%2fb", "a b", "a\nb", "--jsn", "-"] {
        for arguments in
            [vec!["datasets", "get", id], vec!["models", "get", id], vec!["datasets", "upload", id, "a.png"]]
        {
            let ran = ideogram(arguments).against(&server).run();

            assert_eq!(ran.code(), Some(2), "{id:?}: {}", ran.stderr());
            assert_eq!(ran.stdout(), "", "{id:?}");
        }
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_refused_id_comes_with_the_reason() {
    snapshot!(ideogram(["datasets", "get", ".."]).run(), @"
    exit code: 2
    ----- stderr -----
    error: invalid value '..' for '<ID>': an id must not be `..`, which would lead to another path; `ideogram datasets list` shows the ids

    For more information, try '--help'.
    ");
}

#[test]
fn a_mistyped_option_does_not_pass_for_an_id() {
    snapshot!(ideogram(["--mock", "datasets", "get", "--jsn"]).run(), @"
    exit code: 2
    ----- stderr -----
    error: invalid value '--jsn' for '<ID>': neither an option of this command nor an id

    For more information, try '--help'.
    ");
}

#[test]
fn an_upload_without_files_is_wrong_usage() {
    snapshot!(ideogram(["--mock", "datasets", "upload", "demo"]).run(), @"
    exit code: 2
    ----- stderr -----
    error: the following required arguments were not provided:
      <PATH>...

    Usage: ideogram datasets upload <ID> <PATH>...

    For more information, try '--help'.
    ");
}

#[test]
fn a_blank_name_is_refused() {
    snapshot!(ideogram(["--mock", "datasets", "create", " "]).run(), @"
    exit code: 2
    ----- stderr -----
    error: invalid value ' ' for '<NAME>': the name is blank, and the service cannot rename or delete a dataset

    For more information, try '--help'.
    ");
}

#[test]
fn a_state_that_does_not_exist_is_refused_with_those_that_do() {
    snapshot!(ideogram(["--mock", "models", "list", "--status", "done"]).run(), @"
    exit code: 2
    ----- stderr -----
    error: invalid value 'done' for '--status <STATUS>'
      [possible values: CREATING, DRAFT, TRAINING, COMPLETED, ERRORED, ARCHIVED]

    For more information, try '--help'.
    ");
}

#[test]
fn an_unknown_subcommand_has_a_suggestion() {
    snapshot!(ideogram(["dataset"]).run(), @"
    exit code: 2
    ----- stderr -----
    error: unrecognized subcommand 'dataset'

      tip: a similar subcommand exists: 'datasets'

    Usage: ideogram [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn an_address_that_would_show_the_key_on_the_way_is_refused() {
    let run = ideogram(["datasets", "list"]).env("IDEOGRAM_API_KEY", "secret-1234");

    let ran = run.env("IDEOGRAM_BASE_URL", "http://example.test").run();

    snapshot!(ran, @"
    exit code: 2
    ----- stderr -----
    error: the address in IDEOGRAM_BASE_URL is refused
      caused by: the base URL is plain http to another machine, and the key would be sent unencrypted: use https, or allow plain http
    hint: use an address such as https://api.ideogram.ai, or http://127.0.0.1:[PORT] for a server on this machine
    ");
}

#[test]
fn mock_and_an_address_exclude_each_other() {
    snapshot!(ideogram(["--mock", "datasets", "list", "--base-url", "http://127.0.0.1:1"]).run(), @"
    exit code: 2
    ----- stderr -----
    error: --mock cannot be combined with --base-url: the mock server has its own address
    ");
}

#[test]
fn a_timeout_without_sense_is_refused() {
    snapshot!(ideogram(["--mock", "--timeout", "0", "datasets", "list"]).run(), @"
    exit code: 2
    ----- stderr -----
    error: invalid value '0' for '--timeout <TIME>': not from 0.001 to 86400 seconds

    For more information, try '--help'.
    ");
}

#[test]
fn calls_to_the_loopback_use_no_proxy() {
    let server = serve(MockServer::builder());
    let proxy = "http://127.0.0.1:1";

    for call in
        [ideogram(["datasets", "get", "demo"]).against(&server), ideogram(["--mock", "datasets", "get", "demo"])]
    {
        let ran = call.env("HTTP_PROXY", proxy).env("http_proxy", proxy).env("ALL_PROXY", proxy).run();

        assert_eq!(ran.code(), Some(0), "{}", ran.stderr());
    }
}
