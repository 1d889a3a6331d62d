//! Ctrl-C, SIGTERM and SIGHUP.
#![cfg(unix)]

use std::{
    io::Read as _,
    process::{Child, Command, Stdio},
};

use crate::{
    invocation::{Run, ideogram},
    rogue::Rogue,
};

/// The signals that end a command cleanly: what `kill` calls them, what messages call them, and the exit code.
pub(crate) const SIGNALS: [(&str, &str, i32); 3] =
    [("-INT", "Ctrl-C", 130), ("-TERM", "SIGTERM", 143), ("-HUP", "SIGHUP", 129)];

/// Sends a signal to a command that runs.
pub(crate) fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Starts a command whose call is never answered, and presses Ctrl-C once it has been sent.
pub(crate) fn interrupted(run: Run, rogue: &Rogue) -> (Option<i32>, String) {
    signalled("-INT", run.into_command(), rogue)
}

fn signalled(name: &str, mut command: Command, rogue: &Rogue) -> (Option<i32>, String) {
    let mut child: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    rogue.wait_for_connection();
    signal(&child, name);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (child.wait().unwrap().code(), stderr)
}

#[test]
fn an_interrupted_paid_call_says_that_it_may_be_billed() {
    let rogue = Rogue::silent();
    let run = ideogram(["api", "train_model_v3", "--dataset-id=demo", "--model-name=lanterns", "--yes"]);

    let (code, stderr) = interrupted(run.at(rogue.url()), &rogue);

    assert_eq!(code, Some(130));
    insta::assert_snapshot!(stderr, @"
    error: interrupted
      train_model_v3 was in flight: it may have run, and then it is billed
    hint: see `ideogram models list` before running the command again
    ");
}

#[test]
fn an_interrupted_free_call_only_reports_the_interrupt() {
    let rogue = Rogue::silent();

    let (code, stderr) = interrupted(ideogram(["datasets", "list"]).at(rogue.url()), &rogue);

    assert_eq!((code, stderr.as_str()), (Some(130), "error: interrupted\n"));
}

#[test]
fn an_interrupt_is_json_where_responses_are() {
    let rogue = Rogue::silent();

    let run = ideogram(["datasets", "create", "x", "--output", "json"]).at(rogue.url());
    let (_, stderr) = interrupted(run, &rogue);

    let error: serde_json::Value = serde_json::from_str(&stderr).unwrap();
    assert_eq!(error["error"]["kind"], "interrupted");
    assert_eq!(error["error"]["exit_code"], 130);
}

#[test]
fn every_signal_lists_calls_in_flight_and_has_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.png"), b"\x89PNG\r\n\x1a\n and so on").unwrap();
    let train = &["api", "train_model_v3", "--dataset-id=demo", "--model-name=lanterns", "--yes"][..];
    let upload = &["api", "upload_dataset_assets", "--dataset-id=demo", "--file", "files=a.png"];
    let calls = [
        (train, "train_model_v3 was in flight: it may have run, and then it is billed"),
        (&["datasets", "create", "lanterns"], "create_dataset was in flight: it may still be done"),
        (upload, "upload_dataset_assets was in flight: it may still be done"),
    ];
    for ((signal, name, code), (arguments, message)) in
        SIGNALS.into_iter().flat_map(|signal| calls.map(|call| (signal, call)))
    {
        let rogue = Rogue::silent();
        let run = ideogram(arguments.iter().copied()).in_folder(folder.path()).at(rogue.url());

        let (exit, stderr) = signalled(signal, run.into_command(), &rogue);

        assert_eq!(exit, Some(code), "{signal}: {stderr}");
        assert!(stderr.contains(message), "{stderr}");
        assert_eq!(stderr.contains(&format!("{name} ended the command")), name != "Ctrl-C", "{stderr}");
    }
}

#[test]
fn a_command_that_was_started_to_outlive_its_terminal_does_so() {
    let rogue = Rogue::silent();
    let run = ideogram(["datasets", "list"]).at(rogue.url()).into_command();
    // As `nohup` does it.
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" datasets list"]).arg(run.get_program()).stdin(Stdio::null());
    for (name, value) in run.get_envs() {
        shell.env(name, value.unwrap());
    }

    let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    rogue.wait_for_connection();
    signal(&child, "-HUP");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(child.try_wait().unwrap(), None, "it goes on");
    signal(&child, "-TERM");

    assert_eq!(child.wait().unwrap().code(), Some(143));
}
