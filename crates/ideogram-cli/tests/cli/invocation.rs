//! One run of the command, as a text to take a snapshot of.

use std::{
    fmt,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use ideogram_mock::{MockServer, MockServerBuilder};

/// Takes an inline snapshot of a run: exit code, standard output, standard error.
macro_rules! snapshot {
    ($run:expr, @$expected:literal) => {{
        let run = $run;
        insta::with_settings!({filters => crate::invocation::FILTERS.to_vec()}, {
            insta::assert_snapshot!(run, @$expected);
        });
    }};
}

pub(crate) use snapshot;

/// What differs from run to run, and from machine to machine.
pub(crate) const FILTERS: &[(&str, &str)] = &[
    (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
    (r"ideogram\.exe", "ideogram"),
    (r"\(os error \d+\)", "(os error [CODE])"),
    (r"\d{8}T\d{6}Z-post_(\w+)-[0-9a-f]{8}\.json", "[TIME]-post_$1.json"),
    (r"ideogram-\d{4}-\d{2}-\d{2}", "ideogram-[DAY]"),
    (r"(after|next poll in) \d+ s\b", "$1 [TIME]"),
];

/// Where the command finds no configuration, and may leave files.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/home");

/// A run to be: arguments and environment. Nothing of the test's own environment gets through.
pub(crate) struct Run(Command);

/// What a run left behind.
pub(crate) struct Ran(Output);

/// `ideogram` with these arguments, and neither key nor address.
pub(crate) fn ideogram<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ideogram"));
    command.env_clear().args(arguments).stdin(Stdio::null());
    // A home of the tests' own: neither configuration nor keyring of whoever runs them. Windows asks for `APPDATA`.
    command.env("HOME", HOME).env("APPDATA", HOME).env("LOCALAPPDATA", HOME).env("PATH", "");
    command.env("IDEOGRAM_MOCK_TIME", "2026-07-01T09:00:00Z");
    // Without it, Windows has no sockets.
    if let Some(root) = std::env::var_os("SystemRoot") {
        command.env("SystemRoot", root);
    }
    Run(command)
}

/// Starts a server in this process, so that a test sees what it was sent.
pub(crate) fn serve(builder: MockServerBuilder) -> MockServer {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(builder.start()).unwrap()
}

impl Run {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// Sets address and key of a server.
    pub(crate) fn against(self, server: &MockServer) -> Self {
        self.env("IDEOGRAM_BASE_URL", server.url()).env("IDEOGRAM_API_KEY", server.api_key())
    }

    /// Sets an address, and a key that is easily found again.
    pub(crate) fn at(self, url: &str) -> Self {
        self.env("IDEOGRAM_BASE_URL", url).env("IDEOGRAM_API_KEY", "secret-1234")
    }

    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Has a shell start it, such as one that sets a limit first: `"$0" "$@"` is the command.
    #[cfg(unix)]
    pub(crate) fn under_shell(self, script: &str) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.env_clear().arg("-c").arg(script).arg(self.0.get_program()).args(self.0.get_args());
        for (name, value) in self.0.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        if let Some(folder) = self.0.get_current_dir() {
            shell.current_dir(folder);
        }
        shell.stdin(Stdio::null());
        Self(shell)
    }

    /// Makes a folder the home, with configuration and kept files of its own.
    pub(crate) fn at_home(self, folder: &Path) -> Self {
        let home = folder.to_str().expect("temporary folders have names in UTF-8");
        self.env("HOME", home).env("APPDATA", home).env("LOCALAPPDATA", home)
    }

    /// Runs it with this on its standard input.
    pub(crate) fn run_with_input(mut self, input: impl AsRef<[u8]>) -> Ran {
        self.0.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.0.spawn().expect("the command was built");
        // It need not read all of it.
        let _ = child.stdin.take().expect("it is piped").write_all(input.as_ref());
        Ran(child.wait_with_output().expect("it ends"))
    }

    pub(crate) fn run(mut self) -> Ran {
        Ran(self.0.output().expect("the command was built"))
    }

    /// The command itself, for tests that talk to it while it runs.
    pub(crate) fn into_command(self) -> Command {
        self.0
    }
}

impl Ran {
    /// What a process left behind that a test has talked to.
    pub(crate) fn of(output: Output) -> Self {
        Self(output)
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    pub(crate) fn stdout(&self) -> String {
        text(&self.0.stdout)
    }

    pub(crate) fn stderr(&self) -> String {
        text(&self.0.stderr)
    }

    /// What stands in `{"error": ..}`, the last line of standard error with `--output json`.
    pub(crate) fn error(&self) -> serde_json::Value {
        let stderr = self.stderr();
        let line = stderr.lines().last().expect("standard error holds an error");
        serde_json::from_str::<serde_json::Value>(line).expect("the error is JSON")["error"].clone()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.0.stdout).expect("standard output holds JSON and nothing else")
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code().map_or_else(|| "none: ended by a signal".to_owned(), |code| code.to_string());
        write!(formatter, "exit code: {code}")?;
        for (name, bytes) in [("stdout", &self.0.stdout), ("stderr", &self.0.stderr)] {
            if !bytes.is_empty() {
                write!(formatter, "\n----- {name} -----\n{}", text(bytes).trim_end())?;
            }
        }
        Ok(())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the command prints UTF-8")
}
