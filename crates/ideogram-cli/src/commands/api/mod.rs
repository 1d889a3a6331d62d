//! `ideogram api`: any operation, with options from its generated constant.
//!
//! [`grammar`] builds the options, [`input`] parses them, and the client's dynamic call does the rest.

mod grammar;
mod input;

use clap::{ArgMatches, Args, FromArgMatches};
use ideogram_client::{DynamicCall, operation::Billing, operations};
use serde_json::Value;

use self::input::{Mode, ParsedInput};
use crate::{
    commands::operations::Operations,
    failure::{Failure, PRICES_PAGE},
    images::paid_call::storing_client,
    output::printable::shell_word,
    session::{connection::Globals, context::Context},
};

/// The operation to call, or none to list them.
#[derive(Debug)]
pub(crate) struct Api(Option<ParsedInput>);

impl Api {
    pub(super) async fn run(&self, globals: Globals<'_>) -> Result<(), Failure> {
        let Some(input) = &self.0 else {
            globals.options.refuse_those_of_calls("ideogram api")?;
            return Operations {}.run(globals.output);
        };
        let operation = input.operation;
        let action = match input.mode {
            Mode::Call => format!("cannot call {operation}"),
            Mode::Job => format!("cannot submit {operation}"),
            Mode::Quote => format!("cannot get the price of {operation}"),
        };
        let context = Context::open(globals).await?;
        let body = input.read_body().await?;
        input.check_mode(&body)?;
        let client = match operation.billing {
            Billing::Free => context.client().clone(),
            _ => storing_client(&context).await?,
        };
        let request = input.call(&client, body).and_then(DynamicCall::prepare);
        let request = request.and_then(|request| match input.mode {
            Mode::Call => Ok(request),
            Mode::Job => request.into_job(),
            Mode::Quote => request.into_quote(),
        });
        // An invalid request is refused before the question.
        let request = request.map_err(|error| context.failure(&action, &error))?;
        if operation.id == operations::TRAIN_MODEL_V3.id {
            let question = format!("train a model? It is billed (prices: {PRICES_PAGE}) and cannot be cancelled");
            context.confirm(&question).await?;
        }
        let Some(response) = context.execute::<Value>(&client, request, &action).await? else { return Ok(()) };
        if let Some(path) = response.stored_at() {
            context.output().note(&format!("the response is stored in {}", path.display()));
        }
        if let Some(job) = operation.job.as_ref().filter(|_| input.mode == Mode::Job) {
            let id = response.value()[job.id].as_str().unwrap_or("ID");
            let next = format!("ideogram api {} --{} {}", job.poll, job.id.replace('_', "-"), shell_word(id));
            context
                .output()
                .note(&format!("it runs on, and is billed when it completes; its state and images: {next}"));
        }
        context.output().json_response(&response)
    }
}

impl FromArgMatches for Api {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let Some((id, matches)) = matches.subcommand() else { return Ok(Self(None)) };
        let operation = operations::ALL.iter().find(|operation| operation.id == id);
        let operation = operation.expect("the grammar has a subcommand for each operation and no other");
        Ok(Self(Some(ParsedInput::read(operation, matches)?)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Api {
    fn augment_args(command: clap::Command) -> clap::Command {
        grammar::augment(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        grammar::augment(command)
    }
}
