//! Ctrl-C, SIGTERM and SIGHUP.
#![cfg(unix)]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

pub(crate) use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use crate::{
    invocation::{Run, ideogram},
    rogue::{Rogue, TINY_WEBP},
};

/// The signals that end a command cleanly, what messages call them, and the exit code.
pub(crate) const SIGNALS: [(Signal, &str, i32); 3] =
    [(Signal::INT, "Ctrl-C", 130), (Signal::TERM, "SIGTERM", 143), (Signal::HUP, "SIGHUP", 129)];

/// Sends a signal to a command that runs.
pub(crate) fn signal(child: &Child, signal: Signal) {
    // Not by the command `kill`: on a busy machine it may take longer than what the signal is to interrupt.
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Starts a command whose call is never answered, and presses Ctrl-C once it has been sent.
pub(crate) fn interrupted(run: Run, rogue: &Rogue) -> (Option<i32>, String) {
    signalled(Signal::INT, 1, run.into_command(), rogue)
}

fn signalled(by: Signal, times: u32, mut command: Command, rogue: &Rogue) -> (Option<i32>, String) {
    let mut child: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    rogue.wait_for_connection();
    signal(&child, by);
    for _ in 1..times {
        // An earlier one would count as the same signal.
        thread::sleep(Duration::from_millis(600));
        signal(&child, by);
    }
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (child.wait().unwrap().code(), stderr)
}

#[test]
fn the_second_interrupt_abandons_a_paid_call_and_says_that_it_may_be_billed() {
    let rogue = Rogue::silent();
    let run = ideogram(["api", "train_model_v3", "--dataset-id=demo", "--model-name=lanterns", "--yes"]);

    let (code, stderr) = signalled(Signal::INT, 2, run.at(rogue.url()).into_command(), &rogue);

    assert_eq!(code, Some(130));
    insta::assert_snapshot!(stderr, @"
    waiting for the call in flight, which may be billed (Ctrl-C again abandons it)
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
        (train, 2, "train_model_v3 was in flight: it may have run, and then it is billed"),
        (&["datasets", "create", "lanterns"], 1, "create_dataset was in flight: it may still be done"),
        (upload, 1, "upload_dataset_assets was in flight: it may still be done"),
    ];
    for ((signal, name, code), (arguments, times, message)) in
        SIGNALS.into_iter().flat_map(|signal| calls.map(|call| (signal, call)))
    {
        let rogue = Rogue::silent();
        let run = ideogram(arguments.iter().copied()).in_folder(folder.path()).at(rogue.url());

        let (exit, stderr) = signalled(signal, times, run.into_command(), &rogue);

        assert_eq!(exit, Some(code), "{name}: {stderr}");
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
    signal(&child, Signal::HUP);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(child.try_wait().unwrap(), None, "it goes on");
    signal(&child, Signal::TERM);

    assert_eq!(child.wait().unwrap().code(), Some(143));
}

/// Starts a command, signals once its first billed call has arrived, and lets the service respond when the command has
/// said that it waits. Returns the exit code, stdout and stderr.
fn signalled_in_flight(by: Signal, rogue: &Rogue, run: Run) -> (Option<i32>, String, String) {
    let mut child = run.into_command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    rogue.wait_for_connection();
    signal(&child, by);
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let mut stderr = String::new();
    reader.read_line(&mut stderr).unwrap();
    rogue.release();
    reader.read_to_string(&mut stderr).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap(), stderr)
}

#[test]
fn a_billed_call_in_flight_is_finished_after_a_signal_and_its_image_is_saved() {
    for (signal, name, code) in SIGNALS {
        let folder = tempfile::tempdir().unwrap();
        let rogue = Rogue::holding_an_image();
        let run = ideogram(["generate", "a lantern", "--model", "legacy", "--out", "out"]);

        let (exit, stdout, stderr) = signalled_in_flight(signal, &rogue, run.at(rogue.url()).in_folder(folder.path()));

        assert_eq!(exit, Some(code), "{stderr}");
        let note = format!("waiting for the call in flight, which may be billed ({name} again abandons it)\n");
        assert!(stderr.starts_with(&note), "{stderr}");
        assert!(stderr.contains("the call in flight was finished first; its result is complete"), "{stderr}");
        assert!(folder.path().join(stdout.trim()).is_file(), "{stdout}");
    }
}

#[test]
fn a_job_that_is_submitted_while_a_signal_arrives_is_not_lost() {
    for (signal, _, code) in SIGNALS {
        let folder = tempfile::tempdir().unwrap();
        let rogue = Rogue::holding(r#"{"generation_id":"night-market"}"#);
        let run = ideogram(["generate", "a lantern", "--out", "out"]);

        let (exit, _, stderr) = signalled_in_flight(signal, &rogue, run.at(rogue.url()).in_folder(folder.path()));

        assert_eq!(exit, Some(code), "{stderr}");
        assert!(stderr.contains("ideogram generations save night-market"), "{stderr}");
        let stored = folder.path().join("out/.ideogram-responses");
        assert_eq!(std::fs::read_dir(stored).unwrap().count(), 1, "{stderr}");
    }
}

#[test]
fn after_a_signal_no_other_billed_call_begins() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "b.png"] {
        std::fs::write(folder.path().join(name), TINY_WEBP).unwrap();
    }
    let rogue = Rogue::holding(r#"{"descriptions":[{"text":"a lantern"}]}"#);
    let run = ideogram(["describe", "a.png", "b.png", "--jq", ".descriptions[].image"]);

    let (exit, stdout, stderr) = signalled_in_flight(Signal::INT, &rogue, run.at(rogue.url()).in_folder(folder.path()));

    assert_eq!((exit, stdout.as_str()), (Some(130), "a.png\n"), "{stderr}");
    assert_eq!(rogue.requests(), 1);
}
