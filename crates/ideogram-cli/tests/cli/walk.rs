//! The walk of a new user in the README of the repository, as it is written there: from a folder to images of a model.
//!
//! The commands are taken from the text, and what it shows of their output must come.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{invocation::ideogram, sync_setup::IMAGE, terminal::Terminal};

/// The section of the README.
const HEADING: &str = "## From a folder to images of your own model";
/// The address in the README; the port may be taken where the test runs.
const ADDRESS: &str = "127.0.0.1:4010";

/// The two terminals of the walk: each the lines that are shown in it.
fn terminals() -> [Vec<String>; 2] {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    let (_, section) = readme.split_once(HEADING).unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let blocks = section.split("```console\n").skip(1).map(|block| block.split_once("```").unwrap().0);
    let blocks: Vec<Vec<String>> = blocks.map(|block| block.lines().map(str::to_owned).collect()).collect();
    blocks.try_into().unwrap()
}

fn typed(lines: &[String]) -> Vec<&str> {
    lines.iter().filter_map(|line| line.strip_prefix("$ ")).collect()
}

fn shown(lines: &[String]) -> impl Iterator<Item = &str> {
    lines.iter().map(String::as_str).filter(|line| !line.starts_with("$ ") && !line.is_empty())
}

#[test]
fn the_commands_of_the_readme_produce_images() {
    let [first, second] = terminals();
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("market")).unwrap();
    for number in 1..=16 {
        fs::write(path(&format!("market/{number:02}.png")), IMAGE).unwrap();
    }
    for number in 1..=3 {
        fs::write(path(&format!("market/{number:02}.txt")), "a stall at night\n").unwrap();
    }

    let [serve] = typed(&first).try_into().unwrap();
    let serve = serve.strip_prefix("ideogram ").unwrap().replace("--port 4010", "--port 0");
    let mut server = ideogram(serve.split(' ')).into_command();
    let mut server = server.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let address = url.trim().strip_prefix("http://").unwrap();

    let script = format!("set -e\n{}", typed(&second).join("\n")).replace(ADDRESS, address);
    let mut shell = Command::new("sh");
    let bin = Path::new(env!("CARGO_BIN_EXE_ideogram")).parent().unwrap();
    shell.args(["-c", &script]).env("HOME", folder.path()).current_dir(folder.path());
    shell.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    let mut terminal = Terminal::start(&shell);
    terminal.expect("[y/N] ");
    terminal.press("y\r");
    let (code, screen) = terminal.end();
    server.kill().unwrap();
    let mut messages = url.clone();
    server.stderr.take().unwrap().read_to_string(&mut messages).unwrap();
    server.wait().unwrap();

    assert_eq!(code, 0, "{screen}");
    for line in shown(&first) {
        assert!(messages.contains(&line.replace(ADDRESS, address)), "{line:?} in {messages}");
    }
    for line in shown(&second) {
        // Images are named by time and seed, and sizes are those of the images.
        if let Some(name) = line.strip_prefix("images/") {
            let (_, extension) = name.rsplit_once('.').unwrap();
            let is_there = |line: &str| line.starts_with("images/") && line.ends_with(extension) && path(line).exists();
            assert!(screen.lines().any(|line| is_there(line.trim())), "{line:?} in {screen}");
        } else {
            let (line, _) = line.split_once(" files, ").unwrap_or((line, ""));
            assert!(screen.contains(line), "{line:?} in {screen}");
        }
    }
}
