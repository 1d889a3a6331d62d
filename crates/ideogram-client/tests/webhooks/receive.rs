//! The receiver that fetches keys.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ideogram_client::{
    CallOptions, Client, ErrorKind, operations,
    reqwest::StatusCode,
    webhook::{ReceiveError, Receiver, VerifyError},
};
use ideogram_mock::MockServer;
use ideogram_testkit::{Reply, Server, response};
use serde_json::{Value, json};
use tokio::{sync::Notify, time};

use crate::{BODY, GENERATION_ID, Signer, key_set, now};

/// A service with keys that change; `None` stands for one that fails.
struct Service {
    server: Server,
    keys: Arc<Mutex<Option<Value>>>,
}

impl Service {
    fn new(keys: Option<Value>) -> Self {
        let keys = Arc::new(Mutex::new(keys));
        let current = Arc::clone(&keys);
        let server = Server::start(move |_, _| {
            Reply::Bytes(match &*current.lock().unwrap() {
                Some(keys) => response(200, "Content-Type: application/json\r\n", keys.to_string()),
                None => response(500, "", ""),
            })
        });
        Self { server, keys }
    }

    fn set(&self, keys: Option<Value>) {
        *self.keys.lock().unwrap() = keys;
    }

    fn fetches(&self) -> usize {
        self.server.requests().len()
    }

    fn receiver(&self) -> Receiver {
        Receiver::new(&client(self.server.url()))
    }
}

fn client(url: &str) -> Client {
    Client::builder().api_key("key").base_url(url).options(CallOptions::new().attempts(1)).build().unwrap()
}

/// Lets time pass for the receiver alone.
async fn pass(duration: Duration) {
    time::pause();
    time::advance(duration).await;
    time::resume();
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Receives a delivery that this key has signed now.
async fn receive(receiver: &Receiver, genuine: &Signer) -> Result<(), ReceiveError> {
    let delivery = receiver.receive(&genuine.headers(BODY.as_bytes(), now()), BODY).await?;
    assert_eq!(delivery.generation_id(), GENERATION_ID);
    Ok(())
}

fn refusal(result: Result<(), ReceiveError>) -> VerifyError {
    match result {
        Err(ReceiveError::Refused(error)) => error,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn keys_are_fetched_once_a_day() {
    let genuine = Signer::new("k1", 1);
    let service = Service::new(Some(key_set(&[&genuine])));
    let receiver = service.receiver();

    assert_eq!(service.fetches(), 0);
    for _ in 0..3 {
        receive(&receiver.clone(), &genuine).await.unwrap();
    }
    assert_eq!(service.fetches(), 1);
    assert_eq!(service.server.requests()[0].line(), "GET /v1/.well-known/jwks.json");
    pass(DAY.saturating_sub(MINUTE)).await;
    receive(&receiver, &genuine).await.unwrap();
    assert_eq!(service.fetches(), 1);
    pass(MINUTE).await;
    receive(&receiver, &genuine).await.unwrap();
    assert_eq!(service.fetches(), 2);
}

#[tokio::test]
async fn a_new_key_is_found_and_an_old_one_forgotten() {
    let (old, new) = (Signer::new("old", 1), Signer::new("new", 2));
    let service = Service::new(Some(key_set(&[&old])));
    let receiver = service.receiver();
    receive(&receiver, &old).await.unwrap();
    service.set(Some(key_set(&[&new])));

    assert_eq!(refusal(receive(&receiver, &new).await), VerifyError::UnknownKey, "keys were fetched just now");
    assert_eq!(service.fetches(), 1);
    pass(MINUTE).await;
    receive(&receiver, &new).await.unwrap();
    assert_eq!(service.fetches(), 2);
    pass(MINUTE).await;
    assert_eq!(refusal(receive(&receiver, &old).await), VerifyError::UnknownKey);
}

#[tokio::test]
async fn forged_deliveries_do_not_make_the_receiver_call_the_service() {
    let (genuine, stranger) = (Signer::new("k1", 1), Signer::new("k1", 2));
    let service = Service::new(Some(key_set(&[&genuine])));
    let receiver = service.receiver();

    // Without the form of a delivery, there is not even a first fetch.
    let error = receiver.receive(&genuine.headers(BODY.as_bytes(), 0), BODY).await.unwrap_err();
    assert_eq!((service.fetches(), error.status()), (0, StatusCode::BAD_REQUEST));

    for _ in 0..20 {
        assert_eq!(refusal(receive(&receiver, &stranger).await), VerifyError::WrongSignature);
    }
    assert_eq!(service.fetches(), 1);
    pass(MINUTE).await;
    let forged = (0..20).map(|_| receive(&receiver, &stranger));
    for result in futures_util::future::join_all(forged).await {
        assert_eq!(refusal(result), VerifyError::WrongSignature);
    }
    assert_eq!(service.fetches(), 2);
}

#[tokio::test]
async fn a_failing_fetch_leaves_the_keys_of_before() {
    let (genuine, stranger) = (Signer::new("k1", 1), Signer::new("k2", 2));
    let service = Service::new(Some(key_set(&[&genuine])));
    let receiver = service.receiver();
    receive(&receiver, &genuine).await.unwrap();
    service.set(None);

    for _ in 0..3 {
        pass(2 * DAY).await;
        receive(&receiver, &genuine).await.unwrap();
        assert_eq!(refusal(receive(&receiver, &stranger).await), VerifyError::UnknownKey);
    }
    assert_eq!(service.fetches(), 4);
}

#[tokio::test]
async fn without_keys_the_service_shall_deliver_again() {
    let genuine = Signer::new("k1", 1);
    let service = Service::new(None);
    let receiver = service.receiver();

    for _ in 0..5 {
        let error = receive(&receiver, &genuine).await.unwrap_err();
        assert!(matches!(&error, ReceiveError::KeysUnavailable(cause) if cause.is_transient()), "{error:?}");
        assert_eq!(error.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(service.fetches(), 1);
    service.set(Some(key_set(&[&genuine])));
    pass(MINUTE).await;
    receive(&receiver, &genuine).await.unwrap();
}

#[tokio::test]
async fn a_malformed_key_does_not_make_the_others_useless() {
    let genuine = Signer::new("k1", 1);
    let service = Service::new(Some(json!({"keys": [{"kty": "RSA", "n": "AQAB"}, 7, genuine.jwk()], "more": 1})));

    receive(&service.receiver(), &genuine).await.unwrap();
}

#[tokio::test]
async fn concurrent_deliveries_share_a_fetch_and_a_sender_that_goes_away_does_not_stop_it() {
    let genuine = Signer::new("k1", 1);
    let keys = response(200, "", key_set(&[&genuine]).to_string());
    let permission = Arc::new(Notify::new());
    let held = Arc::clone(&permission);
    let server = Server::start(move |_, _| Reply::Held(Arc::clone(&held), keys.clone()));
    let receiver = Receiver::new(&client(server.url()));

    let (gone, signed) = (receiver.clone(), genuine.headers(BODY.as_bytes(), now()));
    let gone = tokio::spawn(async move { gone.receive(&signed, BODY).await });
    server.received().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    let waiting = futures_util::future::join_all((0..10).map(|_| receive(&receiver, &genuine)));
    permission.notify_one();
    for result in waiting.await {
        result.unwrap();
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_valid_delivery_does_not_wait_for_a_fetch_that_a_forged_one_caused() {
    let (genuine, stranger) = (Signer::new("k1", 1), Signer::new("k2", 2));
    let keys = response(200, "", key_set(&[&genuine]).to_string());
    let permission = Arc::new(Notify::new());
    let held = Arc::clone(&permission);
    let server = Server::start(move |before, _| match before {
        0 => Reply::Bytes(keys.clone()),
        _ => Reply::Held(Arc::clone(&held), keys.clone()),
    });
    let receiver = Receiver::new(&client(server.url()));
    receive(&receiver, &genuine).await.unwrap();
    server.received().await;
    pass(MINUTE).await;

    let (forged_to, headers) = (receiver.clone(), stranger.headers(BODY.as_bytes(), now()));
    let forged = tokio::spawn(async move { forged_to.receive(&headers, BODY).await });
    server.received().await;
    receive(&receiver, &genuine).await.unwrap();
    assert!(!forged.is_finished());
    permission.notify_one();
    assert!(matches!(forged.await.unwrap(), Err(ReceiveError::Refused(VerifyError::UnknownKey))));
}

#[tokio::test]
async fn an_invalid_api_key_does_not_matter_to_the_mock_server() {
    let server = ideogram_mock::MockServer::start().await.unwrap();
    let receiver = Receiver::new(&client(server.url()));
    let genuine = Signer::new("k1", 1);

    // The keys were fetched: none of them has signed.
    let error = refusal(receive(&receiver, &genuine).await);
    assert!(matches!(error, VerifyError::WrongSignature | VerifyError::UnknownKey), "{error}");
}

#[tokio::test]
async fn a_client_without_a_key_fetches_the_keys_and_makes_no_other_call() {
    let server = MockServer::start().await.unwrap();
    let client = Client::builder().without_api_key().base_url(server.url()).build().unwrap();

    assert_eq!(client.get_webhook_signing_jwks().send().await.unwrap().keys.len(), 1);
    let refused = client.list_datasets().send().await.unwrap_err();

    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert!(!requests[0].headers.contains_key(operations::API_KEY_HEADER.unwrap()), "{:?}", requests[0].headers);
}
