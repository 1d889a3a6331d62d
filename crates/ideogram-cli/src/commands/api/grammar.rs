//! The options of an operation, from its constant.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};
use ideogram_client::{
    operation::{Input, InputKind, Operation},
    operations,
};

use crate::commands::{
    operations::{billing, retry},
    values::Known,
};

/// Options that every operation has.
pub(super) const FIELD: &str = "any_field";
pub(super) const FILE: &str = "any_file";
pub(super) const BODY: &str = "json_body";
pub(super) const UNCHECKED: &str = "unchecked";
pub(super) const JOB: &str = "job";
pub(super) const QUOTE: &str = "quote";

const ABOUT: &str = "Call any operation of the API";
const LONG_ABOUT: &str = "\
Call any operation of the API

Each operation takes an option for each of its inputs; `ideogram api OPERATION_ID --help` shows them, `ideogram \
operations` lists the operations. The response is printed as JSON. What the API's document says of the inputs is checked \
before anything is sent, such as values, bounds and what excludes what; --unchecked leaves it to the service, which does \
not bill what it refuses.

With --quote, the response is the price, and nothing is made or billed. With --job, it is the id of the generation, which \
runs on and is billed when it completes; `ideogram generations save ID` saves its images. Operations of the second API \
version have these options.

The response of a paid call is also stored in a file before it is decoded, in ~/.local/state/ideogram/responses (or where \
XDG_STATE_HOME says).";
const EXAMPLES: &str = "\
Examples:
  ideogram api
  ideogram api get_dataset --help
  ideogram --mock api get_dataset --dataset-id demo
  ideogram --mock api list_custom_models --status COMPLETED --status TRAINING --jq '.models[].name'
  ideogram --mock api post_generate_image_v3 --field prompt=\"a cat\" --field num_images=2
  ideogram --dry-run api post_generate_image_v3 --prompt \"a cat\" --rendering-speed TURBO
  ideogram --mock api post_generate_image_v2_ideogram45 --prompt \"a cat\" --quote --jq .usd_micros
  ideogram --mock api post_generate_image_v2_ideogram45 --prompt \"a cat\" --job --jq .generation_id
  echo '{\"name\": \"Paper lanterns\"}' | ideogram --mock api create_dataset --json-body -";

/// Adds a subcommand for each operation. Their options are built only when needed.
pub(super) fn augment(command: Command) -> Command {
    let command = command
        .about(ABOUT)
        .long_about(LONG_ABOUT)
        .after_help(EXAMPLES)
        .subcommand_value_name("OPERATION_ID")
        .subcommand_help_heading("Operations")
        .disable_help_subcommand(true);
    command.subcommands(operations::ALL.iter().map(|operation| subcommand(operation)))
}

fn subcommand(operation: &'static Operation) -> Command {
    Command::new(operation.id).about(operation.summary).defer(|command| {
        // `defer` takes a function without captures, which has only the name.
        let operation = operations::ALL.iter().find(|operation| operation.id == command.get_name());
        let operation = operation.expect("each subcommand here is named for an operation");
        let docs = if operation.docs_url.is_empty() { String::new() } else { format!("\n\n{}", operation.docs_url) };
        let long_about = format!(
            "{}\n\n{}\n\n{} {}; {}, {} to retry{docs}",
            operation.summary,
            operation.description.trim(),
            operation.method,
            operation.path,
            billing(operation),
            retry(operation),
        );
        command
            .long_about(long_about)
            .args(operation.inputs.iter().map(argument))
            .args(any(operation))
            .args(modes(operation))
    })
}

/// The option for an input.
fn argument(input: &'static Input) -> Arg {
    let required = if input.required { " [required]" } else { "" };
    let repeated = if input.is_repeated() { " [may be repeated]" } else { "" };
    let first = input.description.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let argument = Arg::new(id(input))
        .long(long(input))
        .help(format!("{}{required}{repeated}", first_sentence(&first)))
        .long_help(format!("{}{required}{repeated}", input.description.trim()))
        .help_heading("Inputs")
        // Not required by clap: a file, a field or a JSON body may set it too.
        .required(false)
        // A duplicate is refused with its name instead of being ignored.
        .action(ArgAction::Append);
    match input.kind() {
        InputKind::File => argument.value_name("PATH").value_parser(clap::value_parser!(PathBuf)),
        InputKind::Integer | InputKind::Number => argument.value_name("NUMBER").allow_negative_numbers(true),
        InputKind::Boolean => {
            argument.value_name("true|false").num_args(0..=1).require_equals(true).default_missing_value("true")
        }
        InputKind::Json => argument.value_name("JSON|@PATH"),
        _ if input.values().is_empty() => argument.value_name("TEXT"),
        _ => argument.value_name("VALUE").value_parser(Known::new(input.values())),
    }
}

/// The options for any input.
fn any(operation: &Operation) -> Vec<Arg> {
    let option = |id, name, help| Arg::new(id).long(name).help(help).help_heading("Inputs by name");
    let mut arguments = Vec::new();
    if !operation.inputs.is_empty() {
        arguments.push(
            option(FIELD, "field", "An input by its name in the API; may be repeated")
                .value_name("NAME=VALUE")
                .action(ArgAction::Append),
        );
    }
    if operation.inputs.iter().any(|input| input.kind() == InputKind::File) {
        arguments.push(
            option(FILE, "file", "A file by the name of its part; `-` reads standard input")
                .value_name("NAME=PATH")
                .action(ArgAction::Append)
                .value_parser(clap::value_parser!(std::ffi::OsString)),
        );
    }
    if !operation.media_type.is_empty() {
        let body =
            "A JSON object with the inputs, from a file or with `-` from standard input; other options add to it";
        let unchecked = "Send inputs of --field and --json-body that the API's document does not know; a VALUE that is \
                         JSON is sent as JSON";
        arguments.extend([
            option(BODY, "json-body", body).value_name("PATH").value_parser(clap::value_parser!(PathBuf)),
            option(UNCHECKED, "unchecked", unchecked).action(ArgAction::SetTrue),
        ]);
    }
    arguments
}

/// The options for another response. Operations without it refuse them with a message of their own.
fn modes(operation: &Operation) -> [Arg; 2] {
    let mode = |id, help, has_it: bool| {
        let argument = Arg::new(id).long(id).action(ArgAction::SetTrue).help(help);
        argument.help_heading("Jobs and prices").hide(!has_it)
    };
    [
        mode(
            JOB,
            "Return as soon as the service has accepted the call: the response has its id",
            operation.job.is_some(),
        ),
        mode(QUOTE, "Ask for the price instead of making the call; free", operation.quote.is_some())
            .conflicts_with(JOB),
    ]
}

/// The id of an input; ids of global options have no dot.
pub(super) fn id(input: &Input) -> String {
    format!("input.{}", input.name)
}

/// `num_images` is `--num-images`.
pub(super) fn long(input: &Input) -> String {
    input.name.replace('_', "-").to_ascii_lowercase()
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end]).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_of_every_operation_has_an_option_of_its_own() {
        let root = crate::cli::command();
        let api = root.find_subcommand("api").unwrap();

        for operation in operations::ALL {
            let command = api.find_subcommand(operation.id).unwrap();
            for input in operation.inputs {
                let option =
                    command.get_arguments().find(|argument| argument.get_long() == Some(&long(input))).unwrap();

                assert_eq!(option.get_id().as_str(), id(input), "{operation}: {}", input.name);
                let help = option.get_long_help().unwrap().to_string();
                assert_eq!(help.contains("[required]"), input.required, "{operation}: {}", input.name);
                let values = option.get_possible_values().len();
                if input.kind() == InputKind::Text {
                    assert_eq!(values, input.values().len(), "{operation}: {}", input.name);
                }
            }
        }
    }
}
