//! Service time. The builder sets its start and its speed; it can be advanced.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};

/// 2026-07-01, 9:00 UTC. At this time the second demo model is half an hour into its training.
pub(crate) const DEFAULT_START: Timestamp = Timestamp::constant(1_782_896_400, 0);

/// The clock of one server.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Timestamp,
    started: Instant,
    /// Service seconds per real second; zero when time stands still.
    scale: f64,
    advanced: Mutex<Duration>,
}

impl Clock {
    pub(crate) fn new(start: Timestamp, scale: f64) -> Self {
        Self { start, started: Instant::now(), scale, advanced: Mutex::default() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let run =
            Duration::try_from_secs_f64(self.started.elapsed().as_secs_f64() * self.scale).unwrap_or(Duration::MAX);
        later(self.start, run.saturating_add(*self.advanced.lock().expect("nothing panics while it holds this lock")))
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut advanced = self.advanced.lock().expect("nothing panics while it holds this lock");
        *advanced = advanced.saturating_add(by);
    }
}

/// Returns `time + by`, or the maximum on overflow.
pub(crate) fn later(time: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| time.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

/// Formats a time as the service probably does: `T`, six digits of fraction, a numeric offset.
pub(crate) fn wire(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_have_six_digits_and_an_offset() {
        assert_eq!(wire(time("2026-07-01T09:00:00Z")), "2026-07-01T09:00:00.000000+00:00");
        assert_eq!(wire(time("2026-07-01T09:00:00.123456789Z")), "2026-07-01T09:00:00.123456+00:00");
    }

    #[test]
    fn a_clock_advanced_too_far_stays_at_the_maximum() {
        let clock = Clock::new(time("2026-07-01T09:00:00Z"), 1e300);

        clock.advance(Duration::MAX);

        assert_eq!(clock.now(), Timestamp::MAX);
    }
}
