//! Calls as programs write them: awaited, spawned, generic, with options of a caller, limited, through a proxy.

use std::{
    fmt::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use ideogram_client::{CallBuilder, CallOptions, Client, Error, ErrorKind, Outcome, reqwest::Proxy};
use ideogram_mock::{MockServer, Scenario};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    task::JoinSet,
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::setup::start;

#[tokio::test]
async fn a_builder_is_awaited_and_spawned() {
    let (server, client) = start(MockServer::builder()).await;

    let awaited = client.generate_image_v3().prompt("a lantern").await.unwrap();
    let mut calls = JoinSet::new();
    for number in 0..20 {
        calls.spawn(client.generate_image_v3().prompt(format!("lantern {number}")).send());
    }
    drop(client);
    let spawned = calls.join_all().await;

    assert_eq!(awaited.data.len(), 1);
    assert!(spawned.iter().all(Result::is_ok), "{spawned:?}");
    assert_eq!(server.requests().len(), 21);
}

#[tokio::test]
async fn one_function_sends_any_call() {
    async fn send<B: CallBuilder>(call: B) -> Result<(&'static str, B::Output), Error> {
        Ok((call.operation().id, call.send().await?))
    }
    let (_server, client) = start(MockServer::builder()).await;

    let (datasets, images) = (client.list_datasets(), client.generate_image_v3().prompt("a lantern"));
    let (datasets, images) = (send(datasets).await.unwrap(), send(images).await.unwrap());

    assert_eq!((datasets.0, datasets.1.datasets.len()), ("list_datasets", 1));
    assert_eq!((images.0, images.1.data.len()), ("post_generate_image_v3", 1));
}

#[test]
fn an_option_without_a_value_is_left_out() {
    let client = Client::new("key").unwrap();
    let request = |seed: Option<u32>, speed: Option<String>| {
        client.generate_image_v3().prompt("a lantern").seed(seed).rendering_speed(speed).prepare()
    };

    let (none, both) = (request(None, None).unwrap(), request(Some(7), Some("TURBO".to_owned())).unwrap());
    let refused = request(None, Some("TURB0".to_owned())).unwrap_err();

    let expected = client.generate_image_v3().prompt("a lantern").prepare().unwrap();
    assert_eq!(none.to_string(), expected.to_string());
    let expected = client.generate_image_v3().prompt("a lantern").seed(7).rendering_speed("TURBO").prepare().unwrap();
    assert_eq!(both.to_string(), expected.to_string());
    assert!(refused.to_string().contains("`rendering_speed`: must be one of"), "{refused}");
}

#[tokio::test]
async fn a_response_dereferences_to_its_value() {
    let (_server, client) = start(MockServer::builder()).await;

    let response = client.list_datasets().response().await.unwrap();

    assert_eq!(response.datasets.len(), 1);
}

#[tokio::test]
async fn a_call_without_permits_in_time_is_not_sent() {
    let server = MockServer::builder().generation_time(Duration::from_secs(5)).start().await.unwrap();
    let client = Client::builder().api_key(server.api_key()).base_url(server.url()).max_images_in_flight(1);
    let client = client.build().unwrap();
    let running = tokio::spawn(client.generate_image_v3().prompt("a lantern").send());
    while client.images_in_flight() == 0 {
        tokio::task::yield_now().await;
    }

    let waiting = client.with(CallOptions::new().permit_timeout(Duration::from_millis(20)));
    let error = waiting.generate_image_v3().prompt("another").await.unwrap_err();
    let free = waiting.list_datasets().await;
    running.abort();

    assert_eq!((error.kind(), error.outcome(), error.attempts()), (ErrorKind::RateLimited, Outcome::NotSent, 0));
    assert!(error.is_timeout(), "{error}");
    assert!(free.is_ok(), "{free:?}");
}

/// Accepts one connection, and returns the first line that it receives.
async fn first_line() -> (SocketAddr, impl Future<Output = String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let line = async move {
        let (stream, _) = listener.accept().await.unwrap();
        BufReader::new(stream).lines().next_line().await.unwrap().unwrap()
    };
    (address, line)
}

#[tokio::test]
async fn a_proxy_is_for_calls_and_downloads() {
    for is_download in [false, true] {
        let (proxy, line) = first_line().await;
        let proxy = Proxy::all(format!("http://{proxy}")).unwrap();
        // There is no such host: without the proxy, nothing would be received.
        let builder = Client::builder().api_key("key").base_url("http://service.test").allow_plain_http();
        let client = builder.proxy(proxy).build().unwrap();
        let folder = tempfile::tempdir().unwrap();

        let sent = tokio::spawn(async move {
            if is_download {
                let _ = client.save("http://service.test/image.png", folder.path().join("image")).await;
            } else {
                let _ = client.list_datasets().await;
            }
        });
        let line = tokio::time::timeout(Duration::from_secs(20), line).await.unwrap();
        sent.abort();

        let path = if is_download { "image.png" } else { "datasets" };
        assert_eq!(line, format!("GET http://service.test/{path} HTTP/1.1"));
    }
}

/// Records events as an ordinary subscriber prints them: from `INFO` on.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<String>>>);

impl Subscriber for Events {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Text(String);

        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                if ["message", "attempts"].contains(&field.name()) {
                    write!(self.0, " {value:?}").unwrap();
                }
            }
        }

        let mut text = Text(event.metadata().level().to_string());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn every_call_and_every_retry_is_one_event() {
    let (server, client) = start(MockServer::builder()).await;
    let events = Events::default();
    let _subscriber = tracing::subscriber::set_default(events.clone());

    server.set_scenario(Scenario::RateLimitedOnce { retry_after: None });
    client.list_datasets().await.unwrap();
    client.get_dataset().dataset_id("nowhere").await.unwrap_err();

    let events = events.0.lock().unwrap();
    let ours: Vec<_> = events.iter().filter(|event| !event.contains("hyper")).collect();
    assert_eq!(
        *ours,
        ["INFO retrying", "INFO succeeded 2", "WARN failed: get_dataset: 404 Not Found: Dataset not found. 1"]
    );
}

#[tokio::test]
async fn a_long_wait_for_permits_is_an_event() {
    let server = MockServer::start().await.unwrap();
    let options = CallOptions::new().permit_timeout(Duration::from_secs(60));
    let client = Client::builder().api_key(server.api_key()).base_url(server.url()).max_images_in_flight(1);
    let client = client.build().unwrap().with(options);
    let job = client.generate_image_v2_ideogram45().prompt("a lantern").submit().await.unwrap();
    let events = Events::default();
    let _subscriber = tracing::subscriber::set_default(events.clone());

    // Nothing is sent from here on.
    tokio::time::pause();
    let error = client.generate_image_v3().prompt("another lantern").await.unwrap_err();

    assert_eq!((error.kind(), error.outcome()), (ErrorKind::RateLimited, Outcome::NotSent), "{error:?}");
    let events = events.0.lock().unwrap();
    let waits = events.iter().filter(|event| event.starts_with("WARN waiting for permits"));
    assert_eq!(waits.count(), 1, "{events:?}");
    drop(job);
}
