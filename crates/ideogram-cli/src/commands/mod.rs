//! The subcommands, one file each: arguments, the call, and what people see of its answer.
//!
//! The comment on the arguments of a subcommand is its help text.

mod datasets;
mod ids;
mod mock;
mod models;

use clap::Subcommand;

use crate::{arguments::Arguments, connection::Connection, failure::Failure, output::Output};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Collect pictures and captions to train models from
    #[command(subcommand)]
    Datasets(datasets::Command),
    /// See custom models and how far their training has come
    #[command(subcommand)]
    Models(models::Command),
    /// Try things without a key, a network or a bill
    #[command(subcommand)]
    Mock(mock::Command),
}

/// Does what was asked.
pub(crate) async fn run(arguments: Arguments, output: &Output) -> Result<(), Failure> {
    let Arguments { options, command } = arguments;
    match command {
        Command::Datasets(command) => command.run(&Connection::open(&options).await?, output).await,
        Command::Models(command) => command.run(&Connection::open(&options).await?, output).await,
        Command::Mock(command) => command.run(output).await,
    }
}
