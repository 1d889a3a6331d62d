//! `ideogram mock`.

mod run;
mod serve;
mod settings;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{exit::Exit, failure::Failure, output::Output, session::interrupt::Interrupt};

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(serve::Serve),
    Run(run::Run),
}

impl Command {
    /// Runs the command, and returns its exit code, or that of the command that it has run.
    pub(super) async fn run(&self, output: &Output, interrupt: &Interrupt) -> Result<ExitCode, Failure> {
        match self {
            Self::Serve(serve) => serve.run(output, interrupt).await.map(|()| Exit::Success.into()),
            Self::Run(run) => run.run(output, interrupt).await,
        }
    }
}
