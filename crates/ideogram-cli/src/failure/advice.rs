//! What to do after a call that failed.

use ideogram_client::{Error, ErrorKind, Outcome, operation::Repeat};

use super::Call;
use crate::{connection::KEY_PAGE, units};

/// What the kind of the error asks for.
pub(super) fn what_next(call: &Call<'_>, error: &Error) -> Option<String> {
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
            if !["datasets", "models"].contains(&tag) {
                return None;
            }
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
pub(super) fn what_became_of_it(call: &Call<'_>, error: &Error) -> Option<String> {
    let look = call.look;
    let is_repeatable = error.operation().is_some_and(|operation| operation.repeat == Repeat::Safe);
    match error.outcome() {
        Outcome::Unknown if is_repeatable => {
            let may_pass = matches!(error.kind(), ErrorKind::Server | ErrorKind::Transport);
            may_pass.then(|| "nothing was changed: the command can be run again".to_owned())
        }
        Outcome::Unknown if look.is_empty() => Some(
            "it may have run and been billed all the same, and the service cannot be asked: run the command again only \
             if paying twice is acceptable"
                .to_owned(),
        ),
        Outcome::Completed if look.is_empty() && !is_repeatable => {
            Some("it ran and was billed, only its answer cannot be used: do not run the command again for it".to_owned())
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
