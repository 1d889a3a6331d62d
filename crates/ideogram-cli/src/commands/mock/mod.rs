//! `ideogram mock`.

mod serve;

use clap::Subcommand;

use crate::{failure::Failure, output::Output};

/// What to do with the mock server.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(serve::Serve),
}

impl Command {
    pub(super) async fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Serve(serve) => serve.run(output).await,
        }
    }
}
