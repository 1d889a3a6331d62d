//! Programs of the workspace that tasks run, and servers on this machine.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use crate::{built_program, cargo};

/// The API key for local servers; it is not a real key.
pub(crate) const KEY: &str = "contract-key";

/// Starts the mock server.
pub(crate) fn serve(program: &Path) -> Result<Server> {
    Server::start(Command::new(program).args(["mock", "serve", "--api-key", KEY]).stderr(Stdio::null()))
}

/// Builds a program, selected by options of cargo, and returns its path.
pub(crate) fn build(root: &Path, selection: &[&str], name: &str) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--quiet", "--message-format=json-render-diagnostics"]).args(selection);
    let output = command.current_dir(root).stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    ensure!(output.status.success(), "`cargo build {}` fails", selection.join(" "));
    let program = built_program(&output.stdout, name);
    program.with_context(|| format!("`cargo build {}` built no program", selection.join(" ")))
}

/// A local server; dropping it stops it.
pub(crate) struct Server {
    process: Child,
    url: String,
    /// Kept open: a server that prints to a closed pipe may end.
    output: BufReader<ChildStdout>,
}

impl Server {
    /// Starts a program whose first line of output is its URL.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut process = process.with_context(|| format!("cannot start `{program}`"))?;
        let output = process.stdout.take().map(BufReader::new).expect("standard output is a pipe");
        let mut server = Self { process, url: String::new(), output };
        server.output.read_line(&mut server.url).with_context(|| format!("cannot read the output of `{program}`"))?;
        server.url.truncate(server.url.trim_end().len());
        ensure!(server.url.starts_with("http://"), "`{program}` has ended or did not print its URL: {:?}", server.url);
        Ok(server)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
