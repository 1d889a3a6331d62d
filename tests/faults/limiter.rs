//! The limiter of images in flight over HTTP: which calls need permits, and when permits are released.
//!
//! The server responds only when permitted, so its log shows how many calls are in flight. To show that a call waits,
//! calls to another server are completed meanwhile: a call that does not wait would have arrived. Unit tests of the
//! limiter show the order of calls.

use std::{sync::Arc, time::Duration};

use ideogram_client::{CallOptions, Client, Error, ErrorKind, File, Outcome, types};
use tokio::{sync::Semaphore, task::JoinHandle};

use crate::{
    calls::Call,
    server::{Action, End, Fault, Reading, Server},
};
use ideogram_testkit::response;

/// A server that responds when permitted.
struct HeldServer {
    server: Server,
    permits: Arc<Semaphore>,
}

impl HeldServer {
    fn start() -> Self {
        let mut held = Self { server: Server::start(Vec::new()), permits: Arc::new(Semaphore::new(0)) };
        held.script();
        held
    }

    /// Each response needs a permit.
    fn script(&mut self) {
        let response = response(200, "", Call::Generate.sample());
        let say = [Action::Wait(Arc::clone(&self.permits)), Action::Bytes(response)];
        self.server.set_script(vec![Fault::new(Reading::All, say, End::Close)]);
    }

    fn client(&self, images: u32) -> Client {
        self.server.builder().max_images_in_flight(images).build().unwrap()
    }

    /// Waits until `calls` calls have arrived in total, and checks that no more do.
    async fn arrived(&self, calls: usize) {
        self.server.until(|log| log.requests.len() >= calls).await;
        let other = Server::start(vec![crate::rows::good(Call::Get)]);
        let client = other.builder().build().unwrap();
        for _ in 0..5 {
            Call::Get.send(&client, 0).await.unwrap();
        }
        let arrived = self.server.log().requests.len();
        assert_eq!(arrived, calls, "calls that have arrived");
    }

    /// Permits `calls` responses.
    fn response(&self, calls: usize) {
        self.permits.add_permits(calls);
    }
}

/// Starts a call for `images` images.
fn start(client: &Client, images: u8) -> JoinHandle<Result<(), Error>> {
    let client = client.clone();
    tokio::spawn(
        async move { client.generate_image_v3().prompt("a lantern").num_images(images).send().await.map(drop) },
    )
}

#[tokio::test]
async fn ten_images_are_in_flight_by_default() {
    let held = HeldServer::start();
    let client = held.server.builder().build().unwrap();

    let calls: Vec<_> = (0..5).map(|_| start(&client, 4)).collect();
    held.arrived(2).await;
    held.response(1);
    held.arrived(3).await;
    held.response(4);

    for call in calls {
        call.await.unwrap().unwrap();
    }
    held.arrived(5).await;
}

#[tokio::test]
async fn a_call_without_images_needs_no_permit() {
    let held = HeldServer::start();
    let client = held.client(1);
    let _generating = start(&client, 1);
    held.arrived(1).await;

    let other = client.clone();
    let _reading = tokio::spawn(async move { Call::Get.send(&other, 0).await });
    held.arrived(2).await;
    let _describing = tokio::spawn(async move {
        client.describe().image_file(File::from_bytes("a.png", "pixels")).send().await.map(drop)
    });
    held.arrived(3).await;
}

#[tokio::test]
async fn the_weight_is_read_from_the_property_in_the_document_also_in_json() {
    let held = HeldServer::start();
    let client = held.client(4);
    let request = || types::ImageRequest::builder().prompt("a lantern").num_images(3);
    let nested = client.clone();
    let _nested = tokio::spawn(async move { nested.generate_image().image_request(request()).send().await.map(drop) });
    held.arrived(1).await;

    let _too_heavy = start(&client, 2);
    held.arrived(1).await;
    held.response(1);
    held.arrived(2).await;
}

#[tokio::test]
async fn clones_and_calls_with_options_share_one_limiter() {
    let held = HeldServer::start();
    let client = held.client(1);
    let _first = start(&client.clone(), 1);
    held.arrived(1).await;

    let _second = start(&client.with(CallOptions::new().attempts(2)), 1);
    let _third = start(&client, 1);
    held.arrived(1).await;
    held.response(1);
    held.arrived(2).await;
    held.response(1);
    held.arrived(3).await;
}

#[tokio::test]
async fn a_dropped_call_releases_its_permits_and_sends_nothing_more() {
    let held = HeldServer::start();
    let client = held.client(1);
    let first = start(&client, 1);
    held.arrived(1).await;
    let waiting = start(&client, 1);
    let last = start(&client, 1);
    held.arrived(1).await;

    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    held.arrived(2).await;
    held.response(2);

    last.await.unwrap().unwrap();
    held.arrived(2).await;
}

#[tokio::test]
async fn a_call_that_was_never_polled_or_only_prepared_holds_no_permit() {
    let held = HeldServer::start();
    let client = held.client(1);
    held.response(1);

    let never_polled = Call::Generate.send(&client, 16);
    let prepared = client.generate_image_v3().prompt("a lantern").prepare().unwrap();
    Call::Generate.send(&client, 16).await.unwrap();

    assert_eq!(prepared.operation().id, Call::Generate.operation().id);
    drop(never_polled);
    held.arrived(1).await;
}

#[tokio::test]
async fn a_refusal_can_lower_the_limit() {
    let refusal = r#"{"error": "too much", "reject_reason": "inflight_limit", "max_inflight_requests": 2}"#;
    let mut held = HeldServer::start();
    held.server.set_script(vec![Fault::response(response(429, "", refusal))]);
    let client = held.client(10);
    let error = start(&client, 1).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);

    held.script();
    let _calls: Vec<_> = (0..4).map(|_| start(&client, 1)).collect();
    held.arrived(3).await;
    held.response(1);
    held.arrived(4).await;
    held.response(3);
    held.arrived(5).await;
}

#[tokio::test]
async fn a_deadline_begins_with_the_permits_of_a_call() {
    let held = HeldServer::start();
    let client = held.client(1);
    let _first = start(&client, 1);
    held.arrived(1).await;

    let hurried = start(&client.with(CallOptions::new().deadline(Duration::from_millis(100))), 1);
    let waited = tokio::time::timeout(Duration::from_millis(200), std::future::pending::<()>()).await;
    assert!(waited.is_err() && !hurried.is_finished());
    held.response(1);
    let error = hurried.await.unwrap().unwrap_err();

    assert_eq!((error.outcome(), error.attempts()), (Outcome::Unknown, 1), "{error}");
    held.arrived(2).await;
}
