//! Named behaviours that a test or a user switches on, and how they interfere with calls.

use std::{sync::Mutex, time::Duration};

use http::StatusCode;

use crate::{document::Operation, reply::Reply, studio::MOST_IN_MAKING};

/// How the server behaves towards calls that are otherwise in order: known path, right key, valid request.
///
/// The scenarios named `...Once` hit the next such call only; after it the server is back to [`Scenario::Normal`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Scenario {
    /// Every call does what it should.
    #[default]
    Normal,
    /// Calls that are billed are answered with 422, as if their input had failed the safety check.
    Declines,
    /// Calls that are billed are answered with 402: the balance is too low.
    PaymentRequired,
    /// The next call is answered with 429.
    RateLimitedOnce {
        /// What the `Retry-After` header says, in whole seconds; no header without it.
        retry_after: Option<Duration>,
    },
    /// The next call is answered with a status of the 500s and does not run.
    ///
    /// 502 and 504 come as a page of HTML, as from a gateway in front of the service.
    ServerErrorOnce {
        /// The status; one that is not from 500 to 599 is sent as 500.
        status: u16,
    },
    /// The next call runs, but its response breaks off in the middle: the caller cannot know that it ran.
    ResponseLostOnce,
    /// The next image that is fetched breaks off in the middle; its link goes on working.
    ImageLostOnce,
    /// Uploaded files of these names fail with `INTERNAL_ERROR`, also inside of archives, in whatever folder.
    UploadFails {
        /// The names, with extension, without folders.
        names: Vec<String>,
    },
}

/// What a scenario does to one call.
#[derive(Debug)]
pub(crate) enum Interference {
    None,
    /// The call does not run and gets this response.
    Instead(Reply),
    /// The call runs, then its response breaks off.
    ResponseLost,
}

/// The scenario that is switched on.
#[derive(Debug)]
pub(crate) struct Stage(Mutex<Scenario>);

impl Stage {
    pub(crate) fn new(scenario: Scenario) -> Self {
        Self(Mutex::new(scenario))
    }

    pub(crate) fn set(&self, scenario: Scenario) {
        *self.0.lock().expect("nothing panics while it holds this lock") = scenario;
    }

    /// Whether an uploaded file of this name is to fail.
    pub(crate) fn fails(&self, file_name: &str) -> bool {
        let file_name = file_name.rsplit('/').next().unwrap_or(file_name);
        let scenario = self.0.lock().expect("nothing panics while it holds this lock");
        matches!(&*scenario, Scenario::UploadFails { names } if names.iter().any(|name| name == file_name))
    }

    /// Whether an image that is being fetched is to break off; used up by the first.
    pub(crate) fn loses_image(&self) -> bool {
        let mut scenario = self.0.lock().expect("nothing panics while it holds this lock");
        let loses = *scenario == Scenario::ImageLostOnce;
        if loses {
            *scenario = Scenario::Normal;
        }
        loses
    }

    /// What happens to a call of `operation`; a scenario for one call is used up by it.
    pub(crate) fn interfere(&self, operation: &Operation) -> Interference {
        let mut scenario = self.0.lock().expect("nothing panics while it holds this lock");
        let interference = match &*scenario {
            Scenario::Declines if operation.is_paid => return Interference::Instead(declined()),
            Scenario::PaymentRequired if operation.is_paid => return Interference::Instead(payment_required()),
            Scenario::Normal
            | Scenario::Declines
            | Scenario::PaymentRequired
            | Scenario::ImageLostOnce
            | Scenario::UploadFails { .. } => {
                return Interference::None;
            }
            Scenario::RateLimitedOnce { retry_after } => Interference::Instead(rate_limited(*retry_after)),
            Scenario::ServerErrorOnce { status } => Interference::Instead(server_error(*status)),
            Scenario::ResponseLostOnce => Interference::ResponseLost,
        };
        *scenario = Scenario::Normal;
        interference
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
    let response = Reply::inflight_limit(MOST_IN_MAKING);
    match retry_after {
        Some(delay) => response.with_header(http::header::RETRY_AFTER, delay.as_secs().into()),
        None => response,
    }
}

fn server_error(status: u16) -> Reply {
    let status = StatusCode::from_u16(status).ok().filter(StatusCode::is_server_error);
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match status {
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Reply::page(status),
        _ => Reply::error(status, "The server failed as its scenario asked for."),
    }
}
