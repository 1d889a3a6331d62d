//! The key is in nothing that the client prints, logs or writes, also when a server repeats it.
//!
//! [`LogCapture`] records all messages of `tracing` and `log`, of the client and its dependencies.

mod log_capture;

use std::{
    error::Error as StdError,
    fmt::{Debug, Write as _},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use ideogram_client::{
    CallOptions, Client, Error, StoredResponse,
    dataset::Folder,
    hook::{Attempt, AttemptOutcome, Hook},
    job::JobError,
    reqwest::header::HeaderMap,
};
use ideogram_mock::MockServer;

use self::log_capture::LogCapture;
use crate::{
    calls::Call,
    raw_request::KEY,
    rows::good,
    server::{End, Fault, Reading, Server},
};
use ideogram_testkit::response;

/// All output, for one check at the end.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<String>>);

impl Output {
    fn debug(&self, value: &impl Debug) {
        writeln!(self.0.lock().unwrap(), "{value:?} {value:#?}").unwrap();
    }

    fn text(&self, text: &str) {
        writeln!(self.0.lock().unwrap(), "{text}").unwrap();
    }

    fn error(&self, error: &Error) {
        self.debug(error);
        let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(current) = cause {
            self.text(&format!("{current} {current:?}"));
            cause = current.source();
        }
        self.text(&error.reject_reason().unwrap_or_default());
        self.text(&String::from_utf8_lossy(error.body().map_or(&[], |body| body)));
    }

    /// Every file below the folder: its name and content.
    fn files(&self, folder: &Path) -> usize {
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                count += self.files(&path);
            } else {
                count += 1;
                self.text(&format!("{}", path.display()));
                self.text(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
            }
        }
        count
    }

    fn holds(&self, wanted: &str) -> bool {
        self.0.lock().unwrap().contains(wanted)
    }

    fn check(&self) {
        let output = self.0.lock().unwrap();
        let lines: Vec<_> = output.lines().filter(|line| line.contains(KEY)).collect();
        assert!(lines.is_empty(), "{lines:#?}");
    }
}

/// A hook that records what it receives.
struct Looking(Output);

impl Hook for Looking {
    fn before(&self, attempt: &Attempt<'_>, headers: &mut HeaderMap) {
        self.0.debug(attempt);
        self.0.debug(headers);
    }

    fn after(&self, attempt: &Attempt<'_>, ended: &AttemptOutcome<'_>) {
        self.0.debug(attempt);
        self.0.text(&attempt.request.to_string());
        self.0.debug(ended);
    }
}

#[tokio::test]
async fn builders_requests_and_responses_do_not_print_the_key() {
    let output = Output::default();
    let log_capture = LogCapture::open();
    let server = Server::start(vec![good(Call::Generate)]);
    let options =
        CallOptions::new().header("x-trace", "1").store_responses_in("responses").hook(Looking(output.clone()));
    output.debug(&options);
    let builder = server.builder().options(options);
    output.debug(&builder);
    let client = builder.build().unwrap();
    output.debug(&client);

    let folder = tempfile::tempdir().unwrap();
    let client = client.with(CallOptions::new().store_responses_in(folder.path()));
    let call = client.generate_image_v3().prompt("a lantern");
    output.debug(&call);
    let request = call.clone().prepare().unwrap();
    output.debug(&request);
    output.text(&request.to_string());
    let summary = request.summary().await.unwrap();
    output.debug(&summary);
    output.text(&serde_json::to_string(&summary).unwrap());
    let response = call.response().await.unwrap();
    output.debug(&response);
    output.debug(response.request());
    let generic = client.call("post_generate_image_v3").unwrap().field("prompt", "a lantern");
    output.debug(&generic);
    output.debug(&generic.prepare().unwrap());

    assert_eq!(output.files(folder.path()), 1);
    output.text(&log_capture.heard());
    for wanted in ["a lantern", "127.0.0.1", "x-trace", "http.request.resend_count", "post_generate_image_v3"] {
        assert!(output.holds(wanted), "`{wanted}` may be seen");
    }
    output.check();
}

#[tokio::test]
async fn a_key_that_a_server_repeats_is_in_no_output() {
    let output = Output::default();
    let log_capture = LogCapture::open();
    let escaped: String = KEY.chars().map(|character| format!("\\u{:04x}", u32::from(character))).collect();
    let echo = format!("X-Echo: {KEY}\r\nLocation: http://127.0.0.1:1/?key={KEY}\r\nRetry-After: 0\r\n");
    let texts = [
        format!(r#"{{"error": "no such key: {KEY}", "reject_reason": "{KEY}"}}"#),
        format!(r#"{{"error": "no such key: {escaped}", "{escaped}": "{escaped}"}}"#),
        format!("<html><title>{KEY}</title></html>"),
        format!("{}{KEY}", "x".repeat(70_000)),
        KEY.to_owned(),
    ];
    let mut faults = Vec::new();
    for text in &texts {
        for status in [200, 302, 401, 429, 503] {
            faults.push(Fault::response(response(status, &echo, text)));
        }
    }
    // The key in the status line, in the name of a header, cut off, and in a response that is not HTTP.
    faults.push(Fault::response(format!("HTTP/1.1 500 {KEY}\r\n{KEY}: {KEY}\r\nContent-Length: 0\r\n\r\n")));
    faults
        .push(Fault::response(format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{{\"data\": \"{}", &KEY[..15])));
    faults.push(Fault::response(KEY));
    faults.push(Fault::new(Reading::All, [], End::Reset));

    for fault in faults {
        for call in [Call::Get, Call::Generate] {
            let server = Server::start(vec![fault.clone()]);
            let folder = tempfile::tempdir().unwrap();
            let options = CallOptions::new()
                .attempts(2)
                .initial_backoff(Duration::from_millis(1))
                .max_backoff(Duration::from_secs(1));
            let client = server.builder().options(options.store_responses_in(folder.path())).build().unwrap();
            let error = call.send(&client, 10).await.unwrap_err();

            output.error(&error);
            output.text(&error.decode_body::<serde_json::Value>().unwrap_or_default().to_string());
            output.files(folder.path());
            if let Some(path) = error.stored_at() {
                output.debug(&StoredResponse::read(path).await.unwrap());
            }
            assert_eq!(server.log().requests[0].request.header("api-key"), [KEY]);
        }
    }
    output.text(&log_capture.heard());
    assert!(!output.holds(&KEY[..15]), "not a part of it either");
    output.check();
}

#[tokio::test]
async fn errors_before_sending_do_not_print_the_key() {
    let output = Output::default();
    let log_capture = LogCapture::open();
    for builder in [
        Client::builder().api_key(format!("{KEY}\n{KEY}")),
        Client::builder().api_key(KEY).base_url(format!("http://{KEY}@127.0.0.1")),
        Client::builder().api_key(KEY).base_url(format!("http://127.0.0.1?key={KEY}")),
        Client::builder().api_key(KEY).base_url(KEY),
        Client::builder().api_key(KEY).options(CallOptions::new().header("api-key", KEY)),
    ] {
        output.debug(&builder);
        output.error(&builder.build().unwrap_err());
    }
    let nobody = Server::start(Vec::new());
    let silent = Server::start(vec![Fault::new(Reading::All, [], End::Hang)]);
    for server in [nobody, silent] {
        let options = CallOptions::new().attempts(1).response_timeout(Duration::from_millis(50));
        let client = server.builder().options(options).build().unwrap();
        for call in Call::ALL {
            output.error(&call.send(&client, 10).await.unwrap_err());
        }
    }

    output.text(&log_capture.heard());
    assert!(output.holds("error.type=\"transport\""));
    output.check();
}

#[tokio::test]
async fn sidecars_journals_and_reports_do_not_contain_the_key() {
    let output = Output::default();
    let log_capture = LogCapture::open();
    let mock = MockServer::builder().api_key(KEY).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let client = Client::builder().api_key(KEY).base_url(mock.url());
    let client = client.options(CallOptions::new().store_responses_in(folder.path().join("kept"))).build().unwrap();

    let response = client.generate_image_v3().prompt("a lantern").num_images(2).response().await.unwrap();
    output.debug(&client.save_all(&response, folder.path().join("images")).await.unwrap());
    let set = folder.path().join("set");
    std::fs::create_dir(&set).unwrap();
    for (name, size) in [("a.png", 100), ("b.png", 200)] {
        std::fs::write(set.join(name), [b"\x89PNG\r\n\x1a\n".to_vec(), vec![0; size]].concat()).unwrap();
    }
    let dataset = client.create_dataset().name("Lanterns").send().await.unwrap();
    let plan = client.plan_dataset(&dataset.dataset_id, Folder::read(&set).await.unwrap()).await.unwrap();
    output.debug(&plan);
    let syncing = client.sync_dataset(plan, folder.path().join("journal.jsonl"));
    output.debug(&syncing);
    output.debug(&syncing.await.unwrap());
    let model = client.train_model_v3().dataset_id("demo").model_name("lanterns").send().await.unwrap();
    let waiting = client.wait_until_trained(model.model_id).deadline(Duration::ZERO);
    output.debug(&waiting);
    output.debug(&waiting.await);

    // Two stored responses, two images with sidecars, the set itself, the journal and the number of its last chunk.
    assert_eq!(output.files(folder.path()), 2 + 4 + 2 + 2);
    assert!(mock.requests().iter().any(|request| request.headers.get("api-key").is_some_and(|key| key == KEY)));
    output.text(&log_capture.heard());
    output.check();
}

#[tokio::test]
async fn a_key_that_a_server_repeats_is_in_no_output_of_a_job() {
    let output = Output::default();
    let accepted = format!(r#"{{"generation_id": "g1", "echo": "{KEY}"}}"#);
    let completed = format!(
        r#"{{"object": "image.generation", "generation_id": "g1", "status": "completed", "created": 1,
            "echo": "{KEY}", "data": []}}"#
    );
    let nameless = format!(r#"{{"echo": "{KEY}"}}"#);
    for (posted, polled) in [(&accepted, &completed), (&nameless, &completed), (&accepted, &nameless)] {
        let (posted, polled) = (posted.clone(), polled.clone());
        let server = ideogram_testkit::Server::start(move |_, request| {
            let body = if request.line().starts_with("POST ") { &posted } else { &polled };
            ideogram_testkit::Reply::Bytes(response(200, "", body))
        });
        let client = Client::builder().api_key(KEY).base_url(server.url()).build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let storing = client.with(CallOptions::new().store_responses_in(folder.path()));

        match storing.generate_image_v2_ideogram45().prompt("a").submit().await {
            Ok(job) => match job.wait().deadline(Duration::from_secs(20)).await {
                Ok(response) => output.debug(&response),
                Err(JobError::Poll { error, .. } | JobError::Call(error)) => output.error(&error),
                Err(error) => panic!("{error}"),
            },
            Err(error) => output.error(&error),
        }
        assert_eq!(output.files(folder.path()), 1);
    }
    output.check();
}
