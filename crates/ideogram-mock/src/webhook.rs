//! Delivers signed webhooks to receivers on this machine.
//!
//! Plain HTTP by hand: one small request to the loopback needs no client, and the mock server shares none with its users.

use std::{
    collections::VecDeque,
    io,
    net::IpAddr,
    sync::Mutex,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::Uri;
use jiff::Timestamp;
use ring::{
    digest::{SHA256, digest},
    signature::Ed25519KeyPair,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::state::USER_ID;

/// The private key of RFC 8037, appendix A: published, so it protects nothing.
const PRIVATE_KEY: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5,
    0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
/// Its public half, in base64url.
pub(crate) const PUBLIC_KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/// The id of the key.
pub(crate) const KEY_ID: &str = "mock";
/// How often a webhook is sent until the receiver responds with 2xx.
const ATTEMPTS: u32 = 4;
/// The time before the second attempt; it doubles with each.
const BACKOFF: Duration = Duration::from_millis(100);
/// How long the receiver may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The delay of a webhook with the marker `late webhook`.
const LATENESS: Duration = Duration::from_millis(500);
/// The maximum number of deliveries that are recorded; the oldest are dropped first.
const MAX_DELIVERIES: usize = 200;

/// The attempts to deliver webhooks.
#[derive(Debug, Default)]
pub(crate) struct Deliveries(Mutex<VecDeque<Delivery>>);

/// One attempt to deliver a webhook.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// When it ended, in real time.
    pub(crate) time: Timestamp,
    pub(crate) generation_id: String,
    pub(crate) address: String,
    pub(crate) attempt: u32,
    /// The status of the receiver, or why there is none.
    pub(crate) result: Result<u16, String>,
}

impl Deliveries {
    fn add(&self, delivery: Delivery) {
        let mut deliveries = self.0.lock().expect("nothing panics while it holds this lock");
        if deliveries.len() == MAX_DELIVERIES {
            deliveries.pop_front();
        }
        deliveries.push_back(delivery);
    }

    /// The last attempts, oldest first.
    pub(crate) fn all(&self) -> Vec<Delivery> {
        self.0.lock().expect("nothing panics while it holds this lock").iter().cloned().collect()
    }
}

/// A webhook to deliver when its job has ended.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    address: Uri,
    is_late: bool,
    is_twice: bool,
    is_forged: bool,
}

impl Webhook {
    /// Reads the address. `is_marked` says which faults the prompt asks for.
    ///
    /// # Errors
    ///
    /// Why nothing is delivered to this address.
    pub(crate) fn new(address: &str, is_marked: impl Fn(&str) -> bool) -> Result<Self, String> {
        let refusal = || {
            "the mock server delivers webhooks on this machine only: use an address such as http://127.0.0.1:8080/webhook"
                .to_owned()
        };
        let address: Uri = address.parse().map_err(|_| refusal())?;
        let host = address.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|host| host.is_loopback());
        if address.scheme_str() != Some("http") || !is_loopback {
            return Err(refusal());
        }
        let is = |word: &str| is_marked(word);
        let (is_late, is_twice, is_forged) = (is("late webhook"), is("repeated webhook"), is("forged webhook"));
        Ok(Self { address, is_late, is_twice, is_forged })
    }

    /// Sends the result of a job until the receiver has acknowledged it, and records each attempt.
    pub(crate) async fn deliver(&self, id: &str, body: &Value, deliveries: &Deliveries) {
        if self.is_late {
            sleep(LATENESS).await;
        }
        let body = body.to_string();
        for _ in 0..if self.is_twice { 2 } else { 1 } {
            let mut backoff = BACKOFF;
            for attempt in 1..=ATTEMPTS {
                let result = match timeout(TIMEOUT, self.send(id, &body)).await {
                    Ok(sent) => sent.map_err(|error| error.to_string()),
                    Err(_) => Err(format!("no response within {} s", TIMEOUT.as_secs())),
                };
                let is_acknowledged = matches!(result, Ok(200..=299));
                deliveries.add(Delivery {
                    time: Timestamp::now(),
                    generation_id: id.to_owned(),
                    address: self.address.to_string(),
                    attempt,
                    result,
                });
                if is_acknowledged {
                    break;
                }
                if attempt < ATTEMPTS {
                    sleep(backoff).await;
                    backoff *= 2;
                }
            }
        }
    }

    /// Sends a webhook once, and returns the status of the response.
    async fn send(&self, id: &str, body: &str) -> io::Result<u16> {
        // In real time, which receivers compare it with.
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let signed = if self.is_forged { "forged" } else { body };
        let message = format!("{id}\n{USER_ID}\n{seconds}\n{}", hex(digest(&SHA256, signed.as_bytes()).as_ref()));
        let signature = hex(key_pair().sign(message.as_bytes()).as_ref());
        let authority = self.address.authority().map_or("localhost", |authority| authority.as_str());
        let path = self.address.path_and_query().map_or("/", |path| path.as_str());
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\nX-Ideogram-Webhook-Generation-Id: {id}\r\nX-Ideogram-Webhook-User-Id: {USER_ID}\r\n\
             X-Ideogram-Webhook-Timestamp: {seconds}\r\nX-Ideogram-Webhook-Key-Id: {KEY_ID}\r\n\
             X-Ideogram-Webhook-Signature: {signature}\r\n\r\n{body}",
            body.len(),
        );
        let host = self.address.host().unwrap_or_default().trim_matches(['[', ']']);
        let mut stream = TcpStream::connect((host, self.address.port_u16().unwrap_or(80))).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut status = [0; "HTTP/1.1 200".len()];
        stream.read_exact(&mut status).await?;
        let status = status.strip_prefix(b"HTTP/1.").and_then(|rest| str::from_utf8(rest.get(2..)?).ok()?.parse().ok());
        status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the response is not HTTP/1.1"))
    }
}

fn key_pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&PRIVATE_KEY).expect("the seed has 32 bytes")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
