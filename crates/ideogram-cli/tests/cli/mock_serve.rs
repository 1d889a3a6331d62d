//! `mock serve`, as a process that other processes talk to.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStdout, Stdio},
};

use tempfile::TempDir;

use crate::invocation::{ideogram, snapshot};

/// A running server; it is killed when the test ends.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    url: String,
}

impl Server {
    fn start<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut command = ideogram(["mock", "serve"].into_iter().chain(arguments)).into_command();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        stdout.read_line(&mut url).unwrap();
        Self { child, stdout, url: url.trim().to_owned() }
    }

    /// Sends a signal, and returns the exit code and what else was printed.
    #[cfg(unix)]
    fn end(&mut self, signal: crate::interrupt::Signal) -> (Option<i32>, String, String) {
        crate::interrupt::signal(&self.child, signal);
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stdout, stderr)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn another_process_uses_the_server() {
    let server = Server::start([]);

    let create = ideogram(["datasets", "create", "kept"]).env("IDEOGRAM_BASE_URL", &server.url);
    let created = create.env("IDEOGRAM_API_KEY", "mock-api-key").run();
    let list = ideogram(["--output", "json", "datasets", "list"]).env("IDEOGRAM_BASE_URL", &server.url);
    let listed = list.env("IDEOGRAM_API_KEY", "mock-api-key").run();

    assert_eq!(created.code(), Some(0), "{}", created.stderr());
    assert_eq!(listed.json()["datasets"][1]["name"], "kept");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_server_well_as_soon_as_its_address_is_known() {
    for (signal, name, _) in crate::interrupt::SIGNALS {
        let mut server = Server::start([]);

        let (code, stdout, stderr) = server.end(signal);

        assert_eq!((code, stdout.as_str()), (Some(0), ""), "{name}");
        let shown = stderr.replace(&server.url, "[URL]");
        insta::allow_duplicates! {
            insta::assert_snapshot!(shown, @"
            serving until Ctrl-C; in another terminal:
              export IDEOGRAM_BASE_URL=[URL]
              export IDEOGRAM_API_KEY=mock-api-key
              ideogram datasets get demo
            requests and state, in a browser: [URL]/__mock
            ");
        }
    }
}

#[test]
fn the_address_is_json_when_requested() {
    let mut server = Server::start(["--output", "json", "--quiet", "--api-key", r#"a"b"#]);
    server.child.kill().unwrap();
    let mut rest = String::new();
    server.stdout.read_to_string(&mut rest).unwrap();

    let shown: serde_json::Value = serde_json::from_str(&format!("{}{rest}", server.url)).unwrap();

    assert!(shown["url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert_eq!(shown["api_key"], r#"a"b"#);
    assert_eq!(shown["inspector"], format!("{}/__mock", shown["url"].as_str().unwrap()));
}

#[test]
fn a_state_folder_survives_a_restart() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let arguments = ["--state-dir", state.to_str().unwrap(), "--api-key", "my-key"];
    let against = |server: &Server, arguments: [&str; 3]| {
        ideogram(arguments).env("IDEOGRAM_BASE_URL", &server.url).env("IDEOGRAM_API_KEY", "my-key").run()
    };

    let first = Server::start(arguments);
    against(&first, ["datasets", "create", "kept"]);
    drop(first);
    let second = Server::start(arguments);
    let listed = against(&second, ["datasets", "list", "-q"]);

    assert!(listed.stdout().contains("kept"), "{}", listed.stdout());
}

#[test]
fn a_port_in_use_is_refused_with_a_hint() {
    let server = Server::start([]);
    let port = server.url.rsplit(':').next().unwrap();

    let ran = ideogram(["mock", "serve", "--port", port]).run();

    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(1), ""));
    assert!(ran.stderr().contains("use --port 0 for any free port"), "{}", ran.stderr());
}

#[test]
fn a_time_scale_without_sense_is_refused() {
    for scale in ["0", "-1", "NaN", "inf", "fast"] {
        let ran = ideogram(["mock", "serve", &format!("--time-scale={scale}")]).run();

        assert_eq!((ran.code(), ran.stdout().as_str()), (Some(2), ""), "{scale}");
    }
    snapshot!(ideogram(["mock", "serve", "--time-scale", "0"]).run(), @"
    exit code: 2
    ----- stderr -----
    error: invalid value '0' for '--time-scale <FACTOR>': not a number above 0

    For more information, try '--help'.
    ");
}

#[test]
fn a_job_takes_its_time() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(["--job-time", "3600"]);
    let call = |arguments: &[&str]| {
        let run = ideogram(["api"].into_iter().chain(arguments.iter().copied())).env("IDEOGRAM_BASE_URL", &server.url);
        run.env("IDEOGRAM_API_KEY", "mock-api-key").at_home(folder.path()).run()
    };

    let job = call(&["post_generate_image_v2_ideogram45", "--prompt=a cat", "--job", "--jq=.generation_id"]);
    let state = call(&["get_generation_v2", "--generation-id", job.stdout().trim()]);

    assert_eq!(job.code(), Some(0), "{job}");
    assert_ne!(state.json()["status"], "completed", "{state}");
}

#[test]
fn a_call_takes_its_time() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(["--generation-time", "60"]);

    let run = ideogram(["api", "post_generate_image_v2_ideogram45", "--prompt=a cat", "--timeout=0.5", "--attempts=1"]);
    let run = run.env("IDEOGRAM_BASE_URL", &server.url).env("IDEOGRAM_API_KEY", "mock-api-key");
    let ran = run.at_home(folder.path()).run();

    assert_eq!(ran.code(), Some(10), "{ran}");
}
