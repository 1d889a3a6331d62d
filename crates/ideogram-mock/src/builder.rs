//! Starts a server, and the builder that sets it up: port, key, time, limits, state directory, scenario.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

use crate::{
    clock::{Clock, DEFAULT_START},
    concurrency::ImageLimiter,
    images::Links,
    recorder::Recorder,
    scenario::{Scenario, ScenarioState},
    server::MockServer,
    service::{Service, Settings, Shared},
    state::State,
    store::{StateFile, Store},
    webhook::Deliveries,
};

/// The key that a server accepts unless its builder sets another.
pub const MOCK_API_KEY: &str = "mock-api-key";

/// Roughly the shortest training that was observed.
const DEFAULT_TRAINING_TIME: Duration = Duration::from_secs(90 * 60);

/// Enough for the largest reasonable upload: 100 images of 10 MiB as files, and the same in archives.
const DEFAULT_MAX_BODY_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Sets up a [`MockServer`]; see [`MockServer::builder`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing before `start`"]
pub struct MockServerBuilder {
    port: u16,
    start_time: Option<SystemTime>,
    time_scale: f64,
    generation_time: Duration,
    state_dir: Option<PathBuf>,
    scenario: Scenario,
    settings: Settings,
}

impl Default for MockServerBuilder {
    fn default() -> Self {
        Self {
            port: 0,
            start_time: None,
            time_scale: 0.0,
            generation_time: Duration::ZERO,
            state_dir: None,
            scenario: Scenario::Normal,
            settings: Settings {
                api_key: MOCK_API_KEY.to_owned(),
                training_time: DEFAULT_TRAINING_TIME,
                job_time: Duration::ZERO,
                storing_time: Duration::ZERO,
                shows_file_names: true,
                max_body_bytes: DEFAULT_MAX_BODY_BYTES,
            },
        }
    }
}

impl MockServer {
    /// Starts a server on a free port, with one dataset, `demo`, and time standing still.
    ///
    /// # Errors
    ///
    /// The loopback has no free port, or no thread can be started.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Like [`MockServer::start`], for tests without a runtime.
    ///
    /// # Errors
    ///
    /// Those of [`MockServer::start`].
    pub fn start_blocking() -> io::Result<Self> {
        Self::builder().start_blocking()
    }

    /// Sets up a server: port, key, time, state directory, scenario.
    pub fn builder() -> MockServerBuilder {
        MockServerBuilder::default()
    }
}

impl MockServerBuilder {
    /// The port on the loopback. Default: 0, any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The key that the server accepts. Default: [`MOCK_API_KEY`].
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.settings.api_key = key.into();
        self
    }

    /// The start of service time. Default: 2026-07-01, 9:00 UTC, so that responses are the same in every run.
    ///
    /// If the state directory holds a later time, service time continues from there.
    pub fn start_time(mut self, time: SystemTime) -> Self {
        self.start_time = Some(time);
        self
    }

    /// Service seconds per real second. Default: 0, time moves with [`MockServer::advance`] only.
    ///
    /// With 1, service time runs like real time; with 540, a training of 90 minutes takes 10 seconds.
    pub fn time_scale(mut self, scale: f64) -> Self {
        self.time_scale = scale;
        self
    }

    /// How long a training takes, in service time. Default: 90 minutes.
    pub fn training_time(mut self, time: Duration) -> Self {
        self.settings.training_time = time;
        self
    }

    /// How long a call that creates images takes, in real time. Default: 0.
    ///
    /// During this time the images count as in flight; their number is limited to ten. A caller that hangs up does not
    /// change that.
    pub fn generation_time(mut self, time: Duration) -> Self {
        self.generation_time = time;
        self
    }

    /// How long a job takes from its submission to its images, in service time. Default: 0.
    ///
    /// The images of a job are also in flight for the [`generation_time`](Self::generation_time), in real time: the job
    /// has ended when both have passed.
    pub fn job_time(mut self, time: Duration) -> Self {
        self.settings.job_time = time;
        self
    }

    /// How long an upload to a dataset takes once its files have arrived, in real time. Default: 0.
    ///
    /// The files are in the dataset after half of it, and the response comes after all of it. A caller that hangs up
    /// does not change that.
    pub fn storing_time(mut self, time: Duration) -> Self {
        self.settings.storing_time = time;
        self
    }

    /// Sets the file names in the responses for datasets to null, which the document allows.
    pub fn withhold_file_names(mut self) -> Self {
        self.settings.shows_file_names = false;
        self
    }

    /// The maximum size of a request body in bytes; a larger one is refused with 413. Default: 4 GiB.
    ///
    /// A JSON body is limited to 4 MiB in any case.
    pub fn max_body_bytes(mut self, bytes: u64) -> Self {
        self.settings.max_body_bytes = bytes;
        self
    }

    /// A directory in which datasets and models survive a restart. Default: none, the state ends with the server.
    ///
    /// It is created if it does not exist. Two servers must not use it at the same time.
    pub fn state_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(directory.into());
        self
    }

    /// The scenario to start with. Default: [`Scenario::Normal`].
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.scenario = scenario;
        self
    }

    /// Starts the server. It runs in a thread of its own, so it responds even while the caller's runtime is blocked.
    ///
    /// # Errors
    ///
    /// The port is in use; the state directory cannot be used, or its file is not a state of the mock server, in which
    /// case the file is left unchanged; the start time or the time scale is out of range.
    #[expect(clippy::unused_async, reason = "leaves room for a start that waits, without a change for users")]
    pub async fn start(self) -> io::Result<MockServer> {
        self.start_blocking()
    }

    /// Like [`MockServerBuilder::start`], for tests without a runtime.
    ///
    /// # Errors
    ///
    /// Those of [`MockServerBuilder::start`].
    pub fn start_blocking(self) -> io::Result<MockServer> {
        if !self.time_scale.is_finite() || self.time_scale < 0.0 {
            let text = format!("the time scale must be a number from 0, not {}", self.time_scale);
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        let start = match self.start_time {
            Some(time) => Timestamp::try_from(time).map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?,
            None => DEFAULT_START,
        };
        let (file, state) = self.state_dir.as_deref().map(StateFile::open).transpose()?.unzip();
        let state = state.flatten().unwrap_or_else(|| State::demo(self.settings.training_time, start));
        let start = state.now.map_or(start, |stored| start.max(stored));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port))?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Shared {
            service: Service {
                store: Store::new(state, file, Clock::new(start, self.time_scale)),
                scenario: ScenarioState::new(self.scenario.clone()),
                limiter: ImageLimiter::new(self.generation_time),
                links: Links::new(url.clone()),
                settings: self.settings,
            },
            started: Timestamp::now(),
            recorder: Recorder::default(),
            deliveries: Deliveries::default(),
        };
        MockServer::serve(listener, url, Arc::new(shared))
    }
}
