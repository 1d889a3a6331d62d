//! Sizes, times and counts in words for people.

use std::time::Duration;

use ideogram_client::{Timestamp, usage::Decimal};

const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// `64 B`, `614.4 KiB`, `9.7 MiB`: steps of 1024, one digit behind the point.
pub(crate) fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut bytes_in_unit = 1_u128;
    let fitting = UNITS.iter().find_map(|unit| {
        bytes_in_unit *= 1024;
        let tenths = (u128::from(bytes) * 10 + bytes_in_unit / 2) / bytes_in_unit;
        (tenths < 10_240).then(|| format!("{}.{} {unit}", tenths / 10, tenths % 10))
    });
    fitting.expect("a number of 64 bits is below 1024 EiB")
}

/// `2026-06-30 09:12:44 UTC`, or the text of the service if it is not a time.
pub(crate) fn time(timestamp: &Timestamp) -> String {
    let text = timestamp.to_string();
    let Some((day, time)) = timestamp.time().and_then(|_| text.split_once('T')) else {
        return text;
    };
    let seconds = time.split(['.', 'Z']).next().unwrap_or(time);
    format!("{day} {seconds} UTC")
}

/// `0 s`, `59 s`, `1 min 15 s`, `2 h 5 min`: what matters of it, rounded down.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// An amount of US dollars from millionths: `$0.10`, `$0.251659`.
pub(crate) fn usd(micros: u64) -> String {
    format!("${}", Decimal::from_micros(micros))
}

/// Reads an amount of US dollars, such as `2.50` or `$2.50`, as millionths.
///
/// # Errors
///
/// A text for the user.
pub(crate) fn parse_usd(text: &str) -> Result<u64, String> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let amount = text.trim().trim_start_matches('$');
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.len() > 6 || !digits(whole) || !digits(fraction) {
        return Err("must be an amount of US dollars, such as 2.50".to_owned());
    }
    let micros = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(1_000_000));
    let micros = micros.and_then(|whole| whole.checked_add(format!("{fraction:0<6}").parse().ok()?));
    micros.ok_or_else(|| "is too large an amount".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_the_unit_that_fits() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (629_104, "614.4 KiB"),
            (1_048_524, "1023.9 KiB"),
            (1_048_575, "1.0 MiB"),
            (1_048_576, "1.0 MiB"),
            (10_485_760, "10.0 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(size(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn durations_are_as_exact_as_matters() {
        for (seconds, expected) in
            [(0, "0 s"), (59, "59 s"), (75, "1 min 15 s"), (3600, "1 h 0 min"), (7_530, "2 h 5 min")]
        {
            assert_eq!(duration(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn times_are_in_utc_without_fractions() {
        for (text, expected) in [
            ("2026-06-30T09:12:44.307115+00:00", "2026-06-30 09:12:44 UTC"),
            ("2000-01-23 04:56:07+02:00", "2000-01-23 02:56:07 UTC"),
            ("next Tuesday", "next Tuesday"),
        ] {
            assert_eq!(time(&Timestamp::parse(text)), expected);
        }
    }

    #[test]
    fn amounts_of_money_are_exact() {
        for (text, micros, expected) in [
            ("2.50", 2_500_000, "$2.50"),
            ("$0.1", 100_000, "$0.10"),
            ("0.251659", 251_659, "$0.251659"),
            ("3", 3_000_000, "$3.00"),
            ("0.008", 8_000, "$0.008"),
            ("18446744073709.551615", u64::MAX, "$18446744073709.551615"),
        ] {
            assert_eq!(parse_usd(text), Ok(micros));
            assert_eq!(usd(micros), expected);
        }
        for text in
            ["ten", "", ".5", "5.", "-1", "1,5", "1.2345678", "1e3", "18446744073709.551616", "99999999999999999"]
        {
            assert!(parse_usd(text).is_err(), "{text}");
        }
    }
}
