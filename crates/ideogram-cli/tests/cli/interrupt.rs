//! Ctrl-C.
#![cfg(unix)]

use std::{
    io::Read as _,
    process::{Child, Command, Stdio},
};

use crate::{
    invocation::{Run, ideogram},
    rogue::Rogue,
};

/// Starts a command whose call is never answered, and presses Ctrl-C once it has been sent.
pub(crate) fn interrupted(run: Run, rogue: &Rogue) -> (Option<i32>, String) {
    let mut command = run.into_command();
    let mut child: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    rogue.wait_for_connection();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (child.wait().unwrap().code(), stderr)
}

#[test]
fn an_interrupted_paid_call_says_that_it_may_be_billed() {
    let rogue = Rogue::is_silent();
    let run = ideogram(["api", "train_model_v3", "--dataset-id=demo", "--model-name=lanterns", "--yes"]);

    let (code, stderr) = interrupted(run.at(rogue.url()), &rogue);

    assert_eq!(code, Some(130));
    insta::assert_snapshot!(stderr, @"
    error: interrupted
      caused by: train_model_v3 was under way: it may have run, and then it is billed
    hint: see `ideogram models list` before running the command again
    ");
}

#[test]
fn an_interrupted_look_says_no_more_than_that() {
    let rogue = Rogue::is_silent();

    let (code, stderr) = interrupted(ideogram(["datasets", "list"]).at(rogue.url()), &rogue);

    assert_eq!((code, stderr.as_str()), (Some(130), "error: interrupted\n"));
}

#[test]
fn an_interrupt_is_json_where_answers_are() {
    let rogue = Rogue::is_silent();

    let run = ideogram(["datasets", "create", "x", "--output", "json"]).at(rogue.url());
    let (_, stderr) = interrupted(run, &rogue);

    let error: serde_json::Value = serde_json::from_str(&stderr).unwrap();
    assert_eq!(error["error"]["kind"], "interrupted");
    assert_eq!(error["error"]["exit_code"], 130);
}
