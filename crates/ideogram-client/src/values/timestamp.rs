//! Times as the service writes them.
//!
//! The vendor's reference has a space where RFC 3339 has a `T`; responses had six fraction digits or none, `Z` or
//! `+00:00`. All of these are read. Any other text is stored as it is: a paid response must not be lost for its date.

use std::{fmt, str::FromStr, time::SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A point in time.
///
/// Displayed and serialized as RFC 3339 with `T`, in UTC; text that is not a time does not change.
///
/// Timestamps order by time. Text that is not a time comes after every time, in the order of the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(Form);

// The order of the variants is the documented order of timestamps.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Form {
    Time(jiff::Timestamp),
    Text(String),
}

impl Timestamp {
    /// Reads `2026-06-30T09:12:44.307115+00:00` and similar forms: `T`, `t` or one space; no fraction or up to nine
    /// digits; `Z`, `z`, a numeric offset, or none, which is read as UTC.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let with_zone = text.parse::<jiff::Timestamp>();
        let time = with_zone.or_else(|_| {
            text.parse::<jiff::civil::DateTime>().and_then(|time| jiff::tz::Offset::UTC.to_timestamp(time))
        });
        match time {
            // Not a date without a time.
            Ok(time) if text.len() > "2000-01-01".len() => Self(Form::Time(time)),
            _ => Self(Form::Text(text.to_owned())),
        }
    }

    /// The time; `None` for text that is not a time.
    pub fn time(&self) -> Option<SystemTime> {
        match &self.0 {
            Form::Time(time) => Some(SystemTime::from(*time)),
            Form::Text(_) => None,
        }
    }

    /// The seconds since 1970; `None` for text that is not a time.
    pub fn unix_seconds(&self) -> Option<i64> {
        match &self.0 {
            Form::Time(time) => Some(time.as_second()),
            Form::Text(_) => None,
        }
    }
}

impl Timestamp {
    /// Returns a form for file names, to the second, which sorts by time.
    pub(crate) fn compact(&self) -> String {
        match &self.0 {
            Form::Time(time) => time.strftime("%Y%m%dT%H%M%SZ").to_string(),
            Form::Text(_) => String::from("undated"),
        }
    }
}

impl TryFrom<Timestamp> for SystemTime {
    type Error = Timestamp;

    /// Returns the timestamp itself if it is text that is not a time.
    fn try_from(timestamp: Timestamp) -> Result<Self, Timestamp> {
        timestamp.time().ok_or(timestamp)
    }
}

impl From<SystemTime> for Timestamp {
    /// Converts a time, with a precision of milliseconds.
    fn from(time: SystemTime) -> Self {
        match jiff::Timestamp::try_from(time).and_then(|time| jiff::Timestamp::from_millisecond(time.as_millisecond()))
        {
            Ok(time) => Self(Form::Time(time)),
            // Outside the range of the calendar.
            Err(_) => Self(Form::Text(format!("{time:?}"))),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Time(time) => time.fmt(formatter),
            Form::Text(text) => text.fmt(formatter),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Time(time) => write!(formatter, "Timestamp({time})"),
            Form::Text(text) => write!(formatter, "Timestamp({text:?})"),
        }
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self::parse(text)
    }
}

impl FromStr for Timestamp {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::parse(text))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::String(text) => Self::parse(&text),
            // Seconds since 1970, in case that the service changes to them.
            Value::Number(number) => number
                .as_i64()
                .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
                .map_or_else(|| Self(Form::Text(number.to_string())), |time| Self(Form::Time(time))),
            other => Self(Form::Text(other.to_string())),
        })
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "date-time"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_observed_form_is_the_same_time() {
        for text in [
            "2000-01-23 04:56:07+00:00",
            "2000-01-23T04:56:07+00:00",
            "2000-01-23T04:56:07.000000+00:00",
            "2000-01-23T04:56:07.000000000Z",
            "2000-01-23t04:56:07z",
            "2000-01-23T04:56:07",
            "2000-01-23 04:56:07",
            "2000-01-23T06:56:07+02:00",
        ] {
            assert_eq!(Timestamp::parse(text).to_string(), "2000-01-23T04:56:07Z", "{text}");
        }
    }

    #[test]
    fn times_order_before_text() {
        let sorted =
            ["2000-01-23T04:56:07Z", "2000-01-23T04:56:07.5Z", "2024-01-01T00:00:00+01:00", "", "today", "yesterday"];
        let mut timestamps: Vec<Timestamp> = sorted.into_iter().rev().map(Timestamp::parse).collect();

        timestamps.sort();

        assert_eq!(timestamps, sorted.map(Timestamp::parse));
    }

    #[test]
    fn fractions_are_preserved() {
        assert_eq!(Timestamp::parse("2024-11-22T20:21:27.062171+00:00").to_string(), "2024-11-22T20:21:27.062171Z");
    }

    #[test]
    fn text_that_is_not_a_time_is_preserved() {
        for text in ["yesterday", "", "2000-01-23", "25:00", "2000-13-40T99:00:00Z"] {
            let timestamp = Timestamp::parse(text);

            assert_eq!(timestamp.time(), None, "{text}");
            assert_eq!(serde_json::to_value(&timestamp).unwrap(), text);
        }
    }

    #[test]
    fn numbers_are_read_as_seconds() {
        let timestamp: Timestamp = serde_json::from_str("948603367").unwrap();

        assert_eq!(timestamp.to_string(), "2000-01-23T04:56:07Z");
    }

    #[test]
    fn every_json_value_is_decoded() {
        for json in ["true", "[1]", "{}", "1e300", "18446744073709551615"] {
            assert_eq!(serde_json::from_str::<Timestamp>(json).unwrap().time(), None, "{json}");
        }
    }
}
