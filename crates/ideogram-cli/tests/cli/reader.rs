//! Standard output that nobody reads, or that takes nothing more: what is paid for then, and what is said.
#![cfg(unix)]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, Output, Stdio},
    time::Duration,
};

use ideogram_mock::MockServer;

use crate::{
    images::{calls, folder},
    invocation::{ideogram, serve},
};

/// Commands that pay, some of them more than once.
const PAID: &[&str] = &[
    "describe a.png b.png c.png",
    "describe a.png b.png c.png --output json",
    "describe a.png b.png c.png --output jsonl",
    "magic-prompt cat",
    "api post_generate_image_v3 --prompt cat",
    "api train_model_v3 --dataset-id demo --model-name lanterns --yes",
    "batch prompts.jsonl --out batch",
    "batch prompts.jsonl --out batch --output json",
];

fn without_reader(mut command: Command) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap()
}

#[test]
fn no_paid_call_is_made_after_the_pipe_is_closed() {
    for line in PAID {
        let (server, folder) = (serve(MockServer::builder()), folder(&["a.png", "b.png", "c.png"]));
        fs::write(folder.path().join("prompts.jsonl"), "{\"prompt\":\"one\"}\n{\"prompt\":\"two\"}\n").unwrap();

        let output = without_reader(ideogram(line.split(' ')).against(&server).in_folder(folder.path()).into_command());

        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), calls(&server)), (Some(141), Vec::new()), "{line}: {said}");
        assert!(said.contains("standard output was closed"), "{line}: {said}");
    }
}

#[test]
fn a_loop_of_paid_calls_ends_when_the_pipe_is_closed() {
    let names: Vec<String> = (0..8).map(|number| format!("{number}.png")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for format in ["text", "jsonl"] {
        let (server, folder) =
            (serve(MockServer::builder().generation_time(Duration::from_millis(100))), folder(&names));
        let arguments = [&["--output", format, "describe"], names.as_slice()].concat();
        let mut command = ideogram(arguments).against(&server).in_folder(folder.path()).into_command();

        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();

        let said = String::from_utf8(output.stderr).unwrap();
        assert!(first.contains("0.png"), "{first}");
        assert_eq!(output.status.code(), Some(141), "{said}");
        // The second one may have been sent before the reader was gone.
        assert!((1..=3).contains(&calls(&server).len()), "{format}: {:?}", calls(&server));
        assert!(said.contains("of 8 images described"), "{said}");
    }
}

#[test]
fn free_calls_continue_after_the_pipe_is_closed_and_keep_their_exit_code() {
    let folder = folder(&["a.png"]);
    for (line, code) in [
        ("--mock datasets list", 0),
        ("--help", 0),
        ("--mock datasets verify demo .", 14),
        ("--mock datasets get nothing", 5),
    ] {
        let output = without_reader(ideogram(line.split(' ')).in_folder(folder.path()).into_command());

        assert_eq!(output.status.code(), Some(code), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Whatever is printed, losing it is never silent.
#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error_in_every_command() {
    for line in [
        "--help",
        "--version",
        "-h",
        "help",
        "help datasets",
        "datasets --help",
        "api --help",
        "api post_generate_image_v3 --help",
        "completions bash",
        "completions zsh",
        "man",
        "operations",
        "api",
        "auth status",
        "--mock datasets list",
        "--mock datasets list --output json",
        "--mock datasets list --output jsonl",
        "--mock datasets list --jq .datasets[].name",
        "--mock models list",
        "--mock magic-prompt cat",
        "--mock datasets list --dry-run",
        "mock serve --port 0",
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = ideogram(line.split(' ')).into_command();

        let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();

        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(13), "{line}: {said}");
        assert!(said.contains("cannot write to standard output"), "{line}: {said}");
    }
}
