//! Removes the API key from all output.
//!
//! The command never prints the key, but a service or a gateway may repeat it in a header or a body. Therefore all bytes
//! are searched right before they are written.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use ideogram_client::internal;

/// A shorter text is not a key of the service, and may occur in the output.
const MIN_LENGTH: usize = 8;

/// Removes the key of this run from output, once the key is known. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Redactor(Arc<OnceLock<Vec<u8>>>);

impl std::fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Redactor(..)")
    }
}

impl Redactor {
    /// Sets the key to hide.
    pub(crate) fn set(&self, key: &str) {
        let key = key.trim();
        if key.len() >= MIN_LENGTH {
            // A run uses one key.
            let _ = self.0.set(key.as_bytes().to_vec());
        }
    }

    /// The same bytes without the key, also where it is percent-encoded or escaped as in JSON.
    pub(crate) fn removed_from<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        self.0.get().map_or(Cow::Borrowed(bytes), |key| internal::without_key(key, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(key: &str, text: &str) -> String {
        let secret = Redactor::default();
        secret.set(key);
        String::from_utf8(secret.removed_from(text.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn a_key_is_removed_in_every_encoding() {
        let key = "aB3-/+\"k~";
        let percent: String = key.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let unicode: String = key.bytes().map(|byte| format!("\\u{byte:04X}")).collect();
        let json = serde_json::to_string(key).unwrap();
        let slashes = json.replace('/', "\\/");
        for spelled in
            [key, &percent, &percent.to_uppercase(), &unicode, json.trim_matches('"'), &slashes[1..slashes.len() - 1]]
        {
            assert_eq!(without(key, &format!("x{spelled}y{spelled}")), "x[key]y[key]", "{spelled}");
            assert_eq!(without(key, spelled), "[key]");
        }
        assert_eq!(without(key, "%61B3-%2F+%22k\\u007e"), "[key]");
    }

    #[test]
    fn other_text_is_unchanged() {
        for text in ["", "secret-123", "secret-secret-123", "\\", "%", "\\u00", "sécret"] {
            assert_eq!(without("secret-1234", text), text);
        }
        assert_eq!(without("short", "short"), "short", "too short to be a key");
        assert_eq!(Redactor::default().removed_from(b"anything"), Cow::Borrowed(b"anything"));
        assert_eq!(without("secret-1234", "secret-secret-1234"), "secret-[key]");
    }
}
