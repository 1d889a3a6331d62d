//! `models train` and `models wait`.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
    time::Duration,
};

use ideogram_mock::{MockServer, MockServerBuilder, Scenario};

use crate::{
    invocation::{Ran, ideogram, serve, snapshot},
    rogue::Rogue,
    sync_setup::SyncSetup,
};

/// A server whose model in training, of the dataset `demo`, is ready: otherwise no other would be ordered.
pub(crate) fn idle(builder: MockServerBuilder) -> MockServer {
    let server = serve(builder);
    server.advance(Duration::from_secs(24 * 3600));
    server
}

/// A training takes half a second.
fn quick() -> MockServer {
    idle(MockServer::builder().time_scale(90.0 * 60.0 * 2.0))
}

const TRAIN: [&str; 5] = ["models", "train", "demo", "--name", "Paper lanterns"];

#[test]
fn a_training_without_a_terminal_needs_yes() {
    let server = idle(MockServer::builder());

    let ran = ideogram(TRAIN).against(&server).run();

    assert!(server.requests().iter().all(|request| request.method == "GET"));
    snapshot!(ran, @r#"
    exit code: 2
    ----- stderr -----
    error: this needs an answer, and there is no terminal: train the model "Paper lanterns" from "Paper lanterns (demo)" (15 images)? It is billed (prices: https://ideogram.ai/features/api-pricing) and cannot be cancelled
    hint: nothing was sent; --yes answers all questions with yes
    "#);
}

#[test]
fn a_training_is_started_once_and_its_id_is_printed() {
    let server = idle(MockServer::builder());

    let ran = ideogram(TRAIN).against(&server).into_command().arg("--yes").output().unwrap();

    let requests: Vec<_> = server.requests().iter().map(|request| request.path.clone()).collect();
    assert_eq!(requests, ["/datasets/demo", "/models", "/v1/ideogram-v3/train-model"]);
    snapshot!(Ran::of(ran), @"
    exit code: 0
    ----- stdout -----
    Name:      Paper lanterns
    Id:        bnieaqG5ZfQGxF0YgAlFTw
    Dataset:   demo
    Training:  CREATING
    ----- stderr -----
    next, wait for it: ideogram models wait bnieaqG5ZfQGxF0YgAlFTw
    ");
}

#[test]
fn jq_selects_the_id_of_a_training() {
    let server = idle(MockServer::builder());

    let ran = ideogram(TRAIN.into_iter().chain(["-y", "-q", "--jq", ".model_id"])).against(&server).run();

    assert_eq!((ran.code(), ran.stdout().as_str(), ran.stderr().as_str()), (Some(0), "bnieaqG5ZfQGxF0YgAlFTw\n", ""));
}

#[test]
fn a_dry_run_of_a_training_shows_only_the_request() {
    let server = serve(MockServer::builder());

    snapshot!(ideogram(TRAIN.into_iter().chain(["--dry-run", "--wait"])).against(&server).run(), @r#"
    exit code: 0
    ----- stdout -----
    POST http://127.0.0.1:[PORT]/v1/ideogram-v3/train-model

    api-key:       [key]
    content-type:  application/json

    {"dataset_id":"demo","model_name":"Paper lanterns"}
    ----- stderr -----
    dry run: nothing was sent
    1 training would be billed (prices: https://ideogram.ai/features/api-pricing)
    "#);
    assert!(server.requests().is_empty());
}

#[test]
fn an_invalid_name_is_refused_without_a_request() {
    let server = serve(MockServer::builder());

    for name in ["four", "a name of more than 30 characters", "under_score", "Lämpchen", ""] {
        let ran = ideogram(["models", "train", "demo", "--yes", "--name", name]).against(&server).run();

        assert_eq!((ran.code(), ran.stdout().as_str()), (Some(2), ""), "{name}: {ran}");
        assert!(ran.stderr().contains("`model_name`"), "{ran}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_dataset_with_too_few_images_is_not_trained() {
    let setup = SyncSetup::new();
    setup.fill(14);
    setup.datasets("sync", []).run();

    let ran = setup.ideogram(["models", "train", &setup.id, "--name", "Night market", "--yes"]).run();

    assert!(setup.server.requests().iter().all(|request| !request.path.contains("train-model")));
    snapshot!(ran, @"
    exit code: 2
    ----- stderr -----
    error: cannot train a model from the dataset bnieaqG5ZfQGxF0YgAlFTw
      caused by: it cannot be trained: 14 images, 1 too few for a training (15 to 100)
    hint: nothing was started; to add images: ideogram datasets sync bnieaqG5ZfQGxF0YgAlFTw DIR
    ");
}

#[test]
fn a_dataset_without_names_is_trained_with_a_warning() {
    let server = idle(MockServer::builder().withhold_file_names());

    let ran = ideogram(TRAIN.into_iter().chain(["--yes"])).against(&server).run();

    assert_eq!(ran.code(), Some(0), "{ran}");
    assert!(
        ran.stderr().starts_with("warning: it is unknown whether the dataset can be trained: 0 images by name"),
        "{ran}"
    );
}

#[test]
fn a_training_whose_response_is_lost_may_be_billed() {
    let files: Vec<_> =
        (0..15).map(|number| format!(r#"{{"file_name":"{number}.png","file_size_bytes":1}}"#)).collect();
    let dataset = format!(
        r#"{{"dataset":{{"dataset_id":"d","name":"n","user_id":"u","creation_time":"2026-06-30T09:12:44Z"}},
        "file_count":15,"files":[{}],"custom_model_ids":[]}}"#,
        files.join(",")
    );
    let looked = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{dataset}", dataset.len());
    let models = r#"{"models":[]}"#;
    let listed = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{models}", models.len());
    let rogue = Rogue::sending_in_turn([looked, listed, String::new()]);

    let ran = ideogram(["models", "train", "d", "--name", "Paper lanterns", "-y"]).at(rogue.url()).run();

    snapshot!(ran, @"
    exit code: 10
    ----- stderr -----
    error: cannot train a model from the dataset d
      caused by: train_model_v3: the connection broke before a response arrived; the call may have run: check before calling again (connection closed before message completed)
    hint: it may have run, and then it is billed; running the command again may be billed again: see `ideogram models list` first
    ");
}

#[test]
fn a_balance_that_is_too_low_ends_with_its_own_code() {
    let server = idle(MockServer::builder().scenario(Scenario::PaymentRequired));

    let ran = ideogram(TRAIN.into_iter().chain(["-y"])).against(&server).run();

    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(7), ""), "{ran}");
}

#[test]
fn a_training_is_waited_for_until_its_uri_is_known() {
    let server = idle(MockServer::builder());
    let wait = TRAIN.into_iter().chain(["-y", "--wait", "--poll", "0.05"]);
    let mut child =
        ideogram(wait).against(&server).into_command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut messages = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);

    assert_eq!(
        messages.next().unwrap(),
        "if this wait is interrupted, continue it: ideogram models wait bnieaqG5ZfQGxF0YgAlFTw"
    );
    assert!(messages.next().unwrap().starts_with("CREATING after "));
    server.advance(Duration::from_secs(30 * 60));
    assert!(messages.next().unwrap().starts_with("TRAINING after "));
    server.advance(Duration::from_secs(60 * 60));
    assert_eq!(
        messages.collect::<Vec<_>>(),
        ["next, generate images with it: ideogram generate PROMPT --custom-model model/paper-lanterns/version/1"]
    );
    snapshot!(Ran::of(child.wait_with_output().unwrap()), @"
    exit code: 0
    ----- stdout -----
    Name:      Paper lanterns
    Id:        bnieaqG5ZfQGxF0YgAlFTw
    Dataset:   demo
    Training:  CREATING
    Status:  COMPLETED
    URI:     model/paper-lanterns/version/1
    ");
}

#[test]
fn a_wait_with_json_is_one_value_with_both_responses() {
    let server = quick();
    let more = ["-y", "-q", "--wait", "--poll", "0.05", "--output", "json"];

    let ran = ideogram(TRAIN.into_iter().chain(more)).against(&server).run();

    let json = ran.json();
    assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""));
    assert_eq!(json["training"]["model_id"], json["model"]["model_id"]);
    assert_eq!(json["model"]["custom_model_uri"], "model/paper-lanterns/version/1");
}

#[test]
fn the_embedded_server_shows_a_whole_training_at_once() {
    let ran = ideogram(TRAIN.into_iter().chain(["-y", "--again", "--wait", "--mock"])).run();

    snapshot!(ran, @r#"
    exit code: 0
    ----- stdout -----
    Name:      Paper lanterns
    Id:        bnieaqG5ZfQGxF0YgAlFTw
    Dataset:   demo
    Training:  CREATING
    Status:  COMPLETED
    URI:     model/paper-lanterns/version/1
    ----- stderr -----
    warning: the model c5Rn8WqYTzKd0aXo6iUvpQ ("paper-lanterns-2") of this dataset, begun at 2026-07-01 08:30:11 UTC, is TRAINING
    this was done in a mock server that ends with the command; `ideogram mock serve` runs one that stays
    CREATING after [TIME], next poll in [TIME]
    TRAINING after [TIME], next poll in [TIME]
    next, generate images with it: ideogram generate PROMPT --custom-model model/paper-lanterns/version/1
    "#);
}

#[test]
fn a_wait_goes_on_with_a_training_of_another_process() {
    let server = quick();
    let ordered = ideogram(TRAIN.into_iter().chain(["-y", "-q", "--jq", ".model_id"])).against(&server).run();

    let ran = ideogram(["models", "wait", ordered.stdout().trim(), "--poll", "0.05", "-q"]).against(&server).run();

    assert_eq!(ran.code(), Some(0), "{ran}");
    assert!(ran.stdout().contains("URI:        model/paper-lanterns/version/1\n"), "{ran}");
}

#[test]
fn a_model_that_is_ready_is_not_waited_for() {
    let command = |word| ideogram(["--mock", "models", word, "Zm9v4kQ1T0eYb8uJr2xLhg"]).run();

    let (waited, read) = (command("wait"), command("get"));

    assert_eq!((waited.code(), waited.stdout()), (Some(0), read.stdout()), "{waited}");
    let next =
        "next, generate images with it: ideogram generate PROMPT --custom-model model/paper-lanterns/version/1\n";
    assert_eq!(waited.stderr(), next);
}

#[test]
fn a_training_that_fails_has_its_own_exit_code() {
    let server = quick();
    let name = ["models", "train", "demo", "--name", "Errored lanterns", "-y", "--wait", "--poll", "0.05"];

    let ran = ideogram(name.into_iter().chain(["-q"])).against(&server).run();

    snapshot!(ran, @"
    exit code: 15
    ----- stdout -----
    Name:      Errored lanterns
    Id:        bnieaqG5ZfQGxF0YgAlFTw
    Dataset:   demo
    Training:  CREATING
    ----- stderr -----
    error: the training of the model bnieaqG5ZfQGxF0YgAlFTw failed
    hint: this is final; another training is billed again
    ");
}

#[test]
fn a_deadline_ends_the_wait_and_not_the_training() {
    let server = serve(MockServer::builder());
    let wait = ["models", "wait", "c5Rn8WqYTzKd0aXo6iUvpQ", "--poll", "0.05", "--deadline", "0.2"];

    let ran = ideogram(wait.into_iter().chain(["-q"])).against(&server).run();
    let as_json = ideogram(wait.into_iter().chain(["-q", "--output", "json"])).against(&server).run();

    let error: serde_json::Value = serde_json::from_str(&as_json.stderr()).unwrap();
    assert_eq!((&error["error"]["exit_code"], &error["error"]["model_status"]), (&15.into(), &"TRAINING".into()));
    snapshot!(ran, @"
    exit code: 15
    ----- stderr -----
    error: the model c5Rn8WqYTzKd0aXo6iUvpQ was not ready after [TIME]
      its last known state was TRAINING
    hint: the training continues; to wait for it again: ideogram models wait c5Rn8WqYTzKd0aXo6iUvpQ
    ");
}

#[test]
fn a_service_that_fails_does_not_end_the_wait() {
    let server = serve(MockServer::builder());
    server.set_scenario(Scenario::ServerErrorOnce { status: 503 });
    let wait = ["--attempts", "1", "models", "wait", "Zm9v4kQ1T0eYb8uJr2xLhg", "--poll", "0.05"];

    let ran = ideogram(wait).against(&server).run();

    assert_eq!(ran.code(), Some(0), "{ran}");
    assert!(ran.stderr().contains("the state is unknown: "), "{ran}");
}

#[test]
fn a_missing_model_ends_the_wait() {
    let server = serve(MockServer::builder());

    snapshot!(ideogram(["models", "wait", "nope", "--poll", "0.01", "-q"]).against(&server).run(), @"
    exit code: 5
    ----- stderr -----
    error: cannot get the state of the training of the model nope
      caused by: get_custom_model: 404 Not Found: Model not found.
    hint: `ideogram models list` shows what this key has access to
    ");
}

#[test]
fn flags_for_a_wait_are_refused_without_one() {
    for option in ["--poll=5", "--deadline=1h", "--deadline=soon"] {
        let ran = ideogram(TRAIN.into_iter().chain(["--mock", "-y", option])).run();

        assert_eq!((ran.code(), ran.stdout().as_str()), (Some(2), ""), "{option}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_wait_says_how_to_continue() {
    let server = idle(MockServer::builder());
    let mut command = ideogram(TRAIN.into_iter().chain(["-y", "--wait"])).against(&server).into_command();

    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !server.requests().iter().any(|request| request.path.starts_with("/models/") && request.status.is_some()) {
        std::thread::sleep(Duration::from_millis(1));
    }
    crate::interrupt::signal(&child, crate::interrupt::Signal::INT);

    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code(), Some(130));
    assert!(ran.stdout().contains("Id:        bnieaqG5ZfQGxF0YgAlFTw\n"), "{ran}");
    assert!(
        ran.stderr().ends_with(
            "error: interrupted\nhint: the training continues; to wait for it again: ideogram models wait bnieaqG5ZfQGxF0YgAlFTw\n"
        ),
        "{ran}"
    );
}

fn orders(server: &MockServer) -> usize {
    server.requests().iter().filter(|request| request.path.contains("train-model")).count()
}

#[test]
fn a_second_training_of_a_dataset_needs_a_flag_of_its_own() {
    let server = idle(MockServer::builder());
    let train = |more: &[&'static str]| ideogram(TRAIN.into_iter().chain(more.iter().copied())).against(&server).run();
    let first = train(&["--yes", "--quiet", "--jq", ".model_id"]);
    let id = first.stdout().trim().to_owned();

    let second = train(&["--yes"]);

    assert_eq!((second.code(), orders(&server)), (Some(2), 1), "{second}");
    assert!(
        second.stderr().contains(&format!("the model {id} (\"Paper lanterns\") of this dataset, begun at")),
        "{second}"
    );
    assert!(
        second.stderr().contains(&format!("to wait for that one, or see it: ideogram models wait {id}")),
        "{second}"
    );
    assert!(second.stderr().contains("--again starts another training"), "{second}");

    let again = train(&["--again"]);
    assert_eq!((again.code(), orders(&server)), (Some(2), 1), "it still asks: {again}");
    let again = train(&["--yes", "--again"]);
    assert_eq!((again.code(), orders(&server)), (Some(0), 2), "{again}");
    assert!(again.stderr().contains(&format!("warning: the model {id}")), "{again}");

    server.advance(Duration::from_secs(24 * 3600));
    let later = train(&["--yes"]);
    assert_eq!((later.code(), orders(&server)), (Some(2), 2), "one that has ended has the name: {later}");
    let named = ideogram(["models", "train", "demo", "--name", "Other lanterns", "--yes"]).against(&server).run();
    assert_eq!((named.code(), orders(&server)), (Some(0), 3), "those that have ended are no reason: {named}");
}

/// A dataset with enough images, and its model, as a server would show them.
fn responses(status: &str, list: &str) -> [String; 4] {
    let files: Vec<String> =
        (0..16).map(|number| format!(r#"{{"file_name":"{number}.png","file_size_bytes":1}}"#)).collect();
    let dataset = format!(
        r#"{{"dataset":{{"dataset_id":"demo","name":"n","user_id":"u","creation_time":"2026-06-30T09:12:44Z"}},
            "file_count":16,"files":[{}],"custom_model_ids":["m1"]}}"#,
        files.join(",")
    );
    let model = format!(
        r#"{{"model":{{"model_id":"m1","name":"Night market","status":"{status}","is_owned":true,
            "creation_time":"2026-11-25T10:00:00Z","is_available_for_generation":false}}}}"#
    );
    let ordered = r#"{"model_id":"m2","dataset_id":"demo","model_name":"Paper lanterns","training_status":"CREATING"}"#
        .to_owned();
    let whole =
        |body: String| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    [whole(dataset), whole(list.to_owned()), whole(model), whole(ordered)]
}

#[test]
fn models_that_only_the_dataset_lists_are_looked_up() {
    let run_with = |responses: Vec<String>, flag| {
        let rogue = Rogue::sending_in_turn(responses);
        ideogram(TRAIN.into_iter().chain(["--yes", "--attempts", "1"]).chain(flag)).at(rogue.url()).run()
    };
    let run = |responses| run_with(responses, None);

    let training = run(responses("training", r#"{"models":[]}"#).to_vec());
    assert_eq!(training.code(), Some(2), "{training}");
    assert!(training.stderr().contains("the model m1 (\"Night market\") of this dataset, begun at"), "{training}");

    let ended = run(responses("FAILED", r#"{"models":[]}"#).to_vec());
    assert_eq!(ended.code(), Some(0), "{ended}");

    let mut unreadable = responses("TRAINING", "{}").to_vec();
    unreadable[2] = "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}".to_owned();
    let [refused, again] = [None, Some("--again")].map(|flag| run_with(unreadable.clone(), flag));
    assert_eq!(refused.code(), Some(4), "{refused}");
    assert!(refused.stderr().contains("the state of the model m1 of this dataset is unknown: it may be in training"));
    assert!(refused.stderr().contains("--again starts a training without this check"), "{refused}");
    assert_eq!(again.code(), Some(0), "{again}");
    assert!(again.stderr().contains("the state of the model m1 of this dataset is unknown"), "{again}");
}

#[test]
fn a_wait_ends_on_every_state_that_looks_final() {
    for state in ["FAILED", "errored", "Cancelled", "EXPIRED", "REJECTED"] {
        let [_, _, model, _] = responses(state, "");
        let rogue = Rogue::sending(model);

        let ran = ideogram(["models", "wait", "m1", "--output", "json"]).at(rogue.url()).run();

        assert_eq!(ran.code(), Some(15), "{state}: {ran}");
        assert_eq!(ran.error()["model_status"], state);
    }
}
