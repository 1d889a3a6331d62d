//! Why a command failed: what happened, why, and what to do next.

pub(crate) mod advice;
mod code;

use std::{error::Error as StdError, io};

use ideogram_client::{Error, ErrorKind};
use serde_json::{Map, Value, json};

use crate::{exit::Exit, output::printable::printable, output::units};

/// The vendor's prices.
pub(crate) const PRICES_PAGE: &str = "https://ideogram.ai/features/api-pricing";
/// How to get a key, and the balance.
pub(crate) const KEY_PAGE: &str = "https://developer.ideogram.ai/ideogram-api/api-setup";
/// How much of a response that cannot be read is shown, in characters.
const MAX_RESPONSE_CHARS: usize = 200;

/// Ends a command. Printed by [`Output::failure`](crate::output::Output::failure).
#[derive(Debug)]
pub(crate) struct Failure(Box<Parts>);

#[derive(Debug)]
struct Parts {
    what: String,
    causes: Vec<Cause>,
    hints: Vec<String>,
    exit: Exit,
    /// Further properties in JSON.
    details: Map<String, Value>,
}

/// A line below the message.
#[derive(Debug)]
struct Cause {
    text: String,
    kind: CauseKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CauseKind {
    /// Why it failed.
    Cause,
    /// What belongs to it: a list of rows, what was in flight.
    Fact,
    /// A cause of a cause, which only developers read.
    Inner,
}

impl Failure {
    /// A failure with its exit code.
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self(Box::new(Parts { what: what.into(), causes: Vec::new(), hints: Vec::new(), exit, details: Map::new() }))
    }

    /// Wrong usage; nothing was sent.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// An error of the command or the system.
    pub(crate) fn internal(what: impl Into<String>) -> Self {
        Self::new(Exit::Internal, what)
    }

    /// A local file or folder could not be read or written.
    pub(crate) fn local_io(what: impl Into<String>) -> Self {
        Self::new(Exit::LocalIo, what)
    }

    /// Adds one cause.
    pub(crate) fn cause(self, cause: impl Into<String>) -> Self {
        self.line(CauseKind::Cause, cause.into())
    }

    /// Adds what belongs to the failure without being its cause: an element of a list, or what was in flight.
    pub(crate) fn fact(self, fact: impl Into<String>) -> Self {
        self.line(CauseKind::Fact, fact.into())
    }

    fn line(mut self, kind: CauseKind, text: String) -> Self {
        self.0.causes.push(Cause { text, kind });
        self
    }

    /// Adds an error and its sources, each only once.
    pub(crate) fn because(mut self, error: &(dyn StdError + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            let is_known = self.0.causes.iter().any(|cause| cause.text.contains(&text));
            if !is_known && !is_bare_kind(error) {
                self = self.cause(text);
            }
            next = error.source();
        }
        self
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Adds a property to the failure in JSON, unless it is `null`. Text for people belongs in causes and hints.
    pub(crate) fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        if !value.is_null() {
            self.0.details.insert(name.to_owned(), value);
        }
        self
    }

    /// The same failure with another exit code.
    pub(crate) fn exiting(mut self, exit: Exit) -> Self {
        self.0.exit = exit;
        self
    }

    /// This failure as the cause of another one.
    pub(crate) fn within(mut self, exit: Exit, what: impl Into<String>) -> Self {
        let text = std::mem::replace(&mut self.0.what, what.into());
        self.0.causes.insert(0, Cause { text, kind: CauseKind::Cause });
        self.exiting(exit)
    }

    /// A failed call to the service at this address. `action` is what could not be done: "cannot get the dataset abc".
    pub(crate) fn of_call(action: &str, address: &str, error: &Error) -> Self {
        let mut failure = Self::new(code::exit_of(error), action).because(error);
        if failure.exit() == Exit::NotStored && error.stored_at().is_none() {
            // This is the only copy.
            failure = error.body_text().iter().fold(failure, |it, text| it.fact(format!("the response was: {text}")));
        } else if error.kind() == ErrorKind::UndocumentedResponse {
            failure = beginning_of_response(error).into_iter().fold(failure, Self::fact);
        } else if error.kind() == ErrorKind::Transport {
            failure.shorten_chain();
        }
        failure.0.hints.extend(advice::for_kind(address, error));
        failure.0.hints.extend(advice::for_outcome(error));
        failure
            .detail("kind", error.kind().name())
            .detail("operation", error.operation().map(|operation| operation.id))
            .detail("status", error.status().map(|status| status.as_u16()))
            .detail("outcome", error.outcome().name())
            .detail("attempts", error.attempts())
            .detail("elapsed_seconds", (error.elapsed().as_secs_f64() * 1000.0).round() / 1000.0)
            .detail("stored_at", error.stored_at().map(|path| path.display().to_string()))
            .detail("reject_reason", error.reject_reason())
            .detail("retry_after_seconds", error.retry_after().map(|wait| wait.as_secs()))
    }

    /// Joins the first cause and the last, which say enough of a connection that failed.
    fn shorten_chain(&mut self) {
        let Some(last) = self.0.causes.last().map(|cause| cause.text.clone()) else { return };
        // Numbers of errors are for developers.
        let last = last.split(" (os error").next().unwrap_or_default().to_owned();
        for cause in self.0.causes.iter_mut().skip(1) {
            cause.kind = CauseKind::Inner;
        }
        if self.0.causes.len() > 1 {
            self.0.causes[0].text.push_str(&format!(" ({last})"));
        }
    }

    /// The failure in JSON: `kind`, `message`, `causes`, `hints`, `exit_code`, and properties of the call.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({
            "kind": self.0.exit,
            "message": self.0.what,
            "causes": self.causes().collect::<Vec<_>>(),
            "hints": self.0.hints,
            "exit_code": self.0.exit.code(),
        });
        if let Value::Object(error) = &mut error {
            error.extend(self.0.details.clone());
        }
        json!({ "error": error })
    }

    pub(crate) fn what(&self) -> &str {
        &self.0.what
    }

    /// Causes and facts, in their order.
    pub(crate) fn causes(&self) -> impl Iterator<Item = &str> {
        self.0.causes.iter().map(|cause| cause.text.as_str())
    }

    /// Causes and facts as text for people; with the causes of causes only for developers.
    pub(crate) fn lines(&self, is_debug: bool) -> impl Iterator<Item = String> {
        let visible = self.0.causes.iter().filter(move |cause| is_debug || cause.kind != CauseKind::Inner);
        visible.map(|cause| match cause.kind {
            CauseKind::Fact => format!("  {}", printable(&cause.text)),
            CauseKind::Cause | CauseKind::Inner => format!("  caused by: {}", printable(&cause.text)),
        })
    }

    pub(crate) fn hints(&self) -> &[String] {
        &self.0.hints
    }

    pub(crate) fn exit(&self) -> Exit {
        self.0.exit
    }
}

/// Whether an error has only the name of its kind ("entity not found"): its parent has a better message.
fn is_bare_kind(error: &(dyn StdError + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.raw_os_error().is_none() && error.get_ref().is_none())
}

fn beginning_of_response(error: &Error) -> Option<String> {
    let body = error.body()?;
    if body.is_empty() {
        return Some("the response has no body".to_owned());
    }
    let text = error.body_text()?;
    let beginning: String = text.chars().take(MAX_RESPONSE_CHARS).collect();
    if beginning.len() == text.len() {
        return Some(format!("the response was: {beginning}"));
    }
    Some(format!("the response of {} begins: {beginning}", units::size(body.len() as u64)))
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
        Failure::internal("it failed").because(error).causes().map(str::to_owned).collect()
    }

    #[test]
    fn causes_are_listed_once() {
        let source = || Some(io::Error::other("disk on fire"));

        assert_eq!(causes(&Chained("cannot read", source())), ["cannot read", "disk on fire"]);
        assert_eq!(causes(&Chained("cannot read: disk on fire", source())), ["cannot read: disk on fire"]);
    }

    #[test]
    fn a_cause_with_only_a_kind_is_left_out() {
        let source = Some(io::Error::from(io::ErrorKind::NotFound));

        assert_eq!(causes(&Chained("a.png: No such file or directory", source)), ["a.png: No such file or directory"]);
    }
}
