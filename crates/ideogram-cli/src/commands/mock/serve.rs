//! `ideogram mock serve`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::settings::{Settings, inspector};
use crate::{
    exit::Exit, failure::Failure, output::Output, output::layout::Layout, output::printable::shell_word, output::units,
    session::interrupt::Interrupt,
};

/// How long a training takes in service time.
const TRAINING_SECONDS: f64 = 90.0 * 60.0;

/// Run a mock server of the API on this machine until Ctrl-C
///
/// It stores datasets and models, accepts uploads and trains models as the service does, and bills nothing. It starts
/// with the dataset `demo` and the models trained from it. Its address goes to standard output; the variables to set, and
/// the address of a page with all requests and the state, to standard error. Other machines cannot reach it.
///
/// For the tests of a project in any language, `ideogram mock run` starts and stops it.
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
    #[command(flatten)]
    settings: Settings,
}

impl Serve {
    pub(super) async fn run(&self, output: &Output, interrupt: &Interrupt) -> Result<(), Failure> {
        // From now on: a signal may arrive as soon as the address is printed.
        let interrupted = interrupt.gracefully();

        let server = self.settings.start().await?;

        let url = server.url();
        let (api_key, inspector) = (&self.settings.api_key, inspector(&server));
        let result = json!({"url": url, "api_key": api_key, "inspector": inspector});
        output.result(&result, &Layout::new().line(url))?;
        output.note(&format!(
            "serving until Ctrl-C; in another terminal:\n\
             \x20 export IDEOGRAM_BASE_URL={url}\n\
             \x20 export IDEOGRAM_API_KEY={}\n\
             \x20 ideogram datasets get demo\n\
             requests and state, in a browser: {inspector}",
            shell_word(api_key)
        ));

        if let Some(note) = self.training_note() {
            output.note(&note);
        }

        interrupted.signalled().await;
        server.stop().await.map_err(|error| Failure::internal("the mock server failed").because(&error))
    }

    /// The real time of a training, with `--time-scale`.
    fn training_note(&self) -> Option<String> {
        let training = Duration::try_from_secs_f64(TRAINING_SECONDS / self.settings.time_scale).ok()?;
        (self.settings.time_scale > 1.0).then(|| format!("a training takes {} here", units::duration(training)))
    }
}
