//! The command line: reads arguments, and prints help.

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, error::ErrorKind};

use crate::{
    commands::Command,
    exit::Exit,
    options::{Options, brief, early_color},
    output::printable::printable,
    suggestions,
};

/// The Ideogram API from the terminal: images, datasets and custom models
///
/// Makes and edits images, collects them in datasets, trains models from these, and calls any operation of the API.
/// Responses go to standard output, messages to standard error.
#[derive(Debug, Parser)]
#[command(name = "ideogram", version, max_term_width = 100, after_help = after_help(), after_long_help = after_long_help())]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) options: Options,

    #[command(subcommand)]
    pub(crate) command: Command,
}

pub(crate) fn read(arguments: &[OsString]) -> Result<Arguments, clap::Error> {
    let color = early_color(arguments).for_help();
    parse(arguments).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            brief(built(Arguments::command().color(color))).try_get_matches_from(arguments).err().unwrap_or(error)
        }
        _ => suggestions::improve(escape_arguments(error, arguments), Arguments::command, arguments),
    })
}

fn parse(arguments: &[OsString]) -> Result<Arguments, clap::Error> {
    let color = early_color(arguments).for_help();
    let mut matches = Arguments::command().color(color).try_get_matches_from(arguments)?;
    Arguments::from_arg_matches_mut(&mut matches)
}

/// The same error, with control characters of the arguments replaced.
fn escape_arguments(error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let escaped: Vec<OsString> =
        arguments.iter().map(|argument| printable(&argument.to_string_lossy()).into_owned().into()).collect();
    if escaped == arguments {
        return error;
    }
    // The escaped arguments are wrong in the same way, and clap lays the error out around them.
    match parse(&escaped) {
        Err(same) if same.kind() == error.kind() => same,
        _ => {
            let lines: Vec<String> = error.to_string().lines().map(|line| printable(line).into_owned()).collect();
            let text = lines.join("\n");
            clap::Error::raw(error.kind(), text.strip_prefix("error: ").unwrap_or(&text).to_owned() + "\n")
        }
    }
}

/// All commands with the global options. Building them takes time, so this is only for help, completions and the manual.
pub(crate) fn command() -> clap::Command {
    built(Arguments::command())
}

fn built(mut command: clap::Command) -> clap::Command {
    command.build();
    command
}

const EXAMPLES: &str = "\
Examples:
  ideogram --mock generate \"A paper lantern\"    try it: no key, no network
  ideogram generate \"A paper lantern\" -o out    saves an image, and prints its path
  ideogram datasets create \"Paper lanterns\"     prints the id of the new dataset
  ideogram datasets upload ID lanterns/*.jpg    adds images to it
  ideogram models list --output json            for scripts";

fn after_help() -> String {
    format!("{EXAMPLES}\n\n`ideogram --help` also explains environment variables and exit codes.")
}

fn after_long_help() -> String {
    format!(
        "{EXAMPLES}\n\n\
         Environment variables:\n\
         \x20 IDEOGRAM_API_KEY          the API key; `ideogram auth --help` shows other places for it\n\
         \x20 IDEOGRAM_BASE_URL         the address of the service [default: {}]\n\
         \x20 IDEOGRAM_PROFILE          the profile of the configuration file to use\n\
         \x20 IDEOGRAM_CONFIG           the configuration file, instead of the default one\n\
         \x20 NO_COLOR, CLICOLOR_FORCE  never color, or also in files and pipes\n\n\
         Exit codes (`ideogram mock serve --help` shows how to rehearse them):\n{}",
        ideogram_client::operations::SERVER_URL,
        Exit::table(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        command().debug_assert();
    }
}
