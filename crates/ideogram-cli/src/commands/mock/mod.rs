//! `ideogram mock`.

mod serve;

use clap::Subcommand;

use crate::{failure::Failure, output::Output, session::interrupt::Interrupt};

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(serve::Serve),
}

impl Command {
    pub(super) async fn run(&self, output: &Output, interrupt: &Interrupt) -> Result<(), Failure> {
        match self {
            Self::Serve(serve) => serve.run(output, interrupt).await,
        }
    }
}
