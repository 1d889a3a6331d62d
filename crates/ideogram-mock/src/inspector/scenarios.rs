//! Scenarios in JSON, by name.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::scenario::Scenario;

/// A [`Scenario`] in JSON: `{"name": "server_error_once", "status": 503}`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Named(#[serde(with = "Form")] pub(super) Scenario);

/// The same as [`Scenario`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Scenario", tag = "name", rename_all = "snake_case", deny_unknown_fields)]
enum Form {
    Normal,
    Declines,
    PaymentRequired,
    RateLimitedOnce {
        #[serde(default, with = "seconds")]
        retry_after: Option<Duration>,
    },
    ServerErrorOnce {
        #[serde(default = "default_status")]
        status: u16,
    },
    ResponseLostOnce,
    ImageLostOnce,
    UploadFails {
        names: Vec<String>,
    },
}

fn default_status() -> u16 {
    500
}

/// A time in whole seconds.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "the form that serde asks for")]
    pub(super) fn serialize<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(|time| time.as_secs()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::deserialize(deserializer)?.map(Duration::from_secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_on_the_page_and_survives_a_round_trip() {
        let page = include_str!("page.html");
        for scenario in [
            Scenario::Declines,
            Scenario::PaymentRequired,
            Scenario::RateLimitedOnce { retry_after: None },
            Scenario::RateLimitedOnce { retry_after: Some(Duration::from_secs(7)) },
            Scenario::ServerErrorOnce { status: 503 },
            Scenario::ResponseLostOnce,
            Scenario::ImageLostOnce,
            Scenario::UploadFails { names: vec!["cat.png".to_owned()] },
            Scenario::Normal,
        ] {
            let json = serde_json::to_value(Named(scenario.clone())).unwrap();

            let name = json["name"].as_str().unwrap();
            assert!(scenario == Scenario::Normal || page.contains(&format!("data-scenario=\"{name}\"")), "{name}");
            assert_eq!(serde_json::from_value::<Named>(json).unwrap().0, scenario);
        }
    }

    #[test]
    fn an_unknown_name_or_property_is_refused() {
        for text in [r#"{"name": "sunny"}"#, r#"{"name": "server_error_once", "code": 503}"#, "{}", "[]"] {
            assert!(serde_json::from_str::<Named>(text).is_err(), "{text}");
        }
    }
}
