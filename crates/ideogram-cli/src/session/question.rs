//! Questions to the person at the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::{exit::Exit, failure::Failure, output::messages::Messages};

/// What an empty answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Default {
    Yes,
    No,
}

/// Whether there is somebody to ask: standard input and standard error are a terminal.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks, and goes on only after a yes.
///
/// # Errors
///
/// [`Exit::Interrupted`] after a no, [`Exit::Usage`] if there is nobody to ask.
pub(crate) async fn confirm(messages: &Messages, question: &str, default: Default) -> Result<(), Failure> {
    if !can_ask() {
        return Err(Failure::usage(format!("this asks first, and there is nobody to ask: {question}"))
            .hint("nothing was sent; --yes answers all questions with yes"));
    }
    let question = format!("{question} {} ", if default == Default::Yes { "[Y/n]" } else { "[y/N]" });
    loop {
        let prompt = crate::output::printable::printable(&question).into_owned();
        messages.bars().suspend(|| {
            let mut stderr = io::stderr().lock();
            // If nothing can be written there, the answer decides all the same.
            let _ = stderr.write_all(prompt.as_bytes()).and_then(|()| stderr.flush());
        });
        // Read elsewhere, so that Ctrl-C is heard meanwhile.
        let read = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line).map(|length| (length > 0).then_some(line))
        });
        let line = read
            .await
            .map_err(io::Error::other)
            .and_then(|read| read)
            .map_err(|error| Failure::local_io("cannot read the answer").because(&error))?;
        match line.as_deref().map(|line| understood(line, default)) {
            Some(Some(true)) => return Ok(()),
            // The end of the input is no yes.
            None | Some(Some(false)) => return Err(Failure::new(Exit::Interrupted, "not confirmed: nothing was sent")),
            Some(None) => messages.note("please answer y or n"),
        }
    }
}

/// Yes, no, or neither.
fn understood(line: &str, default: Default) -> Option<bool> {
    match line.trim().to_ascii_lowercase().as_str() {
        "" => Some(default == Default::Yes),
        "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (line, default, expected) in [
            ("y\n", Default::No, Some(true)),
            (" Yes\r\n", Default::No, Some(true)),
            ("n\n", Default::Yes, Some(false)),
            ("NO\n", Default::Yes, Some(false)),
            ("\n", Default::No, Some(false)),
            ("\n", Default::Yes, Some(true)),
            ("yep\n", Default::Yes, None),
        ] {
            assert_eq!(understood(line, default), expected, "{line:?} {default:?}");
        }
    }
}
