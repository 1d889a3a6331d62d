//! A prompt from the command line or from standard input.

use std::{cell::Cell, io::Read as _};

use crate::failure::Failure;

/// Far above any prompt that a model reads, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Standard input, which can be read once.
#[derive(Debug, Default)]
pub(crate) struct Stdin(Cell<bool>);

impl Stdin {
    /// All that it holds, up to so many bytes; `what` says what it stands for.
    pub(crate) async fn read(&self, what: &str, limit: u64) -> Result<Vec<u8>, Failure> {
        if self.0.replace(true) {
            return Err(Failure::usage(format!("standard input is named twice: it cannot be {what} as well")));
        }
        // Read elsewhere, so that Ctrl-C is heard meanwhile.
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            std::io::stdin().lock().take(limit + 1).read_to_end(&mut bytes).map(|_| bytes)
        });
        let bytes =
            read.await.map_err(std::io::Error::other).and_then(|read| read).map_err(|error| {
                Failure::local_io(format!("cannot read {what} from standard input")).because(&error)
            })?;
        if bytes.len() as u64 > limit {
            return Err(Failure::usage(format!("{what} from standard input is larger than {limit} bytes")));
        }
        Ok(bytes)
    }

    /// A prompt; `-` is all of standard input, without line breaks at its end.
    pub(crate) async fn prompt(&self, text: &str) -> Result<String, Failure> {
        let text = if text == "-" {
            let bytes = self.read("the prompt", LONGEST).await?;
            String::from_utf8(bytes)
                .map_err(|_| Failure::usage("the prompt from standard input is not text in UTF-8"))?
                .trim_end_matches(['\n', '\r'])
                .to_owned()
        } else {
            text.to_owned()
        };
        if text.trim().is_empty() {
            return Err(Failure::usage("the prompt is empty: nothing was sent"));
        }
        Ok(text)
    }

    /// The same for a prompt that need not be given.
    pub(crate) async fn prompt_if_given(&self, text: Option<&str>) -> Result<Option<String>, Failure> {
        match text {
            Some(text) => self.prompt(text).await.map(Some),
            None => Ok(None),
        }
    }
}
