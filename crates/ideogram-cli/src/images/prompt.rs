//! A prompt from the command line or from standard input.

use std::path::Path;

pub(crate) use crate::text_input::Stdin;
use crate::{failure::Failure, text_input};

/// Far above any prompt that a model reads, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Words of people who ask what a command does, or which version of it this is. An image of them would be paid.
const QUESTIONS: &str = "help -h -help --help /help /h /? -? ? version -v -version --version usage";

/// Refuses a lone word that asks for help where a prompt belongs.
fn refuse_question(prompt: &str) -> Result<(), Failure> {
    let word = prompt.trim();
    if QUESTIONS.split(' ').all(|question| question != word.to_lowercase()) {
        return Ok(());
    }
    Err(Failure::usage(format!("`{word}` alone is taken for a question, not for a prompt: nothing was sent"))
        .hint("--help after the command explains it, `ideogram --version` names the version")
        .hint(format!("this sends the word all the same: echo '{word}' | ideogram COMMAND -")))
}

impl Stdin {
    /// A prompt; `-` is all of standard input, without line breaks at its end.
    pub(crate) async fn prompt(&self, text: &str) -> Result<String, Failure> {
        let text = if text == "-" {
            let text = text_input::read_text(Path::new("-"), self, "the prompt", MAX_BYTES).await?;
            text.trim_end_matches(['\n', '\r']).to_owned()
        } else {
            // A shell puts the mark of a file there, as in "$(cat prompt.txt)".
            let text = text_input::without_mark(text);
            refuse_question(text)?;
            text.to_owned()
        };
        if text.trim().is_empty() {
            return Err(Failure::usage("the prompt is empty: nothing was sent"));
        }
        Ok(text)
    }
}
