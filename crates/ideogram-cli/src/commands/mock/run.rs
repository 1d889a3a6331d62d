//! `ideogram mock run`.

use std::{
    env,
    ffi::{OsStr, OsString},
    process::{ExitCode, ExitStatus},
};

use clap::Args;
use ideogram_mock::MockServer;
use tokio::{
    process::{Child, Command},
    select,
};

use super::settings::{Settings, inspector};
use crate::{
    failure::Failure,
    output::Output,
    output::printable::printable,
    session::{interrupt::Interrupt, signals::Signal},
};

/// Run a command against a mock server, such as the tests of a project in any language
///
/// The server runs as long as the command. The command finds its address in IDEOGRAM_BASE_URL and its key in
/// IDEOGRAM_API_KEY; NO_PROXY keeps the calls on this machine. Signals are passed on, and the exit code is that of the
/// command: 128 plus the number of the signal if a signal ended it.
///
/// The command controls the server with JSON below IDEOGRAM_BASE_URL: GET /__mock/state returns all requests and the
/// state, POST /__mock/scenarios makes calls fail, POST /__mock/time advances trainings.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "help is plain text")]
#[command(after_help = "\
Examples:
  ideogram mock run -- pytest
  ideogram mock run -- npm test
  ideogram mock run --time-scale 1800 -- ./train.sh    a training of 90 minutes takes 3 seconds
  ideogram mock run -- sh -c 'API_URL=$IDEOGRAM_BASE_URL exec ./test.sh'")]
pub(crate) struct Run {
    #[command(flatten)]
    settings: Settings,

    /// The command to run with its arguments, after `--`
    #[arg(value_name = "COMMAND", required = true, last = true)]
    command: Vec<OsString>,
}

impl Run {
    pub(super) async fn run(&self, output: &Output, interrupt: &Interrupt) -> Result<ExitCode, Failure> {
        let server = self.settings.start().await?;
        output.note(&format!("mock server at {}; requests and state: {}", server.url(), inspector(&server)));
        let mut child = self.start(&server)?;
        let status = loop {
            // Each signal is the child's: it decides whether to end.
            let interrupted = interrupt.gracefully();
            select! {
                status = child.wait() => break status,
                signal = interrupted.signalled() => pass_on(&child, signal),
            }
        };
        let status = status.map_err(|error| Failure::internal("cannot wait for the command").because(&error))?;
        Ok(code_of(status))
    }

    fn start(&self, server: &MockServer) -> Result<Child, Failure> {
        // Where SIGCHLD is ignored, the exit code of a child is lost.
        #[cfg(unix)]
        drop(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::child()));
        let (program, arguments) = self.command.split_first().expect("clap requires a command");
        let mut command = Command::new(program);
        command.args(arguments).env("IDEOGRAM_BASE_URL", server.url()).env("IDEOGRAM_API_KEY", server.api_key());
        for name in ["NO_PROXY", "no_proxy"] {
            command.env(name, without_proxy(env::var_os(name)));
        }
        command.spawn().map_err(|error| {
            let failure = Failure::usage(format!("cannot run `{}`", printable(&program.to_string_lossy())));
            let failure = failure.because(&error);
            if cfg!(windows) {
                failure.hint(
                    "a script, such as that of npm, is started with `cmd /c`: ideogram mock run -- cmd /c npm test",
                )
            } else {
                failure
            }
        })
    }
}

/// The hosts that are reached without a proxy, with this machine, which a proxy cannot reach.
fn without_proxy(hosts: Option<OsString>) -> OsString {
    let mut hosts = hosts.unwrap_or_default();
    if !hosts.is_empty() {
        hosts.push(OsStr::new(","));
    }
    hosts.push("127.0.0.1");
    hosts
}

/// Sends a signal to the child, unless it has it already: a terminal sends Ctrl-C to all processes in its foreground.
#[cfg(unix)]
fn pass_on(child: &Child, signal: Signal) {
    use std::io::{self, IsTerminal as _};

    let has_terminal = io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal();
    if signal == Signal::Interrupt && has_terminal {
        return;
    }
    if let Some(id) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
        // If it has just ended, there is nobody to tell.
        let _ = rustix::process::kill_process(id, signal.as_unix());
    }
}

/// Windows sends its events to all processes of a console.
#[cfg(not(unix))]
fn pass_on(_: &Child, _: Signal) {}

fn code_of(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|signal| 128 + signal));
    // Windows has larger codes, also negative ones.
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_hosts_without_a_proxy_stay() {
        assert_eq!(without_proxy(None), "127.0.0.1");
        assert_eq!(without_proxy(Some("example.com".into())), "example.com,127.0.0.1");
    }
}
