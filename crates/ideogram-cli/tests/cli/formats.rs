//! The three formats, `--jq`, and what standard error holds beside them.

use ideogram_mock::{MockServer, Scenario};

use crate::invocation::{ideogram, serve, snapshot};

#[test]
fn a_list_has_a_line_for_each_of_its_elements() {
    let server = serve(MockServer::builder());
    ideogram(["datasets", "create", "Second"]).against(&server).run();

    let ran = ideogram(["datasets", "list", "--output", "jsonl"]).against(&server).run();

    let names: Vec<String> = ran
        .stdout()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["Paper lanterns (demo)", "Second"]);
}

#[test]
fn a_value_that_is_not_a_list_has_one_line() {
    let ran = ideogram(["--mock", "--output", "jsonl", "datasets", "get", "demo"]).run();

    assert_eq!(ran.stdout().lines().count(), 1);
    assert_eq!(ran.json()["file_count"], 18);
}

#[test]
fn an_expression_picks_texts_without_quotes_and_implies_json() {
    snapshot!(ideogram(["--mock", "models", "list", "--jq", ".models[] | .name, .is_owned"]).run(), @"
    exit code: 0
    ----- stdout -----
    paper-lanterns
    true
    paper-lanterns-2
    true
    House style
    false
    ");
}

#[test]
fn an_expression_sees_the_lines_of_a_list() {
    let ran = ideogram(["--mock", "models", "list", "--output", "jsonl", "--jq", "{status}"]).run();

    assert!(ran.stdout().starts_with("{\"status\":\"COMPLETED\"}\n"), "{}", ran.stdout());
}

#[test]
fn an_expression_that_cannot_be_read_is_refused_before_anything_is_sent() {
    let server = serve(MockServer::builder());

    let ran = ideogram(["datasets", "create", "x", "--jq", ".a["]).against(&server).run();

    assert!(server.requests().is_empty());
    snapshot!(ran, @"
    exit code: 2
    ----- stderr -----
    error: the expression of --jq cannot be read
      caused by: expected closing bracket at its end
    ");
}

#[test]
fn a_failing_expression_has_a_message_that_the_call_was_made() {
    snapshot!(ideogram(["--mock", "datasets", "get", "demo", "--jq", ".file_count.x"]).run(), @r#"
    exit code: 11
    ----- stderr -----
    error: the expression of --jq failed on the result
      caused by: cannot index 18 with "x"
    "#);
}

#[test]
fn an_expression_and_text_exclude_each_other() {
    snapshot!(ideogram(["--mock", "datasets", "list", "--jq", ".", "--output", "text"]).run(), @"
    exit code: 2
    ----- stderr -----
    error: --jq cannot be combined with --output text: it selects from JSON
    ");
}

#[test]
fn an_error_of_a_call_is_json_where_responses_are() {
    let server = serve(MockServer::builder());
    server.set_scenario(Scenario::RateLimitedOnce { retry_after: Some(std::time::Duration::from_secs(7)) });

    let ran = ideogram(["--attempts", "1", "--output", "json", "datasets", "list"]).against(&server).run();

    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(8), ""));
    let mut error = ran.error();
    assert!(error["elapsed_seconds"].take().is_number());
    insta::assert_json_snapshot!(error, @r#"
    {
      "kind": "rate_limited",
      "message": "cannot list the datasets",
      "causes": [
        "list_datasets: 429 Too Many Requests: Too many requests in flight."
      ],
      "hints": [
        "wait 7 seconds, then run the command again"
      ],
      "exit_code": 8,
      "operation": "list_datasets",
      "status": 429,
      "outcome": "declined",
      "attempts": 1,
      "elapsed_seconds": null,
      "reject_reason": "inflight_limit",
      "retry_after_seconds": 7
    }
    "#);
}

#[test]
fn wrong_usage_is_json_where_responses_are() {
    let ran = ideogram(["datasets", "upload", "--output", "jsonl"]).run();

    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(2), ""));
    insta::assert_json_snapshot!(ran.error(), @r#"
    {
      "kind": "usage",
      "message": "the following required arguments were not provided:\n  <ID>\n  <PATH>...",
      "causes": [],
      "hints": [
        "Usage: ideogram datasets upload --output <FORMAT> <ID> <PATH>...",
        "For more information, try '--help'."
      ],
      "exit_code": 2
    }
    "#);
}

#[test]
fn all_of_standard_error_is_json_where_responses_are() {
    let ran = ideogram(["--mock", "--output", "json", "--debug", "datasets", "create", "x"]).run();

    let kinds: Vec<String> = ran
        .stderr()
        .lines()
        .flat_map(|line| serde_json::from_str::<serde_json::Map<_, _>>(line).unwrap().into_iter().map(|(kind, _)| kind))
        .collect();
    assert!(kinds.contains(&"debug".to_owned()) && kinds.contains(&"note".to_owned()), "{kinds:?}");
}

#[test]
fn a_pipe_gets_no_color_unless_it_is_requested() {
    let colored = |run: crate::invocation::Run| {
        let ran = run.run();
        ran.stdout().contains("\x1b[1m")
    };
    let run = || ideogram(["--mock", "datasets", "get", "demo"]);

    assert!(!colored(run()));
    assert!(colored(run().env("CLICOLOR_FORCE", "1")));
    assert!(!colored(run().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")));
    assert!(colored(ideogram(["--mock", "datasets", "get", "demo", "--color", "always"]).env("NO_COLOR", "1")));
    assert!(!colored(ideogram(["--mock", "datasets", "get", "demo", "--color", "never"]).env("CLICOLOR_FORCE", "1")));
}

#[test]
fn color_of_help_follows_the_option() {
    assert!(ideogram(["--color", "always", "datasets", "--help"]).run().stdout().contains('\x1b'));
    assert!(
        !ideogram(["--color=never", "datasets", "--help"]).env("CLICOLOR_FORCE", "1").run().stdout().contains('\x1b')
    );
}
