//! What can be asked of the command, beside the subcommands themselves.

use std::time::Duration;

use clap::{Args, Parser, ValueEnum};

use crate::{commands::Command, exit::Exit};

/// The longest time-out: a day. No call takes as long; a larger number is a slip.
const LONGEST_TIMEOUT_SECONDS: f64 = 86_400.0;

/// Datasets and custom models of the Ideogram API, from the terminal
///
/// Collects pictures and captions in datasets, and shows the models that are trained from them. Answers go to standard
/// output, everything else to standard error.
#[derive(Debug, Parser)]
#[command(name = "ideogram", version, max_term_width = 100, after_help = after_help(), after_long_help = after_long_help())]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) options: Options,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every subcommand takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
#[expect(clippy::doc_markdown, reason = "help is plain text")]
pub(crate) struct Options {
    /// Run against a mock server inside the command: no key, no network, nothing billed
    ///
    /// It starts with one dataset, `demo`, and ends with the command, so nothing is kept. IDEOGRAM_API_KEY and
    /// IDEOGRAM_BASE_URL are ignored. `ideogram mock serve` runs one that stays.
    #[arg(long, global = true)]
    pub(crate) mock: bool,

    /// Where the service is, if not at its own address [env: IDEOGRAM_BASE_URL]
    ///
    /// The key is sent there. Plain http is taken for this machine only (127.0.0.1, localhost).
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// How answers are printed
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,

    /// How many seconds a call may take, upload and answer included
    ///
    /// From 0.001 to 86400. A call that is given up may have run all the same.
    #[arg(long, global = true, value_name = "SECONDS", default_value = "300", value_parser = timeout)]
    pub(crate) timeout: Duration,

    /// Print answers and errors, but no other messages
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: fields and tables
    Text,
    /// For programs: the answer of the service as JSON, with all that it holds
    Json,
}

fn timeout(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if !(0.001..=LONGEST_TIMEOUT_SECONDS).contains(&seconds) {
        return Err(format!("not from 0.001 to {LONGEST_TIMEOUT_SECONDS} seconds"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

const EXAMPLES: &str = "\
Examples:
  ideogram --mock datasets get demo             try it: no key, no network
  ideogram datasets create \"Paper lanterns\"     prints the id of the new dataset
  ideogram datasets upload ID lanterns/*.jpg    adds pictures to it
  ideogram --output json models list            for scripts";

fn after_help() -> String {
    format!("{EXAMPLES}\n\n`ideogram --help` also explains environment variables and exit codes.")
}

fn after_long_help() -> String {
    format!(
        "{EXAMPLES}\n\n\
         Environment variables:\n\
         \x20 IDEOGRAM_API_KEY   the API key; other users of this machine could see an option\n\
         \x20 IDEOGRAM_BASE_URL  where the service is [default: {}]\n\n\
         Exit codes:\n{}",
        ideogram_client::operations::SERVER_URL,
        Exit::table(),
    )
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_grammar_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_timeout_is_a_sensible_number_of_seconds() {
        assert_eq!(timeout("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "-1", "NaN", "inf", "1e300", "", "5s", "86401"] {
            assert!(timeout(text).is_err(), "{text}");
        }
    }
}
