//! Hints after a failed call.

use ideogram_client::{
    Error, ErrorKind, Outcome,
    operation::{Billing, Operation},
    operations,
};

use super::KEY_PAGE;
use crate::output::units;

/// The hint for the kind of an error.
pub(super) fn for_kind(address: &str, error: &Error) -> Option<String> {
    let hint = match error.kind() {
        ErrorKind::Authentication => format!(
            "{address} refuses the key: `ideogram auth status` shows its source; a key is also paused when its \
             balance reaches zero (keys and balance: {KEY_PAGE})"
        ),
        ErrorKind::Payment => format!("top up the API balance, then run the command again: {KEY_PAGE}"),
        ErrorKind::Forbidden => "the account of this key is not allowed to do this; use another key".to_owned(),
        ErrorKind::NotFound
            if error.operation().is_some_and(|operation| operation.id == operations::GET_ACCOUNT_USAGE_V2.id) =>
        {
            "this key's owner is not an administrator of the organization: the service shows usage to nobody else"
                .to_owned()
        }
        ErrorKind::NotFound => {
            let tag = error.operation().map_or("datasets", |operation| operation.tag);
            if !["datasets", "models"].contains(&tag) {
                return None;
            }
            format!("`ideogram {tag} list` shows what this key has access to")
        }
        ErrorKind::LinkExpired => {
            "links expire after about 24 hours: the image can only be generated again, which is billed again".to_owned()
        }
        ErrorKind::InvalidRequest | ErrorKind::Safety => {
            "change the request; the same one will be refused again".to_owned()
        }
        ErrorKind::RateLimited => match error.retry_after() {
            Some(wait) => format!("wait {}, then run the command again", units::count(wait.as_secs(), "second")),
            None => "wait, then run the command again".to_owned(),
        },
        ErrorKind::Transport if error.outcome() == Outcome::NotSent => {
            format!("nothing was sent: check the network, and the address {address}")
        }
        ErrorKind::LocalIo if error.outcome() == Outcome::NotSent => "nothing was sent".to_owned(),
        ErrorKind::UndocumentedResponse if error.status().is_some_and(|status| status.is_redirection()) => {
            format!("{address} redirects the call, and the key is not sent to another address; use the final address")
        }
        ErrorKind::UndocumentedResponse => {
            format!("is {address} the Ideogram API? If so, a newer version of this command may know the response")
        }
        _ => return None,
    };
    Some(hint)
}

/// The command that shows whether a call changed anything; empty if there is none.
pub(crate) fn inspect(operation: &Operation) -> &'static str {
    match operation.tag {
        _ if operation.id == operations::UPLOAD_DATASET_ASSETS.id => "ideogram datasets get ID",
        "datasets" => "ideogram datasets list",
        "models" => "ideogram models list",
        _ => "",
    }
}

/// The hint for the outcome: whether the command can be run again.
pub(super) fn for_outcome(error: &Error) -> Option<String> {
    let operation = error.operation()?;
    let inspect = inspect(operation);
    let is_paid = operation.billing != Billing::Free;
    let see = |then: &str| match (inspect, then) {
        ("", _) => String::new(),
        (inspect, "") => format!(": see `{inspect}`"),
        (inspect, then) => format!(": see `{inspect}` {then}"),
    };
    match error.outcome() {
        Outcome::Unknown if error.is_safe_to_retry() => {
            let may_pass = matches!(error.kind(), ErrorKind::Server | ErrorKind::Transport);
            may_pass.then(|| "nothing was changed: the command can be run again".to_owned())
        }
        Outcome::Unknown if is_paid => {
            // What was billed is listed some minutes later.
            let inspect = if inspect.is_empty() { "ideogram usage" } else { inspect };
            let text = "it may have run, and then it is billed; running the command again may be billed again";
            let time = if error.is_timeout() { ", and use a longer --timeout" } else { "" };
            Some(format!("{text}: see `{inspect}` first{time}"))
        }
        Outcome::Unknown => Some(format!("it may still have been done{}", see("before running the command again"))),
        Outcome::Completed => match error.stored_at() {
            Some(path) => {
                Some(format!("it ran, and its response is stored in {}; do not run the command again", path.display()))
            }
            None if error.is_safe_to_retry() => None,
            None if is_paid => Some(format!("it ran and is billed; do not run the command again{}", see(""))),
            None => {
                let see = see("");
                Some(format!("it was done, but its response cannot be read; do not run the command again{see}"))
            }
        },
        _ => None,
    }
}
