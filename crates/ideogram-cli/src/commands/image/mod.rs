//! The commands that make images: `generate`, `remix`, `edit` and others.
//!
//! [`table`] has a row for each command, [`flags`] one for each flag; [`call`] makes a request of the arguments ([`choice`]
//! picks the model, [`value`] reads the text of a flag), which [`generate_and_save`](crate::images::generate_and_save) sends.

mod call;
mod choice;
mod flags;
mod table;
mod value;

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand, builder::PossibleValue};
use ideogram_client::operation::Operation;

use self::table::{COMMANDS, ImageCommand};
use crate::{
    commands::values::version_names,
    failure::{Failure, PRICES_PAGE},
    images::{generate_and_save::generate_and_save, price::PriceFlags, save_flags::SaveFlags},
    session::context::Context,
};

/// The layout of the result.
const JSON: &str = "\
As JSON: .images[], each with .outcome, .path and .seed; .response, that of the service; .stored_at.
For example: --jq '.images[].path'";
/// How many examples `-h` has.
const SHORT_EXAMPLES: usize = 3;

/// A command that makes images, and its arguments.
#[derive(Debug)]
pub(crate) struct Image {
    command: &'static ImageCommand,
    matches: ArgMatches,
    saving: SaveFlags,
    price: PriceFlags,
}

impl Image {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let request = call::prepare(self.command, &self.matches, context).await?;
        generate_and_save(context, &self.saving, self.price, request, self.command.action).await
    }
}

/// The first examples, and where the prices are.
fn after_help(row: &ImageCommand, examples: usize) -> String {
    let examples: Vec<&str> = row.examples.lines().take(examples).collect();
    format!("Examples:\n  {}\n\nPrices: {PRICES_PAGE}; --quote prints that of a call", examples.join("\n"))
}

/// The name of the command for an operation.
pub(super) fn command_for(operation: &Operation) -> Option<&'static str> {
    let calls = |command: &&ImageCommand| command.models.iter().any(|model| model.operation.id == operation.id);
    COMMANDS.iter().find(calls).map(|command| command.name)
}

/// The models of `generate`, by name, with what they are.
pub(super) fn models() -> impl Iterator<Item = (&'static str, &'static str)> {
    find("generate").into_iter().flat_map(ImageCommand::plain_models).map(|model| (model.name, model.help))
}

/// The same as values of an argument.
pub(super) fn model_values() -> Vec<PossibleValue> {
    let value = |(name, help)| PossibleValue::new(name).aliases(version_names(name)).help(help);
    models().map(value).collect()
}

/// The model of `generate` that a flag implies without `--model`.
pub(super) fn implied_by(flag: &str) -> Option<&'static str> {
    let models = find("generate").into_iter().flat_map(|command| command.models);
    models.into_iter().find(|model| model.implied_by == Some(flag)).map(|model| model.name)
}

/// The operations of a model of `generate`, without those that make the background transparent.
pub(super) fn generators(model: &str) -> impl Iterator<Item = &'static Operation> {
    let models = find("generate").into_iter().flat_map(|command| command.models);
    models.filter(move |it| it.name == model && !it.is_transparent).map(|it| it.operation)
}

fn find(name: &str) -> Option<&'static ImageCommand> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// What the help says of flags that only some models take.
const BRACKETS: &str = "Brackets say which models take a flag; other models refuse it before anything is sent.";

impl Subcommand for Image {
    fn augment_subcommands(parent: Command) -> Command {
        parent.subcommands(COMMANDS.iter().map(|row| {
            // Arguments are made only for the command that is called. What is deferred captures nothing.
            Command::new(row.name).about(row.about).defer(|command| {
                let row = find(command.get_name()).expect("each command here has a row");
                let brackets = if row.has_models() { BRACKETS } else { "" };
                let details = format!("{}\n{brackets}", row.details);
                let long_about = format!("{}\n\n{}", row.about, details.trim());
                // Adding them overwrites what the help begins with.
                let command = match row.usage {
                    Some(usage) => command.override_usage(usage),
                    None => command,
                };
                PriceFlags::augment_args(SaveFlags::augment_args(command.args(flags::arguments(row))))
                    .about(row.about)
                    .long_about(long_about.trim_end().to_owned())
                    .after_help(after_help(row, SHORT_EXAMPLES))
                    .after_long_help(format!("{}\n\n{JSON}", after_help(row, usize::MAX)))
            })
        }))
    }

    fn augment_subcommands_for_update(parent: Command) -> Command {
        Self::augment_subcommands(parent)
    }

    fn has_subcommand(name: &str) -> bool {
        find(name).is_some()
    }
}

impl FromArgMatches for Image {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let command = find(name).ok_or_else(missing)?;
        Ok(Self {
            command,
            matches: matches.clone(),
            saving: SaveFlags::from_arg_matches(matches)?,
            price: PriceFlags::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
