//! Questions to the user at the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::{exit::Exit, failure::Failure, output::messages::Messages};

/// Whether the user can answer a question: standard input and standard error are a terminal.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question, and returns only after a yes. An empty line is a no.
///
/// # Errors
///
/// [`Exit::Interrupted`] after a no, [`Exit::Usage`] without a terminal.
pub(crate) async fn confirm(messages: &Messages, question: &str) -> Result<(), Failure> {
    if !is_possible() {
        return Err(Failure::usage(format!("this needs an answer, and there is no terminal: {question}"))
            .hint("nothing was sent; --yes answers all questions with yes"));
    }
    let question = format!("{question} [y/N] ");
    loop {
        let prompt = crate::output::printable::printable(&question).into_owned();
        messages.bars().suspend(|| {
            let mut stderr = io::stderr().lock();
            // The answer counts even if the question cannot be written.
            let _ = stderr.write_all(prompt.as_bytes()).and_then(|()| stderr.flush());
        });
        // Ctrl-C must work meanwhile.
        let read = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line).map(|length| (length > 0).then_some(line))
        });
        let line = read
            .await
            .map_err(io::Error::other)
            .and_then(|read| read)
            .map_err(|error| Failure::local_io("cannot read the answer").because(&error))?;
        match line.as_deref().map(answer) {
            Some(Some(true)) => return Ok(()),
            // The end of the input is a no.
            None | Some(Some(false)) => {
                return Err(Failure::new(Exit::Interrupted, "not confirmed: nothing was changed or billed"));
            }
            Some(None) => messages.note("please answer y or n"),
        }
    }
}

/// Yes, no, or neither.
fn answer(line: &str) -> Option<bool> {
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "" | "n" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (line, expected) in
            [("y\n", Some(true)), (" Yes\r\n", Some(true)), ("NO\n", Some(false)), ("\n", Some(false)), ("yep\n", None)]
        {
            assert_eq!(answer(line), expected, "{line:?}");
        }
    }
}
