//! `ideogram magic-prompt`.

use clap::Args;
use ideogram_client::{
    operations,
    types::{AspectRatioV4, MagicPromptV4Response},
};

use super::values::{self, Known};
use crate::{
    failure::Failure,
    images::{
        paid_call::{ask, storing_client},
        prompt::Stdin,
        structured,
    },
    output::layout::{Layout, ToLayout},
    session::context::Context,
};

/// Turn a short prompt into a structured prompt for Ideogram 4.0
///
/// Generates no image, and is billed. `ideogram generate --json-prompt` accepts the output of `--output json`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  ideogram magic-prompt \"a cat\"
  ideogram magic-prompt \"a cat\" --aspect-ratio 16:9 --output json > cat.json
  ideogram magic-prompt \"a cat\" --jq .json_prompt.high_level_description")]
pub(crate) struct MagicPrompt {
    /// The prompt to enrich; `-` reads it from standard input
    prompt: String,

    #[arg(help = values::help("Shape of the image it is for", &operations::POST_MAGIC_PROMPT_V4, "aspect_ratio"))]
    #[arg(long, value_name = "RATIO", value_parser = Known::new(AspectRatioV4::ALL.iter().map(ToString::to_string)))]
    aspect_ratio: Option<String>,
}

impl MagicPrompt {
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Failure> {
        let prompt = Stdin::default().prompt(&self.prompt).await?;
        let client = storing_client(context).await?;
        let mut call = client.magic_prompt_v4().text_prompt(prompt);
        if let Some(ratio) = &self.aspect_ratio {
            call = call.aspect_ratio(ratio.as_str());
        }
        match ask(context, call, "cannot enrich the prompt", "writing").await? {
            Some(response) => context.output().response(&response),
            None => Ok(()),
        }
    }
}

impl ToLayout for MagicPromptV4Response {
    fn layout(&self) -> Layout {
        structured::layout(Layout::new(), &self.json_prompt).field("Aspect ratio", self.aspect_ratio.to_string())
    }
}
