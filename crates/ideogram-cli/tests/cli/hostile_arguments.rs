//! Every argument of every command with text that a terminal would obey, and with bytes that are no UTF-8: never a
//! panic, never an escape on the terminal, JSON where JSON is promised.
#![cfg(unix)]

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    process::{Command, Stdio},
    thread,
};

use tempfile::TempDir;

use crate::{images::folder, invocation::ideogram};

/// A command, and what its help says that it takes.
#[derive(Debug)]
struct Leaf {
    words: Vec<String>,
    /// What has to be given: options with their names, positional arguments without.
    required: Vec<Option<String>>,
    options: BTreeSet<String>,
    has_positional: bool,
}

/// Text that a terminal would obey, as a name of a file too, and the same with bytes that are no UTF-8.
fn hostile() -> [OsString; 2] {
    let text = "e\x1b[2J\x1b]0;x\x07\u{202e}\u{9b}2J.png";
    let bytes = OsString::from_vec(b"k\xff\x1b[2J.png".to_vec());
    [OsString::from(text), bytes]
}

/// All commands, as their help names them.
fn leaves(words: &[String], found: &mut Vec<Leaf>) {
    let arguments = words.iter().map(String::as_str).chain(["--help"]);
    let help = ideogram(arguments).run().stdout();
    let mut commands = Vec::new();
    let mut options = BTreeSet::new();
    let mut usage = String::new();
    let mut section = "";
    for line in help.lines() {
        if let Some(rest) = line.strip_prefix("Usage: ") {
            rest.clone_into(&mut usage);
            section = "usage";
        } else if !line.starts_with(' ') && line.ends_with(':') {
            section = if ["Commands:", "Operations:"].contains(&line) { "commands" } else { "other" };
        } else if section == "commands" && line.starts_with("  ") && !line.starts_with("   ") {
            commands.extend(line.split_whitespace().next().map(str::to_owned));
        } else if section == "usage" && line.starts_with("  ") {
            usage.push_str(line);
        }
        let line = line.trim_start();
        if line.starts_with('-')
            && let Some((name, _)) = line.split_once(" <")
            && let Some(at) = name.find("--")
        {
            options.insert(name[at..].to_owned());
        }
    }
    if words == ["api"] {
        commands.extend(ideogram_client::operations::ALL.iter().map(|operation| operation.id.to_owned()));
    }
    let commands: Vec<String> = commands.into_iter().filter(|name| name != "help").collect();
    for command in &commands {
        leaves(&[words, std::slice::from_ref(command)].concat(), found);
    }
    if !commands.is_empty() && words != ["api"] {
        return;
    }
    let mut required = Vec::new();
    let mut option = None;
    for word in usage.split_whitespace().skip(1 + words.len()) {
        match word {
            _ if word.starts_with("--") => option = Some(word.to_owned()),
            _ if word.starts_with('<') => required.push(option.take()),
            _ => {}
        }
    }
    let has_positional = usage.split_whitespace().skip(1 + words.len()).any(|word| {
        word.starts_with('<')
            || (word.starts_with('[') && !word.starts_with("[OPTIONS") && !word.starts_with("[COMMAND"))
    });
    found.push(Leaf { words: words.to_vec(), required, options, has_positional });
}

/// What is given for an argument that has to be there and is not the one under test.
fn ordinary(option: Option<&str>, words: &[String]) -> &'static str {
    match (option, words.first().map(String::as_str)) {
        (Some("--name" | "--model-name"), _) => "lanterns",
        (Some("--resolution"), _) => "1024x1024",
        (None, Some("datasets" | "models")) | (Some(_), _) => "demo",
        (None, Some("completions")) => "bash",
        (None, _) => "a.png",
    }
}

fn command(folder: &TempDir, arguments: &[OsString]) -> Command {
    let mut command = ideogram([]).in_folder(folder.path()).at_home(folder.path()).into_command();
    command.args(arguments).stdin(Stdio::null());
    command
}

fn check(folder: &TempDir, arguments: &[OsString], format: &str) {
    let output = command(folder, arguments).output().unwrap();
    let shown = format!(
        "{arguments:?}: {:?}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout).escape_debug(),
        String::from_utf8_lossy(&output.stderr).escape_debug()
    );
    assert!(output.status.code().is_some_and(|code| code != 101 && code != 134), "{shown}");
    for bytes in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("not UTF-8: {shown}"));
        let is_obeyed = |letter: char| {
            letter != '\n' && letter != '\t' && letter.is_control() || ('\u{202a}'..='\u{202e}').contains(&letter)
        };
        // A script and a manual are printed as they are.
        assert!(!text.contains(is_obeyed), "{shown}");
        if format != "text" && !text.is_empty() && !shown.contains("completions") && !shown.contains("\"man\"") {
            let values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
            assert!(values.count() > 0, "{shown}");
            let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
            assert!(values.all(|value| value.is_ok()), "not JSON: {shown}");
        }
    }
}

#[test]
fn no_argument_of_any_command_is_obeyed_by_the_terminal_or_ends_in_a_panic() {
    let mut found = Vec::new();
    leaves(&[], &mut found);
    assert!(found.len() > 40, "{}", found.len());
    let globals: Vec<String> =
        ["--base-url", "--profile", "--api-key-file", "--jq", "--output", "--timeout"].map(str::to_owned).into();

    let mut lines = Vec::new();
    for (number, leaf) in found.iter().enumerate() {
        // It would serve until somebody ends it; `the_folder_of_a_server_may_have_any_name` is its test.
        if leaf.words.concat() == "mockserve" {
            continue;
        }
        let slots = leaf.options.iter().cloned().map(Some).chain(leaf.has_positional.then_some(None));
        for (place, slot) in slots.chain([Some(globals[number % globals.len()].clone())]).enumerate() {
            for (kind, value) in hostile().into_iter().enumerate() {
                // All operations read their arguments in one place.
                if leaf.words.first().is_some_and(|word| word == "api") && (number + place + kind) % 2 == 0 {
                    continue;
                }
                let is_output = slot.as_deref() == Some("--output");
                let format = if is_output { "text" } else { ["text", "json", "jsonl"][(number + place + kind) % 3] };
                let mut arguments: Vec<OsString> = vec!["--mock".into(), "--yes".into()];
                if !is_output {
                    arguments.extend(["--output".into(), format.into()]);
                }
                arguments.extend(leaf.words.iter().map(OsString::from));
                let mut given = false;
                for required in &leaf.required {
                    arguments.extend(required.iter().map(OsString::from));
                    let is_tested = *required == slot;
                    given |= is_tested;
                    arguments.push(if is_tested {
                        value.clone()
                    } else {
                        ordinary(required.as_deref(), &leaf.words).into()
                    });
                }
                if !given {
                    arguments.extend(slot.iter().map(OsString::from));
                    arguments.push(value.clone());
                }
                lines.push((arguments, format));
            }
        }
    }

    let count = lines.len();
    assert!(count > 500, "{count}");
    thread::scope(|scope| {
        for part in lines.chunks(count.div_ceil(4)) {
            scope.spawn(move || {
                let folder = folder(&["a.png"]);
                for name in hostile() {
                    fs::copy(folder.path().join("a.png"), folder.path().join(name)).unwrap();
                }
                for (arguments, format) in part {
                    check(&folder, arguments, format);
                }
            });
        }
    });
}

/// Where a key is found is shown as a path, whatever the path is.
#[test]
fn a_key_file_may_have_any_name() {
    for name in hostile() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(&name), "secret-1234\n").unwrap();
        for format in ["text", "json", "jsonl"] {
            let arguments: Vec<OsString> = ["--output", format, "auth", "status", "--api-key-file"]
                .map(OsString::from)
                .into_iter()
                .chain([name.clone()])
                .collect();

            check(&folder, &arguments, format);
            assert_eq!(command(&folder, &arguments).output().unwrap().status.code(), Some(0), "{name:?}");
        }
    }
}

#[test]
fn the_folder_of_a_server_may_have_any_name() {
    let folder = TempDir::new().unwrap();
    let name = OsStr::from_bytes(b"state\xff\x1b[2J");
    // A port that is taken, so that it ends.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for format in ["text", "json"] {
        let arguments: Vec<OsString> = ["--output", format, "mock", "serve", "--port", &port, "--state-dir"]
            .map(OsString::from)
            .into_iter()
            .chain([name.to_owned()])
            .collect();

        check(&folder, &arguments, format);
    }
}
