//! Images in the making are counted, and their places are given back whatever becomes of the calls.
//!
//! A server that answers only when permitted shows how many calls are under way. That a call waits is seen beside calls
//! to another server: when some of those have gone back and forth, what did not wait would have arrived.

use std::{sync::Arc, time::Duration};

use ideogram_client::{CallOptions, Client, Error, ErrorKind, File, Outcome, types};
use tokio::{sync::Semaphore, task::JoinHandle};

use crate::{
    calls::Call,
    raw_request::response,
    server::{End, Fault, Reading, Say, Server},
};

/// A server that answers when permitted.
struct Studio {
    server: Server,
    permits: Arc<Semaphore>,
}

impl Studio {
    fn start() -> Self {
        let mut studio = Self { server: Server::start(Vec::new()), permits: Arc::new(Semaphore::new(0)) };
        studio.mend();
        studio
    }

    /// Each call needs a permit to be answered.
    fn mend(&mut self) {
        let response = response(200, "", Call::Generate.sample());
        let say = [Say::Wait(Arc::clone(&self.permits)), Say::Bytes(response)];
        self.server.mend(vec![Fault::new(Reading::All, say, End::Close)]);
    }

    fn client(&self, images: u32) -> Client {
        self.server.builder().max_images_in_flight(images).build().unwrap()
    }

    /// Waits until so many calls have arrived in all, and sees that no more do.
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

    /// How many images each call asked for, in the order of arrival.
    fn asked_for(&self) -> Vec<u32> {
        let requests = self.server.log().requests;
        requests.iter().map(|seen| seen.text("num_images").parse().unwrap()).collect()
    }

    /// Permits so many responses.
    fn response(&self, calls: usize) {
        self.permits.add_permits(calls);
    }
}

/// Starts a call for so many images.
fn start(client: &Client, images: u8) -> JoinHandle<Result<(), Error>> {
    let client = client.clone();
    tokio::spawn(
        async move { client.generate_image_v3().prompt("a lantern").num_images(images).send().await.map(drop) },
    )
}

#[tokio::test]
async fn ten_images_are_in_the_making_unless_told_otherwise() {
    let studio = Studio::start();
    let client = studio.server.builder().build().unwrap();

    let calls: Vec<_> = (0..5).map(|_| start(&client, 4)).collect();
    studio.arrived(2).await;
    studio.response(1);
    studio.arrived(3).await;
    studio.response(4);

    for call in calls {
        call.await.unwrap().unwrap();
    }
    studio.arrived(5).await;
}

#[tokio::test]
async fn a_call_that_makes_no_image_needs_no_place() {
    let studio = Studio::start();
    let client = studio.client(1);
    let _making = start(&client, 1);
    studio.arrived(1).await;

    let other = client.clone();
    let _asking = tokio::spawn(async move { Call::Get.send(&other, 0).await });
    studio.arrived(2).await;
    let _describing = tokio::spawn(async move {
        client.describe().image_file(File::from_bytes("a.png", "pixels")).send().await.map(drop)
    });
    studio.arrived(3).await;
}

#[tokio::test]
async fn the_weight_is_read_where_the_document_says_also_within_json() {
    let studio = Studio::start();
    let client = studio.client(4);
    let request = || types::ImageRequest::builder().prompt("a lantern").num_images(3);
    let nested = client.clone();
    let _nested = tokio::spawn(async move { nested.generate_image().image_request(request()).send().await.map(drop) });
    studio.arrived(1).await;

    let _too_heavy = start(&client, 2);
    studio.arrived(1).await;
    studio.response(1);
    studio.arrived(2).await;
}

#[tokio::test]
async fn a_call_heavier_than_the_gate_takes_all_of_it_and_goes_through() {
    let studio = Studio::start();
    let client = studio.client(2);

    let heavy = start(&client, 8);
    studio.arrived(1).await;
    let light = start(&client, 1);
    studio.arrived(1).await;
    studio.response(1);
    heavy.await.unwrap().unwrap();
    studio.arrived(2).await;
    let heavy = start(&client, 8);
    studio.arrived(2).await;
    studio.response(2);

    light.await.unwrap().unwrap();
    heavy.await.unwrap().unwrap();
    studio.arrived(3).await;
}

#[tokio::test]
async fn a_waiting_call_is_not_overtaken_by_a_lighter_one() {
    let studio = Studio::start();
    let client = studio.client(4);
    let _first = start(&client, 3);
    studio.arrived(1).await;

    let _heavy = start(&client, 4);
    studio.arrived(1).await;
    let _light = start(&client, 1);
    studio.arrived(1).await;
    studio.response(1);
    studio.arrived(2).await;

    assert_eq!(studio.asked_for(), [3, 4]);
    studio.response(1);
    studio.arrived(3).await;
    assert_eq!(studio.asked_for(), [3, 4, 1]);
}

#[tokio::test]
async fn clones_and_calls_with_options_share_one_limiter() {
    let studio = Studio::start();
    let client = studio.client(1);
    let _first = start(&client.clone(), 1);
    studio.arrived(1).await;

    let _second = start(&client.with(CallOptions::new().attempts(2)), 1);
    let _third = start(&client, 1);
    studio.arrived(1).await;
    studio.response(1);
    studio.arrived(2).await;
    studio.response(1);
    studio.arrived(3).await;
}

#[tokio::test]
async fn a_dropped_call_gives_its_places_back_and_sends_nothing_more() {
    let studio = Studio::start();
    let client = studio.client(1);
    let first = start(&client, 1);
    studio.arrived(1).await;
    let waiting = start(&client, 1);
    let last = start(&client, 1);
    studio.arrived(1).await;

    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    studio.arrived(2).await;
    studio.response(2);

    last.await.unwrap().unwrap();
    studio.arrived(2).await;
}

#[tokio::test]
async fn a_call_that_was_never_polled_or_only_prepared_holds_no_place() {
    let studio = Studio::start();
    let client = studio.client(1);
    studio.response(1);

    let never_polled = Call::Generate.send(&client, 16);
    let prepared = client.generate_image_v3().prompt("a lantern").prepare().unwrap();
    Call::Generate.send(&client, 16).await.unwrap();

    assert_eq!(prepared.operation().id, Call::Generate.operation().id);
    drop(never_polled);
    studio.arrived(1).await;
}

#[tokio::test]
async fn a_refusal_can_narrow_the_limiter() {
    let refusal = r#"{"error": "too much", "reject_reason": "inflight_limit", "max_inflight_requests": 2}"#;
    let mut studio = Studio::start();
    studio.server.mend(vec![Fault::response(response(429, "", refusal))]);
    let client = studio.client(10);
    let error = start(&client, 1).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);

    studio.mend();
    let _calls: Vec<_> = (0..4).map(|_| start(&client, 1)).collect();
    studio.arrived(3).await;
    studio.response(1);
    studio.arrived(4).await;
    studio.response(3);
    studio.arrived(5).await;
}

#[tokio::test]
async fn a_deadline_begins_with_the_places_of_a_call() {
    let studio = Studio::start();
    let client = studio.client(1);
    let _first = start(&client, 1);
    studio.arrived(1).await;

    let hurried = start(&client.with(CallOptions::new().deadline(Duration::from_millis(100))), 1);
    let waited = tokio::time::timeout(Duration::from_millis(200), std::future::pending::<()>()).await;
    assert!(waited.is_err() && !hurried.is_finished());
    studio.response(1);
    let error = hurried.await.unwrap().unwrap_err();

    assert_eq!((error.outcome(), error.attempts()), (Outcome::Unknown, 1), "{error}");
    studio.arrived(2).await;
}
