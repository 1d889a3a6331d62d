//! The exit code for an error of the client.

use ideogram_client::{Error, ErrorKind, Outcome, operation::Billing};

use crate::exit::Exit;

/// The exit code for a failed call.
pub(crate) fn exit_of(error: &Error) -> Exit {
    let billing = error.operation().map(|operation| operation.billing);
    // The quote of a paid operation is free, too.
    let billing = billing.filter(|_| !error.is_safe_to_retry());
    exit(error.kind(), error.outcome(), billing)
}

/// Whether a paid call ran takes precedence over the kind of the error.
fn exit(kind: ErrorKind, outcome: Outcome, billing: Option<Billing>) -> Exit {
    // An operation without a mark counts as paid; an error outside of any operation is never billed.
    let is_paid = billing.is_some_and(|billing| billing != Billing::Free);
    match (outcome, kind) {
        (Outcome::Completed, _) if is_paid => Exit::NotStored,
        (Outcome::Unknown, _) if is_paid => Exit::Unknown,
        (_, ErrorKind::Authentication) => Exit::Authentication,
        (_, ErrorKind::Payment) => Exit::Payment,
        (_, ErrorKind::Forbidden | ErrorKind::InvalidRequest) => Exit::Invalid,
        (_, ErrorKind::NotFound | ErrorKind::LinkExpired) => Exit::NotFound,
        (_, ErrorKind::Safety) => Exit::Safety,
        (_, ErrorKind::RateLimited) => Exit::RateLimited,
        (_, ErrorKind::Server | ErrorKind::Transport) => Exit::Unavailable,
        (_, ErrorKind::InvalidArgument) => Exit::Usage,
        (_, ErrorKind::LocalIo) => Exit::LocalIo,
        // Future kinds.
        _ => Exit::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_code_if_nothing_is_billed() {
        for (kind, expected) in [
            (ErrorKind::Authentication, 3),
            (ErrorKind::Payment, 7),
            (ErrorKind::Forbidden, 4),
            (ErrorKind::NotFound, 5),
            (ErrorKind::LinkExpired, 5),
            (ErrorKind::InvalidRequest, 4),
            (ErrorKind::Safety, 6),
            (ErrorKind::RateLimited, 8),
            (ErrorKind::Server, 9),
            (ErrorKind::Transport, 9),
            (ErrorKind::UndocumentedResponse, 1),
            (ErrorKind::InvalidArgument, 2),
            (ErrorKind::LocalIo, 13),
        ] {
            for outcome in [Outcome::NotSent, Outcome::Declined] {
                assert_eq!(exit(kind, outcome, Some(Billing::Paid)).code(), expected, "{kind:?} {outcome:?}");
            }
            for outcome in [Outcome::NotSent, Outcome::Declined, Outcome::Unknown, Outcome::Completed] {
                assert_eq!(exit(kind, outcome, Some(Billing::Free)).code(), expected, "{kind:?} {outcome:?}");
                assert_eq!(exit(kind, outcome, None).code(), expected, "{kind:?} {outcome:?}");
            }
        }
    }

    #[test]
    fn the_outcome_of_a_paid_call_takes_precedence_over_the_kind() {
        for kind in [
            ErrorKind::Server,
            ErrorKind::Transport,
            ErrorKind::UndocumentedResponse,
            ErrorKind::InvalidRequest,
            ErrorKind::LocalIo,
        ] {
            assert_eq!(exit(kind, Outcome::Unknown, Some(Billing::Paid)), Exit::Unknown, "{kind:?}");
            assert_eq!(exit(kind, Outcome::Completed, Some(Billing::Paid)), Exit::NotStored, "{kind:?}");
        }
    }
}
