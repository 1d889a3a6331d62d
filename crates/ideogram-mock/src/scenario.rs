//! Scenarios: failures that a test or a user selects by name.

use std::{sync::Mutex, time::Duration};

use http::StatusCode;

use crate::{concurrency::MAX_IMAGES_IN_FLIGHT, reply::Reply};

/// How the server responds to valid calls: known path, correct key, valid request.
///
/// The scenarios named `...Once` hit the next such call only; after it the server is back to [`Scenario::Normal`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Scenario {
    /// Every call succeeds.
    #[default]
    Normal,
    /// Billed calls get 422, as if their input had failed the safety check.
    Declines,
    /// Billed calls get 402: the balance is too low.
    PaymentRequired,
    /// The next call gets 429.
    RateLimitedOnce {
        /// What the `Retry-After` header says, in whole seconds; no header without it.
        retry_after: Option<Duration>,
    },
    /// The next call gets a 5xx status and does not run.
    ///
    /// 502 and 504 have an HTML body, as from a gateway in front of the service.
    ServerErrorOnce {
        /// The status; one that is not from 500 to 599 is sent as 500.
        status: u16,
    },
    /// The next call runs, but the connection breaks in the middle of its response: the caller cannot know that it ran.
    ResponseLostOnce,
    /// The connection breaks in the middle of the next image that is fetched; its link keeps working.
    ImageLostOnce,
    /// Uploaded files of these names fail with `INTERNAL_ERROR`, also inside archives, in any folder.
    UploadFails {
        /// The names, with extension, without folders.
        names: Vec<String>,
    },
}

/// How the response to a call is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Complete,
    /// The connection breaks in the middle of the body.
    CutOff,
    /// The response is replaced by an HTML page.
    Damaged,
}

/// `Ok`: the call runs, and its response is sent in this way. `Err`: it does not run, and this is its response.
type Outcome = Result<Delivery, Reply>;

type Marked = fn() -> Outcome;

/// Words in the prompt of a billed call, and what then happens to it, whatever the scenario of the server is.
const MARKERS: [(&str, Marked); 5] = [
    ("no balance", || Err(payment_required())),
    ("rate limited", || Err(rate_limited(None))),
    ("server error", || Err(server_error(500))),
    ("lost response", || Ok(Delivery::CutOff)),
    ("damaged response", || Ok(Delivery::Damaged)),
];

/// What the words of a prompt do to a billed call.
pub(crate) fn marked_effect(prompt: &str) -> Option<Outcome> {
    let prompt = prompt.to_ascii_lowercase();
    MARKERS.iter().find(|(word, _)| prompt.contains(word)).map(|(_, outcome)| outcome())
}

/// The current scenario.
#[derive(Debug)]
pub(crate) struct ScenarioState(Mutex<Scenario>);

impl ScenarioState {
    pub(crate) fn new(scenario: Scenario) -> Self {
        Self(Mutex::new(scenario))
    }

    pub(crate) fn set(&self, scenario: Scenario) {
        *self.0.lock().expect("nothing panics while it holds this lock") = scenario;
    }

    pub(crate) fn get(&self) -> Scenario {
        self.0.lock().expect("nothing panics while it holds this lock").clone()
    }

    /// Returns whether an uploaded file of this name must fail.
    pub(crate) fn fails(&self, file_name: &str) -> bool {
        let file_name = file_name.rsplit('/').next().unwrap_or(file_name);
        let scenario = self.0.lock().expect("nothing panics while it holds this lock");
        matches!(&*scenario, Scenario::UploadFails { names } if names.iter().any(|name| name == file_name))
    }

    /// Returns how an image is delivered; this resets the scenario that cuts one off.
    pub(crate) fn image_delivery(&self) -> Delivery {
        let mut scenario = self.0.lock().expect("nothing panics while it holds this lock");
        if *scenario != Scenario::ImageLostOnce {
            return Delivery::Complete;
        }
        *scenario = Scenario::Normal;
        Delivery::CutOff
    }

    /// Returns what happens to a call, which may be billed; this resets a scenario that is for one call only.
    pub(crate) fn outcome(&self, is_paid: bool) -> Outcome {
        let mut scenario = self.0.lock().expect("nothing panics while it holds this lock");
        let outcome = match &*scenario {
            Scenario::Declines if is_paid => return Err(declined()),
            Scenario::PaymentRequired if is_paid => return Err(payment_required()),
            Scenario::Normal
            | Scenario::Declines
            | Scenario::PaymentRequired
            | Scenario::ImageLostOnce
            | Scenario::UploadFails { .. } => return Ok(Delivery::Complete),
            Scenario::RateLimitedOnce { retry_after } => Err(rate_limited(*retry_after)),
            Scenario::ServerErrorOnce { status } => Err(server_error(*status)),
            Scenario::ResponseLostOnce => Ok(Delivery::CutOff),
        };
        *scenario = Scenario::Normal;
        outcome
    }
}

fn declined() -> Reply {
    Reply::error(
        StatusCode::UNPROCESSABLE_ENTITY,
        "Prompt provided failed safety check due to the inclusion of prohibited content.",
    )
}

fn payment_required() -> Reply {
    Reply::rejected(StatusCode::PAYMENT_REQUIRED, "You do not have sufficient balance.", "insufficient_funds")
}

fn rate_limited(retry_after: Option<Duration>) -> Reply {
    let response = Reply::inflight_limit(MAX_IMAGES_IN_FLIGHT);
    match retry_after {
        Some(delay) => response.with_header(http::header::RETRY_AFTER, delay.as_secs().into()),
        None => response,
    }
}

fn server_error(status: u16) -> Reply {
    let status = StatusCode::from_u16(status).ok().filter(StatusCode::is_server_error);
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match status {
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Reply::html_page(status),
        _ => Reply::error(status, "The scenario of the server requires this failure."),
    }
}
