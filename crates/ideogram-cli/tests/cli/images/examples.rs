//! The examples in help texts, run as they stand there.
#![cfg(unix)]

use std::{fs, path::Path, process::Command};

use ideogram_mock::MockServer;

use super::{IMAGE, responses};
use crate::invocation::{ideogram, serve};

const COMMANDS: [&str; 12] = [
    "generate",
    "remix",
    "edit",
    "inpaint",
    "reframe",
    "replace-background",
    "remove-background",
    "upscale",
    "layerize-text",
    "describe",
    "magic-prompt",
    "save",
];

/// The names that the examples use.
const FILES: [&str; 10] = [
    "lantern.png",
    "sky.png",
    "street.png",
    "mask.png",
    "fox.png",
    "hat.png",
    "logo.png",
    "poster.png",
    "forest.jpg",
    "lanterns/a.jpg",
];

/// Runs a line as a shell does, against a server.
fn run(line: &str, folder: &Path, server: &MockServer) -> std::process::Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_ideogram")).parent().unwrap();
    let mut shell = Command::new("/bin/sh");
    // Nothing that would open a window is found there.
    shell.args(["-c", line]).current_dir(folder).env_clear().env("PATH", binary).env("HOME", folder);
    shell.env("IDEOGRAM_BASE_URL", server.url()).env("IDEOGRAM_API_KEY", server.api_key());
    shell.output().unwrap()
}

fn examples(command: &str) -> Vec<String> {
    let help = ideogram([command, "--help"]).run().stdout();
    let (_, examples) = help.split_once("Examples:\n").expect("every command has examples");
    examples.lines().take_while(|line| line.starts_with("  ")).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn every_example_runs() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("lanterns")).unwrap();
    for name in FILES {
        fs::write(folder.path().join(name), IMAGE).unwrap();
    }
    let server = serve(MockServer::builder());
    let output = run("ideogram generate cat --out kept --output json > response.json", folder.path(), &server);
    assert!(output.status.success(), "{output:?}");
    let kept = &responses(&folder.path().join("kept"))[0];

    for example in COMMANDS.iter().flat_map(|command| examples(command)) {
        assert!(example.starts_with("ideogram "), "this line is broken, or no example: {example}");
        // What cannot be called the same everywhere: the stored response.
        let response = example.split(' ').find(|word| word.contains(".ideogram-responses/"));
        let line = response.map_or(example.clone(), |word| example.replace(word, kept.to_str().unwrap()));

        let output = run(&line, folder.path(), &server);

        assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!output.stdout.is_empty() || line.contains('>') || line.contains("save"), "{example} prints nothing");
    }
}
