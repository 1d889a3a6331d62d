//! Webhooks of jobs: delivered to this machine, signed, and again until they are acknowledged.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Bytes, extract::State, routing::post};
use http::{HeaderMap, StatusCode};
use ideogram_mock::MockServer;
use ring::{
    digest::{SHA256, digest},
    signature::{ED25519, UnparsedPublicKey},
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    time::timeout,
};

use crate::caller::Caller;

const GENERATE: &str = "/v2/image/generate/ideogram-4";

type Received = (HeaderMap, Bytes);

/// A receiver that refuses some webhooks before it acknowledges the rest.
struct Receiver {
    address: String,
    received: mpsc::UnboundedReceiver<Received>,
}

impl Receiver {
    async fn refusing(refusals: usize) -> Self {
        async fn receive(
            State((sender, refusals)): State<(mpsc::UnboundedSender<Received>, Arc<Mutex<usize>>)>,
            headers: HeaderMap,
            body: Bytes,
        ) -> StatusCode {
            sender.send((headers, body)).unwrap();
            let mut refusals = refusals.lock().await;
            if *refusals == 0 {
                return StatusCode::NO_CONTENT;
            }
            *refusals -= 1;
            StatusCode::SERVICE_UNAVAILABLE
        }

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/webhook?a=b", listener.local_addr().unwrap());
        let (sender, received) = mpsc::unbounded_channel();
        let router =
            Router::new().route("/webhook", post(receive)).with_state((sender, Arc::new(Mutex::new(refusals))));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, received }
    }

    async fn next(&mut self) -> Received {
        timeout(Duration::from_secs(20), self.received.recv()).await.expect("a webhook arrives").unwrap()
    }

    /// Whether no further webhook arrives soon.
    async fn is_quiet(&mut self) -> bool {
        timeout(Duration::from_millis(400), self.received.recv()).await.is_err()
    }
}

async fn submit(caller: &Caller, prompt: &str, address: &str) -> String {
    let response = caller.post(GENERATE, &json!({"prompt": prompt, "webhook_url": address})).await;
    assert_eq!((response.status.as_u16(), response.body.get("data")), (200, None), "{}", response.body);
    response.body["generation_id"].as_str().unwrap().to_owned()
}

/// Whether the key that the server publishes has signed a webhook.
async fn is_signed(caller: &Caller, (headers, body): &Received) -> bool {
    let text = |name: &str| headers[format!("x-ideogram-webhook-{name}")].to_str().unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let keys = caller.get("/v1/.well-known/jwks.json").await.body;
    // RFC 8032, 7.1, test 1: the same key in hex.
    assert_eq!(keys["keys"][0]["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(keys["keys"][0]["kid"], text("key-id"));
    let public = decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let fields = [text("generation-id"), text("user-id"), text("timestamp"), &hex(digest(&SHA256, body).as_ref())];
    let signature = decode(text("signature"));
    UnparsedPublicKey::new(&ED25519, public).verify(fields.join("\n").as_bytes(), &signature).is_ok()
}

fn decode(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[tokio::test]
async fn a_job_is_delivered_signed_when_it_has_completed() {
    let caller = Caller::with(MockServer::builder().job_time(Duration::from_secs(20))).await;
    let mut receiver = Receiver::refusing(0).await;
    let id = submit(&caller, "a cat", &receiver.address).await;

    assert!(receiver.is_quiet().await);
    caller.server.advance(Duration::from_secs(20));
    let webhook = receiver.next().await;

    assert!(is_signed(&caller, &webhook).await);
    let state = caller.get(&format!("/v2/generations/{id}")).await.body;
    let body: Value = serde_json::from_slice(&webhook.1).unwrap();
    assert_eq!(body, json!({"generation_id": id, "created": state["created"], "data": state["data"]}));
    assert_eq!(webhook.0["x-ideogram-webhook-generation-id"], *id);
    let dataset = caller.get("/datasets/demo").await.body;
    assert_eq!(webhook.0["x-ideogram-webhook-user-id"], dataset["dataset"]["user_id"].as_str().unwrap());
    assert!(receiver.is_quiet().await);
}

#[tokio::test]
async fn a_webhook_is_sent_again_until_it_is_acknowledged() {
    let caller = Caller::new().await;
    for (refusals, sent) in [(0, 1), (2, 3), (9, 4)] {
        let mut receiver = Receiver::refusing(refusals).await;
        submit(&caller, "a cat", &receiver.address).await;

        for _ in 0..sent {
            assert!(is_signed(&caller, &receiver.next().await).await);
        }
        assert!(receiver.is_quiet().await);
    }
}

#[tokio::test]
async fn markers_repeat_delay_and_forge_webhooks() {
    let caller = Caller::new().await;
    let mut receiver = Receiver::refusing(0).await;

    submit(&caller, "a cat, repeated webhook", &receiver.address).await;
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!(first.1, second.1);
    submit(&caller, "a cat, late webhook", &receiver.address).await;
    assert!(receiver.is_quiet().await);
    assert!(is_signed(&caller, &receiver.next().await).await);
    submit(&caller, "a cat, forged webhook", &receiver.address).await;
    assert!(!is_signed(&caller, &receiver.next().await).await);
    for ended in ["an errored cat", "a hanging cat"] {
        submit(&caller, ended, &receiver.address).await;
        assert!(receiver.is_quiet().await, "{ended}");
    }
}

#[tokio::test]
async fn webhooks_stay_on_this_machine() {
    let caller = Caller::new().await;
    for address in [
        "https://example.com/webhook",
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "http://10.0.0.1/",
        "https://127.0.0.1/",
        "http://[::2]/",
        "file:///etc/hosts",
    ] {
        for query in ["", "?dry_run=true"] {
            let body = json!({"prompt": "a cat", "webhook_url": address});
            let refused = caller.post(&format!("{GENERATE}{query}"), &body).await;

            assert_eq!(refused.status, 400, "{address}");
            assert!(refused.body["detail"].as_str().unwrap().contains("on this machine"), "{}", refused.body);
        }
    }
}
