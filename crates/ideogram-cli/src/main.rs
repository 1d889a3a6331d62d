//! The `ideogram` command: datasets and models of the Ideogram API, and a mock server to try it on.
//!
//! Start at [`Arguments`] for what can be asked, at [`commands`] for what is done. A command asks the client and hands
//! the answer to [`Output`], which alone prints; what goes wrong is a [`Failure`], which carries the exit code.

mod arguments;
mod commands;
mod connection;
mod exit;
mod failure;
mod json;
mod output;
mod page;
mod printable;
mod units;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{arguments::Arguments, exit::Exit, failure::Failure, output::Output};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return output::help_or_usage(&error).into(),
    };
    let output = Output::new(arguments.options.output, arguments.options.quiet);
    match run(arguments, &output) {
        Ok(()) => Exit::Success.into(),
        Err(failure) => {
            output::failure(&failure);
            failure.exit().into()
        }
    }
}

fn run(arguments: Arguments, output: &Output) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start").because(&error))?;
    let result = runtime.block_on(commands::run(arguments, output));
    // A name server or network drive that does not answer must not hold the command back once it is done.
    runtime.shutdown_background();
    result
}
