//! `ideogram operations`.

use clap::Args;
use ideogram_client::{
    operation::{Billing, ImageCount, Operation, Retry},
    operations,
};
use serde_json::{Value, json};

use super::image;
use crate::{
    failure::Failure,
    output::Output,
    output::layout::{ABSENT, Column, Layout, Table},
};

/// List the operations of the API, and the command for each
///
/// PAID shows whether a call is billed, RETRY whether it is safe to send it twice, IMAGES how many images it generates: a
/// number, or the property of the request that sets it. `ideogram api OPERATION_ID` calls any of them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram operations
  ideogram operations --jq '.operations[] | select(.billing == \"free\") | .id'")]
pub(crate) struct Operations {}

impl Operations {
    #[expect(clippy::unused_self, reason = "every command has this form")]
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let mut table =
            Table::overview(["OPERATION", "COMMAND", "PAID", "METHOD", "PATH", "RETRY", "IMAGES"].map(Column::Left));
        for operation in operations::ALL {
            table.row([
                operation.id.to_owned(),
                command(operation).unwrap_or(ABSENT).to_owned(),
                billing(operation).to_owned(),
                operation.method.to_owned(),
                operation.path.to_owned(),
                retry(operation).to_owned(),
                match operation.images {
                    ImageCount::Fixed(number) => number.to_string(),
                    ImageCount::Property(name) => name.to_owned(),
                    _ => ABSENT.to_owned(),
                },
            ]);
        }
        let values: Vec<Value> = operations::ALL.iter().map(|operation| described(operation)).collect();
        output.list("operations", &values, &Layout::new().table(table))
    }
}

/// The command of an operation, apart from `ideogram api`.
pub(crate) fn command(operation: &Operation) -> Option<&'static str> {
    if let Some(name) = image::command_for(operation) {
        return Some(name);
    }
    let commands = [
        (&operations::POST_DESCRIBE, "describe"),
        (&operations::POST_DESCRIBE_V4, "describe"),
        (&operations::POST_MAGIC_PROMPT_V4, "magic-prompt"),
        (&operations::GET_GENERATION_V2, "generations get"),
        (&operations::LIST_DATASETS, "datasets list"),
        (&operations::CREATE_DATASET, "datasets create"),
        (&operations::GET_DATASET, "datasets get"),
        (&operations::UPLOAD_DATASET_ASSETS, "datasets upload"),
        (&operations::LIST_CUSTOM_MODELS, "models list"),
        (&operations::TRAIN_MODEL_V3, "models train"),
        (&operations::GET_CUSTOM_MODEL, "models get"),
        (&operations::GET_ACCOUNT_USAGE_V2, "usage"),
    ];
    commands.into_iter().find(|(of_command, _)| of_command.id == operation.id).map(|(_, name)| name)
}

fn described(operation: &Operation) -> Value {
    json!({
        "id": operation.id,
        "method": operation.method,
        "path": operation.path,
        "summary": operation.summary,
        "billing": billing(operation),
        "retry": retry(operation),
        "images": match operation.images {
            ImageCount::Fixed(number) => json!(number),
            ImageCount::Property(name) => json!(name),
            _ => Value::Null,
        },
        "job": operation.job.is_some(),
        "quote": operation.quote.is_some(),
        "deprecated": operation.deprecated,
        "media_type": Some(operation.media_type).filter(|media_type| !media_type.is_empty()),
        "docs_url": Some(operation.docs_url).filter(|url| !url.is_empty()),
        "command": command(operation),
    })
}

/// An operation without a mark counts as paid.
pub(crate) fn billing(operation: &Operation) -> &'static str {
    if operation.billing == Billing::Free { "free" } else { "paid" }
}

/// An operation without a mark counts as unsafe.
pub(crate) fn retry(operation: &Operation) -> &'static str {
    if operation.retry == Retry::Safe { "safe" } else { "unsafe" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_is_named_exists() {
        let root = crate::cli::command();
        for operation in operations::ALL {
            let Some(words) = command(operation) else { continue };
            let found = words.split(' ').try_fold(&root, |command, word| command.find_subcommand(word));

            assert!(found.is_some(), "{words}");
        }
    }
}
