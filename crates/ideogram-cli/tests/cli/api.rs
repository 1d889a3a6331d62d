//! `ideogram api`.

use std::{fs, time::Duration};

use ideogram_client::operations;
use ideogram_mock::{MockServer, Scenario};
use tempfile::TempDir;

use crate::{
    invocation::{ideogram, serve, snapshot},
    rogue::Rogue,
};

/// What each operation needs, with the image `a.png` at hand.
fn required(id: &str) -> Vec<String> {
    let operation = operations::ALL.iter().find(|operation| operation.id == id).unwrap();
    let mut arguments = vec!["api".to_owned(), id.to_owned()];
    for input in operation.inputs.iter().filter(|input| input.required) {
        let value = match (input.name, input.kind()) {
            (_, ideogram_client::operation::InputKind::File) => "a.png",
            ("dataset_id", _) => "demo",
            ("model_id", _) => "Zm9v4kQ1T0eYb8uJr2xLhg",
            ("model_name", _) => "lanterns",
            ("generation_id", _) => "nothing",
            ("start_time", _) => "2026-07-01T00:00:00Z",
            ("custom_model_uri", _) => "model/paper-lanterns/version/1",
            ("image_request", _) => r#"{"prompt": "a cat"}"#,
            (_, ideogram_client::operation::InputKind::Integer) => "1",
            // An id has no spaces.
            _ if input.location == ideogram_client::operation::Location::Path => "demo",
            _ => input.values().first().copied().unwrap_or("a cat"),
        };
        arguments.push(format!("--{}={value}", input.name.replace('_', "-")));
    }
    arguments
}

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.png"), crate::upload::IMAGE).unwrap();
    folder
}

#[test]
fn every_operation_is_reached_with_its_required_options() {
    let (server, folder) = (serve(MockServer::builder()), folder());

    for operation in operations::ALL {
        server.clear_requests();
        let mut arguments = required(operation.id);
        // One of its two prompts is needed, so neither is required by itself.
        if operation.id == "post_generate_image_v4" {
            arguments.push("--text-prompt=a cat".to_owned());
        }
        arguments.push("--yes".to_owned());

        let ran = ideogram(arguments.iter().map(String::as_str))
            .against(&server)
            .at_home(folder.path())
            .in_folder(folder.path())
            .run();

        let requests = server.requests();
        assert_eq!(requests.len(), 1, "{operation}: {ran}");
        assert_eq!(requests[0].method, operation.method, "{operation}");
        // What is more than required, and the training's rule of fifteen images, is the service's business.
        assert!(matches!(ran.code(), Some(0 | 4 | 5)), "{operation}: {ran}");
    }
}

#[test]
fn without_an_operation_all_of_them_are_listed() {
    let listed = ideogram(["api"]).run();

    assert_eq!(listed.stdout(), ideogram(["operations"]).run().stdout());
    assert_eq!(listed.code(), Some(0));
}

#[test]
fn fields_files_and_a_body_make_one_request() {
    let (server, folder) = (serve(MockServer::builder()), folder());
    let arguments = [
        "api",
        "post_remix_image_v3",
        "--file",
        "image=a.png",
        "--json-body=-",
        "--field",
        "num_images=2",
        "--style-codes",
        "AAFF5733",
        "--style-codes",
        "00BBCCDD",
    ];

    let ran = ideogram(arguments)
        .against(&server)
        .at_home(folder.path())
        .in_folder(folder.path())
        .run_with_input(r#"{"prompt": "a cat", "seed": 7}"#);

    let requests = server.requests();
    let [request] = requests.as_slice() else { panic!("{ran}") };
    let parts: Vec<_> = request.parts.iter().map(|part| part.name.as_str()).collect();
    for name in ["image", "prompt", "seed", "num_images", "style_codes"] {
        assert!(parts.contains(&name), "{name}: {parts:?}");
    }
    assert_eq!(parts.iter().filter(|name| **name == "style_codes").count(), 2);
}

#[test]
fn json_may_come_from_a_file() {
    let folder = folder();
    fs::write(folder.path().join("request.json"), r#"{"prompt": "a cat"}"#).unwrap();
    let arguments = ["--mock", "--dry-run", "api", "post_generate_image", "--image-request", "@request.json"];

    let ran = ideogram(arguments).in_folder(folder.path()).run();

    assert!(ran.stdout().contains(r#"{"image_request":{"prompt":"a cat"}}"#), "{ran}");
}

#[test]
fn the_response_of_a_paid_call_is_stored_before_it_is_printed() {
    let (server, folder) = (serve(MockServer::builder()), folder());

    let ran = ideogram(["api", "post_generate_image_v3", "--prompt", "a cat", "--jq", ".data[0].nope.nope.nope"])
        .against(&server)
        .at_home(folder.path())
        .run();

    let responses = folder.path().join(".local/state/ideogram/responses");
    let kept: Vec<_> = fs::read_dir(&responses).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [kept] = kept.as_slice() else { panic!("{kept:?}") };
    assert!(ran.stderr().contains(kept.to_str().unwrap()), "{ran}");
    let kept: serde_json::Value = serde_json::from_slice(&fs::read(kept).unwrap()).unwrap();
    assert!(kept["response"]["data"][0]["url"].is_string(), "{kept}");
}

#[test]
fn invalid_arguments_are_refused_before_anything_is_sent() {
    let server = serve(MockServer::builder());
    for (arguments, reason) in [
        (vec!["get_dataset"], "`dataset_id` is missing"),
        (vec!["get_dataset", "--dataset-id", "../models"], "must not contain `/`"),
        (vec!["get_dataset", "--dataset-id", ".."], "another path"),
        (vec!["get_dataset", "--dataset-id", "a", "--dataset-id", "b"], "only once"),
        (vec!["get_dataset", "--field", "dataset_id"], "NAME=VALUE"),
        (vec!["get_dataset", "--field", "nope=1", "--dataset-id=a"], "there is no `nope`"),
        (vec!["post_generate_image_v3", "--prompt=x", "--num-images=many"], "takes a whole number"),
        (vec!["post_generate_image", "--image-request={"], "takes JSON"),
        (vec!["create_dataset", "--json-body=-"], "is not JSON"),
        (vec!["create_dataset", "--name=x", "--nope"], "unexpected argument"),
        (vec!["nope"], "unrecognized subcommand"),
    ] {
        let ran = ideogram(["api"].into_iter().chain(arguments.clone())).against(&server).run();

        assert_eq!((ran.code(), ran.stdout().as_str()), (Some(2), ""), "{arguments:?}: {ran}");
        assert!(ran.stderr().contains(reason), "{arguments:?}: {ran}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_training_is_not_paid_for_without_a_yes() {
    let server = serve(MockServer::builder());
    let arguments = ["api", "train_model_v3", "--dataset-id", "demo", "--model-name", "lanterns"];

    let ran = ideogram(arguments).against(&server).run();

    assert!(server.requests().is_empty());
    snapshot!(ran, @"
    exit code: 2
    ----- stderr -----
    error: this needs an answer, and there is no terminal: train a model? It is billed (prices: https://ideogram.ai/features/api-pricing) and cannot be cancelled
    hint: nothing was sent; --yes answers all questions with yes
    ");
}

#[test]
fn a_refusal_of_the_service_has_its_exit_code() {
    let folder = folder();
    for (scenario, code) in [(Scenario::Declines, 6), (Scenario::PaymentRequired, 7)] {
        let server = serve(MockServer::builder());
        server.set_scenario(scenario);

        let run = ideogram(["api", "post_generate_image_v3", "--prompt", "a cat"]).against(&server);
        let ran = run.at_home(folder.path()).run();

        assert_eq!((ran.code(), ran.stdout().as_str()), (Some(code), ""), "{ran}");
    }
}

#[test]
fn a_paid_call_whose_response_is_lost_is_not_sent_again_and_says_so() {
    let (server, folder) = (serve(MockServer::builder()), folder());
    server.set_scenario(Scenario::ServerErrorOnce { status: 503 });

    let run = ideogram(["api", "post_generate_image_v3", "--prompt", "a cat"]).against(&server);
    let ran = run.at_home(folder.path()).run();

    assert_eq!(server.requests().len(), 1);
    snapshot!(ran, @"
    exit code: 10
    ----- stderr -----
    error: cannot call post_generate_image_v3
      caused by: post_generate_image_v3: 503 Service Unavailable: The scenario of the server requires this failure.; the call may have run: check before calling again
    hint: it may have run, and then it is billed; running the command again may be billed again: see `ideogram usage` first
    ");
}

#[test]
fn an_undecodable_response_of_a_paid_call_counts_as_billed_and_is_stored() {
    let (rogue, folder) = (Rogue::responding("200 OK", "<html>"), folder());

    let run = ideogram(["api", "post_generate_image_v3", "--prompt", "a cat", "--output", "json"]).at(rogue.url());
    let ran = run.at_home(folder.path()).run();

    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(12), ""), "{ran}");
    let kept = ran.error()["stored_at"].as_str().map(fs::read_to_string).unwrap().unwrap();
    assert!(kept.contains("<html>"), "{kept}");
}

const GENERATE: [&str; 3] = ["api", "post_generate_image_v2_ideogram45", "--prompt=a cat"];

#[test]
fn a_quote_is_printed_as_it_came_and_makes_nothing() {
    let (server, folder) = (serve(MockServer::builder()), folder());

    let quote = ideogram(GENERATE.into_iter().chain(["--num-images=2", "--quote"]));
    let ran = quote.against(&server).at_home(folder.path()).run();

    assert_eq!(server.requests().len(), 1);
    assert_eq!(server.requests()[0].query.as_deref(), Some("dry_run=true"));
    assert!(
        !folder.path().join(".local/state/ideogram/responses").read_dir().is_ok_and(|mut all| all.next().is_some())
    );
    snapshot!(ran, @r#"
    exit code: 0
    ----- stdout -----
    {
      "object": "price_quote",
      "billing_identifier": "generate_image_v2_ideogram45",
      "quantity": 2,
      "usd_micros": 200000,
      "credit_millis": 20000,
      "qualifier": "exact"
    }
    "#);
    let usage = ideogram(["usage", "--since=2026-07-01", "--until=2026-07-31", "--jq=.total"]).against(&server).run();
    assert_eq!(usage.stdout(), "[]\n", "{usage}");
}

#[test]
fn a_job_is_printed_as_it_was_accepted_and_stored() {
    let (server, folder) = (serve(MockServer::builder().job_time(Duration::from_secs(10))), folder());

    let submit = ideogram(GENERATE.into_iter().chain(["--job"]));
    let ran = submit.against(&server).at_home(folder.path()).run();

    let accepted = ran.json();
    let id = accepted["generation_id"].as_str().unwrap();
    assert_eq!((ran.code(), &accepted["data"]), (Some(0), &serde_json::Value::Null), "{ran}");
    assert!(ran.stderr().contains("the response is stored in "), "{ran}");
    let next = format!("ideogram api get_generation_v2 --generation-id {id}");
    assert!(ran.stderr().ends_with(&format!("billed when it completes; its state and images: {next}\n")), "{ran}");

    let status = || ideogram(next.split(' ').skip(1).chain(["--jq", ".status"])).against(&server).run().stdout();
    let running = status();
    server.advance(Duration::from_secs(10));

    assert_ne!(running, status());
    assert_eq!(status(), "completed\n");
}

#[test]
fn a_job_and_a_quote_are_shown_by_a_dry_run() {
    for (option, expected) in [("--job", "async"), ("--quote", "?dry_run=true")] {
        let ran = ideogram(GENERATE.into_iter().chain([option, "--dry-run"])).run();

        assert_eq!(ran.code(), Some(0), "{ran}");
        assert!(ran.stdout().contains(expected), "{option}: {ran}");
    }
}

#[test]
fn what_would_change_the_response_is_refused_with_the_option_for_it() {
    let (server, folder) = (serve(MockServer::builder()), folder());
    fs::write(folder.path().join("body.json"), r#"{"webhook_url": "https://example.com/hook"}"#).unwrap();
    let generate = |arguments: &[&'static str]| GENERATE.into_iter().chain(arguments.to_vec()).collect::<Vec<_>>();
    for (arguments, reason) in [
        (
            generate(&["--webhook-url=https://example.com/hook"]),
            "`webhook_url` changes what the response is: use --job",
        ),
        (generate(&["--json-body=body.json"]), "`webhook_url` changes what the response is: use --job"),
        (generate(&["--field=async=true", "--job"]), "`async` changes what the response is: use --job"),
        (generate(&["--field=dry_run=true"]), "`dry_run` changes what the response is: use --quote"),
        (generate(&["--quote", "--job"]), "cannot be used with"),
        (vec!["api", "get_dataset", "--dataset-id=demo", "--quote"], "get_dataset has no price to ask for"),
        (vec!["api", "post_generate_image_v3", "--prompt=x", "--job"], "post_generate_image_v3 does not run as a job"),
    ] {
        let ran = ideogram(arguments.clone()).against(&server).at_home(folder.path()).in_folder(folder.path()).run();

        assert_eq!((ran.code(), ran.stdout().as_str()), (Some(2), ""), "{arguments:?}: {ran}");
        assert!(ran.stderr().contains(reason), "{arguments:?}: {ran}");
    }
    assert!(server.requests().is_empty());

    let job = ideogram(generate(&["--json-body=body.json", "--job", "--dry-run"])).in_folder(folder.path()).run();
    assert_eq!(job.code(), Some(0), "{job}");
    snapshot!(ideogram(["api", "get_dataset", "--dataset-id=demo", "--quote"]).against(&server).run(), @"
    exit code: 2
    ----- stderr -----
    error: --quote: get_dataset has no price to ask for: nothing was sent
    hint: `ideogram operations --jq '.operations[] | select(.quote) | .id'` lists the operations with this option
    ");
}

#[test]
fn a_quote_whose_response_is_lost_is_no_paid_call() {
    for rogue in [Rogue::sending(""), Rogue::responding("200 OK", "<html>")] {
        let folder = folder();
        let quote = ideogram(GENERATE.into_iter().chain(["--quote", "--attempts=1"]));
        let ran = quote.at(rogue.url()).at_home(folder.path()).run();

        assert!(matches!(ran.code(), Some(1 | 9)), "{ran}");
        assert!(!ran.stderr().contains("billed"), "{ran}");
    }
}
