//! Decides whether a call is retried, and after which backoff.
//!
//! Start at [`decide`]: state and event in, decision out. It sends nothing, does not sleep and reads no clock, so that
//! every case can be tested. The document marks each operation as paid or free, and as safe or unsafe to retry. The API
//! has no idempotency key, so a call that may have run is retried only if its operation is free and safe.

use std::time::Duration;

use crate::operation::{Billing, Operation, Retry};

/// Multiplies the backoff after 429, since capacity becomes free only when an image is finished.
const RATE_LIMIT_FACTOR: u32 = 4;

/// Returns whether an operation may run twice: it is free, and running twice has the same effect as running once. Every
/// other operation is retried only if it certainly has not run.
pub(crate) fn may_run_twice(operation: &Operation) -> bool {
    operation.billing == Billing::Free && operation.retry == Retry::Safe
}

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// No connection was established: nothing has left this machine.
    NotConnected,
    /// A connection broke, a timeout passed or a response broke off: the call may have run.
    Interrupted,
    /// The response has a status other than 2xx.
    Status { code: u16, retry_after: Option<Duration> },
    /// A failure that another attempt would not change: a refused value, an unreadable file, a response that cannot be
    /// decoded.
    Final,
}

/// The state of a call after a failed attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    /// Whether the operation may run twice.
    pub(crate) may_run_twice: bool,
    /// Whether the body can be sent another time: it contains no reader, which can be read only once.
    pub(crate) is_reusable: bool,
    /// Attempts so far, including the failed one; at least 1.
    pub(crate) attempts: u32,
    /// The time until the deadline.
    pub(crate) time_left: Duration,
    /// A random number from 0 to 1 for the jitter of the backoff.
    pub(crate) roll: f64,
}

/// How many attempts a call makes, and the backoff between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// The maximum number of attempts, including the first; 0 counts as 1.
    pub(crate) attempts: u32,
    /// The maximum backoff after the first attempt; it doubles with each attempt.
    pub(crate) initial_backoff: Duration,
    /// The maximum of every backoff, and of a `Retry-After` that is obeyed.
    pub(crate) max_backoff: Duration,
}

/// Why a call is not retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Another attempt would end the same way, could run the call twice, or would be one too many.
    Implied,
    /// The body contains a reader that has been read.
    Body,
    /// `Retry-After` is longer than the maximum backoff.
    LongWait,
    /// The backoff would not end before the deadline.
    Deadline,
}

/// Returns the backoff before the next attempt, or why there is none.
pub(crate) fn decide(policy: &Policy, state: &State, event: Event) -> Result<Duration, Stop> {
    if !may_retry(state.may_run_twice, event) || state.attempts >= policy.attempts {
        return Err(Stop::Implied);
    }
    if !state.is_reusable {
        return Err(Stop::Body);
    }
    let after = match event {
        Event::Status { retry_after: Some(wait), .. } if wait > policy.max_backoff => return Err(Stop::LongWait),
        // `Retry-After: 0` or a date in the past must not cause an immediate retry.
        Event::Status { retry_after: Some(wait), .. } => wait.max(backoff(policy, state, event)),
        _ => backoff(policy, state, event),
    };
    // A backoff that ends at the deadline leaves no time for the attempt.
    if after >= state.time_left { Err(Stop::Deadline) } else { Ok(after) }
}

/// Returns whether an event permits a retry.
fn may_retry(may_run_twice: bool, event: Event) -> bool {
    match event {
        // The call did not run.
        Event::NotConnected | Event::Status { code: 429, .. } => true,
        // It may have run.
        Event::Interrupted | Event::Status { code: 408 | 500 | 502 | 503 | 504, .. } => may_run_twice,
        Event::Final | Event::Status { .. } => false,
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

/// Returns the maximum backoff after this number of attempts: it doubles with each attempt, up to the maximum.
fn max_backoff_after(policy: &Policy, attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(31);
    policy.initial_backoff.saturating_mul(1 << doublings).min(policy.max_backoff)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy =
        Policy { attempts: 4, initial_backoff: Duration::from_secs(1), max_backoff: Duration::from_secs(60) };

    const STATE: State =
        State { may_run_twice: true, is_reusable: true, attempts: 1, time_left: Duration::from_secs(600), roll: 1.0 };
    const ONCE: State = State { may_run_twice: false, ..STATE };

    fn status(code: u16) -> Event {
        Event::Status { code, retry_after: None }
    }

    fn retry_after(seconds: u64) -> Event {
        Event::Status { code: 429, retry_after: Some(Duration::from_secs(seconds)) }
    }

    fn retries(state: &State, event: Event) -> bool {
        decide(&POLICY, state, event).is_ok()
    }

    #[test]
    fn six_statuses_are_retried_for_safe_calls_and_one_for_the_others() {
        let safe: Vec<u16> = (100..1000).filter(|code| retries(&STATE, status(*code))).collect();
        let unsafe_or_paid: Vec<u16> = (100..1000).filter(|code| retries(&ONCE, status(*code))).collect();

        assert_eq!(safe, [408, 429, 500, 502, 503, 504]);
        assert_eq!(unsafe_or_paid, [429]);
    }

    #[test]
    fn a_call_that_may_have_run_is_retried_only_if_it_is_safe() {
        for (event, safe, other) in
            [(Event::NotConnected, true, true), (Event::Interrupted, true, false), (Event::Final, false, false)]
        {
            assert_eq!((retries(&STATE, event), retries(&ONCE, event)), (safe, other), "{event:?}");
        }
    }

    #[test]
    fn attempts_are_counted_with_the_first() {
        for attempts in 0..6 {
            for count in 1..8 {
                let policy = Policy { attempts, ..POLICY };
                let decision = decide(&policy, &State { attempts: count, ..STATE }, Event::NotConnected);

                assert_eq!(decision == Err(Stop::Implied), count >= attempts, "{count} of {attempts}");
            }
        }
    }

    #[test]
    fn a_reader_is_never_sent_twice() {
        let used_up = State { is_reusable: false, ..STATE };

        assert_eq!(decide(&POLICY, &used_up, Event::NotConnected), Err(Stop::Body));
        assert_eq!(decide(&POLICY, &used_up, retry_after(1)), Err(Stop::Body));
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
        let policy = Policy { attempts: 9, ..POLICY };
        let waits =
            [1, 2, 3, 8].map(|attempts| decide(&policy, &State { attempts, ..STATE }, status(429)).unwrap().as_secs());

        assert_eq!(waits, [4, 8, 16, 60]);
    }

    #[test]
    fn jitter_spreads_the_backoff_from_zero_to_its_maximum() {
        for (roll, seconds) in [(0.0, 0.0), (0.25, 1.0), (1.0, 4.0), (-1.0, 0.0), (2.0, 4.0)] {
            let state = State { attempts: 3, roll, ..STATE };

            let decision = decide(&Policy { attempts: 9, ..POLICY }, &state, Event::NotConnected);

            assert_eq!(decision, Ok(Duration::from_secs_f64(seconds)), "{roll}");
        }
    }

    #[test]
    fn retry_after_is_the_minimum_of_the_backoff() {
        for (roll, seconds, expected) in
            [(0.0, 0, 0), (0.5, 0, 2), (1.0, 0, 4), (1.0, 1, 4), (1.0, 5, 5), (0.0, 60, 60)]
        {
            let decision = decide(&POLICY, &State { roll, ..STATE }, retry_after(seconds));

            assert_eq!(decision, Ok(Duration::from_secs(expected)), "{roll}, {seconds} s");
        }
        assert_eq!(decide(&POLICY, &STATE, retry_after(61)), Err(Stop::LongWait));
    }

    #[test]
    fn a_backoff_that_cannot_end_before_the_deadline_is_not_started() {
        for (left, event, expected) in [
            (10, retry_after(9), Ok(Duration::from_secs(9))),
            (5, retry_after(0), Ok(Duration::from_secs(4))),
            (10, retry_after(10), Err(Stop::Deadline)),
            (10, retry_after(11), Err(Stop::Deadline)),
            (1, status(503), Err(Stop::Deadline)),
            (0, retry_after(0), Err(Stop::Deadline)),
            (0, Event::NotConnected, Err(Stop::Deadline)),
        ] {
            let state = State { time_left: Duration::from_secs(left), ..STATE };

            assert_eq!(decide(&POLICY, &state, event), expected, "{left} s, {event:?}");
        }
    }
}
