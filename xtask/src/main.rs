//! `cargo xtask ...`: parses the command line and runs one task.

use std::process::ExitCode;

use anyhow::Error;
use clap::{Parser, Subcommand};
use xtask::Mode;

/// Maintenance of the workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Checks the document and its samples, writes derived files anew, leaves changed snapshots for review
    Regen {
        /// Changes nothing: prints what differs and fails
        #[arg(long)]
        check: bool,
    },
    /// Writes the generated client, formatted, to `target/expand/client.rs`
    Expand,
    /// Runs what CI runs, in its order, up to the first failure
    Ci,
}

fn main() -> ExitCode {
    let root = xtask::workspace_root();
    let done = match Arguments::parse().task {
        Task::Regen { check } => xtask::regen(&root, if check { Mode::Check } else { Mode::Write }),
        Task::Expand => xtask::expand(&root),
        Task::Ci => xtask::ci(&root),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the one place that prints errors; a backtrace would hide the repair")]
fn complain(error: &Error) {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    eprintln!("error: {}", causes.join(":\n"));
}
