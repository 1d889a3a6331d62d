//! The subcommands, one file each: arguments, the call, and what people see of its answer.
//!
//! # How to write one
//!
//! The comment on the arguments of a subcommand is its help text; `after_help` holds examples, which are tested. A
//! command is a function from its arguments and a [`Context`] to a result:
//!
//! ```ignore
//! impl Get {
//!     pub(super) async fn run(self, context: &Context<'_>) -> Result<(), Failure> {
//!         let what = format!("cannot get the dataset {}", self.id);
//!         let told = Told { what: &what, look: "ideogram datasets list" };
//!         let call = context.client().get_dataset().dataset_id(&self.id);
//!         let Some(response) = context.call(call, told).await? else { return Ok(()) }; // `None`: --dry-run has shown it
//!         context.output().answer(&response)
//!     }
//! }
//! ```
//!
//! - **Sending**: [`Context::call`] takes a generated builder before its `send()`. It checks the request, shows it
//!   instead of sending it with `--dry-run`, tells Ctrl-C what is under way, and turns an error into a [`Failure`] with
//!   the exit code of the table in [`exit`](crate::exit). Nothing is sent by any other way. A command that writes files,
//!   waits or asks asks [`Context::is_dry_run`] before.
//! - **Answers**: [`Output::answer`] prints an answer of the service: as the page of its [`View`](crate::page::View),
//!   or as JSON just as it came. Results that are no answer: [`Output::result`] for one, [`Output::list`] for a list,
//!   [`Output::pieces`] for what comes one by one (a line at once as text and with `jsonl`, one document at the end with
//!   `json`). `--jq` is honored by all of them.
//! - **Talk**: [`Output::note`] (silenced by `--quiet`), [`Output::warning`] (not silenced), `Context::progress` for
//!   bars. Nothing else may print, above all not to standard output.
//! - **Questions**: [`Context::confirm`] before what costs much or cannot be taken back. It goes on or returns the
//!   failure to return.
//! - **Failures**: [`Failure::new`] with an exit code, [`Failure::usage`] for refused arguments, [`Failure::local_io`]
//!   for files; then `.because(&error)` for causes, `.hint(..)` for what to do next, `.detail(..)` for what programs
//!   read. A command that did a part of its work prints that and returns a failure with [`Exit::Partial`].
//! - **Ctrl-C**: the command's future is dropped, so owners of half-written files remove them in `drop`. A command that
//!   has something to bring to an end asks for [`Interrupt::gracefully`].
//! - Commands that make no call take only the [`Output`] and are listed in [`run`] with their name, so that options
//!   about calls are refused and not ignored.
//!
//! [`Exit::Partial`]: crate::exit::Exit::Partial

mod batch;
mod datasets;
mod ids;
mod mock;
mod models;

use clap::Subcommand;

use crate::{arguments::Arguments, context::Context, failure::Failure, interrupt::Interrupt, output::Output};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Collect pictures and captions to train models from
    #[command(subcommand)]
    Datasets(datasets::Command),
    Batch(batch::Batch),
    /// See custom models and how far their training has come
    #[command(subcommand)]
    Models(models::Command),
    /// Try things without a key, a network or a bill
    #[command(subcommand)]
    Mock(mock::Command),
}

/// Does what was asked.
pub(crate) async fn run(arguments: Arguments, output: &Output, interrupt: &Interrupt) -> Result<(), Failure> {
    let Arguments { options, command } = arguments;
    let context = || Context::open(&options, output, interrupt);
    match command {
        Command::Datasets(command) => command.run(&context().await?).await,
        Command::Batch(batch) => {
            let context = Context::open_with_places(&options, output, interrupt, batch.pictures_in_making()).await?;
            batch.run(&context).await
        }
        Command::Models(command) => command.run(&context().await?).await,
        Command::Mock(command) => {
            options.refuse_those_of_calls("ideogram mock")?;
            command.run(output, interrupt).await
        }
    }
}
