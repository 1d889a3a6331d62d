//! The settings of a mock server, for the commands that run one.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use clap::Args;
use ideogram_client::ApiKey;
use ideogram_mock::{MOCK_API_KEY, MockServer};

use crate::{commands::values::seconds, failure::Failure};

/// The settings of a mock server.
#[derive(Debug, Args)]
pub(super) struct Settings {
    /// The port to listen on; 0 for any free port
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// How many seconds of the service pass in a real second; 1 is real time
    ///
    /// A training takes 90 minutes of the service: 3 seconds with 1800.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = time_scale)]
    pub(super) time_scale: f64,

    /// How many seconds of the service a job takes until it has its images
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = |text: &str| seconds(text, 0.0))]
    job_time: Duration,

    /// How many real seconds a call takes that makes images; at most 10 images are in flight at once
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = |text: &str| seconds(text, 0.0))]
    generation_time: Duration,

    /// A folder for datasets and models [default: they are stored in memory only]
    ///
    /// It is created if it does not exist. Two servers must not share it.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,

    /// The key that the server accepts; not a real one
    #[arg(long, value_name = "KEY", default_value = MOCK_API_KEY, value_parser = api_key)]
    pub(super) api_key: String,
}

impl Settings {
    pub(super) async fn start(&self) -> Result<MockServer, Failure> {
        let mut builder = MockServer::builder()
            .port(self.port)
            .api_key(&self.api_key)
            .start_time(SystemTime::now())
            .time_scale(self.time_scale)
            .job_time(self.job_time)
            .generation_time(self.generation_time);
        if let Some(directory) = &self.state_dir {
            builder = builder.state_dir(directory);
        }
        builder.start().await.map_err(|error| self.cannot_start(&error))
    }

    fn cannot_start(&self, error: &std::io::Error) -> Failure {
        let failure = Failure::internal("cannot start the mock server").because(error);
        match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                failure.hint(format!("port {} is in use; use --port 0 for any free port", self.port))
            }
            _ => failure,
        }
    }
}

/// The address of the page that shows the state of a server.
pub(super) fn inspector(server: &MockServer) -> String {
    format!("{}/__mock", server.url())
}

fn time_scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if scale.is_finite() && scale > 0.0 => Ok(scale),
        Ok(_) => Err("not a number above 0".to_owned()),
        Err(_) => Err("not a number".to_owned()),
    }
}

fn api_key(text: &str) -> Result<String, String> {
    ApiKey::new(text).map_err(|error| error.to_string())?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_scale_is_a_number_above_zero() {
        assert_eq!(time_scale("1800"), Ok(1800.0));
        for text in ["0", "-1", "inf", "NaN", "", "fast", "1e999"] {
            assert!(time_scale(text).is_err(), "{text}");
        }
    }
}
