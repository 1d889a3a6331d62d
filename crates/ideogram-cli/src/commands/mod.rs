//! The subcommands, one file each: arguments, call, and text output. Image commands are rows of a table: [`image`].
//!
//! # How to write one
//!
//! The comment on the arguments of a subcommand is its help text; `after_help` holds examples, which are tested. A
//! command is a function from its arguments and a [`Context`] to a result:
//!
//! ```ignore
//! impl Get {
//!     pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
//!         let action = format!("cannot get the dataset {}", self.id);
//!         let call = context.client().get_dataset().dataset_id(&self.id);
//!         let Some(response) = context.call(call, &action).await? else { return Ok(()) }; // `None`: --dry-run has shown it
//!         context.output().response(&response)
//!     }
//! }
//! ```
//!
//! - **Sending**: [`Context::call`] takes a generated builder before its `send()`. It checks the request, shows it
//!   instead of sending it with `--dry-run`, records the call in flight for Ctrl-C, and turns an error into a
//!   [`Failure`] with the exit code of the table in [`exit`](crate::exit). Nothing is sent in another way. A command
//!   that writes files, waits or asks checks [`Context::is_dry_run`] first.
//! - **Options of one call**: `context.client().with(CallOptions::new()..)` is a client of its own;
//!   `context.uploading(label, bytes)` one whose uploads are shown as they go. Keep it in a block with the call, so
//!   that the bar is gone when the response is printed.
//! - **Responses**: [`Output::response`] prints a response of the service: as the layout of its
//!   [`ToLayout`](crate::output::layout::ToLayout), or as unchanged JSON. Results of the command itself:
//!   [`Output::result`] for one, [`Output::list`] for a list, [`Output::stream`] for elements that are printed one by one (a
//!   line at once as text and with `jsonl`, one document at the end with `json`). `--jq` is honored by all of them.
//! - **Messages**: [`Output::note`] (silenced by `--quiet`), [`Output::warning`] (not silenced), `Context::progress`
//!   for bars. Nothing else may print, above all not to standard output.
//! - **Questions**: [`Context::confirm`] before something that costs much or cannot be undone. It returns the failure
//!   to return after a no.
//! - **Failures**: [`Failure::new`] with an exit code, [`Failure::usage`] for refused arguments, [`Failure::local_io`]
//!   for files; then `.because(&error)` for causes, `.hint(..)` for what to do next, `.detail(..)` for properties
//!   in JSON. A command that did a part of its work prints that and returns a failure with [`Exit::Partial`].
//! - **Ctrl-C**: the command's future is dropped, so owners of incomplete files remove them in `drop`. A command that
//!   must finish something calls [`Interrupt::gracefully`].
//! - **Configuration**: [`Context::profile`] has the settings of the profile, [`config::responses_folder`] is the
//!   folder of stored responses. Only [`environment`](crate::session::environment) reads variables.
//! - A new command also gets a line in [`operations::command`], a snapshot of its help in `tests/cli/help.rs`, a line
//!   in `tests/cli/dry_run.rs` if it sends, and its help in `tests/cli/examples.rs`.
//! - Commands that make no call take only the [`Output`] and are listed in [`run`] with their name, so that options
//!   for calls are refused.
//!
//! [`config::responses_folder`]: crate::session::config::responses_folder
//! [`Exit::Partial`]: crate::exit::Exit::Partial
//! [`Interrupt::gracefully`]: crate::session::interrupt::Interrupt::gracefully
//! [`Output`]: crate::output::Output
//! [`Output::response`]: crate::output::Output::response
//! [`Output::list`]: crate::output::Output::list
//! [`Output::note`]: crate::output::Output::note
//! [`Output::stream`]: crate::output::Output::stream
//! [`Output::result`]: crate::output::Output::result
//! [`Output::warning`]: crate::output::Output::warning

mod api;
mod auth;
mod batch;
mod completions;
mod datasets;
mod describe;
mod generations;
mod ids;
mod image;
mod magic_prompt;
mod man;
mod mock;
mod models;
mod operations;
mod save;
mod trainable;
mod usage;
pub(crate) mod values;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{
    exit::Exit,
    failure::Failure,
    session::{connection::Globals, context::Context},
};

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Image(image::Image),
    Describe(describe::Describe),
    MagicPrompt(magic_prompt::MagicPrompt),
    Batch(batch::Batch),
    Save(save::Save),
    /// Show generations by id, and save their images after an interruption
    #[command(subcommand)]
    Generations(generations::Command),
    /// Collect images and captions to train models from
    #[command(subcommand)]
    Datasets(datasets::Command),
    /// Train custom models, and show the state of their training
    #[command(subcommand)]
    Models(models::Command),
    Api(api::Api),
    Operations(operations::Operations),
    Usage(usage::Usage),
    /// Store the API key, and show which one is used
    #[command(subcommand)]
    Auth(auth::Command),
    /// Run a mock server, to try the command without a key or a network
    #[command(subcommand)]
    Mock(mock::Command),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    /// Whether the command does its work in a process of its own: one that pays for many images.
    pub(crate) fn has_worker(&self, is_dry_run: bool) -> bool {
        matches!(self, Self::Batch(_)) && !is_dry_run
    }
}

/// Runs a command, and returns its exit code. `tree` builds all commands, for those that print them.
pub(crate) async fn run(
    command: &Command,
    globals: Globals<'_>,
    tree: fn() -> clap::Command,
) -> Result<ExitCode, Failure> {
    let context = || Context::open(globals);
    let makes_no_call = |command| globals.options.refuse_those_of_calls(command);
    let result = match command {
        Command::Image(command) => command.run(&context().await?).await,
        Command::Describe(command) => command.run(&context().await?).await,
        Command::MagicPrompt(command) => command.run(&context().await?).await,
        Command::Save(command) => command.run(globals).await,
        Command::Generations(command) => command.run(&context().await?).await,
        Command::Datasets(command) => command.run(&context().await?).await,
        Command::Batch(batch) => {
            let globals = Globals { max_images_in_flight: Some(batch.max_images_in_flight()), ..globals };
            batch.run(&Context::open(globals).await?).await
        }
        Command::Models(command) => command.run(&context().await?).await,
        Command::Usage(usage) => usage.run(&context().await?).await,
        Command::Api(api) => api.run(globals).await,
        Command::Operations(operations) => {
            makes_no_call("ideogram operations")?;
            operations.run(globals.output)
        }
        Command::Auth(command) => command.run(globals).await,
        Command::Mock(command) => {
            makes_no_call("ideogram mock")?;
            return command.run(globals.output, globals.interrupt).await;
        }
        Command::Completions(completions) => {
            makes_no_call("ideogram completions")?;
            completions.run(globals.output, tree())
        }
        Command::Man(man) => {
            makes_no_call("ideogram man")?;
            man.run(globals.output, tree())
        }
    };
    result.map(|()| Exit::Success.into())
}
