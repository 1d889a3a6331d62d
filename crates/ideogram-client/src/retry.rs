//! Whether an attempt may be followed by another, and after how long.
//!
//! Start at [`decide`]: state and event in, decision out. It sends nothing, waits for nothing and reads no clock, so
//! that every case of it can be tested. What an operation may bear comes from its marks in the document; there is no
//! idempotency key in the API, so a call that may have run is sent again only if twice is as good as once.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};

use crate::operation::{Billing, Operation, Retry};

/// So much longer are the waits after 429: up to 4, 8 and 16 seconds.
const RATE_LIMIT_FACTOR: u32 = 4;

/// What an operation bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetrySafety {
    /// Free and safe: sent twice is as good as sent once.
    Safe,
    /// Paid, or not safe to repeat: sent again only where it is certain that it has not run.
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

/// How an attempt ended without a response to hand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// No connection was established: nothing has left this machine.
    NotConnected,
    /// A connection broke, a time-out passed or a response broke off: it may have run.
    Interrupted,
    /// Answered with a status other than 2xx.
    Status {
        /// The status.
        code: u16,
        /// How long the service asks to wait.
        retry_after: Option<Duration>,
    },
    /// Nothing that time mends: a value refused, a file unreadable, a response that cannot be decoded.
    Final,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    /// What the operation bears.
    pub(crate) safety: RetrySafety,
    /// Whether the body can be sent another time.
    pub(crate) body: BodyReuse,
    /// Attempts made so far, the failed one included; at least 1.
    pub(crate) attempts: u32,
    /// What is left until the deadline.
    pub(crate) time_left: Duration,
    /// A number from 0 to 1 that spreads the waits of many callers.
    pub(crate) roll: f64,
}

/// Whether the body can be sent another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyReuse {
    /// It can be built anew.
    Whole,
    /// A reader in it has been read.
    UsedUp,
}

/// How many attempts, and how long between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Most attempts of a call, the first included; 0 counts as 1.
    pub(crate) attempts: u32,
    /// The longest wait after the first attempt; it doubles with every attempt.
    pub(crate) first_wait: Duration,
    /// The longest wait of all, also one that the service asks for.
    pub(crate) longest_wait: Duration,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Wait, then send again.
    Retry {
        /// How long to wait.
        after: Duration,
    },
    /// Give up.
    Stop(Stop),
}

/// Why a call was not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Another attempt would end the same way.
    Pointless,
    /// It may have run, and must not run twice.
    MayHaveRun,
    /// All attempts are used up.
    Attempts,
    /// The body holds a reader, and that has been read.
    Body,
    /// The service asks for a longer wait than is allowed.
    LongWait,
    /// The wait would not end before the deadline.
    Deadline,
}

/// Decides what follows a failed attempt.
pub(crate) fn decide(policy: &Policy, state: &State, event: Event) -> Decision {
    // In the order of what a caller wants to hear first.
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
        Event::Status { retry_after: Some(asked), .. } if asked > policy.longest_wait => {
            return Decision::Stop(Stop::LongWait);
        }
        // Asked for nothing, or for a date that has passed, it still is no use to be back at once.
        Event::Status { retry_after: Some(asked), .. } => asked.max(backed_off(policy, state, event)),
        _ => backed_off(policy, state, event),
    };
    // A wait that ends with the deadline leaves no time for the attempt.
    if after >= state.time_left {
        return Decision::Stop(Stop::Deadline);
    }
    Decision::Retry { after }
}

/// Why an event forbids another attempt, if it does.
fn forbidden(safety: RetrySafety, event: Event) -> Option<Stop> {
    match (event, safety) {
        // Nothing left, or refused before it ran: safe for every call. The rest only where twice is as good as once.
        (Event::NotConnected | Event::Status { code: 429, .. }, _)
        | (Event::Interrupted | Event::Status { code: 408 | 500 | 502 | 503 | 504, .. }, RetrySafety::Safe) => None,
        (Event::Interrupted | Event::Status { code: 408 | 500..=599, .. }, RetrySafety::Once) => Some(Stop::MayHaveRun),
        (Event::Final | Event::Status { .. }, _) => Some(Stop::Pointless),
    }
}

/// Anything from nothing to the longest wait after so many attempts.
fn backed_off(policy: &Policy, state: &State, event: Event) -> Duration {
    let longest = longest_wait(policy, state.attempts);
    // Places among the images in the making come free when images are done, and that takes longer than a hiccup.
    let longest = match event {
        Event::Status { code: 429, .. } => longest.saturating_mul(RATE_LIMIT_FACTOR).min(policy.longest_wait),
        _ => longest,
    };
    longest.mul_f64(state.roll.clamp(0.0, 1.0))
}

/// The longest wait after so many attempts: doubling, with a cap. Full jitter makes it anything from nothing to that.
fn longest_wait(policy: &Policy, attempts: u32) -> Duration {
    let doubling = ExponentialBuilder::new()
        .with_min_delay(policy.first_wait)
        .with_max_delay(policy.longest_wait)
        .without_max_times()
        .build();
    let earlier = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    // Past 64 doublings every wait is the longest.
    let wait = doubling.take(64).nth(earlier.min(63)).unwrap_or(policy.longest_wait);
    wait.min(policy.longest_wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy =
        Policy { attempts: 4, first_wait: Duration::from_secs(1), longest_wait: Duration::from_secs(60) };

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

    fn asks(seconds: u64) -> Event {
        Event::Status { code: 429, retry_after: Some(Duration::from_secs(seconds)) }
    }

    fn repeats(state: &State, event: Event) -> bool {
        matches!(decide(&POLICY, state, event), Decision::Retry { .. })
    }

    #[test]
    fn of_all_statuses_six_are_repeated_for_safe_calls_and_one_for_the_others() {
        let once = State { safety: RetrySafety::Once, ..STATE };

        let safe: Vec<u16> = (100..1000).filter(|code| repeats(&STATE, status(*code))).collect();
        let unsafe_or_paid: Vec<u16> = (100..1000).filter(|code| repeats(&once, status(*code))).collect();

        assert_eq!(safe, [408, 429, 500, 502, 503, 504]);
        assert_eq!(unsafe_or_paid, [429]);
    }

    #[test]
    fn what_may_have_run_is_repeated_only_if_twice_is_as_good_as_once() {
        let once = State { safety: RetrySafety::Once, ..STATE };
        for (event, safe, other) in [
            (Event::NotConnected, true, true),
            (Event::Interrupted, true, false),
            (status(500), true, false),
            (Event::Final, false, false),
        ] {
            assert_eq!((repeats(&STATE, event), repeats(&once, event)), (safe, other), "{event:?}");
        }
    }

    #[test]
    fn the_reason_for_stopping_tells_what_may_have_run_from_what_is_pointless() {
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
    fn an_operation_is_repeatable_only_if_it_is_free_and_safe() {
        use crate::generated::operations;

        for operation in operations::ALL {
            let free_and_safe = operation.billing == Billing::Free && operation.retry == Retry::Safe;

            assert_eq!(RetrySafety::of(operation) == RetrySafety::Safe, free_and_safe, "{operation}");
        }
    }

    #[test]
    fn attempts_are_counted_with_the_first() {
        for attempts in 0..6 {
            for made in 1..8 {
                let policy = Policy { attempts, ..POLICY };
                let decision = decide(&policy, &State { attempts: made, ..STATE }, Event::NotConnected);

                assert_eq!(decision == Decision::Stop(Stop::Attempts), made >= attempts, "{made} of {attempts}");
            }
        }
    }

    #[test]
    fn a_reader_is_never_sent_twice() {
        let used_up = State { body: BodyReuse::UsedUp, ..STATE };

        assert_eq!(decide(&POLICY, &used_up, Event::NotConnected), Decision::Stop(Stop::Body));
        assert_eq!(decide(&POLICY, &used_up, asks(1)), Decision::Stop(Stop::Body));
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<u64> = (1..=9).map(|attempts| longest_wait(&POLICY, attempts).as_secs()).collect();

        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(longest_wait(&POLICY, u32::MAX), POLICY.longest_wait);
        let reversed = Policy { first_wait: Duration::from_secs(90), ..POLICY };
        assert_eq!(longest_wait(&reversed, 1), POLICY.longest_wait);
    }

    #[test]
    fn places_in_the_making_are_waited_for_longer_than_a_hiccup() {
        let waits = [1, 2, 3, 8].map(|attempts| {
            let decision = decide(&Policy { attempts: 9, ..POLICY }, &State { attempts, ..STATE }, status(429));
            let Decision::Retry { after } = decision else { panic!("{decision:?}") };
            after.as_secs()
        });

        assert_eq!(waits, [4, 8, 16, 60]);
    }

    #[test]
    fn the_roll_spreads_a_wait_from_nothing_to_all_of_it() {
        for (roll, seconds) in [(0.0, 0.0), (0.25, 1.0), (1.0, 4.0), (-1.0, 0.0), (2.0, 4.0)] {
            let state = State { attempts: 3, roll, ..STATE };

            let decision = decide(&Policy { attempts: 9, ..POLICY }, &state, Event::NotConnected);

            assert_eq!(decision, Decision::Retry { after: Duration::from_secs_f64(seconds) }, "{roll}");
        }
    }

    #[test]
    fn the_service_is_asked_again_when_it_says_and_not_before() {
        for (roll, seconds, expected) in
            [(0.0, 0, 0), (0.5, 0, 2), (1.0, 0, 4), (1.0, 1, 4), (1.0, 5, 5), (0.0, 60, 60)]
        {
            let decision = decide(&POLICY, &State { roll, ..STATE }, asks(seconds));

            assert_eq!(decision, Decision::Retry { after: Duration::from_secs(expected) }, "{roll}, {seconds} s");
        }
        assert_eq!(decide(&POLICY, &STATE, asks(61)), Decision::Stop(Stop::LongWait));
    }

    #[test]
    fn a_wait_that_cannot_end_before_the_deadline_is_not_started() {
        for (left, event, expected) in [
            (10, asks(9), Decision::Retry { after: Duration::from_secs(9) }),
            (5, asks(0), Decision::Retry { after: Duration::from_secs(4) }),
            (10, asks(10), Decision::Stop(Stop::Deadline)),
            (10, asks(11), Decision::Stop(Stop::Deadline)),
            (1, status(503), Decision::Stop(Stop::Deadline)),
            (0, asks(0), Decision::Stop(Stop::Deadline)),
            (0, Event::NotConnected, Decision::Stop(Stop::Deadline)),
        ] {
            let state = State { time_left: Duration::from_secs(left), ..STATE };

            assert_eq!(decide(&POLICY, &state, event), expected, "{left} s, {event:?}");
        }
    }
}
