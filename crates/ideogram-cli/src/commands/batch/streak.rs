//! When a batch stops because its rows fail one after the other.

use ideogram_client::ErrorKind;

use super::{
    journal::Failed,
    report::{CONTINUE, Stop},
    state::RowState,
    status::Status,
};
use crate::{exit::Exit, output::units};

const SAFETY: &str = "the safety check declines the rows, or withholds their images";
const SAFETY_NEXT: &str = "change the prompts; withheld images are billed, and --stop-after 0 never stops";

/// Consecutive refusals for the same reason.
#[derive(Default)]
pub(super) struct Streak {
    /// The exit code of these refusals.
    exit: Option<Exit>,
    length: u32,
}

impl Streak {
    /// Counts a refusal. Stops the batch after `max_length` of one kind, and at once if the key is refused.
    pub(super) fn failed(&mut self, failed: &Failed, max_length: u32) -> Option<Stop> {
        let is = |kind: ErrorKind| failed.kind == kind.name();
        let (exit, why, next) = if is(ErrorKind::Authentication) {
            let next = "check the key (`ideogram auth status` shows its source), then run the command again";
            return Some(Stop::Refused { exit: Exit::Authentication, why: failed.message.clone(), next });
        } else if is(ErrorKind::Payment) {
            let next = "top up the API balance, then run the same command again; no row is paid twice";
            (Exit::Payment, "the balance does not cover the rows", next)
        } else if is(ErrorKind::RateLimited) {
            let next = "wait, or lower --max-in-flight, then run the same command again";
            (Exit::RateLimited, "the service reports again and again that too many images are in flight", next)
        } else if is(ErrorKind::Safety) {
            (Exit::Safety, SAFETY, SAFETY_NEXT)
        } else if failed.state == RowState::Running {
            return None;
        } else if is(ErrorKind::LocalIo) && !failed.state.may_be_billed() {
            (Exit::LocalIo, "local files cannot be read", CONTINUE)
        } else if failed.state.may_be_billed() {
            (
                Exit::Unknown,
                "too many rows have an unknown outcome",
                "check the usage of your account before you continue",
            )
        } else if failed.state == RowState::Failed {
            (Exit::Unavailable, "the service cannot be reached, or fails", CONTINUE)
        } else {
            *self = Self::default();
            return None;
        };
        self.count(exit, max_length, why, next)
    }

    /// A response ends a streak, unless all its images were withheld: that is a refusal too, and billed.
    pub(super) fn finished(&mut self, status: &Status, max_length: u32) -> Option<Stop> {
        match status.state() {
            RowState::Withheld => self.count(Exit::Safety, max_length, SAFETY, SAFETY_NEXT),
            RowState::Unknown | RowState::Running => None,
            _ => {
                *self = Self::default();
                None
            }
        }
    }

    fn count(&mut self, exit: Exit, max_length: u32, why: &str, next: &'static str) -> Option<Stop> {
        if self.exit != Some(exit) {
            *self = Self { exit: Some(exit), length: 0 };
        }
        self.length += 1;
        let why = || format!("{why} ({} in a row)", units::count(u64::from(self.length), "row"));
        (max_length > 0 && self.length >= max_length).then(|| Stop::Refused { exit, why: why(), next })
    }
}
