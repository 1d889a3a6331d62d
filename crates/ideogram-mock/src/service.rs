//! The state that requests share, and the settings of a server.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    concurrency::ImageLimiter, images::Links, recorder::Recorder, scenario::ScenarioState, store::Store,
    webhook::Deliveries,
};

/// The state that all requests to one server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) service: Service,
    /// When the server started, in real time.
    pub(crate) started: Timestamp,
    pub(crate) recorder: Recorder,
    pub(crate) deliveries: Deliveries,
}

/// State and settings for the handlers.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) store: Store,
    pub(crate) scenario: ScenarioState,
    pub(crate) limiter: ImageLimiter,
    pub(crate) links: Links,
    pub(crate) settings: Settings,
}

/// The settings that are read while the server runs; the functions of the builder describe them.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) api_key: String,
    pub(crate) training_time: Duration,
    pub(crate) job_time: Duration,
    pub(crate) storing_time: Duration,
    pub(crate) shows_file_names: bool,
    pub(crate) max_body_bytes: u64,
}

impl Service {
    /// The current service time.
    pub(crate) fn now(&self) -> Timestamp {
        self.store.clock.now()
    }
}
