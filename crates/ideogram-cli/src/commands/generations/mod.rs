//! `ideogram generations`: generations of the second API version, which run as jobs.

mod get;
mod save;
mod wait;

use std::time::Duration;

use clap::Subcommand;
use ideogram_client::{
    Response,
    types::{GenerationId, GenerationV2},
};

use crate::{
    failure::Failure,
    images::job::{self, Unfinished},
    output::{
        layout::{Layout, ToLayout},
        units,
    },
    session::context::Context,
};

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Get(get::Get),
    Wait(wait::Wait),
    Save(save::Save),
}

impl Command {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        match self {
            Self::Get(get) => get.run(context).await,
            Self::Wait(wait) => wait.run(context).await,
            Self::Save(save) => save.run(context).await,
        }
    }
}

impl ToLayout for GenerationV2 {
    fn layout(&self) -> Layout {
        let layout = Layout::new()
            .field("Id", &self.generation_id)
            .field("Status", self.status.as_str())
            .field("Created", units::time(&self.created));
        let layout = match &self.failure_reason {
            Some(reason) => layout.field("Reason", reason),
            None => layout,
        };
        let withheld = self.data.iter().filter(|item| item.is_image_safe == Some(false)).count() as u64;
        match (self.data.len() as u64, withheld) {
            (0, _) => layout,
            (images, 0) => layout.field("Images", units::count(images, "image")),
            (images, withheld) => {
                layout.field("Images", format!("{}, {withheld} withheld", units::count(images, "image")))
            }
        }
    }
}

/// What cannot be done if a call fails.
fn action(id: &GenerationId) -> String {
    format!("cannot get the generation {id}")
}

/// Waits for a generation. `next` is the command that goes on after an interruption.
async fn wait(
    context: &Context<'_>,
    id: &GenerationId,
    deadline: Option<Duration>,
    next: &str,
) -> Result<Response<GenerationV2>, Failure> {
    let action = &action(id);
    let waiting = context.client().get_generation_v2().generation_id(id).wait();
    let mut waiting = waiting.map_err(|error| context.failure(action, &error))?;
    if let Some(deadline) = deadline.or(context.timeout()) {
        waiting = waiting.deadline(deadline);
    }
    job::wait(context, waiting, id.as_str(), action, next).await.map_err(|unfinished| match unfinished {
        Unfinished::Failed(failure) | Unfinished::Ended(failure) => failure,
        Unfinished::Call(error) | Unfinished::Poll { error, .. } => context.failure(action, &error),
    })
}
