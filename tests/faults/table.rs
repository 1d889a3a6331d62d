//! Runs the table of faults: every row with every call, each against its own server, one group at a time.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use ideogram_client::{
    CallOptions, Client, Error, ErrorKind, Outcome, StoredResponse,
    hook::{Attempt, AttemptOutcome, Hook},
};
use tokio::{sync::Notify, task::JoinSet};

use crate::{
    calls::Call,
    raw_request::KEY,
    rows::{ATTEMPTS, Earlier, Ending, MAX_WAIT, Row, Setting, good, rows},
    server::{End, Fault, Log, Reading, Server, TEST_TIMEOUT},
};

/// The result of a row and a call.
struct Measured {
    ending: Ending,
    /// Connections and requests that the server counted, without those of another call.
    connections: usize,
    requests: usize,
    /// Deviations from the expected results.
    wrong: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_ends_as_the_table_says() {
    let mut cells = Vec::new();
    for group in rows() {
        let mut running = JoinSet::new();
        for (index, row) in group.into_iter().map(Arc::new).enumerate() {
            for call in Call::ALL {
                let row = Arc::clone(&row);
                running.spawn(async move {
                    let measured = measure(&row, call).await;
                    ((index, call), (row, measured))
                });
            }
        }
        cells.extend(running.join_all().await.into_iter().collect::<BTreeMap<_, _>>());
    }

    let mut wrong = String::new();
    let mut table = Table::new();
    for ((_, call), (row, measured)) in &cells {
        table.cell(&row.fault, measured);
        for problem in &measured.wrong {
            writeln!(wrong, "{}, {}: {problem}", row.fault, call.operation()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("table", table.text());
    });
}

#[tokio::test]
async fn a_connection_that_ends_at_once_is_not_retried_for_unsafe_calls() {
    for end in [End::Reset, End::Close] {
        for call in Call::ALL {
            let server = Server::start(vec![Fault::new(Reading::Nothing, [], end)]);
            let client = server.builder().options(options()).build().unwrap();

            let error = call.send(&client, 4096).await.unwrap_err();

            // Whether bytes were sent before the end was noticed depends on timing.
            assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
            assert!(matches!(error.outcome(), Outcome::NotSent | Outcome::Unknown), "{error:?}");
            let expected = if call.is_safe() { ATTEMPTS } else { 1 };
            assert_eq!(error.attempts(), expected, "{error:?}");
            assert!(server.log().connections <= usize::try_from(expected).unwrap(), "{:?}", server.log());
        }
    }
}

#[tokio::test]
async fn every_call_waits_for_a_service_that_refuses_connections_and_is_then_sent_once() {
    struct Refused(Arc<Notify>);

    impl Hook for Refused {
        fn after(&self, _: &Attempt<'_>, _: &AttemptOutcome<'_>) {
            self.0.notify_one();
        }
    }

    for call in Call::ALL {
        let mut server = Server::start(Vec::new());
        let refused = Arc::new(Notify::new());
        let client = server.builder().build().unwrap();
        let waits = Duration::from_millis(20);
        let patient =
            options().attempts(1000).initial_backoff(waits).max_backoff(waits).hook(Refused(Arc::clone(&refused)));
        let calling = tokio::spawn(async move { call.send(&client.with(patient), 4096).await });
        refused.notified().await;
        server.set_script(vec![good(call)]);

        calling.await.unwrap().unwrap();
        assert_eq!(server.log().requests.len(), 1, "{call:?}");
    }
}

/// One call to a server with a fault, and then another call without it.
async fn measure(row: &Row, call: Call) -> Measured {
    let elsewhere = Server::start(vec![good(Call::Get)]);
    let setting = Setting { call, elsewhere: &elsewhere.url() };
    let mut server = Server::start((row.script)(&setting));
    let kept = tempfile::tempdir().unwrap();
    // A reused connection that the server closes as the next request is sent is a row of its own.
    let idle = usize::from(row.earlier != Earlier::None);
    let client = server.builder().configure_http(move |http| http.pool_max_idle_per_host(idle));
    let client = client.max_images_in_flight(1).build().unwrap();
    let options = CallOptions::new()
        .attempts(ATTEMPTS)
        .initial_backoff(Duration::from_millis(10))
        .max_backoff(MAX_WAIT)
        .deadline(TEST_TIMEOUT);
    let limited = client.with((row.limits)(options.store_responses_in(kept.path())));
    if row.earlier != Earlier::None {
        Call::Get.send(&client, 0).await.unwrap();
    }
    if row.earlier == Earlier::Closed {
        server.until(|log| log.ended == 1).await;
    }
    let before = server.log();

    let start = Instant::now();
    let sent = call.send(&limited, row.file_bytes).await;
    let elapsed = start.elapsed();

    let log = server.log();
    let (connections, requests) = (log.connections - before.connections, log.requests.len() - before.requests.len());
    let result = match &sent {
        Ok(()) => Ok(()),
        Err(error) => Err((error.kind(), error.outcome())),
    };
    let attempts = match &sent {
        Ok(()) => u32::try_from(requests).unwrap(),
        Err(error) => error.attempts(),
    };
    let mut measured = Measured { ending: Ending { attempts, result }, connections, requests, wrong: Vec::new() };
    let mut check = Check { wrong: &mut measured.wrong };
    let expected = if call.is_safe() { row.safe } else { row.others };
    check.that(measured.ending == expected, || format!("{sent:?} after {attempts} attempts; expected {expected:?}"));
    check.wire(row, call, expected, &log, &before);
    if let Err(error) = &sent {
        check.error(row, call, error, elapsed);
    }
    check.that(elsewhere.log().connections == 0, || "another origin received a request".to_owned());
    check.kept(kept.path(), call, &sent).await;
    if row.earlier != Earlier::None {
        server.until(|log| log.ended == log.connections).await;
    }
    check.places(&mut server, &client).await;
    measured
}

/// The defaults of a row.
fn options() -> CallOptions {
    CallOptions::new()
        .attempts(ATTEMPTS)
        .initial_backoff(Duration::from_millis(10))
        .max_backoff(MAX_WAIT)
        .deadline(TEST_TIMEOUT)
}

struct Check<'w> {
    wrong: &'w mut Vec<String>,
}

impl Check<'_> {
    fn that(&mut self, is_so: bool, problem: impl FnOnce() -> String) {
        if !is_so {
            self.wrong.push(problem());
        }
    }

    /// The client reports what the server counted, and every attempt sends the same request.
    fn wire(&mut self, row: &Row, call: Call, expected: Ending, log: &Log, before: &Log) {
        let requests = &log.requests[before.requests.len()..];
        let attempts = usize::try_from(expected.attempts).unwrap();
        let heard = if row.hears { attempts } else { 0 };
        self.that(requests.len() == heard, || format!("{} requests reached the server", requests.len()));
        let connections = log.connections - before.connections;
        self.that(connections <= attempts, || format!("{connections} connections were made"));
        for seen in requests {
            let line = format!("{} {}", call.operation().method, call.target());
            self.that(seen.request.line() == line, || format!("`{}` was sent", seen.request.line()));
            self.that(seen.request.header("api-key") == [KEY], || "the key was not sent once".to_owned());
            let lengths: Vec<_> = requests.iter().map(|seen| seen.request.header("content-length")).collect();
            self.that(lengths.windows(2).all(|pair| pair[0] == pair[1]), || format!("bodies of {lengths:?} bytes"));
            if call.sends_a_file() {
                let length: usize = seen.request.header("content-length")[0].parse().unwrap();
                self.that(length > row.file_bytes, || format!("a body of {length} bytes does not hold the file"));
            }
        }
        // When the client hangs up, the kernel accepts some bytes, and the others cannot be sent.
        self.that(log.sent_bytes < 64 * 1024 * 1024, || format!("{} bytes were taken in", log.sent_bytes));
    }

    /// The error has the required text, and nothing secret.
    fn error(&mut self, row: &Row, call: Call, error: &Error, elapsed: Duration) {
        let text = error.to_string();
        let warns = text.contains("may have run");
        self.that(error.outcome() != Outcome::Unknown || call.is_safe() || warns, || {
            format!("no word of what to do: {text}")
        });
        self.that(error.operation().is_some_and(|operation| operation.id == call.operation().id), || {
            format!("no operation in {error:?}")
        });
        self.that(error.elapsed() <= elapsed, || format!("{:?} of {elapsed:?} are reported", error.elapsed()));
        if error.attempts() == row.safe.attempts {
            self.that(row.lasting.contains(&error.elapsed()), || format!("took {:?}", error.elapsed()));
        }
        self.that(!format!("{error} {error:?}").contains(KEY), || "the key is shown".to_owned());
        self.that(error.body().is_none_or(|body| body.len() <= 1024 * 1024), || "a large body is kept".to_owned());
    }

    /// A response to a paid call is stored unchanged, or not at all.
    async fn kept(&mut self, folder: &Path, call: Call, sent: &Result<(), Error>) {
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        let came = match sent {
            Ok(()) => true,
            Err(error) => error.outcome() == Outcome::Completed,
        };
        let wanted = usize::from(came && call.is_paid());
        self.that(files.len() == wanted, || format!("{wanted} responses to keep, and these files: {files:?}"));
        for file in &files {
            let kept = StoredResponse::read(file).await;
            self.that(kept.as_ref().is_ok_and(|kept| kept.operation_id() == call.operation().id), || {
                format!("a stored response that cannot be read: {kept:?}")
            });
        }
        let stored_at = sent.as_ref().err().and_then(Error::stored_at);
        self.that(sent.is_ok() || stored_at == files.first().map(PathBuf::as_path), || {
            format!("`stored_at` is {stored_at:?}")
        });
    }

    /// With a limiter for one image, the next call can only be sent if the last one released its permit.
    async fn places(&mut self, server: &mut Server, client: &Client) {
        self.that(client.images_in_flight() == 0, || "places are still taken".to_owned());
        server.set_script(vec![good(Call::Generate)]);
        let next = tokio::time::timeout(TEST_TIMEOUT, Call::Generate.send(client, 16)).await;
        self.that(matches!(next, Ok(Ok(()))), || format!("the next call does not go through: {next:?}"));
    }
}

/// The measured table as text.
struct Table {
    rows: Vec<[String; 1 + Call::ALL.len()]>,
    column: usize,
}

impl Table {
    fn new() -> Self {
        let mut head = [const { String::new() }; 1 + Call::ALL.len()];
        "fault".clone_into(&mut head[0]);
        for (cell, call) in head[1..].iter_mut().zip(Call::ALL) {
            *cell = call.title();
        }
        Self { rows: vec![head], column: 0 }
    }

    fn cell(&mut self, fault: &str, measured: &Measured) {
        if self.column == 0 {
            let mut row = [const { String::new() }; 1 + Call::ALL.len()];
            fault.clone_into(&mut row[0]);
            self.rows.push(row);
        }
        self.column = self.column % Call::ALL.len() + 1;
        let row = self.rows.last_mut().unwrap();
        let Ending { attempts, result } = measured.ending;
        let ending = match result {
            Ok(()) => "success".to_owned(),
            Err((kind, outcome)) => format!("{kind:?}, {outcome:?}"),
        };
        row[self.column] = match (measured.connections, measured.requests) {
            (0, 0) => format!("{attempts} tries, none sent: {ending}"),
            (_, 0) => format!("{attempts} lost: {ending}"),
            (_, requests) => format!("{requests} sent: {ending}"),
        };
        self.column %= Call::ALL.len();
    }

    /// Renders it as Markdown.
    fn text(&self) -> String {
        let widths: Vec<usize> = (0..=Call::ALL.len())
            .map(|column| self.rows.iter().map(|row| row[column].len()).max().unwrap_or_default())
            .collect();
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            for (cell, width) in row.iter().zip(&widths) {
                write!(text, "| {cell:width$} ").unwrap();
            }
            text.push_str("|\n");
            if index == 0 {
                for width in &widths {
                    write!(text, "| {:-<width$} ", "").unwrap();
                }
                text.push_str("|\n");
            }
        }
        text
    }
}
