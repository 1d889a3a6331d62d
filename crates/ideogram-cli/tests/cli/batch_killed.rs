//! `batch` that is killed or interrupted: what is paid, what is printed, and how a later run continues.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use ideogram_mock::MockServer;

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
    for request in server.requests() {
        let prompt = request.parts.iter().find(|part| part.name.ends_with("prompt")).and_then(|part| part.text.clone());
        if let (Some(prompt), true) = (prompt, request.status != Some(429)) {
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

/// Names of rows that the journal has begun and not ended, and of which no response is kept.
fn unknown_rows(out: &Path) -> BTreeSet<String> {
    let journal = fs::read_to_string(out.join("batch.jsonl")).unwrap_or_default();
    let mut open = BTreeMap::new();
    for line in journal.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()) {
        let row = |line: &serde_json::Value| line["row"].as_str().unwrap().to_owned();
        if let Some(begun) = line.get("begun") {
            open.insert(row(begun), begun["name"].as_str().unwrap().to_owned());
        }
        for end in ["finished", "failed"].into_iter().filter_map(|end| line.get(end)) {
            open.remove(&row(end));
        }
    }
    let is_kept = |row: &String| {
        let responses = fs::read_dir(out.join("responses").join(row));
        responses.is_ok_and(|mut responses| {
            responses.any(|response| response.unwrap().path().extension().is_some_and(|extension| extension == "json"))
        })
    };
    open.into_iter().filter(|(row, _)| !is_kept(row)).map(|(_, name)| name).collect()
}

#[test]
#[expect(clippy::print_stderr, reason = "the figure is read when it runs with IDEOGRAM_HOSTILE_RUNS=102")]
fn no_prompt_is_paid_twice_however_often_it_is_killed() {
    let seed = 20_261_123;
    let rounds = number("IDEOGRAM_HOSTILE_RUNS", 24).div_ceil(KILLS);
    let mut all_unknown = 0;
    for round in 0..rounds {
        let folder = tempfile::tempdir().unwrap();
        rows(folder.path());
        let server = serve(MockServer::builder().generation_time(MAKING_TIME));
        let out = folder.path().join("out");
        let mut random = fastrand::Rng::with_seed(seed + round);

        for kill in 0..KILLS {
            let mut child = start(folder.path(), &server);
            // From before the first line to the middle of the run; later kills come later, so that the run makes progress.
            let most = 40 + 60 * kill * (1 + round % 4);
            thread::sleep(Duration::from_millis(random.u64(5..most)));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        // The server finishes the images in flight, as the service would.
        thread::sleep(2 * MAKING_TIME);
        let unknown = unknown_rows(&out);
        all_unknown += unknown.len();
        let (code, stderr) = finish(folder.path(), &server, &["--output", "json"]);

        let story = format!("round {round}: {unknown:?}\n{stderr}");
        assert!(paid(&server).values().all(|times| *times == 1), "{story}\n{:?}", paid(&server));
        assert_eq!(code, Some(if unknown.is_empty() { 0 } else { 10 }), "{story}");
        for name in &unknown {
            let warning = format!("({name}) was in flight when an earlier run ended: it may be billed");
            assert!(stderr.contains(&warning), "{story}");
        }
        let saved = |out: &Path| (0..ROWS).filter(|n| out.join(format!("row{n}.png")).is_file()).count();
        assert_eq!(saved(&out), ROWS - unknown.len(), "{story}");

        let (code, stderr) = finish(folder.path(), &server, &["--rerun-unknown"]);
        assert_eq!((code, saved(&out)), (Some(0), ROWS), "round {round}\n{stderr}");
        assert!(paid(&server).iter().all(|(prompt, times)| {
            let name = prompt.replace("prompt ", "row");
            *times == 1 || *times == 2 && unknown.contains(&name)
        }));
        let extra = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let extra: Vec<_> = extra.filter(|name| name.ends_with("-2.png")).collect();
        assert!(extra.is_empty(), "an image was saved twice: {extra:?}");
    }
    // Those that were killed between the request and the response with the id of the job.
    let of_all = rounds * ROWS as u64;
    eprintln!("{} kills of {of_all} rows: the outcome of {all_unknown} is unknown", rounds * KILLS);
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
    assert!(stderr.contains("run on at the service: their images are fetched, which is free"), "{stderr}");
    assert!(paid(&server).len() == 20 && paid(&server).values().all(|times| *times == 1), "{:?}", paid(&server));
    assert_eq!((0..20).filter(|n| out.join(format!("row{n}.png")).is_file()).count(), 20);
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
        for (name, signal_name, exit) in SIGNALS {
            let folder = tempfile::tempdir().unwrap();
            rows(folder.path());
            let server = serve(MockServer::builder().generation_time(Duration::from_millis(400)));

            let mut command = command(folder.path(), &server, &[]);
            let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            wait_for_a_row(&server);
            // `timeout` sends it twice.
            signal(&child, name);
            signal(&child, name);
            let output = child.wait_with_output().unwrap();

            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(exit), "{stderr}");
            assert!(stderr.contains("no more rows are sent; waiting for"), "{stderr}");
            assert!(stderr.contains(&format!("({signal_name} again abandons them)")), "{stderr}");
            let sent = paid(&server).len();
            assert!(sent <= 3, "at most as many as may be in flight: {sent}");
            assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), sent, "all are saved\n{stderr}");
            let (code, stderr) = finish(folder.path(), &server, &[]);
            assert_eq!(code, Some(0), "{stderr}");
            assert!(paid(&server).values().all(|times| *times == 1));
        }
    }

    #[test]
    fn the_second_signal_abandons_rows_and_lists_them() {
        let folder = tempfile::tempdir().unwrap();
        rows(folder.path());
        let server = serve(MockServer::builder().generation_time(Duration::from_secs(20)));

        let mut command = command(folder.path(), &server, &[]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut pipe = std::io::BufReader::new(child.stderr.take().unwrap());
        wait_for_a_row(&server);
        signal(&child, "-INT");
        let mut stderr = String::new();
        std::io::BufRead::read_line(&mut pipe, &mut stderr).unwrap();
        // An earlier one would count as the same signal.
        thread::sleep(Duration::from_millis(600));
        signal(&child, "-TERM");
        std::io::Read::read_to_string(&mut pipe, &mut stderr).unwrap();

        assert_eq!(child.wait().unwrap().code(), Some(143), "{stderr}");
        assert!(stderr.starts_with("no more rows are sent; waiting for"), "{stderr}");
        assert!(stderr.contains("runs on as the generation "), "{stderr}");
        assert!(stderr.contains("run the same command again to continue; no row is paid twice"), "{stderr}");
        assert!(!stderr.contains("--rerun-unknown"), "{stderr}");
    }

    #[test]
    fn the_second_signal_abandons_rows_that_are_no_jobs_and_lists_them() {
        let folder = tempfile::tempdir().unwrap();
        rows(folder.path());
        let server = serve(MockServer::builder().generation_time(Duration::from_secs(20)));

        let mut command = command(folder.path(), &server, &["--model", "legacy"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut pipe = std::io::BufReader::new(child.stderr.take().unwrap());
        while server.requests().is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        signal(&child, "-INT");
        let mut stderr = String::new();
        std::io::BufRead::read_line(&mut pipe, &mut stderr).unwrap();
        thread::sleep(Duration::from_millis(600));
        signal(&child, "-TERM");
        std::io::Read::read_to_string(&mut pipe, &mut stderr).unwrap();

        assert_eq!(child.wait().unwrap().code(), Some(143), "{stderr}");
        assert!(stderr.contains("was in flight: it may be billed"), "{stderr}");
        assert!(stderr.contains("--rerun-unknown"), "{stderr}");
    }
}
