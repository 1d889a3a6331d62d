//! `ideogram mock serve`.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use clap::Args;
use ideogram_client::ApiKey;
use ideogram_mock::{MOCK_API_KEY, MockServer};
use serde_json::json;

use crate::{
    exit::Exit, failure::Failure, output::Output, output::layout::Layout, output::printable::shell_word, output::units,
    session::interrupt::Interrupt,
};

/// How long a training takes in service time.
const TRAINING_SECONDS: f64 = 90.0 * 60.0;

/// The longest time of a job or a call: a day.
const MAX_SECONDS: f64 = 86_400.0;

/// Run a mock server of the API on this machine until Ctrl-C
///
/// It stores datasets and models, accepts uploads and trains models as the service does, and bills nothing. It starts
/// with the dataset `demo` and the models trained from it. Its address goes to standard output; the variables to set, to
/// standard error. Other machines cannot reach it.
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  ideogram mock serve --port 8080
  ideogram mock serve --time-scale 1800    a training of 90 minutes takes 3 seconds
  ideogram mock serve --job-time 10        a job runs for 10 seconds
  ideogram mock serve --state-dir mock     goes on where it stopped

Words in a prompt that provoke an exit code, also with --mock:
{}  hanging               the job never ends
  errored               the job fails, and is not billed; in the name of a model, its training fails

For example: ideogram --mock generate \"a fox, no balance\"", Exit::rehearsals()))]
pub(crate) struct Serve {
    /// The port to listen on; 0 for any free port
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// How many seconds of the service pass in a real second; 1 is real time
    ///
    /// A training takes 90 minutes of the service: 3 seconds with 1800.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = time_scale)]
    time_scale: f64,

    /// How many seconds of the service a job takes until it has its images
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    job_time: Duration,

    /// How many real seconds a call takes that makes images; at most 10 images are in flight at once
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    generation_time: Duration,

    /// A folder for datasets and models [default: they are stored in memory only]
    ///
    /// It is created if it does not exist. Two servers must not share it.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,

    /// The key that the server accepts; not a real one
    #[arg(long, value_name = "KEY", default_value = MOCK_API_KEY, value_parser = api_key)]
    api_key: String,
}

impl Serve {
    pub(super) async fn run(&self, output: &Output, interrupt: &Interrupt) -> Result<(), Failure> {
        // From now on: a signal may arrive as soon as the address is printed.
        let interrupted = interrupt.gracefully();

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
        let server = builder.start().await.map_err(|error| self.cannot_start(&error))?;

        let url = server.url();
        output.result(&json!({"url": url, "api_key": self.api_key}), &Layout::new().line(url))?;
        output.note(&format!(
            "serving until Ctrl-C; in another terminal:\n\
             \x20 export IDEOGRAM_BASE_URL={url}\n\
             \x20 export IDEOGRAM_API_KEY={}\n\
             \x20 ideogram datasets get demo",
            shell_word(&self.api_key)
        ));

        if let Some(remark) = self.training_note() {
            output.note(&remark);
        }

        interrupted.signalled().await;
        server.stop().await.map_err(|error| Failure::internal("the mock server failed").because(&error))
    }

    /// The real time of a training, with `--time-scale`.
    fn training_note(&self) -> Option<String> {
        let training = Duration::try_from_secs_f64(TRAINING_SECONDS / self.time_scale).ok()?;
        (self.time_scale > 1.0).then(|| format!("a training takes {} here", units::duration(training)))
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

fn time_scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if scale.is_finite() && scale > 0.0 => Ok(scale),
        Ok(_) => Err("not a number above 0".to_owned()),
        Err(_) => Err("not a number".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if !(0.0..=MAX_SECONDS).contains(&seconds) {
        return Err(format!("not from 0 to {MAX_SECONDS} seconds"));
    }
    Ok(Duration::from_secs_f64(seconds))
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

    #[test]
    fn the_time_of_a_job_is_at_most_a_day() {
        assert_eq!(seconds("0"), Ok(Duration::ZERO));
        assert_eq!(seconds("2.5"), Ok(Duration::from_millis(2500)));
        for text in ["-1", "86401", "inf", "NaN", "", "10s"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
