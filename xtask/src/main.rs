//! `cargo xtask ...`: parses the command line and runs one task.

use std::{process::ExitCode, time::Duration};

use anyhow::Error;
use clap::{Parser, Subcommand};
use xtask::{ContractCheck, Destination, Mode, Row, Shown};

/// Maintenance of the workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Checks the document and its samples, writes derived files, leaves changed snapshots for review
    Regen {
        /// Changes nothing: prints what differs and fails
        #[arg(long)]
        check: bool,
    },
    /// Writes the generated client, formatted, to `target/expand/client.rs`
    Expand,
    /// Runs the fuzz targets of `tests/fuzz`, guided by coverage; needs a C++ compiler
    Fuzz {
        /// How long, split between the targets, after building them
        #[arg(long, default_value_t = 60, value_name = "SECONDS")]
        seconds: u64,
    },
    /// Mutates the retry policy and the limiter, and checks that a test fails; needs cargo-mutants
    Mutants {
        /// Only changes whose name matches this regular expression, such as `decide`
        pattern: Option<String>,
    },
    /// Compares document, mock server and client with third-party tools; needs Python and Node.js
    ///
    /// It installs what is missing into `target/contract`, pinned by the lock files in `xtask/contract`.
    Contract {
        /// The checks to run; all by default
        parts: Vec<ContractCheck>,
        /// Seed of the requests to the mock server
        #[arg(long, default_value_t = 1)]
        seed: u32,
    },
    /// Compares the document with the service's own, or with another version of it
    ///
    /// Exits with 1 if there are differences that `openapi/decisions.yaml` does not explain, with 2 if it cannot compare.
    Drift {
        /// The other document, JSON or YAML; an address is downloaded with curl
        #[arg(value_name = "FILE-OR-URL")]
        source: String,
        /// Prints the decided differences too, each with its reason
        #[arg(long)]
        all: bool,
        /// Prints this operation of the other document as YAML in house style instead, to be edited by hand
        #[arg(long, value_name = "OPERATION", conflicts_with = "all")]
        draft: Option<String>,
    },
    /// Packs what is published into `target/packages`, and checks which files the packages contain
    Package {
        /// Builds a project and the command from the packages, outside of the workspace, and runs both
        #[arg(long)]
        test: bool,
        /// Publishes the packages
        #[arg(long, conflicts_with = "test")]
        publish: bool,
    },
    /// Makes the illustrations of the README from real runs, into `.github/illustrations`; needs Python, Node.js and a browser
    Illustrations,
    /// Checks the dependencies; needs cargo-deny and cargo-machete
    Audit {
        /// Does not download the advisories, and checks the rest
        #[arg(long)]
        no_advisories: bool,
    },
    /// Measures what builds, the start of the command and its large inputs cost, beside alternatives; Linux only
    Cost {
        /// The rows to measure; all by default, which takes hours
        rows: Vec<Row>,
        /// How often each side is measured
        #[arg(long, default_value_t = 5, value_name = "NUMBER")]
        pairs: usize,
    },
    /// Runs what CI runs, in its order, up to the first failure
    Ci,
}

fn main() -> ExitCode {
    let root = xtask::workspace_root();
    let task = Arguments::parse().task;
    // The one task whose failure has two meanings.
    let cannot_run = if matches!(task, Task::Drift { .. }) { ExitCode::from(2) } else { ExitCode::FAILURE };
    let done = match task {
        Task::Regen { check } => xtask::regen(&root, if check { Mode::Check } else { Mode::Write }),
        Task::Expand => xtask::expand(&root),
        Task::Fuzz { seconds } => xtask::fuzz(&root, Duration::from_secs(seconds)),
        Task::Mutants { pattern } => xtask::mutants(&root, pattern.as_deref()),
        Task::Contract { parts, seed } => xtask::contract(&root, &parts, seed),
        Task::Drift { source, draft: Some(operation), .. } => xtask::draft(&root, &source, &operation),
        Task::Drift { source, all, draft: None } => {
            match xtask::drift(&root, &source, if all { Shown::All } else { Shown::Undecided }) {
                Ok(false) => return ExitCode::FAILURE,
                decided => decided.map(drop),
            }
        }
        Task::Package { publish: true, .. } => xtask::package(&root, Destination::Registry),
        Task::Package { test, .. } => xtask::package(&root, if test { Destination::Test } else { Destination::Folder }),
        Task::Illustrations => xtask::illustrations(&root),
        Task::Audit { no_advisories } => xtask::audit(&root, !no_advisories),
        Task::Cost { rows, pairs } => xtask::cost(&root, &rows, pairs),
        Task::Ci => xtask::ci(&root),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            cannot_run
        }
    }
}

#[expect(clippy::print_stderr, reason = "the one place that prints errors; a backtrace would hide the repair")]
fn complain(error: &Error) {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    eprintln!("error: {}", causes.join(":\n"));
}
