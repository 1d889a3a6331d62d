//! `cargo xtask illustrations`: makes the illustrations of the README from real runs, so that none is drawn by hand.
//!
//! Start at [`illustrations`]. A batch against the mock server yields the contact sheet, which a browser photographs; a
//! session is recorded command by command, and Rich turns its text into an SVG; Graphviz draws the packages and what
//! they depend on, as Cargo sees it.

use std::{
    env, fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{
    cargo,
    contract_tools::{Tools, run},
    create_folder,
    local_server::{KEY, build, serve},
    recreate, say, target_folder,
};

/// Where the illustrations are; hidden, as the top level of the workspace has nothing else.
const FOLDER: &str = ".github/illustrations";

/// The prompts of the batch. The seeds are fixed, so that an illustration changes only if the command does.
const PROMPTS: [&str; 6] = [
    "A paper lantern on a river",
    "A red bicycle against a white wall",
    "A lighthouse in the fog",
    "Terraced fields from above",
    "A night market in the rain",
    "An old map of an island",
];

/// The recorded commands; `ideogram` is the program of the workspace.
const SESSION: [&str; 5] = [
    "ideogram generate \"A paper lantern on a river\" --quality low --quote",
    "ideogram generate \"A paper lantern on a river\" --quality low --num-images 2 --out lanterns",
    "ideogram batch prompts.csv --out posters --max-usd 5",
    "ideogram batch prompts.csv --out posters --max-usd 5    # again: nothing is paid twice",
    "ideogram usage",
];

/// The parts of the drawing that are no packages, and their connections with packages: label and edge.
const AROUND: &str = r##"
  document [label="openapi/ideogram.yaml\nevery fact about the API, once" shape=note fillcolor="#fff3d6"]
  service [label="api.ideogram.ai" style="dashed"]
  program [label="your program" style="dashed"]
  document -> "ideogram-codegen" [label="rules, model, Rust code"]
  document -> "ideogram-mock" [label="read on its own"]
  "ideogram-client" -> program [label="used by"]
  "ideogram-client" -> service [label="HTTPS" style=dashed]
  "ideogram-client" -> "ideogram-mock" [label="HTTP" style=dashed]
"##;

/// Makes all illustrations.
pub fn illustrations(root: &Path) -> Result<()> {
    let tools = Tools::install(root)?;
    let program = build(root, &["--package", "ideogram-cli", "--bin", "ideogram"], "ideogram")?;
    let folder = root.join(FOLDER);
    create_folder(&folder)?;
    let work = target_folder(root).join("illustrations");
    recreate(&work)?;
    fs::write(work.join("prompts.csv"), table()).context("cannot write the table of a batch")?;
    session(&tools, &program, &work, &folder.join("session.svg"))?;
    contact_sheet(&work.join("posters/contact-sheet.html"), &folder.join("contact-sheet.png"))?;
    architecture(&tools, &folder.join("architecture.svg"))?;
    say(&format!("the illustrations are in `{FOLDER}`: look at them before you commit them"));
    Ok(())
}

fn table() -> String {
    let rows = PROMPTS.iter().zip(1..).map(|(prompt, seed)| format!("{prompt},{seed}\n"));
    ["prompt,seed\n".to_owned()].into_iter().chain(rows).collect()
}

/// Runs the commands against one mock server, and draws what they print.
fn session(tools: &Tools, program: &Path, folder: &Path, illustration: &Path) -> Result<()> {
    let server = serve(program)?;
    let bin = folder.join("bin");
    fs::create_dir(&bin).context("cannot create a folder for the command")?;
    fs::copy(program, bin.join("ideogram")).context("cannot copy the command")?;
    let others = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([bin].into_iter().chain(env::split_paths(&others))).context("`PATH` is not valid")?;
    let mut text = String::new();
    for command in SESSION {
        let mut shell = Command::new("sh");
        // People see both streams in one terminal, in the order of the output.
        shell.args(["-c", &format!("{{ {command}\n}} 2>&1")]).current_dir(folder).stdin(Stdio::null());
        shell.envs([("CLICOLOR_FORCE", "1"), ("COLUMNS", "100"), ("HOME", "."), ("XDG_STATE_HOME", ".state")]);
        shell.env("IDEOGRAM_BASE_URL", server.url()).env("IDEOGRAM_API_KEY", KEY);
        shell.env("PATH", &path);
        let output = shell.output().context("cannot run a shell")?;
        let printed = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "`{command}` fails: {printed}");
        text += &format!("$ {command}\n{printed}");
    }
    let mut draw = tools.python();
    draw.arg(tools.root().join("xtask/illustrations/terminal.py")).arg(illustration);
    feed(&mut draw, &text, "the session cannot be drawn")
}

fn contact_sheet(sheet: &Path, illustration: &Path) -> Result<()> {
    let browser = Tools::browser().context("a screenshot needs a browser: install chromium or google-chrome")?;
    let mut screenshot = Command::new(browser);
    screenshot.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1000,760"]);
    screenshot.arg(format!("--screenshot={}", illustration.display())).arg(format!("file://{}", sheet.display()));
    run(screenshot.stderr(Stdio::null()), "the browser makes no screenshot")
}

/// Draws the packages with their dependencies in the workspace.
fn architecture(tools: &Tools, illustration: &Path) -> Result<()> {
    let mut metadata = cargo();
    metadata.args(["metadata", "--no-deps", "--format-version=1"]).current_dir(tools.root());
    let output = metadata.output().context("cannot run `cargo metadata`")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("`cargo metadata` prints no JSON")?;
    let mut draw = tools.node();
    draw.arg(tools.root().join("xtask/illustrations/graph.mjs")).arg(illustration);
    feed(&mut draw, &graph(&metadata), "the architecture cannot be drawn")
}

/// The drawing in the language of Graphviz. Only what is published has a box.
fn graph(metadata: &Value) -> String {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let published: Vec<&Value> = packages.filter(|package| package["publish"].is_null()).collect();
    let mut text = "digraph {\n  rankdir=TB bgcolor=white pad=0.2 nodesep=0.5\n  \
                    node [shape=box style=\"rounded,filled\" fillcolor=\"#e8f0fe\" margin=\"0.25,0.1\" fontname=\"Helvetica\" fontsize=12]\n  \
                    edge [fontname=\"Helvetica\" fontsize=10 color=\"#555555\"]\n"
        .to_owned();
    for package in &published {
        let (name, description) = (text_of(&package["name"]), text_of(&package["description"]));
        text += &format!("  {name:?} [label=\"{name}\\n{}\"]\n", wrapped(description));
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let (other, kind) = (text_of(&dependency["name"]), text_of(&dependency["kind"]));
            let is_drawn = published.iter().any(|package| package["name"] == other);
            if is_drawn && kind != "dev" {
                let label = if kind == "build" { "in build.rs" } else { "used by" };
                text += &format!("  {other:?} -> {name:?} [label={label:?}]\n");
            }
        }
    }
    text + AROUND + "}\n"
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Breaks a sentence into lines of a box.
fn wrapped(sentence: &str) -> String {
    let mut lines = vec![String::new()];
    for word in sentence.split(' ') {
        let line = lines.last_mut().expect("it starts with one");
        match line.len() + word.len() {
            _ if line.is_empty() => line.push_str(word),
            0..36 => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\\n")
}

/// Runs a tool that reads its input from a pipe.
fn feed(command: &mut Command, input: &str, failure: &str) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut process = command.stdin(Stdio::piped()).spawn().with_context(|| format!("cannot run `{program}`"))?;
    let mut pipe = process.stdin.take().expect("standard input is a pipe");
    pipe.write_all(input.as_bytes()).with_context(|| format!("`{program}` reads no input"))?;
    drop(pipe);
    let status = process.wait().with_context(|| format!("cannot wait for `{program}`"))?;
    ensure!(status.success(), "{failure} (`{program}`: {status})");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graph_has_what_is_published_and_what_it_is_built_from() {
        let package = |name: &str, publish: Value, dependencies: Value| serde_json::json!({"name": name, "publish": publish, "description": "A part of it", "dependencies": dependencies});
        let metadata = serde_json::json!({"packages": [
            package("a", Value::Null, serde_json::json!([{"name": "b", "kind": null}, {"name": "c", "kind": "dev"}, {"name": "d", "kind": "build"}, {"name": "serde", "kind": null}])),
            package("b", Value::Null, serde_json::json!([])),
            package("c", Value::Null, serde_json::json!([])),
            package("d", Value::Null, serde_json::json!([])),
            package("tests", serde_json::json!([]), serde_json::json!([{"name": "a", "kind": null}])),
        ]});

        let graph = graph(&metadata);

        let edges: Vec<&str> =
            graph.lines().filter(|line| line.contains("-> \"a\"") || line.contains("tests")).collect();
        assert_eq!(edges, ["  \"b\" -> \"a\" [label=\"used by\"]", "  \"d\" -> \"a\" [label=\"in build.rs\"]"]);
    }

    #[test]
    fn a_sentence_is_broken_between_words() {
        assert_eq!(wrapped("one two"), "one two");
        assert_eq!(wrapped(&"word ".repeat(9)), format!("{}\\n{}", ["word"; 7].join(" "), "word word "));
    }
}
