//! Whether a download is tried again, and when.
//!
//! Downloads are free and change nothing, so every failure that may pass is a reason to try again.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header};

/// The first wait is up to this long, and each one may be twice as long as the one before.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// No wait is longer; a server that asks for more is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Why an attempt failed, as far as it matters for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The connection failed, broke, or fell silent.
    Transport,
    /// The host answered with this status, and asked to wait this long.
    Status(StatusCode, Option<Duration>),
    /// Another attempt would fail in the same way.
    Final,
}

/// How long to wait before another attempt, if there is to be one. `attempt` counts those made, `random` is from 0 to 1.
pub(super) fn may_repeat(reason: Reason, attempt: u32, most: u32, random: f64) -> Option<Duration> {
    if attempt >= most {
        return None;
    }
    let asked = match reason {
        Reason::Transport => None,
        Reason::Status(status, asked) if matches!(status.as_u16(), 408 | 429 | 500..=599) => asked,
        Reason::Status(..) | Reason::Final => return None,
    };
    match asked {
        Some(wait) => (wait <= LONGEST_WAIT).then_some(wait),
        None => {
            let longest = FIRST_WAIT.saturating_mul(1 << (attempt.saturating_sub(1)).min(16)).min(LONGEST_WAIT);
            Some(longest.mul_f64(random.clamp(0.0, 1.0)))
        }
    }
}

/// What `Retry-After` asks for: seconds, or a date; a date that has passed asks for no wait.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, asked: Option<u64>) -> Reason {
        Reason::Status(StatusCode::from_u16(status).unwrap(), asked.map(Duration::from_secs))
    }

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        for reason in [Reason::Transport, status(408, None), status(429, None), status(500, None), status(599, None)] {
            assert!(may_repeat(reason, 1, 4, 1.0).is_some(), "{reason:?}");
            assert!(may_repeat(reason, 3, 4, 1.0).is_some(), "{reason:?}");
            assert!(may_repeat(reason, 4, 4, 1.0).is_none(), "{reason:?}");
            assert!(may_repeat(reason, 1, 1, 1.0).is_none(), "{reason:?}");
        }
        for reason in [Reason::Final, status(302, None), status(403, None), status(404, None), status(410, None)] {
            assert!(may_repeat(reason, 1, 4, 1.0).is_none(), "{reason:?}");
        }
    }

    #[test]
    fn waits_grow_are_random_and_have_an_end() {
        let waits = [1, 2, 3].map(|attempt| may_repeat(Reason::Transport, attempt, 99, 1.0).unwrap().as_millis());

        assert_eq!(waits, [200, 400, 800]);
        assert_eq!(may_repeat(Reason::Transport, 90, 99, 1.0), Some(LONGEST_WAIT));
        assert_eq!(may_repeat(Reason::Transport, 2, 99, 0.5), Some(Duration::from_millis(200)));
        assert_eq!(may_repeat(Reason::Transport, 2, 99, 0.0), Some(Duration::ZERO));
    }

    #[test]
    fn the_wait_that_a_host_asks_for_is_kept_or_too_long() {
        assert_eq!(may_repeat(status(429, Some(7)), 1, 4, 0.1), Some(Duration::from_secs(7)));
        assert_eq!(may_repeat(status(503, Some(30)), 1, 4, 0.1), Some(Duration::from_secs(30)));
        assert_eq!(may_repeat(status(503, Some(31)), 1, 4, 0.1), None);
    }
}
