//! The global options, which every command accepts.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use crate::{commands::values::seconds, failure::Failure, output::color};

/// The global options.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
#[expect(clippy::doc_markdown, reason = "help is plain text")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Options {
    /// The format of responses: text, json, jsonl [default: text]
    ///
    /// json is the response of the service with all that it holds, and messages are JSON too. jsonl has a value on each
    /// line: an element of a list, or a result as soon as it is there.
    #[arg(long, hide_possible_values = true, global = true, value_name = "FORMAT", value_enum)]
    pub(crate) output: Option<Format>,

    /// Print what this expression picks from the JSON, as jq does; texts without quotes
    ///
    /// It sees what `--output json` prints, or each line of `--output jsonl`; messages stay for people unless `--output`
    /// says otherwise. Built in: jq need not be installed. It is jq 1.7 without env and $ENV (they would show the API
    /// key), import, include, `?//`, $__loc__, @base32, @base32d, builtins, input_line_number, and assignments to paths below null, for which
    /// setpath can be used; `capture` leaves out the names of groups that match nothing.
    #[arg(long, global = true, value_name = "EXPRESSION", allow_hyphen_values = true)]
    pub(crate) jq: Option<String>,

    /// Run against a mock server inside the command: no key, no network, nothing billed
    ///
    /// It starts with one dataset, `demo`, and ends with the command, so nothing is stored. IDEOGRAM_API_KEY and
    /// IDEOGRAM_BASE_URL are ignored; IDEOGRAM_MOCK_TIME sets its clock. `ideogram mock serve` runs one that stays.
    #[arg(long, global = true)]
    pub(crate) mock: bool,

    /// The address of the service, instead of the default one [env: IDEOGRAM_BASE_URL]
    ///
    /// The key is sent there. Plain http is allowed only for this machine (127.0.0.1, localhost).
    #[arg(long, hide_short_help = true, global = true, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// The profile of the configuration file to use [env: IDEOGRAM_PROFILE]
    ///
    /// `ideogram auth --help` explains the file.
    #[arg(long, hide_short_help = true, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// A file with the API key, and nothing else
    ///
    /// It takes precedence over IDEOGRAM_API_KEY, the profile and the keyring. There is no option for the key itself:
    /// other users of this machine could see it.
    #[arg(long, hide_short_help = true, global = true, value_name = "PATH")]
    pub(crate) api_key_file: Option<PathBuf>,

    /// How long a call may take with all its attempts, such as 90, 5m or 2h [default: 1h]
    ///
    /// Up to a day. It also bounds the wait for a generation, which is 15 minutes otherwise; the generation runs
    /// on, and can be saved later. In any case, a call ends after a minute without any data, or if its response does not begin
    /// within 5 minutes. The service may still run a call that ended this way.
    #[arg(
        long,
        hide_short_help = true,
        global = true,
        value_name = "TIME",
        value_parser = |text: &str| seconds(text, 0.001)
    )]
    pub(crate) timeout: Option<Duration>,

    /// How often a call may be sent, from 1 to 100 [default: 4]
    ///
    /// A call that may have run is not sent again if that could bill or create something twice.
    #[arg(
        long,
        hide_short_help = true,
        global = true,
        value_name = "NUMBER",
        value_parser = clap::value_parser!(u32).range(1..=100)
    )]
    pub(crate) attempts: Option<u32>,

    /// Show the exact request, without the key, and send nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,

    /// Answer all questions with yes
    #[arg(long, short, global = true)]
    pub(crate) yes: bool,

    /// Print responses, warnings and errors, but no other messages
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// Print what happens on the wire, with timings and without the key
    #[arg(long, hide_short_help = true, global = true)]
    pub(crate) debug: bool,

    /// When to color: auto, always, never [env: NO_COLOR, CLICOLOR_FORCE]
    #[arg(
        long,
        hide_short_help = true,
        hide_possible_values = true,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t
    )]
    pub(crate) color: color::When,
}

/// The format of responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// For people: fields and tables
    Text,
    /// For programs: the response of the service as JSON, with all that it holds; errors as JSON too
    Json,
    /// The same, one JSON value a line: an element of a list, or a result as soon as it is there
    Jsonl,
}

impl Options {
    /// The format: `--output`, what `--jq` implies, or that of the profile.
    pub(crate) fn format(&self, preferred: Option<Format>) -> Result<Format, Failure> {
        match (self.output, &self.jq) {
            (Some(Format::Text), Some(_)) => {
                Err(Failure::usage("--jq cannot be combined with --output text: it selects from JSON"))
            }
            (Some(format), _) => Ok(format),
            (None, Some(_)) => Ok(preferred.filter(|format| *format != Format::Text).unwrap_or(Format::Json)),
            (None, None) => Ok(preferred.unwrap_or(Format::Text)),
        }
    }

    /// The format of messages, which are for people unless `--output` selects JSON.
    pub(crate) fn message_format(&self, preferred: Option<Format>) -> Format {
        self.output.or(preferred).unwrap_or(Format::Text)
    }

    /// Refuses options for calls, for a command that makes none.
    pub(crate) fn refuse_those_of_calls(&self, command: &str) -> Result<(), Failure> {
        let profile = ("--profile", self.profile.is_some());
        self.refuse_those_of_calls_but_profile(command).and_then(|()| refuse(command, &[profile]))
    }

    /// The same for a command that uses a profile.
    pub(crate) fn refuse_those_of_calls_but_profile(&self, command: &str) -> Result<(), Failure> {
        let options = [
            ("--mock", self.mock),
            ("--base-url", self.base_url.is_some()),
            ("--api-key-file", self.api_key_file.is_some()),
            ("--timeout", self.timeout.is_some()),
            ("--attempts", self.attempts.is_some()),
            ("--debug", self.debug),
            ("--dry-run", self.dry_run),
        ];
        refuse(command, &options)
    }
}

fn refuse(command: &str, options: &[(&str, bool)]) -> Result<(), Failure> {
    match options.iter().find(|(_, is_set)| *is_set) {
        Some((option, _)) => {
            Err(Failure::usage(format!("{option} cannot be used with `{command}`, which does not call the service")))
        }
        None => Ok(()),
    }
}

/// Lists the global options only in the help of the root, so that the help of a command shows its own options.
pub(crate) fn brief(mut command: clap::Command) -> clap::Command {
    const ELSEWHERE: &str = "`ideogram --help` shows the global options: --output, --jq, --mock, --dry-run, ...";
    let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, |command| {
            let after = command.get_after_help().map(|text| format!("{text}\n\n")).unwrap_or_default();
            let hide = |argument: clap::Arg| if argument.is_global_set() { argument.hide(true) } else { argument };
            let after_long = command.get_after_long_help().map(|text| format!("{text}\n\n{ELSEWHERE}"));
            let command = command.mut_args(hide).after_help(after + ELSEWHERE);
            // `ideogram operations` lists them.
            let command =
                if command.get_name() == "api" { command.mut_subcommands(|it| it.hide(true)) } else { command };
            brief(if let Some(text) = after_long { command.after_long_help(text) } else { command })
        });
    }
    command
}

/// The format of an error in the arguments, before they are parsed.
pub(crate) fn early_format(arguments: &[OsString]) -> Format {
    let format = early(arguments, "--output").and_then(|value| Format::from_str(value, true).ok());
    format.unwrap_or(Format::Text)
}

/// When to color the help, before the arguments are parsed.
pub(crate) fn early_color(arguments: &[OsString]) -> color::When {
    early(arguments, "--color").and_then(|value| color::When::from_str(value, true).ok()).unwrap_or_default()
}

/// The value of an option in arguments that may be wrong.
fn early<'a>(arguments: &'a [OsString], option: &str) -> Option<&'a str> {
    let mut arguments = arguments.iter().filter_map(|argument| argument.to_str()).take_while(|text| *text != "--");
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix(option) {
            Some("") => return arguments.next(),
            Some(value) if value.starts_with('=') => return Some(&value[1..]),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_format_of_an_error_is_known_before_the_arguments_are_parsed() {
        for (arguments, expected) in [
            ("ideogram --output json nonsense", Format::Json),
            ("ideogram nonsense --output=jsonl", Format::Jsonl),
            ("ideogram nonsense --jq .a", Format::Text),
            ("ideogram nonsense --jq .a --output jsonl", Format::Jsonl),
            ("ideogram nonsense --output", Format::Text),
            ("ideogram nonsense --output yaml", Format::Text),
            ("ideogram nonsense -- --output json", Format::Text),
            ("ideogram --outputs=json", Format::Text),
        ] {
            assert_eq!(early_format(&words(arguments)), expected, "{arguments}");
        }
    }
}
