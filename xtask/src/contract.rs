//! `cargo xtask contract`: third-party tools check that the document and the wire agree.
//!
//! Start at [`contract`]. Redocly CLI and Spectral check the document, Schemathesis calls the mock server as the document
//! describes, Prism validates the client's requests against the document, pytest and Node.js run the examples of the mock
//! server, axe-core checks the contact sheet and the inspector in a browser.
//! Settings, hooks and lock files are in `xtask/contract`; the module `contract_tools` installs the tools. `cargo test`
//! does not need them.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;

use crate::{
    DOCUMENT,
    contract_tools::{Tools, run},
    local_server::{KEY, Server, build, serve},
    recreate, say,
};

/// The programs that checks run, built together and for the whole workspace: with the features that the tests need, so that
/// CI compiles nothing twice.
const PROGRAMS: &[&str] = &["--workspace", "--bin", "ideogram", "--example", "prism_tour"];

/// One check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ContractCheck {
    /// Redocly CLI and Spectral: the document follows their rules and ours
    Document,
    /// Schemathesis: the mock server responds as documented and refuses invalid requests
    Mock,
    /// Prism: the client sends valid requests for every operation
    Client,
    /// pytest and Node.js: the examples of the mock server in other languages run against it
    Examples,
    /// axe-core: the contact sheet of a batch and the inspector are accessible, light and dark
    Page,
}

/// Runs `parts`, or all of them if it is empty; `seed` selects the requests to the mock server.
pub fn contract(root: &Path, parts: &[ContractCheck], seed: u32) -> Result<()> {
    let parts = if parts.is_empty() { ContractCheck::value_variants() } else { parts };
    let start = Instant::now();
    let tools = Tools::install(root)?;
    let mut summary = vec![line("install", start.elapsed(), "done")];
    let mut failed = Vec::new();
    for part in parts {
        say(&format!("--- {}", part.name()));
        let start = Instant::now();
        let result = match part {
            ContractCheck::Document => document(&tools),
            ContractCheck::Mock => mock(&tools, seed),
            ContractCheck::Client => client(&tools),
            ContractCheck::Examples => examples(&tools),
            ContractCheck::Page => page(&tools),
        };
        summary.push(line(&part.name(), start.elapsed(), if result.is_ok() { "ok" } else { "FAILED" }));
        if let Err(error) = result {
            say(&format!("{}: {error:#}", part.name()));
            failed.push(part.name());
        }
    }
    say(&format!("--- contract\n{}", summary.join("\n")));
    let seed = if failed.contains(&ContractCheck::Mock.name()) { format!(" --seed {seed}") } else { String::new() };
    let failed = failed.join(" ");
    ensure!(failed.is_empty(), "the tools found faults; run them again with `cargo xtask contract {failed}{seed}`");
    Ok(())
}

impl ContractCheck {
    /// The argument that selects it.
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

fn line(name: &str, time: Duration, outcome: &str) -> String {
    format!("{name:10} {outcome:6} {:6.1} s", time.as_secs_f64())
}

fn document(tools: &Tools) -> Result<()> {
    let mut redocly = tools.node_tool("@redocly/cli/bin/cli.js");
    redocly.args(["lint", "--config"]).arg(tools.settings("redocly.yaml")).arg(tools.root().join(DOCUMENT));
    redocly.envs([("REDOCLY_TELEMETRY", "off"), ("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")]);
    run(&mut redocly, "Redocly CLI finds faults in the document")?;
    let mut spectral = tools.node();
    spectral.arg(tools.settings("spectral.mjs")).arg(tools.root().join(DOCUMENT));
    run(&mut spectral, "Spectral finds faults in the document")
}

fn mock(tools: &Tools, seed: u32) -> Result<()> {
    let program = build(tools.root(), PROGRAMS, "ideogram")?;
    let server = serve(&program)?;

    let unsuccessful = tools.folder().join("unsuccessful.txt");
    if unsuccessful.exists() {
        fs::remove_file(&unsuccessful).with_context(|| format!("cannot remove `{}`", unsuccessful.display()))?;
    }
    let mut schemathesis = tools.python();
    schemathesis.args(["-m", "schemathesis.cli", "--config-file"]).arg(tools.settings("schemathesis.toml"));
    schemathesis.arg("run").arg(tools.root().join(DOCUMENT));
    schemathesis.args(["--url", server.url(), "--seed", &seed.to_string(), "--no-color"]);
    schemathesis.env("SCHEMATHESIS_HOOKS", tools.settings("hooks.py")).env("IDEOGRAM_API_KEY", KEY);
    run(&mut schemathesis, "Schemathesis finds responses that the document does not allow")?;

    let operations = fs::read_to_string(&unsuccessful).context("the hooks of Schemathesis did not run")?;
    ensure!(operations.is_empty(), "no request of these operations got a response with status 200:\n{operations}");
    Ok(())
}

fn client(tools: &Tools) -> Result<()> {
    let tour = build(tools.root(), PROGRAMS, "prism_tour")?;
    let mut prism = tools.node();
    prism.arg(tools.settings("prism.mjs")).arg(tools.root().join(DOCUMENT));
    let server = Server::start(&mut prism)?;
    run(Command::new(tour).arg(server.url()), "Prism finds requests that the document does not describe")
}

/// Runs the examples as their first lines say, with the packages that Schemathesis brings: pytest and Requests.
fn examples(tools: &Tools) -> Result<()> {
    let program = build(tools.root(), PROGRAMS, "ideogram")?;
    let folder = tools.root().join("crates/ideogram-mock/examples");
    let mut pytest = tools.python();
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).arg(folder.join("python/test_ideogram.py"));
    run(&mut against_mock(&program, &pytest), "the Python example fails")?;
    let mut node = tools.node();
    node.arg("--test").arg(folder.join("javascript/ideogram.test.mjs"));
    run(&mut against_mock(&program, &node), "the JavaScript example fails")
}

/// The same command under `ideogram mock run`.
fn against_mock(program: &Path, command: &Command) -> Command {
    let mut run = Command::new(program);
    run.args(["mock", "run", "--"]).arg(command.get_program()).args(command.get_args());
    run.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    run.current_dir(command.get_current_dir().unwrap_or(Path::new(".")));
    run
}

/// Rows with prompts of different lengths and scripts, and with results of every kind.
fn rows() -> String {
    let prompts =
        ["A paper lantern", "some withheld cats", "something forbidden", "提灯", &"a river in the fog, ".repeat(100)];
    let row = |(number, prompt): (usize, &&str)| {
        let id = format!("{}-{number}", "a-long-name".repeat(number + 1));
        serde_json::json!({"prompt": prompt, "id": id, "model": "v3", "num_images": number + 1}).to_string() + "\n"
    };
    prompts.iter().enumerate().map(row).collect()
}

fn page(tools: &Tools) -> Result<()> {
    let program = build(tools.root(), PROGRAMS, "ideogram")?;
    let folder = tools.folder().join("page");
    recreate(&folder)?;
    fs::write(folder.join("rows.jsonl"), rows()).context("cannot write the rows of a batch")?;
    let mut batch = Command::new(&program);
    batch.args(["--mock", "--yes", "--quiet", "batch", "rows.jsonl", "--out", "images"]).current_dir(&folder);
    let output = batch.output().context("cannot run a batch")?;
    let sheet = folder.join("images/contact-sheet.html");
    ensure!(sheet.is_file(), "the batch wrote no contact sheet: {}", String::from_utf8_lossy(&output.stderr));
    let Some(browser) = Tools::browser() else {
        say("skipped: axe-core needs a browser; install chromium or google-chrome");
        return Ok(());
    };
    let mut axe = tools.node();
    run(axe.arg(tools.settings("axe.mjs")).arg(&browser).arg(sheet), "axe-core finds faults in the contact sheet")?;
    let server = serve(&program)?;
    let mut axe = tools.node();
    axe.arg(tools.settings("inspector.mjs")).arg(browser).args([server.url(), KEY]);
    run(&mut axe, "axe-core finds faults in the inspector")
}
