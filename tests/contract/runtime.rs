//! The runtime of a call: options, hooks, spans, stored responses, calls without `async`, and the connection.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ideogram_client::{
    CallOptions, Client, Error, ErrorKind, File, Outcome, StoredResponse, Validation,
    hook::{Attempt, AttemptOutcome, Hook},
    reqwest::{self, header::HeaderMap},
    types::{ColorPaletteWithPresetName, GetDatasetResponse},
};
use ideogram_mock::{MockServer, Scenario};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::raw_server::{KEY, RawServer, client_builder, response};

const DATASET: &str = include_str!("../../openapi/examples/get_dataset/demo.json");
const IMAGES: &str = include_str!("../../openapi/examples/post_generate_image_v3/several_images.json");

async fn mock() -> (MockServer, Client) {
    let server = MockServer::builder().api_key(KEY).start().await.unwrap();
    let waits = CallOptions::new().initial_backoff(Duration::from_millis(1)).max_backoff(Duration::from_millis(10));
    let client = Client::builder().api_key(KEY).base_url(server.url()).options(waits).build().unwrap();
    (server, client)
}

/// A hook that records attempts, and adds headers.
#[derive(Clone, Default)]
struct Watch(Arc<Mutex<Vec<String>>>);

impl Hook for Watch {
    fn before(&self, attempt: &Attempt<'_>, headers: &mut HeaderMap) {
        headers.insert("traceparent", "00-1-1-01".parse().unwrap());
        headers.insert("api-key", "another".parse().unwrap());
        headers.insert("content-length", "3".parse().unwrap());
        self.note(format!("before {} of {}", attempt.number, attempt.request.operation()));
    }

    fn after(&self, attempt: &Attempt<'_>, ended: &AttemptOutcome<'_>) {
        let status = ended.status.map(|status| status.as_u16());
        let error = ended.error.map(Error::kind);
        let again = if ended.next_in.is_some() { "again" } else { "the last" };
        self.note(format!("after {}: {status:?} {error:?}, {again}", attempt.number));
    }
}

impl Watch {
    fn note(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }
}

#[tokio::test]
async fn hooks_see_every_attempt_and_add_headers_but_not_the_clients_own() {
    let (server, client) = mock().await;
    server.set_scenario(Scenario::ServerErrorOnce { status: 500 });
    let watch = Watch::default();

    client.with(CallOptions::new().hook(watch.clone())).get_dataset().dataset_id("demo").send().await.unwrap();

    let seen = watch.0.lock().unwrap().clone();
    let expected = [
        "before 1 of get_dataset",
        "after 1: Some(500) Some(Server), again",
        "before 2 of get_dataset",
        "after 2: Some(200) None, the last",
    ];
    assert_eq!(seen, expected);
    for request in server.requests() {
        assert_eq!(
            (&request.headers["api-key"], &request.headers["traceparent"]),
            (&KEY.parse().unwrap(), &"00-1-1-01".parse().unwrap())
        );
        assert!(!request.headers.contains_key("content-length"));
    }
}

#[tokio::test]
async fn options_are_of_one_clone_and_add_up() {
    let server = RawServer::responding(response(200, "", DATASET));
    let client = server.builder().options(CallOptions::new().header("x-all", "1")).build().unwrap();
    let traced = client.with(CallOptions::new().header("x-one", "2"));

    traced.get_dataset().dataset_id("demo").send().await.unwrap();
    client.get_dataset().dataset_id("demo").send().await.unwrap();

    let requests = server.requests();
    assert_eq!((requests[0].header("x-all"), requests[0].header("x-one")), (vec!["1"], vec!["2"]));
    assert_eq!((requests[1].header("x-all"), requests[1].header("x-one").len()), (vec!["1"], 0));
}

#[tokio::test]
async fn headers_that_are_the_clients_own_are_refused_before_anything_is_sent() {
    let server = RawServer::responding(response(200, "", DATASET));
    for (name, value) in [("Api-Key", "x"), ("content-length", "1"), ("Host", "x"), ("a b", "c"), ("x-a", "c\r\nd: e")]
    {
        let client = server.client().with(CallOptions::new().header(name, value));

        let error = client.get_dataset().dataset_id("demo").send().await.unwrap_err();

        assert_eq!(
            (error.kind(), error.outcome(), error.attempts()),
            (ErrorKind::InvalidArgument, Outcome::NotSent, 0)
        );
        assert!(error.to_string().contains("header"), "{error}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_prepared_request_is_sent_as_it_was_shown_and_never_to_another_host() {
    let server = RawServer::responding(response(200, "", DATASET));
    let other = RawServer::responding(response(200, "", DATASET));
    let request = server.client().get_dataset().dataset_id("demo").prepare().unwrap();

    let refused = other.client().execute::<GetDatasetResponse>(request.clone()).await.unwrap_err();
    let sent = server.client().execute::<GetDatasetResponse>(request).await.unwrap();

    assert_eq!((refused.kind(), other.requests().len()), (ErrorKind::InvalidArgument, 0));
    assert_eq!(sent.value().dataset.dataset_id, "demo");
    assert_eq!(sent.request().to_string(), format!("GET {}/datasets/demo", server.url()));
}

#[tokio::test]
async fn a_summary_names_everything_that_is_sent_but_the_key_and_the_content_of_files() {
    let client = client_builder("http://127.0.0.1:9").build().unwrap();
    let image = File::from_bytes("a.png", &b"\x89PNG\r\n\x1a\n the content"[..]);
    let call = client.remix_image_v3().image(image).prompt("a \"cat\"").seed(7);
    let palette = ColorPaletteWithPresetName::builder().name("EMBER").try_into();
    let call = call.color_palette::<ColorPaletteWithPresetName, _>(palette.unwrap());

    let summary = call.prepare().unwrap().summary().await.unwrap();
    let body = client.create_dataset().name("Lanterns").prepare().unwrap().summary().await.unwrap();

    let base = "http://127.0.0.1:9";
    let file = json!({"name": "a.png", "media_type": "image/png", "size_bytes": 20});
    assert_eq!(
        json!(summary),
        json!({
            "operation": "post_remix_image_v3",
            "method": "POST",
            "url": format!("{base}/v1/ideogram-v3/remix"),
            "headers": {},
            "parts": [
                {"name": "image", "file": file},
                {"name": "prompt", "text": "a \"cat\""},
                {"name": "seed", "text": "7"},
                {"name": "color_palette", "json": {"name": "EMBER"}},
            ],
        })
    );
    assert_eq!(
        json!(body),
        json!({
            "operation": "create_dataset",
            "method": "POST",
            "url": format!("{base}/datasets"),
            "headers": {"content-type": "application/json"},
            "json": {"name": "Lanterns"},
        })
    );
}

#[tokio::test]
async fn the_weight_of_a_call_is_read_from_its_body() {
    let client = client_builder("http://127.0.0.1:9").build().unwrap();
    let image = || File::from_bytes("a.png", &b"\x89PNG\r\n\x1a\n"[..]);
    let weight = |id: &str, body: Value| client.call(id).unwrap().json(body).prepare().unwrap().images();

    assert_eq!(client.generate_image_v3().prompt("a").prepare().unwrap().images(), 1);
    assert_eq!(client.generate_image_v3().prompt("a").num_images(8).prepare().unwrap().images(), 8);
    assert_eq!(weight("post_generate_image", json!({"image_request": {"prompt": "a", "num_images": 3}})), 3);
    let remix = client.call("post_remix_image").unwrap().file("image_file", image());
    let remix = remix.field("image_request", json!({"prompt": "a", "num_images": 4}));
    assert_eq!(remix.prepare().unwrap().images(), 4);
    let unchecked = client_builder("http://127.0.0.1:9").validation(Validation::Off).build().unwrap();
    let nonsense = json!({"image_request": {"prompt": "a", "num_images": "many"}});
    let nonsense = unchecked.call("post_generate_image").unwrap().json(nonsense).prepare().unwrap();
    assert_eq!(nonsense.images(), 1);
    assert_eq!(client.get_dataset().dataset_id("demo").prepare().unwrap().images(), 0);
}

/// The only file in a folder.
fn only_file(folder: &Path) -> std::path::PathBuf {
    let paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(paths.len(), 1, "{paths:?}");
    paths[0].clone()
}

#[tokio::test]
async fn the_response_of_a_paid_call_is_on_disk_before_it_is_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("made/on/demand");
    let (server, client) = mock().await;
    let client = client.with(CallOptions::new().store_responses_in(&kept));

    let response = client.generate_image_v3().prompt("a lantern").num_images(2).response().await.unwrap();
    client.get_dataset().dataset_id("demo").send().await.unwrap();

    let path = only_file(&kept);
    assert_eq!(response.stored_at(), Some(path.as_path()));
    let read = StoredResponse::read(&path).await.unwrap();
    assert_eq!((read.operation_id(), read.status()), ("post_generate_image_v3", 200));
    assert_eq!(read.response(), Some(&serde_json::from_slice(response.body()).unwrap()));
    assert_eq!(read.request()["parts"][0], json!({"name": "prompt", "text": "a lantern"}));
    assert!(read.received().unix_seconds().is_some());
    assert!(!fs::read_to_string(&path).unwrap().contains(KEY));
    drop(server);
}

#[tokio::test]
async fn invalid_and_incomplete_responses_are_stored_unchanged() {
    let half = format!("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{IMAGES}");
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"data\":";
    for (response, json) in [
        (response(200, "", format!(r#"{{"data": "none, {KEY}"}}"#)), Some(json!({"data": "none, [key]"}))),
        (half.into_bytes(), Some(serde_json::from_str(IMAGES).unwrap())),
        (cut.as_bytes().to_vec(), None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let server = RawServer::responding(response);
        let client = server.client().with(CallOptions::new().store_responses_in(folder.path()));

        let error = client.generate_image_v3().prompt("a").send().await.unwrap_err();

        assert_eq!(error.outcome(), Outcome::Completed, "{error}");
        let path = only_file(folder.path());
        assert_eq!(error.stored_at(), Some(path.as_path()));
        let read = StoredResponse::read(path).await.unwrap();
        assert_eq!(read.response(), json.as_ref());
        assert_eq!(read.response_text(), json.is_none().then_some("{\"data\":"));
    }
}

#[tokio::test]
async fn a_paid_call_whose_response_could_not_be_stored_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("file");
    fs::write(&in_the_way, "").unwrap();
    let (server, client) = mock().await;
    let storing = client.with(CallOptions::new().store_responses_in(in_the_way.join("responses")));

    let call = storing.generate_image_v3().prompt("a").send().await.unwrap_err();
    let job = storing.generate_image_v2_ideogram45().prompt("a").submit().await.unwrap_err();
    let run = client.run_job(client.generate_image_v2_ideogram45().prompt("a"), &in_the_way).await.unwrap_err();

    assert_eq!((call.kind(), call.outcome()), (ErrorKind::LocalIo, Outcome::NotSent), "{call}");
    assert_eq!((job.kind(), job.outcome()), (ErrorKind::LocalIo, Outcome::NotSent), "{job}");
    assert_eq!((run.kind(), run.outcome(), run.id()), (ErrorKind::LocalIo, Outcome::NotSent, None), "{run}");
    assert!(server.requests().is_empty());
    // A free call stores nothing.
    assert!(storing.get_dataset().dataset_id("demo").send().await.is_ok());
}

#[tokio::test]
async fn a_paid_response_that_cannot_be_stored_is_in_the_error() {
    /// Replaces the folder with a file after the check.
    struct InTheWay(PathBuf);

    impl Hook for InTheWay {
        fn before(&self, _: &Attempt<'_>, _: &mut HeaderMap) {
            fs::remove_dir(&self.0).unwrap();
            fs::write(&self.0, "").unwrap();
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let responses = folder.path().join("responses");
    let server = RawServer::responding(response(200, "", IMAGES));
    let options = CallOptions::new().store_responses_in(&responses).hook(InTheWay(responses.clone()));
    let client = server.client().with(options);

    let error = client.generate_image_v3().prompt("a").send().await.unwrap_err();

    assert_eq!((error.kind(), error.outcome(), error.attempts()), (ErrorKind::LocalIo, Outcome::Completed, 1));
    assert_eq!(error.body().unwrap(), IMAGES.as_bytes());
    assert!(error.body_is_complete() && error.to_string().contains("cannot store the response in"), "{error}");
    assert!(error.to_string().ends_with("; the call ran, and may be billed"), "{error}");
}

#[tokio::test]
async fn a_paid_call_whose_time_has_passed_still_brings_its_response_to_disk_and_is_not_sent_again() {
    let short = Duration::from_millis(100);
    for options in [CallOptions::new().deadline(short), CallOptions::new().response_timeout(short)] {
        let folder = tempfile::tempdir().unwrap();
        let (server, release) = RawServer::responding_when_notified(response(200, "", IMAGES));
        let client = server.client().with(options.attempts(5).store_responses_in(folder.path()));

        let error = client.generate_image_v3().prompt("a").num_images(3).send().await.unwrap_err();

        assert_eq!((error.outcome(), error.attempts(), error.is_timeout()), (Outcome::Unknown, 1, true), "{error}");
        assert!(
            error.to_string().contains("if it arrives within 10 minutes and the program still runs, it is stored in"),
            "{error}"
        );
        assert_eq!((client.images_in_flight(), fs::read_dir(folder.path()).unwrap().count()), (0, 0));
        release.notify_one();
        let is_stored = || {
            fs::read_dir(folder.path())
                .unwrap()
                .flatten()
                .any(|it| it.path().extension().is_some_and(|it| it == "json"))
        };
        let arrives = async {
            while !is_stored() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), arrives).await.expect("a late response is stored");
        let read = StoredResponse::read(only_file(folder.path())).await.unwrap();
        assert_eq!(read.body(), IMAGES.as_bytes());
    }
}

#[tokio::test]
async fn a_file_that_is_not_a_stored_response_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    fs::write(&path, IMAGES).unwrap();

    let wrong = StoredResponse::read(&path).await.unwrap_err();
    let missing = StoredResponse::read(folder.path().join("b.json")).await.unwrap_err();

    assert_eq!((wrong.kind(), missing.kind()), (ErrorKind::InvalidArgument, ErrorKind::LocalIo));
    assert!(wrong.to_string().contains("a.json") && missing.to_string().contains("b.json"), "{wrong}, {missing}");
}

#[test]
fn calls_without_async_work_from_any_thread() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (_server, client) = runtime.block_on(mock());

    let outside = client.get_dataset().dataset_id("demo").send_blocking().unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            std::thread::spawn(move || client.get_dataset().dataset_id("demo").send_blocking().unwrap())
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), outside);
    }
    // The last client goes inside of the runtime, which no other runtime may end in by itself.
    let inside = runtime.block_on(async move { client.get_dataset().dataset_id("nothing").send_blocking() });
    assert_eq!(inside.unwrap_err().kind(), ErrorKind::NotFound);
}

/// Calls again from where the client's own thread reports.
struct Nested(Client, Arc<Mutex<Option<Error>>>);

impl Hook for Nested {
    fn before(&self, _: &Attempt<'_>, _: &mut HeaderMap) {
        *self.1.lock().unwrap() = self.0.get_dataset().dataset_id("demo").send_blocking().err();
    }
}

#[test]
fn a_call_that_would_wait_for_its_own_thread_is_refused() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (_server, client) = runtime.block_on(mock());
    let refused = Arc::default();
    let nested = client.with(CallOptions::new().hook(Nested(client.clone(), Arc::clone(&refused))));

    nested.get_dataset().dataset_id("demo").send_blocking().unwrap();

    let error = refused.lock().unwrap().take().unwrap();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::LocalIo, Outcome::NotSent));
    assert!(error.to_string().contains("in a hook"), "{error}");
}

/// A hook that panics.
struct Broken;

impl Hook for Broken {
    fn after(&self, _: &Attempt<'_>, _: &AttemptOutcome<'_>) {
        panic!("a hook of theirs");
    }
}

#[test]
fn a_hook_that_panics_costs_no_response_and_no_thread() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (_server, client) = runtime.block_on(mock());
    let broken = client.with(CallOptions::new().store_responses_in(folder.path()).hook(Broken));

    let call = std::panic::AssertUnwindSafe(|| broken.generate_image_v3().prompt("a").send_blocking());
    let panicked = std::panic::catch_unwind(call).unwrap_err();

    assert_eq!(panicked.downcast_ref::<&str>(), Some(&"a hook of theirs"));
    only_file(folder.path());
    assert!(client.get_dataset().dataset_id("demo").send_blocking().is_ok());
    assert_eq!(client.images_in_flight(), 0);
}

#[tokio::test]
async fn a_paid_call_that_is_dropped_still_brings_its_response_to_disk_and_is_not_sent_again() {
    for (response, kept) in [(response(200, "", IMAGES), 1), (response(429, "Retry-After: 0\r\n", "{}"), 0)] {
        let folder = tempfile::tempdir().unwrap();
        let (server, release) = RawServer::responding_when_notified(response);
        let options = CallOptions::new()
            .attempts(5)
            .store_responses_in(folder.path())
            .initial_backoff(Duration::ZERO)
            .max_backoff(Duration::ZERO);
        let client = server.client().with(options);

        let call = client.generate_image_v3().prompt("a").num_images(3);
        let mut call = Box::pin(call.send());
        tokio::select! {
            biased;
            _ = &mut call => panic!("there is no response yet"),
            () = server.received() => {}
        }
        drop(call);
        assert_eq!(client.images_in_flight(), 3, "they are still in flight");
        release.notify_one();
        while client.images_in_flight() > 0 {
            tokio::task::yield_now().await;
        }

        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), kept);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_response_of_another_form_is_not_quoted() {
    let server = RawServer::responding(response(200, "", r#"{"data": ["https://x.test/a?sig=1\"2\"3"]}"#));

    let error = server.client().generate_image_v3().prompt("a").send().await.unwrap_err();

    assert!(error.to_string().contains("invalid type: string"), "{error}");
    assert!(!format!("{error} {error:?}").contains("sig="), "{error:?}");
}

#[tokio::test]
async fn a_custom_http_client_cannot_be_configured() {
    let builder = || client_builder("http://127.0.0.1:9");

    for mixed in [
        builder().http_client(reqwest::Client::new()).configure_http(|http| http),
        builder().configure_http(|http| http).http_client(reqwest::Client::new()),
    ] {
        let error = mixed.build().unwrap_err();

        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("configure_http"), "{error}");
    }
}

#[tokio::test]
async fn an_upload_reports_its_progress() {
    let (_server, client) = mock().await;
    let reports = Arc::new(Mutex::new(Vec::new()));
    let recorder = Arc::clone(&reports);
    let client =
        client.with(CallOptions::new().on_upload(move |sent, total| recorder.lock().unwrap().push((sent, total))));

    let file = File::from_bytes("a.txt", vec![b'a'; 300_000]);
    client.upload_dataset_assets().dataset_id("demo").files([file]).send().await.unwrap();

    let reports = reports.lock().unwrap();
    assert!(reports.is_sorted() && reports.len() > 3, "a file in memory is sent in pieces: {reports:?}");
    let (sent, total) = *reports.last().unwrap();
    assert_eq!(Some(sent), total);
    assert!(sent > 300_000);
}

#[tokio::test]
async fn a_proxy_gets_what_is_meant_for_elsewhere_and_loopback_bypasses_it() {
    let proxy = RawServer::responding(response(200, "", DATASET));
    let server = RawServer::responding(response(200, "", DATASET));
    let url = proxy.url().to_owned();
    let elsewhere = client_builder("http://ideogram.invalid").allow_plain_http();
    let elsewhere =
        elsewhere.configure_http(move |http| http.proxy(reqwest::Proxy::all(url).unwrap())).build().unwrap();

    elsewhere.get_dataset().dataset_id("demo").send().await.unwrap();
    server.client().get_dataset().dataset_id("demo").send().await.unwrap();

    assert!(proxy.requests()[0].head.starts_with("GET http://ideogram.invalid/datasets/demo HTTP/1.1\r\n"));
    assert_eq!((proxy.requests().len(), server.requests().len()), (1, 1));
}

#[tokio::test]
async fn a_private_certificate_authority_is_trusted_once_it_is_named() {
    let server = crate::tls_server::TlsServer::responding(response(200, "", DATASET)).await;
    let certificate = reqwest::Certificate::from_pem(server.authority_pem().as_bytes()).unwrap();

    let stranger = client_builder(server.url()).build().unwrap();
    let refused = stranger.get_dataset().dataset_id("demo").send().await.unwrap_err();
    let client = client_builder(server.url()).configure_http(|http| http.add_root_certificate(certificate)).build();
    let trusted = client.unwrap().get_dataset().dataset_id("demo").send().await.unwrap();

    assert_eq!((refused.kind(), refused.outcome()), (ErrorKind::Transport, Outcome::NotSent), "{refused:?}");
    assert_eq!(refused.attempts(), 1, "waiting does not mend it: {refused}");
    assert!(refused.to_string().contains("the certificate of the service is not trusted"), "{refused}");
    assert_eq!(trusted.dataset.dataset_id, "demo");
}

#[tokio::test]
async fn hundreds_of_calls_at_once_keep_a_bounded_number_of_connections() {
    const MAX_CONNECTIONS: usize = 100;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client_builder(&format!("http://{}", listener.local_addr().unwrap())).build().unwrap();
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (opened, highest) = (Arc::clone(&open), Arc::clone(&most));
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            highest.fetch_max(opened.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let opened = Arc::clone(&opened);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {}
                // Long enough for all calls that may to be here.
                tokio::time::sleep(Duration::from_millis(50)).await;
                opened.fetch_sub(1, Ordering::SeqCst);
                let _ = stream.write_all(&response(200, "connection: close\r\n", DATASET)).await;
            });
        }
    });

    let calls = (0..350).map(|_| client.get_dataset().dataset_id("demo").send());
    let ended = futures_util::future::join_all(calls).await;

    assert!(ended.iter().all(Result::is_ok), "{:?}", ended.iter().find_map(|ended| ended.as_ref().err()));
    let most = most.load(Ordering::SeqCst);
    assert!((2..=MAX_CONNECTIONS).contains(&most), "{most} connections at once");
    server.abort();
}

#[test]
fn a_client_and_its_calls_go_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    fn sent<T: Send>(_: &T) {}

    shared::<Client>();
    shared::<CallOptions>();
    let client = client_builder("http://127.0.0.1:9").build().unwrap();
    sent(&client.generate_image_v3().prompt("a").send());
    sent(&client.call("get_dataset").unwrap().send());
}

#[tokio::test]
async fn a_failure_that_comes_with_status_200_is_an_error() {
    let (_server, client) = mock().await;
    let folder = tempfile::tempdir().unwrap();
    let client = client.with(CallOptions::new().store_responses_in(folder.path()));
    let image = |name: &str| File::from_bytes(name, &b"RIFF\x12\0\0\0WEBPVP8L\x06\0\0\0\x2f\0\0\0\0\0"[..]);

    let error = client.remove_background_v2().image(image("errored.png")).send().await.unwrap_err();
    let dynamic = client.call("post_remove_background_v2").unwrap().file("image", image("errored.png"));
    let dynamic = dynamic.send().await.unwrap_err();

    for error in [error, dynamic] {
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Server, Outcome::Unknown), "{error}");
        assert_eq!(error.status().unwrap().as_u16(), 500);
        assert!(error.to_string().contains("could not be processed"), "{error}");
        assert!(error.stored_at().is_some_and(std::path::Path::exists), "{error}");
        assert_eq!(error.attempts(), 1);
    }
    assert!(client.remove_background_v2().image(image("a.png")).send().await.unwrap().error.is_none());
}

#[tokio::test]
async fn a_failure_that_comes_with_status_200_is_one_in_every_encoding() {
    let failure = r#"{"error": "no", "status_code": 402}"#;
    let utf16: Vec<u8> = "\u{feff}".encode_utf16().chain(failure.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for body in [failure.as_bytes().to_vec(), format!("\u{feff}{failure}").into_bytes(), utf16] {
        let server = RawServer::responding(response(200, "", &body));
        let client = server.client();

        let error = client.remove_background_v2().image(File::from_bytes("a.png", &b"a"[..])).send().await.unwrap_err();

        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Payment, Outcome::Declined), "{error}");
    }
}

#[tokio::test]
async fn the_deadline_bounds_a_free_call_behind_calls_that_hang() {
    let server = RawServer::silent();
    let client = server.client();
    let hanging: Vec<_> = (0..100).map(|_| tokio::spawn(client.list_datasets().send())).collect();
    while server.requests().len() < hanging.len() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    let quick = client.with(CallOptions::new().deadline(Duration::from_millis(300)));
    let error = tokio::time::timeout(Duration::from_secs(60), quick.list_datasets().send()).await;
    let error = error.unwrap().unwrap_err();

    assert_eq!((error.kind(), error.outcome(), error.is_timeout()), (ErrorKind::Transport, Outcome::NotSent, true));
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}
