//! Images that are made by jobs: interrupted, fetched later, failed, and priced before.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::Stdio,
    time::Duration,
};

use ideogram_mock::{MockServer, MockServerBuilder};
use tempfile::TempDir;

#[cfg(unix)]
use crate::interrupt::{Signal, signal};
use crate::{
    images::{calls, folder},
    invocation::{Ran, ideogram, serve, snapshot},
    rogue::Rogue,
};

fn slow() -> MockServerBuilder {
    MockServer::builder().generation_time(Duration::from_millis(1500))
}

fn run(server: &MockServer, folder: &TempDir, line: &str) -> Ran {
    ideogram(line.split(' ')).against(server).in_folder(folder.path()).run()
}

/// The images in a folder.
fn images(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|it| it == "png")).count()
}

/// Starts a command, and returns it when it has printed the id of its generation, with that line.
#[cfg(unix)]
fn waiting(
    server: &MockServer,
    folder: &TempDir,
) -> (std::process::Child, BufReader<std::process::ChildStderr>, String) {
    let run = ideogram(["generate", "a lantern", "--out", "out"]).against(server).in_folder(folder.path());
    let mut child = run.into_command().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("generation "), "{line}");
    (child, stderr, line)
}

/// The command behind the last colon and space, without `ideogram`.
fn command(text: &str) -> String {
    text.trim().rsplit_once(": ideogram ").unwrap_or_else(|| panic!("no command: {text}")).1.to_owned()
}

#[cfg(unix)]
#[test]
fn a_killed_command_cannot_say_so_and_the_next_one_names_its_job() {
    let (server, folder) = (serve(slow()), folder(&[]));
    let (mut child, ..) = waiting(&server, &folder);
    signal(&child, Signal::KILL);
    child.wait().unwrap();

    let next = run(&server, &folder, "generate lantern --out out --name next");
    assert_eq!(next.code(), Some(0), "{next}");
    let stderr = next.stderr();
    let warning = stderr.lines().find(|line| line.contains("are not saved; if its command has ended")).unwrap();
    let saved = run(&server, &folder, &command(warning));
    assert_eq!(saved.code(), Some(0), "{saved}");
    assert_eq!(images(&folder.path().join("out")), 2);

    let last = run(&server, &folder, "generate lantern --out out --name last");
    assert!(!last.stderr().contains("not saved"), "{last}");
}

#[test]
fn a_job_that_failed_is_not_named_again() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));

    let declined = run(&server, &folder, "generate forbidden --out out");
    assert_eq!(declined.code(), Some(6), "{declined}");
    let next = run(&server, &folder, "generate lantern --out out");

    assert_eq!(next.code(), Some(0), "{next}");
    assert!(!next.stderr().contains("not saved"), "{next}");
}

#[test]
fn a_timeout_bounds_the_wait_and_the_images_can_be_saved_later() {
    let (server, folder) = (serve(MockServer::builder().generation_time(Duration::from_secs(600))), folder(&[]));

    let late = run(&server, &folder, "generate lantern --out out --timeout 2");

    assert_eq!(late.code(), Some(17), "{late}");
    assert!(late.stderr().contains("at no cost: ideogram generations save"), "{late}");
    let id = late.stderr().split_once("generation ").unwrap().1.split([';', ' ']).next().unwrap().to_owned();
    for wait in ["wait", "save"] {
        for option in ["--timeout 0.5", "--deadline 0.5", "--timeout 60 --deadline 0.5"] {
            let late = run(&server, &folder, &format!("generations {wait} {id} {option}"));
            assert_eq!(late.code(), Some(17), "{wait} {option}: {late}");
        }
    }
}

#[test]
fn a_generation_whose_state_cannot_be_read_is_not_called_a_failed_call() {
    let accepted = r#"{"generation_id":"g1"}"#;
    let accepted =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{accepted}", accepted.len());
    for status in ["401 Unauthorized", "403 Forbidden", "402 Payment Required"] {
        let refused = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
        let (rogue, folder) = (Rogue::sending_in_turn(vec![accepted.clone(), refused]), folder(&[]));

        let run = ideogram(["generate", "lantern", "--out", "out", "--output", "json"]).at(rogue.url());
        let ran = run.in_folder(folder.path()).run();

        assert_eq!(ran.code(), Some(17), "{ran}");
        let stderr = ran.stderr();
        assert!(stderr.contains("the generation g1 runs on, and is billed when it completes"), "{stderr}");
        assert!(stderr.contains("at no cost: ideogram generations save g1 --out out"), "{stderr}");
        assert!(stderr.contains(status), "{stderr}");
        assert_eq!(ran.error()["generation_id"], "g1");
    }
}

#[test]
fn a_generation_without_anything_left_to_fetch_is_forgotten() {
    for word in ["withheld", "some withheld"] {
        let (server, folder) = (serve(MockServer::builder().job_time(Duration::from_secs(60))), folder(&[]));
        let late =
            run(&server, &folder, &format!("generate {}-lantern -n 2 --out out --timeout 1", word.replace(' ', "-")));
        assert_eq!(late.code(), Some(17), "{late}");
        server.advance(Duration::from_secs(60));

        let saved = run(&server, &folder, &command(late.stderr().lines().last().unwrap()));
        assert!([Some(11), Some(18)].contains(&saved.code()), "{word}: {saved}");
        let next = run(&server, &folder, "generate lantern --out out --dry-run");
        assert!(!next.stderr().contains("not saved"), "{next}");
        assert!(folder.path().join("out/.ideogram-responses").read_dir().unwrap().next().is_none(), "{word}");
    }
}

#[test]
fn a_job_of_the_mock_server_ends_with_it_and_is_not_named_again() {
    let folder = folder(&[]);
    let run = |line: &str| {
        let mut words: Vec<&str> = line.split(' ').collect();
        words.extend(["--out", "out"]);
        ideogram(words).in_folder(folder.path()).run()
    };

    let late = run("--mock generate hanging --timeout 2");
    assert_eq!(late.code(), Some(17), "{late}");
    assert!(late.stderr().contains("ends with the mock server: it costs nothing"), "{late}");
    assert!(!late.stderr().contains("generations save"), "{late}");
    let next = run("--mock generate lantern");
    assert!(next.code() == Some(0) && !next.stderr().contains("not saved"), "{next}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_command_says_how_to_fetch_the_images_and_nothing_is_paid_twice() {
    for (by, exit) in [(Signal::INT, Some(130)), (Signal::TERM, Some(143)), (Signal::KILL, None)] {
        let (server, folder) = (serve(slow()), folder(&[]));
        let (mut child, mut rest, line) = waiting(&server, &folder);

        signal(&child, by);
        assert_eq!(child.wait().unwrap().code(), exit, "{by:?}");
        let mut stderr = String::new();
        rest.read_to_string(&mut stderr).unwrap();

        let printed = command(&line);
        if exit.is_some() {
            assert!(stderr.contains("runs on, and is billed when it completes"), "{stderr}");
            assert!(stderr.contains(&format!("at no cost: ideogram {printed}")), "{stderr}");
        }
        let saved = run(&server, &folder, &printed);
        assert_eq!((saved.code(), images(&folder.path().join("out"))), (Some(0), 1), "{saved}");
        assert_eq!(calls(&server).len(), 1, "{by:?}");
        let again = run(&server, &folder, &printed);
        assert!(again.code() == Some(0) && again.stderr().contains("image 1 is already saved"), "{again}");
        assert_eq!(images(&folder.path().join("out")), 1);
    }
}

#[cfg(unix)]
#[test]
fn the_id_is_on_disk_before_the_wait() {
    let (server, folder) = (serve(slow()), folder(&[]));
    let (mut child, _, line) = waiting(&server, &folder);
    child.kill().unwrap();
    child.wait().unwrap();
    let stored = fs::read_dir(folder.path().join("out/.ideogram-responses")).unwrap().next().unwrap().unwrap().path();

    let ran = run(&server, &folder, &format!("save {}", stored.display()));

    assert_eq!(ran.code(), Some(2), "{ran}");
    assert!(ran.stderr().contains("has no images yet: it is the id of a generation"), "{ran}");
    let hint = command(&ran.stderr());
    assert_eq!(hint.split(' ').nth(2), command(&line).split(' ').nth(2), "the same id");
    assert_eq!(run(&server, &folder, &hint).code(), Some(0));
}

#[test]
fn generations_are_shown_waited_for_and_saved_by_their_ids() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let id = |line: &str| {
        run(&server, &folder, line);
        let polled = server
            .requests()
            .into_iter()
            .rev()
            .find(|request| request.method == "GET" && request.path.contains("/v2/generations/"));
        polled.unwrap().path.rsplit('/').next().unwrap().to_owned()
    };
    let (made, failed) = (id("generate lantern --out out -n 2"), id("generate errored-lantern --out out"));

    snapshot!(run(&server, &folder, &format!("generations get {made}")), @"
    exit code: 0
    ----- stdout -----
    Id:       bnieaqG5ZfQGxF0YgAlFTw
    Status:   completed
    Created:  2026-07-01 09:00:00 UTC
    Images:   2 images
    ");
    snapshot!(run(&server, &folder, &format!("generations get {failed}")), @"
    exit code: 0
    ----- stdout -----
    Id:       -Iu4qHJMgewbOYlqUah0mw
    Status:   failed
    Created:  2026-07-01 09:00:00 UTC
    Reason:   content_policy_violation
    ");
    snapshot!(run(&server, &folder, &format!("generations wait {made} --jq .data[1].seed")), @"
    exit code: 0
    ----- stdout -----
    1
    ");
    snapshot!(run(&server, &folder, &format!("generations wait {failed}")), @"
    exit code: 6
    ----- stderr -----
    error: cannot get the generation -Iu4qHJMgewbOYlqUah0mw
      caused by: the generation -Iu4qHJMgewbOYlqUah0mw failed (content_policy_violation); it is not billed
    hint: change the request; the same one will be refused again
    ");
    snapshot!(run(&server, &folder, "generations save unknown --out elsewhere"), @"
    exit code: 5
    ----- stderr -----
    error: cannot get the generation unknown
      caused by: get_generation_v2: 404 Not Found: Generation not found.
    ");
    snapshot!(run(&server, &folder, "generations get a/b"), @"
    exit code: 2
    ----- stderr -----
    error: invalid value 'a/b' for '<ID>': an id must not contain `/`, which has a special meaning in a path; commands that make images print it

    For more information, try '--help'.
    ");
    let saved = run(&server, &folder, &format!("generations save {made} --out elsewhere"));
    assert_eq!((saved.code(), images(&folder.path().join("elsewhere"))), (Some(0), 2), "{saved}");
}

#[test]
fn a_generation_that_does_not_end_in_time_runs_on() {
    let (server, folder) = (serve(MockServer::builder().job_time(Duration::from_secs(60))), folder(&[]));
    let run = |line: &str| run(&server, &folder, line);
    let submitted = run("api post_generate_image_v2_ideogram45 --prompt lantern --dry-run");
    assert_eq!(submitted.code(), Some(0), "{submitted}");
    let mut child = ideogram(["generate", "lantern", "--out", "out"])
        .against(&server)
        .in_folder(folder.path())
        .into_command()
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let polled = || server.requests().into_iter().find(|request| request.path.contains("/v2/generations/"));
    while polled().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let id = polled().unwrap().path.rsplit('/').next().unwrap().to_owned();

    let ran = run(&format!("generations wait {id} --deadline 0.1 --quiet"));

    assert_eq!(ran.code(), Some(17), "{ran}");
    assert!(ran.stderr().contains("had not ended after 0 seconds; it runs on, and waiting again is free"), "{ran}");
    server.advance(Duration::from_secs(60));
    assert_eq!(run(&format!("generations save {id} --out out")).code(), Some(0));
    assert_eq!(calls(&server).len(), 1);
}

#[test]
fn a_price_is_shown_and_nothing_is_made() {
    let (server, folder) = (serve(MockServer::builder()), folder(&["a.png"]));
    let run = |line: &str| run(&server, &folder, line);

    snapshot!(run("generate lantern -n 4 --quality low --quote"), @"
    exit code: 0
    ----- stdout -----
    Price:      $0.12
    For:        4 billed units
    Billed as:  generate_image_v2_ideogram45
    ");
    snapshot!(run("upscale a.png --quote"), @"
    exit code: 0
    ----- stdout -----
    Price:      about $0.251659, at most $1.006636
    For:        1 billed unit
    Billed as:  upscale
    ");
    snapshot!(run("edit a.png --prompt night --quote --output json"), @r#"
    exit code: 0
    ----- stdout -----
    {
      "billing_identifier": "precise_edit_image_v2_ideogram45",
      "credit_millis": 6000,
      "object": "price_quote",
      "qualifier": "exact",
      "quantity": 1,
      "usd_micros": 60000
    }
    "#);
    snapshot!(run("generate lantern --model legacy --quote"), @"
    exit code: 2
    ----- stderr -----
    error: --quote: the service gives no price for post_generate_image: nothing was sent
    hint: it gives prices for its second API version: leave out --model or flags of older models
    ");
    snapshot!(run("generate lantern --max-usd 0.05"), @"
    exit code: 2
    ----- stderr -----
    error: the price is $0.10, above --max-usd 0.05: nothing was sent
    ");
    snapshot!(run("generate lantern --max-usd ten"), @"
    exit code: 2
    ----- stderr -----
    error: invalid value 'ten' for '--max-usd <AMOUNT>': must be an amount of US dollars, such as 2.50

    For more information, try '--help'.
    ");
    assert!(server.requests().iter().all(|request| request.query.as_deref() == Some("dry_run=true")));
    let quoted = run("generate lantern --quote --max-usd 0.05");
    assert!(quoted.code() == Some(2) && quoted.stdout().contains("$0.10"), "{quoted}");
    assert_eq!(run("generate lantern --max-usd 0.10 --out out").code(), Some(0));
}

#[test]
fn a_limit_of_the_profile_asks_with_the_price() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let config = folder.path().join("config.toml");
    fs::write(&config, "[profiles.default]\nask_above_usd = \"0.05\"\n").unwrap();
    let run = |line: &str| {
        let run = ideogram(line.split(' ')).against(&server).in_folder(folder.path());
        run.env("IDEOGRAM_CONFIG", config.to_str().unwrap()).run()
    };

    let refused = run("generate lantern --out out");
    assert!(refused.code() == Some(2) && refused.stderr().contains("it costs $0.10: make the call?"), "{refused}");
    assert_eq!(run("generate lantern --quality low --out out").code(), Some(0), "below the limit");
    assert_eq!(run("generate lantern --out out --yes").code(), Some(0));
    let unknown = run("generate lantern --model legacy --out out");
    assert!(unknown.stderr().contains("gives no price for post_generate_image: make the call?"), "{unknown}");
    let rows = folder.path().join("rows.jsonl");
    fs::write(&rows, "{\"prompt\": \"a\", \"quality\": \"low\"}\n{\"prompt\": \"b\"}\n").unwrap();
    let before = calls(&server).len() - quotes(&server);
    let batch = run("batch rows.jsonl --out rows");
    assert!(batch.code() == Some(2) && batch.stderr().contains("2 rows cost at most $0.13: send them?"), "{batch}");
    assert!(!folder.path().join("rows").exists(), "a refused question leaves nothing behind");
    fs::write(&rows, "{\"prompt\": \"a\", \"model\": \"legacy\"}\n").unwrap();
    let batch = run("batch rows.jsonl --out rows");
    assert!(batch.stderr().contains("gives no price for 1 of 1 row: send all?"), "{batch}");
    assert_eq!(calls(&server).len() - quotes(&server), before);
    fs::write(&config, "[profiles.default]\nask_above_usd = \"much\"\n").unwrap();
    let wrong = run("generate lantern --out out");
    assert!(wrong.code() == Some(2) && wrong.stderr().contains("`ask_above_usd` must be an amount"), "{wrong}");
}

#[test]
fn a_batch_stops_before_its_rows_cost_too_much() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let rows: String = (0..6).map(|n| format!("{{\"prompt\": \"lantern {n}\", \"quality\": \"low\"}}\n")).collect();
    fs::write(folder.path().join("rows.jsonl"), rows).unwrap();
    let state = folder.path().join("state");
    let run = |line: &str| {
        let run = ideogram(line.split(' ')).against(&server).in_folder(folder.path());
        run.env("XDG_STATE_HOME", state.to_str().unwrap()).run()
    };

    let first = run("batch rows.jsonl --max-usd 0.07");
    assert_eq!((first.code(), calls(&server).len() - quotes(&server)), (Some(11), 2), "{first}");
    assert!(first.stderr().contains("the rows of all runs cost $0.06, by their quotes"), "{first}");
    assert!(first.stderr().contains("stopped: the next row would exceed --max-usd 0.07"), "{first}");
    let second = run("batch rows.jsonl --max-usd 1");
    assert_eq!((second.code(), calls(&server).len() - quotes(&server)), (Some(0), 6), "{second}");
    assert!(second.stderr().contains("the rows of all runs cost $0.18, by their quotes"), "{second}");
    // Rows of runs without a limit are priced later.
    let first = run("batch rows.jsonl --out other --pay-again --yes --max-images 2");
    assert_eq!((first.code(), calls(&server).len() - quotes(&server)), (Some(11), 8), "{first}");
    assert!(!first.stderr().contains("by their quotes"), "{first}");
    let second = run("batch rows.jsonl --out other --pay-again --yes --max-usd 0.1");
    assert_eq!((second.code(), calls(&server).len() - quotes(&server)), (Some(11), 9), "{second}");
    assert!(second.stderr().contains("the rows of all runs cost $0.09, by their quotes"), "{second}");
    let rows = fs::read_to_string(folder.path().join("rows.jsonl")).unwrap();
    fs::write(folder.path().join("rows.jsonl"), rows.lines().skip(1).collect::<Vec<_>>().join("\n")).unwrap();
    let removed = run("batch rows.jsonl --out other --pay-again --yes --max-usd 0.1");
    assert!(removed.stderr().contains("--max-usd does not count 1 row of earlier runs"), "{removed}");
    fs::write(folder.path().join("old.jsonl"), "{\"prompt\": \"a\", \"model\": \"legacy\"}\n").unwrap();
    let unpriced = run("batch old.jsonl --max-usd 1");
    assert!(
        unpriced.code() == Some(2) && unpriced.stderr().contains("has no price quotes: nothing was sent"),
        "{unpriced}"
    );
}

#[test]
fn the_price_of_a_batch_is_that_of_the_rows_to_be_sent() {
    let (server, folder) = (serve(MockServer::builder()), folder(&[]));
    let table = folder.path().join("rows.jsonl");
    fs::write(&table, "{\"prompt\": \"a\", \"quality\": \"low\"}\n").unwrap();
    let run = |line: &str| run(&server, &folder, line);
    assert_eq!(run("batch rows.jsonl").code(), Some(0));
    let rows =
        "{\"prompt\": \"a\", \"quality\": \"low\"}\n{\"prompt\": \"b\", \"quality\": \"low\"}\n{\"prompt\": \"c\"}\n";
    fs::write(&table, rows).unwrap();
    let before = calls(&server).len() - quotes(&server);

    snapshot!(run("batch rows.jsonl --quote"), @"
    exit code: 0
    ----- stdout -----
    Price:  at most $0.13
    For:    2 images of 2 rows
    ");
    snapshot!(run("batch rows.jsonl --quote --output json"), @r#"
    exit code: 0
    ----- stdout -----
    {
      "usd_micros": 130000,
      "images": 2,
      "rows": [
        {
          "row": "b-57620097",
          "line": 2,
          "images": 1,
          "usd_micros": 30000
        },
        {
          "row": "c-166fa391",
          "line": 3,
          "images": 1,
          "usd_micros": 100000
        }
      ]
    }
    "#);
    let above = run("batch rows.jsonl --quote --max-usd 0.05 --jq .usd_micros");

    assert_eq!((above.code(), above.stdout().trim()), (Some(2), "130000"), "{above}");
    let price = "the price is at most $0.16, with the rows of earlier runs, above --max-usd 0.05: nothing was sent";
    assert!(above.stderr().contains(price), "{above}");
    assert_eq!(calls(&server).len() - quotes(&server), before);
}

fn quotes(server: &MockServer) -> usize {
    server.requests().iter().filter(|request| request.query.as_deref() == Some("dry_run=true")).count()
}
