//! Why a command did not do what it was asked: what happened, why, and what to do next.

use std::{error::Error as StdError, io};

use ideogram_client::{Error, ErrorKind, Outcome, operation::Repeat};

use crate::{connection::KEY_PAGE, exit::Exit, units};

/// How much of an answer that cannot be read is shown, in characters.
const SHOWN_OF_ANSWER: usize = 200;

/// Ends a command. Printed by [`output::failure`](crate::output::failure).
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    causes: Vec<String>,
    hints: Vec<String>,
    exit: Exit,
}

/// A call as its failure is told.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// What could not be done: "cannot get the dataset abc".
    pub(crate) what: &'a str,
    /// The command that shows whether the call has changed anything.
    pub(crate) look: &'a str,
    /// Where the service was looked for.
    pub(crate) address: &'a str,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), causes: Vec::new(), hints: Vec::new(), exit: Exit::Failure }
    }

    /// The command itself is wrong, and nothing was sent.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(what) }
    }

    /// Adds one cause in words.
    pub(crate) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds an error and what it says of its own causes, each only once.
    pub(crate) fn because(mut self, error: &(dyn StdError + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            let said = self.causes.iter().any(|cause| cause.contains(&text));
            if !said && !is_bare_kind(error) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub(crate) fn of_call(call: &Call<'_>, error: &Error) -> Self {
        let exit = if error.kind() == ErrorKind::InvalidArgument { Exit::Usage } else { Exit::Failure };
        let mut failure = Self { exit, ..Self::new(call.what) }.because(error);
        if error.kind() == ErrorKind::UndocumentedAnswer {
            failure.causes.extend(beginning_of_answer(error));
        }
        failure.hints.extend(what_next(call, error));
        failure.hints.extend(what_became_of_it(call, error));
        failure
    }

    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    pub(crate) fn causes(&self) -> &[String] {
        &self.causes
    }

    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

/// Whether an error says no more than the name of its kind ("entity not found"): its parent has said it better.
fn is_bare_kind(error: &(dyn StdError + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.raw_os_error().is_none() && error.get_ref().is_none())
}

fn beginning_of_answer(error: &Error) -> Option<String> {
    let body = error.body()?;
    if body.is_empty() {
        return Some("the answer has no body".to_owned());
    }
    let text = String::from_utf8_lossy(body);
    let beginning: String = text.chars().take(SHOWN_OF_ANSWER).collect();
    if beginning.len() == text.len() {
        return Some(format!("the answer was: {beginning}"));
    }
    Some(format!("the answer of {} begins: {beginning}", units::size(body.len() as u64)))
}

/// What the kind of the error asks for.
fn what_next(call: &Call<'_>, error: &Error) -> Option<String> {
    let address = call.address;
    let hint = match error.kind() {
        ErrorKind::Authentication => format!(
            "check the key in IDEOGRAM_API_KEY: {address} refuses it; a key also pauses when its balance reaches zero \
             (keys and balance: {KEY_PAGE})"
        ),
        ErrorKind::Payment => format!("top up the API balance, then run the command again: {KEY_PAGE}"),
        ErrorKind::Forbidden => "the account of this key may not do this; another key may".to_owned(),
        ErrorKind::NotFound => {
            let tag = error.operation().map_or("datasets", |operation| operation.tag);
            format!("`ideogram {tag} list` shows what this key may see")
        }
        ErrorKind::InvalidRequest | ErrorKind::Safety => {
            "change what was asked for; the same again will be refused again".to_owned()
        }
        ErrorKind::RateLimited => match error.retry_after() {
            Some(wait) => format!("wait {}, then run the command again", units::count(wait.as_secs(), "second")),
            None => "wait a little, then run the command again".to_owned(),
        },
        ErrorKind::Transport if error.outcome() == Outcome::NotSent => {
            format!("nothing was sent: check the network, and the address {address}")
        }
        ErrorKind::LocalIo if error.outcome() == Outcome::NotSent => "nothing was sent".to_owned(),
        ErrorKind::UndocumentedAnswer if error.status().is_some_and(|status| status.is_redirection()) => {
            format!("{address} sends the call elsewhere, where the key would go with it; give the final address")
        }
        ErrorKind::UndocumentedAnswer => {
            format!("is {address} the Ideogram API? If so, a newer version of this command may know the answer")
        }
        _ => return None,
    };
    Some(hint)
}

/// What the outcome allows. A call that cannot be taken back is not to be repeated blindly.
fn what_became_of_it(call: &Call<'_>, error: &Error) -> Option<String> {
    let look = call.look;
    let is_repeatable = error.operation().is_some_and(|operation| operation.repeat == Repeat::Safe);
    match error.outcome() {
        Outcome::Unknown if is_repeatable => {
            let may_pass = matches!(error.kind(), ErrorKind::Server | ErrorKind::Transport);
            may_pass.then(|| "nothing was changed: the command can be run again".to_owned())
        }
        Outcome::Unknown => {
            Some(format!("it may have been done all the same: see `{look}` before running the command again"))
        }
        Outcome::Completed if !is_repeatable => {
            Some(format!("it was done, only its answer cannot be read: see `{look}`, and do not run the command again"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Chained(&'static str, Option<io::Error>);

    impl std::fmt::Display for Chained {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str(self.0)
        }
    }

    impl StdError for Chained {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.1.as_ref().map(|source| source as _)
        }
    }

    fn causes(error: &Chained) -> Vec<String> {
        Failure::new("it failed").because(error).causes().to_vec()
    }

    #[test]
    fn causes_are_told_once() {
        let source = || Some(io::Error::other("disk on fire"));

        assert_eq!(causes(&Chained("cannot read", source())), ["cannot read", "disk on fire"]);
        assert_eq!(causes(&Chained("cannot read: disk on fire", source())), ["cannot read: disk on fire"]);
    }

    #[test]
    fn a_cause_that_says_nothing_is_left_out() {
        let source = Some(io::Error::from(io::ErrorKind::NotFound));

        assert_eq!(causes(&Chained("a.png: No such file or directory", source)), ["a.png: No such file or directory"]);
    }
}
