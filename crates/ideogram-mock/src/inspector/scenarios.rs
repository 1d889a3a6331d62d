//! Scenarios in JSON, by name.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::scenario::Scenario;

/// A [`Scenario`] in JSON: `{"name": "server_error_once", "status": 503}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Named {
    Normal,
    Declines,
    PaymentRequired,
    RateLimitedOnce {
        /// Seconds.
        #[serde(default)]
        retry_after: Option<u64>,
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

impl From<Named> for Scenario {
    fn from(named: Named) -> Self {
        match named {
            Named::Normal => Self::Normal,
            Named::Declines => Self::Declines,
            Named::PaymentRequired => Self::PaymentRequired,
            Named::RateLimitedOnce { retry_after } => {
                Self::RateLimitedOnce { retry_after: retry_after.map(Duration::from_secs) }
            }
            Named::ServerErrorOnce { status } => Self::ServerErrorOnce { status },
            Named::ResponseLostOnce => Self::ResponseLostOnce,
            Named::ImageLostOnce => Self::ImageLostOnce,
            Named::UploadFails { names } => Self::UploadFails { names },
        }
    }
}

impl From<Scenario> for Named {
    fn from(scenario: Scenario) -> Self {
        match scenario {
            Scenario::Normal => Self::Normal,
            Scenario::Declines => Self::Declines,
            Scenario::PaymentRequired => Self::PaymentRequired,
            Scenario::RateLimitedOnce { retry_after } => {
                Self::RateLimitedOnce { retry_after: retry_after.map(|wait| wait.as_secs()) }
            }
            Scenario::ServerErrorOnce { status } => Self::ServerErrorOnce { status },
            Scenario::ResponseLostOnce => Self::ResponseLostOnce,
            Scenario::ImageLostOnce => Self::ImageLostOnce,
            Scenario::UploadFails { names } => Self::UploadFails { names },
        }
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
            let json = serde_json::to_value(Named::from(scenario.clone())).unwrap();

            let name = json["name"].as_str().unwrap();
            assert!(scenario == Scenario::Normal || page.contains(&format!("data-scenario=\"{name}\"")), "{name}");
            assert_eq!(Scenario::from(serde_json::from_value::<Named>(json).unwrap()), scenario);
        }
    }

    #[test]
    fn an_unknown_name_or_property_is_refused() {
        for text in [r#"{"name": "sunny"}"#, r#"{"name": "server_error_once", "code": 503}"#, "{}", "[]"] {
            assert!(serde_json::from_str::<Named>(text).is_err(), "{text}");
        }
    }
}
