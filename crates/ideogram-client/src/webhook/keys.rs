//! The public keys of the service.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::types::WebhookSigningKeys;

/// The size of an Ed25519 public key.
const KEY_BYTES: usize = 32;

/// The keys that may have signed a webhook.
///
/// A key of another kind, and one that is malformed, is skipped: the service may add kinds of keys.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    /// How many keys were listed, usable or not.
    listed: usize,
    keys: Vec<Key>,
}

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    public: [u8; KEY_BYTES],
}

impl KeySet {
    /// Reads a key set in the form of RFC 7517, which is what `get_webhook_signing_jwks` returns. JSON of any other form
    /// is a set without keys.
    pub fn from_json(key_set: &Value) -> Self {
        let listed = key_set.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Self { listed: listed.len(), keys: listed.iter().filter_map(Key::read).collect() }
    }

    /// The number of keys that can verify a webhook.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key can verify a webhook.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether no key was listed, usable or not.
    pub(super) fn lists_nothing(&self) -> bool {
        self.listed == 0
    }

    /// Whether a key with this id can verify a webhook.
    pub(super) fn has(&self, id: &str) -> bool {
        self.keys.iter().any(|key| key.id.as_deref() == Some(id))
    }

    /// Whether one of the keys has signed the message.
    pub(super) fn have_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let verifies = |key: &Key| UnparsedPublicKey::new(&ED25519, key.public).verify(message, signature).is_ok();
        self.keys.iter().any(verifies)
    }
}

impl From<&WebhookSigningKeys> for KeySet {
    fn from(keys: &WebhookSigningKeys) -> Self {
        serde_json::to_value(keys).map(|keys| Self::from_json(&keys)).unwrap_or_default()
    }
}

impl Key {
    /// Reads an Ed25519 key for signatures; `None` if it is another kind of key, or malformed.
    fn read(key: &Value) -> Option<Self> {
        let text = |name| key.get(name).and_then(Value::as_str);
        // `alg` and `use` are optional in RFC 7517.
        let is_for_webhooks = text("kty") == Some("OKP")
            && text("crv") == Some("Ed25519")
            && matches!(text("alg"), None | Some("EdDSA" | "Ed25519"))
            && matches!(text("use"), None | Some("sig"));
        if !is_for_webhooks {
            return None;
        }
        let public = BASE64_URL_SAFE_NO_PAD.decode(text("x")?.trim_end_matches('=')).ok()?;
        Some(Self { id: text("kid").map(str::to_owned), public: public.try_into().ok()? })
    }
}
