//! What to do after a call that failed.

use ideogram_client::{
    Error, ErrorKind, Outcome,
    operation::{Billing, Retry},
};

use super::Call;
use crate::{failure::links::KEY_PAGE, output::units};

/// What the kind of the error asks for.
pub(super) fn what_next(call: &Call<'_>, error: &Error) -> Option<String> {
    let address = call.address;
    let hint = match error.kind() {
        ErrorKind::Authentication => format!(
            "{address} refuses the key: `ideogram auth status` shows where it comes from; a key also pauses when its \
             balance reaches zero (keys and balance: {KEY_PAGE})"
        ),
        ErrorKind::Payment => format!("top up the API balance, then run the command again: {KEY_PAGE}"),
        ErrorKind::Forbidden => "the account of this key may not do this; another key may".to_owned(),
        ErrorKind::NotFound => {
            let tag = error.operation().map_or("datasets", |operation| operation.tag);
            if !["datasets", "models"].contains(&tag) {
                return None;
            }
            format!("`ideogram {tag} list` shows what this key may see")
        }
        ErrorKind::LinkExpired => {
            "links live for a day: the image can only be made again, which costs again".to_owned()
        }
        ErrorKind::InvalidRequest | ErrorKind::Safety => {
            "change what was requested; the same again will be refused again".to_owned()
        }
        ErrorKind::RateLimited => match error.retry_after() {
            Some(wait) => format!("wait {}, then run the command again", units::count(wait.as_secs(), "second")),
            None => "wait a little, then run the command again".to_owned(),
        },
        ErrorKind::Transport if error.outcome() == Outcome::NotSent => {
            format!("nothing was sent: check the network, and the address {address}")
        }
        ErrorKind::LocalIo if error.outcome() == Outcome::NotSent => "nothing was sent".to_owned(),
        ErrorKind::UndocumentedResponse if error.status().is_some_and(|status| status.is_redirection()) => {
            format!("{address} sends the call elsewhere, where the key would go with it; give the final address")
        }
        ErrorKind::UndocumentedResponse => {
            format!("is {address} the Ideogram API? If so, a newer version of this command may know the response")
        }
        _ => return None,
    };
    Some(hint)
}

/// What the outcome allows. A call that cannot be taken back is not to be repeated blindly.
pub(super) fn what_became_of_it(call: &Call<'_>, error: &Error) -> Option<String> {
    let operation = error.operation()?;
    let is_paid = operation.billing != Billing::Free;
    let see = |then: &str| match (call.look, then) {
        ("", _) => String::new(),
        (look, "") => format!(": see `{look}`"),
        (look, then) => format!(": see `{look}` {then}"),
    };
    match error.outcome() {
        Outcome::Unknown if operation.retry == Retry::Safe => {
            let may_pass = matches!(error.kind(), ErrorKind::Server | ErrorKind::Transport);
            may_pass.then(|| "nothing was changed: the command can be run again".to_owned())
        }
        Outcome::Unknown if is_paid => {
            let see = see("first");
            Some(format!("it may have run, and then it is billed; running the command again may cost again{see}"))
        }
        Outcome::Unknown => {
            Some(format!("it may have been done all the same{}", see("before running the command again")))
        }
        Outcome::Completed => match error.stored_at() {
            Some(path) => {
                Some(format!("it ran, and its response is kept in {}; do not run the command again", path.display()))
            }
            None if operation.retry == Retry::Safe => None,
            None if is_paid => Some(format!("it ran and is billed; do not run the command again{}", see(""))),
            None => {
                let see = see("");
                Some(format!("it was done, only its response cannot be read; do not run the command again{see}"))
            }
        },
        _ => None,
    }
}
