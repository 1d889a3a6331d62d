//! `mock run`: another program runs against a mock server.

use std::net::TcpStream;

use crate::invocation::{ideogram, snapshot};

const IDEOGRAM: &str = env!("CARGO_BIN_EXE_ideogram");

#[test]
fn the_command_finds_the_server_and_its_output_is_untouched() {
    let ran = ideogram(["mock", "run", "--", IDEOGRAM, "datasets", "list", "--jq", ".datasets[].name"]).run();

    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(0), "Paper lanterns (demo)\n"), "{ran}");
    assert!(ran.stderr().starts_with("mock server at http://127.0.0.1:"), "{ran}");
    assert!(ran.stderr().contains("/__mock\n"), "{ran}");
}

#[test]
fn the_exit_code_of_the_command_is_returned() {
    let ran = ideogram(["mock", "run", "-q", "--", IDEOGRAM, "datasets", "get", "missing"]).run();

    assert_eq!(ran.code(), Some(5), "{ran}");
    assert!(ran.stderr().starts_with("error: "), "{ran}");
}

#[test]
fn a_command_that_does_not_exist_is_refused() {
    let ran = ideogram(["mock", "run", "-q", "--", "/missing/pytest"]).run();
    assert_eq!(ran.code(), Some(2), "{ran}");
    assert!(ran.stderr().starts_with("error: cannot run `/missing/pytest`\n"), "{ran}");
    snapshot!(ideogram(["mock", "run", "pytest"]).run(), @"
    exit code: 2
    ----- stderr -----
    error: unexpected argument 'pytest' found

    Usage: ideogram mock run [OPTIONS] -- <COMMAND>...

    For more information, try '--help'.
    ");
}

#[test]
fn options_of_calls_are_refused() {
    let ran = ideogram(["--mock", "mock", "run", "--", IDEOGRAM, "--version"]).run();

    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(2), ""), "{ran}");
}

#[cfg(unix)]
mod unix {
    use std::{
        io::{BufRead as _, BufReader, Read as _},
        process::Stdio,
    };

    use super::*;
    use crate::interrupt::SIGNALS;

    #[test]
    fn the_environment_has_address_and_key_and_no_proxy() {
        let script = "echo $IDEOGRAM_BASE_URL; echo $IDEOGRAM_API_KEY $NO_PROXY $no_proxy; exit 7";
        let run = ideogram(["mock", "run", "-q", "--api-key", "my-key", "--", "/bin/sh", "-c", script]);

        let ran = run.env("NO_PROXY", "example.com").env("IDEOGRAM_BASE_URL", "http://127.0.0.1:1").run();

        let stdout = ran.stdout();
        let (url, rest) = stdout.split_once('\n').unwrap();
        assert_eq!((ran.code(), rest), (Some(7), "my-key example.com,127.0.0.1 127.0.0.1\n"), "{ran}");
        assert!(url != "http://127.0.0.1:1", "{url}");
        assert!(TcpStream::connect(url.strip_prefix("http://").unwrap()).is_err(), "the server has ended");
    }

    #[test]
    fn a_signal_that_ends_the_command_is_in_the_exit_code() {
        for (signal, code) in [("TERM", 143), ("KILL", 137), ("INT", 130)] {
            let script = format!("kill -{signal} $$");
            let ran = ideogram(["mock", "run", "-q", "--", "/bin/sh", "-c", &script]).run();

            assert_eq!((ran.code(), ran.stderr().as_str()), (Some(code), ""), "{signal}: {ran}");
        }
    }

    #[test]
    fn signals_are_passed_on_and_the_command_decides_whether_it_ends() {
        let script = "trap 'echo first; trap \"echo second; exit 5\" INT TERM HUP' INT TERM HUP
                      echo ready; while :; do sleep 0.02; done";
        for (by, name, _) in SIGNALS {
            let run = ideogram(["mock", "run", "-q", "--", "/bin/sh", "-c", script]).env("PATH", "/usr/bin:/bin");
            let mut command = run.into_command();
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let mut stdout = BufReader::new(child.stdout.take().unwrap());
            let mut lines = Vec::new();
            for _ in 0..3 {
                let mut line = String::new();
                stdout.read_line(&mut line).unwrap();
                lines.push(line);
                if lines.len() < 3 {
                    crate::interrupt::signal(&child, by);
                    // Signals that follow at once count as one.
                    std::thread::sleep(std::time::Duration::from_millis(600));
                }
            }
            let mut stderr = String::new();
            child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();

            let code = child.wait().unwrap().code();
            assert_eq!(lines, ["ready\n", "first\n", "second\n"], "{name}");
            assert_eq!((code, stderr.as_str()), (Some(5), ""), "{name}");
        }
    }
}
