//! Decides whether a call is retried, and after which backoff.
//!
//! Start at [`decide`]: state and event in, decision out. It sends nothing, does not sleep and reads no clock, so that
//! every case can be tested. The document marks each operation as paid or free, and as safe or unsafe to retry. The API
//! has no idempotency key, so a call that may have run is retried only if its operation is free and safe.

use std::time::Duration;

use crate::operation::{Billing, Operation, Retry};

/// Multiplies the backoff after 429, since capacity becomes free only when an image is finished.
const RATE_LIMIT_FACTOR: u32 = 4;

/// Whether an operation may run twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetrySafety {
    /// Free and safe: running twice has the same effect as running once.
    Safe,
    /// Paid, or not safe to retry: retried only if it certainly has not run.
    Once,
}

impl RetrySafety {
    pub(crate) fn of(operation: &Operation) -> Self {
        match (operation.billing, operation.retry) {
            (Billing::Free, Retry::Safe) => Self::Safe,
            _ => Self::Once,
        }
    }
}

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// No connection was established: nothing has left this machine.
    NotConnected,
    /// A connection broke, a timeout passed or a response broke off: the call may have run.
    Interrupted,
    /// The response has a status other than 2xx.
    Status {
        /// The status.
        code: u16,
        /// The `Retry-After` of the response.
        retry_after: Option<Duration>,
    },
    /// A failure that another attempt would not change: a refused value, an unreadable file, a response that cannot be
    /// decoded.
    Final,
}

/// The state of a call after a failed attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    /// Whether the operation may run twice.
    pub(crate) safety: RetrySafety,
    /// Whether the body can be sent another time.
    pub(crate) body: BodyReuse,
    /// Attempts so far, including the failed one; at least 1.
    pub(crate) attempts: u32,
    /// The time until the deadline.
    pub(crate) time_left: Duration,
    /// A random number from 0 to 1 for the jitter of the backoff.
    pub(crate) roll: f64,
}

/// Whether the body can be sent another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyReuse {
    /// It can be built again.
    Whole,
    /// It contains a reader that has been read.
    UsedUp,
}

/// How many attempts a call makes, and the backoff between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// The maximum number of attempts, including the first; 0 counts as 1.
    pub(crate) attempts: u32,
    /// The longest backoff after the first attempt; it doubles with each attempt.
    pub(crate) initial_backoff: Duration,
    /// The maximum of every backoff, and of a `Retry-After` that is obeyed.
    pub(crate) max_backoff: Duration,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Retry after a backoff.
    Retry {
        /// The backoff.
        after: Duration,
    },
    /// Give up.
    Stop(Stop),
}

/// Why a call is not retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Another attempt would end the same way.
    Pointless,
    /// The call may have run, and must not run twice.
    MayHaveRun,
    /// The call has made all its attempts.
    Attempts,
    /// The body contains a reader that has been read.
    Body,
    /// `Retry-After` is longer than the maximum backoff.
    LongWait,
    /// The backoff would not end before the deadline.
    Deadline,
}

/// Decides what follows a failed attempt.
pub(crate) fn decide(policy: &Policy, state: &State, event: Event) -> Decision {
    // The most informative reason comes first.
    if let Some(stop) = forbidden(state.safety, event) {
        return Decision::Stop(stop);
    }
    if state.attempts >= policy.attempts {
        return Decision::Stop(Stop::Attempts);
    }
    if state.body == BodyReuse::UsedUp {
        return Decision::Stop(Stop::Body);
    }
    let after = match event {
        Event::Status { retry_after: Some(wait), .. } if wait > policy.max_backoff => {
            return Decision::Stop(Stop::LongWait);
        }
        // `Retry-After: 0` or a date in the past must not cause an immediate retry.
        Event::Status { retry_after: Some(wait), .. } => wait.max(backoff(policy, state, event)),
        _ => backoff(policy, state, event),
    };
    // A backoff that ends at the deadline leaves no time for the attempt.
    if after >= state.time_left {
        return Decision::Stop(Stop::Deadline);
    }
    Decision::Retry { after }
}

/// Returns the reason if an event forbids a retry.
fn forbidden(safety: RetrySafety, event: Event) -> Option<Stop> {
    match (event, safety) {
        // The call did not run: every operation may be retried. Otherwise only operations that may run twice.
        (Event::NotConnected | Event::Status { code: 429, .. }, _)
        | (Event::Interrupted | Event::Status { code: 408 | 500 | 502 | 503 | 504, .. }, RetrySafety::Safe) => None,
        (Event::Interrupted | Event::Status { code: 408 | 500..=599, .. }, RetrySafety::Once) => Some(Stop::MayHaveRun),
        (Event::Final | Event::Status { .. }, _) => Some(Stop::Pointless),
    }
}

/// Returns the backoff with full jitter: between zero and the maximum after this number of attempts.
fn backoff(policy: &Policy, state: &State, event: Event) -> Duration {
    let max = max_backoff_after(policy, state.attempts);
    let max = match event {
        Event::Status { code: 429, .. } => max.saturating_mul(RATE_LIMIT_FACTOR).min(policy.max_backoff),
        _ => max,
    };
    max.mul_f64(state.roll.clamp(0.0, 1.0))
}

/// Returns the longest backoff after this number of attempts: it doubles with each attempt, up to the maximum.
fn max_backoff_after(policy: &Policy, attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(31);
    policy.initial_backoff.saturating_mul(1 << doublings).min(policy.max_backoff)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy =
        Policy { attempts: 4, initial_backoff: Duration::from_secs(1), max_backoff: Duration::from_secs(60) };

    const STATE: State = State {
        safety: RetrySafety::Safe,
        body: BodyReuse::Whole,
        attempts: 1,
        time_left: Duration::from_secs(600),
        roll: 1.0,
    };

    fn status(code: u16) -> Event {
        Event::Status { code, retry_after: None }
    }

    fn retry_after(seconds: u64) -> Event {
        Event::Status { code: 429, retry_after: Some(Duration::from_secs(seconds)) }
    }

    fn retries(state: &State, event: Event) -> bool {
        matches!(decide(&POLICY, state, event), Decision::Retry { .. })
    }

    #[test]
    fn six_statuses_are_retried_for_safe_calls_and_one_for_the_others() {
        let once = State { safety: RetrySafety::Once, ..STATE };

        let safe: Vec<u16> = (100..1000).filter(|code| retries(&STATE, status(*code))).collect();
        let unsafe_or_paid: Vec<u16> = (100..1000).filter(|code| retries(&once, status(*code))).collect();

        assert_eq!(safe, [408, 429, 500, 502, 503, 504]);
        assert_eq!(unsafe_or_paid, [429]);
    }

    #[test]
    fn a_call_that_may_have_run_is_retried_only_if_it_is_safe() {
        let once = State { safety: RetrySafety::Once, ..STATE };
        for (event, safe, other) in [
            (Event::NotConnected, true, true),
            (Event::Interrupted, true, false),
            (status(500), true, false),
            (Event::Final, false, false),
        ] {
            assert_eq!((retries(&STATE, event), retries(&once, event)), (safe, other), "{event:?}");
        }
    }

    #[test]
    fn a_call_that_may_have_run_has_its_own_reason_to_stop() {
        let once = State { safety: RetrySafety::Once, ..STATE };
        for code in 100..1000 {
            let expected = match code {
                429 => continue,
                408 | 500..=599 => Stop::MayHaveRun,
                _ => Stop::Pointless,
            };
            assert_eq!(decide(&POLICY, &once, status(code)), Decision::Stop(expected), "{code}");
        }
        assert_eq!(decide(&POLICY, &once, Event::Interrupted), Decision::Stop(Stop::MayHaveRun));
        assert_eq!(decide(&POLICY, &STATE, Event::Final), Decision::Stop(Stop::Pointless));
        assert_eq!(decide(&POLICY, &STATE, status(501)), Decision::Stop(Stop::Pointless));
    }

    #[test]
    fn an_operation_may_be_retried_only_if_it_is_free_and_safe() {
        use crate::generated::operations;

        for operation in operations::ALL {
            let free_and_safe = operation.billing == Billing::Free && operation.retry == Retry::Safe;

            assert_eq!(RetrySafety::of(operation) == RetrySafety::Safe, free_and_safe, "{operation}");
        }
    }

    #[test]
    fn attempts_are_counted_with_the_first() {
        for attempts in 0..6 {
            for count in 1..8 {
                let policy = Policy { attempts, ..POLICY };
                let decision = decide(&policy, &State { attempts: count, ..STATE }, Event::NotConnected);

                assert_eq!(decision == Decision::Stop(Stop::Attempts), count >= attempts, "{count} of {attempts}");
            }
        }
    }

    #[test]
    fn a_reader_is_never_sent_twice() {
        let used_up = State { body: BodyReuse::UsedUp, ..STATE };

        assert_eq!(decide(&POLICY, &used_up, Event::NotConnected), Decision::Stop(Stop::Body));
        assert_eq!(decide(&POLICY, &used_up, retry_after(1)), Decision::Stop(Stop::Body));
    }

    #[test]
    fn backoffs_double_up_to_the_maximum() {
        let waits: Vec<u64> = (1..=9).map(|attempts| max_backoff_after(&POLICY, attempts).as_secs()).collect();

        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(max_backoff_after(&POLICY, u32::MAX), POLICY.max_backoff);
        let reversed = Policy { initial_backoff: Duration::from_secs(90), ..POLICY };
        assert_eq!(max_backoff_after(&reversed, 1), POLICY.max_backoff);
    }

    #[test]
    fn the_backoff_after_429_is_longer() {
        let waits = [1, 2, 3, 8].map(|attempts| {
            let decision = decide(&Policy { attempts: 9, ..POLICY }, &State { attempts, ..STATE }, status(429));
            let Decision::Retry { after } = decision else { panic!("{decision:?}") };
            after.as_secs()
        });

        assert_eq!(waits, [4, 8, 16, 60]);
    }

    #[test]
    fn jitter_spreads_the_backoff_from_zero_to_its_maximum() {
        for (roll, seconds) in [(0.0, 0.0), (0.25, 1.0), (1.0, 4.0), (-1.0, 0.0), (2.0, 4.0)] {
            let state = State { attempts: 3, roll, ..STATE };

            let decision = decide(&Policy { attempts: 9, ..POLICY }, &state, Event::NotConnected);

            assert_eq!(decision, Decision::Retry { after: Duration::from_secs_f64(seconds) }, "{roll}");
        }
    }

    #[test]
    fn retry_after_is_the_minimum_of_the_backoff() {
        for (roll, seconds, expected) in
            [(0.0, 0, 0), (0.5, 0, 2), (1.0, 0, 4), (1.0, 1, 4), (1.0, 5, 5), (0.0, 60, 60)]
        {
            let decision = decide(&POLICY, &State { roll, ..STATE }, retry_after(seconds));

            assert_eq!(decision, Decision::Retry { after: Duration::from_secs(expected) }, "{roll}, {seconds} s");
        }
        assert_eq!(decide(&POLICY, &STATE, retry_after(61)), Decision::Stop(Stop::LongWait));
    }

    #[test]
    fn a_backoff_that_cannot_end_before_the_deadline_is_not_started() {
        for (left, event, expected) in [
            (10, retry_after(9), Decision::Retry { after: Duration::from_secs(9) }),
            (5, retry_after(0), Decision::Retry { after: Duration::from_secs(4) }),
            (10, retry_after(10), Decision::Stop(Stop::Deadline)),
            (10, retry_after(11), Decision::Stop(Stop::Deadline)),
            (1, status(503), Decision::Stop(Stop::Deadline)),
            (0, retry_after(0), Decision::Stop(Stop::Deadline)),
            (0, Event::NotConnected, Decision::Stop(Stop::Deadline)),
        ] {
            let state = State { time_left: Duration::from_secs(left), ..STATE };

            assert_eq!(decide(&POLICY, &state, event), expected, "{left} s, {event:?}");
        }
    }
}
