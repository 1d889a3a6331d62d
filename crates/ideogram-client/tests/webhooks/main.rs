//! A webhook is accepted if the service has signed it, and refused with the reason if not.

#![cfg(feature = "webhooks")]

mod receive;
mod verify;

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ideogram_client::{
    reqwest::header::{HeaderMap, HeaderName, HeaderValue},
    webhook::{GENERATION_ID_HEADER, KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, USER_ID_HEADER},
};
use serde_json::{Value, json};

const GENERATION_ID: &str = "xtdZiqPwRxqY1Y7NExFmzB";
const USER_ID: &str = "zm6IqQd4RPGnwA8gQYEL5Q";
const BODY: &str = r#"{"generation_id":"xtdZiqPwRxqY1Y7NExFmzB","created":"2025-01-23T04:56:07Z","data":[]}"#;
/// The time of the deliveries of tests, in seconds since 1970.
const SENT: u64 = 1_760_000_000;

/// A key of the service.
struct Signer {
    id: &'static str,
    pair: Ed25519KeyPair,
}

impl Signer {
    fn new(id: &'static str, seed: u8) -> Self {
        Self { id, pair: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap() }
    }

    /// The public key, as the service lists it.
    fn jwk(&self) -> Value {
        let x = BASE64_URL_SAFE_NO_PAD.encode(self.pair.public_key());
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.id, "alg": "EdDSA", "use": "sig"})
    }

    /// The headers of a delivery.
    fn headers(&self, body: &[u8], sent: u64) -> HeaderMap {
        let message = format!("{GENERATION_ID}\n{USER_ID}\n{sent}\n{}", hex(digest(&SHA256, body).as_ref()));
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (GENERATION_ID_HEADER, GENERATION_ID.to_owned()),
            (USER_ID_HEADER, USER_ID.to_owned()),
            (TIMESTAMP_HEADER, sent.to_string()),
            (KEY_ID_HEADER, self.id.to_owned()),
            (SIGNATURE_HEADER, hex(self.pair.sign(message.as_bytes()).as_ref())),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::try_from(value).unwrap());
        }
        headers
    }
}

fn key_set(signers: &[&Signer]) -> Value {
    json!({"keys": signers.iter().map(|genuine| genuine.jwk()).collect::<Vec<_>>()})
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The time now, in seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}
