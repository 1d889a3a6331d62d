//! `batch` that is killed or interrupted: what is paid, what is printed, and how a later run continues.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use ideogram_mock::{MockServer, Scenario};
#[cfg(unix)]
use rustix::process::{Pid, kill_process, kill_process_group};

#[cfg(unix)]
use crate::interrupt::Signal;
use crate::invocation::{ideogram, serve};

/// How long the server takes to make images: long enough to be killed meanwhile.
const MAKING_TIME: Duration = Duration::from_millis(30);
const ROWS: usize = 12;
/// How often each batch is killed.
const KILLS: u64 = 6;

/// A number from the environment.
pub(crate) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// How often the server ran each prompt. What it answers with 429 it does not run.
fn paid(server: &MockServer) -> BTreeMap<String, usize> {
    let mut paid = BTreeMap::new();
    for request in server.requests().iter().filter(|request| request.status != Some(429)) {
        let part = request.parts.iter().find(|part| part.name.ends_with("prompt")).and_then(|part| part.text.clone());
        // Of the legacy model, whose requests are JSON.
        let body = || serde_json::from_slice::<serde_json::Value>(&request.body).ok();
        let member = || Some(body()?["image_request"]["prompt"].as_str()?.to_owned());
        if let Some(prompt) = part.or_else(member) {
            *paid.entry(prompt).or_default() += 1;
        }
    }
    paid
}

fn rows(folder: &Path) {
    let rows: String = (0..ROWS).map(|n| format!("{{\"prompt\":\"prompt {n}\",\"id\":\"row{n}\"}}\n")).collect();
    fs::write(folder.join("rows.jsonl"), rows).unwrap();
}

fn command(folder: &Path, server: &MockServer, more: &[&str]) -> Command {
    let arguments = ["batch", "rows.jsonl", "--out", "out", "--max-in-flight", "3"];
    let run = ideogram(arguments.into_iter().chain(more.iter().copied()));
    run.env("XDG_STATE_HOME", folder.join("state").to_str().unwrap()).against(server).in_folder(folder).into_command()
}

fn start(folder: &Path, server: &MockServer) -> Child {
    command(folder, server, &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn finish(folder: &Path, server: &MockServer, more: &[&str]) -> (Option<i32>, String) {
    let output = command(folder, server, more).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Kills a command, or its whole process group, as `timeout` and CI services do.
#[cfg(unix)]
fn kill(mut child: Child, group: bool) {
    if group {
        kill_process_group(Pid::from_child(&child), Signal::KILL).unwrap();
    } else {
        child.kill().unwrap();
    }
    child.wait().unwrap();
}

#[cfg(unix)]
#[test]
fn a_batch_that_is_killed_at_any_time_pays_for_no_prompt_twice_and_leaves_no_row_of_unknown_outcome() {
    use std::os::unix::process::CommandExt as _;

    let seed = 20_261_123;
    for round in 0..number("IDEOGRAM_HOSTILE_RUNS", 24).div_ceil(KILLS) {
        let folder = tempfile::tempdir().unwrap();
        rows(folder.path());
        // Rows of one round in four do not run as jobs: then the worker waits for their images.
        let model: &[&str] = if round % 4 == 3 { &["--model", "legacy"] } else { &[] };
        let server = serve(MockServer::builder().generation_time(MAKING_TIME));
        let out = folder.path().join("out");
        let mut random = fastrand::Rng::with_seed(seed + round);

        for nth in 0..KILLS {
            let mut command = command(folder.path(), &server, model);
            let child =
                command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            // From before the first line to the middle of the run; later kills come later, so that the run makes progress.
            let most = 40 + 60 * nth * (1 + round % 4);
            thread::sleep(Duration::from_millis(random.u64(5..most)));
            kill(child.unwrap(), random.bool());
        }
        let (code, stderr) = finish(folder.path(), &server, model);

        let story = format!("round {round}\n{stderr}\n{:?}", paid(&server));
        assert_eq!(code, Some(0), "{story}");
        assert!(paid(&server).len() == ROWS && paid(&server).values().all(|times| *times == 1), "{story}");
        let names = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let is_image = |name: &String| Path::new(name).extension().is_some_and(|extension| extension == "png");
        let images: BTreeSet<_> = names.filter(is_image).collect();
        assert_eq!(images, (0..ROWS).map(|n| format!("row{n}.png")).collect(), "each once\n{story}");
    }
}

#[test]
fn a_batch_that_is_killed_while_it_waits_is_finished_without_a_row_of_unknown_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..20).map(|n| format!("{{\"prompt\":\"prompt {n}\",\"id\":\"row{n}\"}}\n")).collect();
    fs::write(folder.path().join("rows.jsonl"), rows).unwrap();
    let server = serve(MockServer::builder().generation_time(Duration::from_millis(600)));
    let out = folder.path().join("out");
    // Three are in flight at a time: when the journal has their ids, nothing else is sent until one of them has ended.
    for accepted in [3, 9] {
        let mut child = start(folder.path(), &server);
        let deadline = Instant::now() + Duration::from_secs(30);
        let ids = || fs::read_to_string(out.join("batch.jsonl")).unwrap_or_default().matches("{\"accepted\"").count();
        while ids() < accepted {
            assert!(Instant::now() < deadline, "{} of {accepted} rows were accepted", ids());
            thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    let (code, stderr) = finish(folder.path(), &server, &[]);

    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("still running at the service, from an earlier run"), "{stderr}");
    assert!(paid(&server).len() == 20 && paid(&server).values().all(|times| *times == 1), "{:?}", paid(&server));
    assert_eq!((0..20).filter(|n| out.join(format!("row{n}.png")).is_file()).count(), 20);
}

#[cfg(unix)]
#[test]
fn after_a_kill_nothing_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rows.jsonl"), "{\"prompt\":\"a lantern\"}\n").unwrap();
    let server = serve(MockServer::builder());
    server.set_scenario(Scenario::RateLimitedOnce { retry_after: Some(Duration::from_secs(3)) });

    let child = start(folder.path(), &server);
    while server.requests().is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    kill(child, false);
    let sent = server.requests().len();
    // The backoff is shorter.
    thread::sleep(Duration::from_secs(5));

    assert_eq!(server.requests().len(), sent);
    let journal = fs::read_to_string(folder.path().join("out/batch.jsonl")).unwrap();
    assert!(journal.contains("the command ended before it was sent"), "{journal}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_batch_whose_worker_is_killed_says_so() {
    let folder = tempfile::tempdir().unwrap();
    rows(folder.path());
    let server = serve(MockServer::builder().generation_time(Duration::from_secs(20)));
    let mut command = command(folder.path(), &server, &[]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while paid(&server).is_empty() {
        thread::sleep(Duration::from_millis(5));
    }

    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
    let worker = Pid::from_raw(children.trim().parse().unwrap()).unwrap();
    kill_process(worker, Signal::KILL).unwrap();
    let output = child.wait_with_output().unwrap();

    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(10), "{stderr}");
    assert!(stderr.contains("signal 9 ended its process"), "{stderr}");
    assert!(stderr.contains("run the same command again; no row is paid twice: ideogram batch rows.jsonl"), "{stderr}");
}

#[cfg(unix)]
mod interrupted {
    use super::*;
    use crate::interrupt::{SIGNALS, signal};

    /// Waits until the server has received a prompt.
    fn wait_for_a_row(server: &MockServer) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while paid(server).is_empty() {
            assert!(Instant::now() < deadline, "no row was sent");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn after_a_signal_rows_in_flight_are_finished_and_no_more_are_sent() {
        for (by, name, exit) in SIGNALS {
            let folder = tempfile::tempdir().unwrap();
            rows(folder.path());
            let server = serve(MockServer::builder().generation_time(Duration::from_millis(400)));

            let mut command = command(folder.path(), &server, &[]);
            let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            wait_for_a_row(&server);
            // `timeout` sends it twice.
            signal(&child, by);
            signal(&child, by);
            let output = child.wait_with_output().unwrap();

            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(exit), "{stderr}");
            assert!(stderr.contains("no more rows are sent; waiting for"), "{stderr}");
            assert!(stderr.contains(&format!("({name} again abandons them)")), "{stderr}");
            let sent = paid(&server).len();
            assert!(sent <= 3, "at most as many as may be in flight: {sent}");
            assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), sent, "all are saved\n{stderr}");
            let (code, stderr) = finish(folder.path(), &server, &[]);
            assert_eq!(code, Some(0), "{stderr}");
            assert!(paid(&server).values().all(|times| *times == 1));
        }
    }

    #[test]
    fn a_signal_ends_rows_that_wait_for_a_retry_and_they_are_not_of_unknown_outcome() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rows.jsonl"), "{\"prompt\":\"rate limited\"}\n").unwrap();
        let server = serve(MockServer::builder());
        let child = command(folder.path(), &server, &[]).stderr(Stdio::piped()).spawn().unwrap();
        while server.requests().is_empty() {
            thread::sleep(Duration::from_millis(5));
        }

        signal(&child, Signal::INT);
        let output = child.wait_with_output().unwrap();

        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        assert!(!stderr.contains("billed"), "{stderr}");
        fs::write(folder.path().join("rows.jsonl"), "{\"prompt\":\"rate limited\"}\n{\"prompt\":\"a\"}\n").unwrap();
        let (_, stderr) = finish(folder.path(), &server, &[]);
        assert!(!stderr.contains("unknown"), "{stderr}");
    }

    #[test]
    fn the_second_signal_abandons_rows_and_lists_them() {
        let stderr = signalled_twice(&[]);

        assert!(stderr.starts_with("no more rows are sent; waiting for"), "{stderr}");
        assert!(stderr.contains("runs on as the generation "), "{stderr}");
        assert!(stderr.contains("run the same command again to continue; no row is paid twice"), "{stderr}");
        assert!(!stderr.contains("--rerun-unknown"), "{stderr}");
    }

    #[test]
    fn the_second_signal_abandons_rows_that_are_no_jobs_and_lists_them() {
        let stderr = signalled_twice(&["--model", "legacy"]);

        assert!(stderr.contains("was in flight: it may be billed"), "{stderr}");
        assert!(stderr.contains("--rerun-unknown"), "{stderr}");
    }

    /// Runs a batch until it has sent a row, signals twice, and returns the messages.
    fn signalled_twice(more: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        rows(folder.path());
        let server = serve(MockServer::builder().generation_time(Duration::from_secs(20)));

        let mut command = command(folder.path(), &server, more);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut pipe = std::io::BufReader::new(child.stderr.take().unwrap());
        wait_for_a_row(&server);
        signal(&child, Signal::INT);
        let mut stderr = String::new();
        std::io::BufRead::read_line(&mut pipe, &mut stderr).unwrap();
        // An earlier one would count as the same signal.
        thread::sleep(Duration::from_millis(600));
        signal(&child, Signal::TERM);
        std::io::Read::read_to_string(&mut pipe, &mut stderr).unwrap();

        assert_eq!(child.wait().unwrap().code(), Some(143), "{stderr}");
        stderr
    }
}
