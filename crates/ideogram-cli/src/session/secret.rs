//! Removes the API key from all output.
//!
//! The command never prints the key, but a service or a gateway may repeat it in a header or a body. Therefore all bytes
//! are searched right before they are written.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

/// Replaces the key.
const SUBSTITUTE: &[u8] = b"[key]";
/// A shorter text is not a key of the service, and may occur in the output.
const MIN_LENGTH: usize = 8;

/// The key of this run, once it is known. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Secret(Arc<OnceLock<Vec<u8>>>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

impl Secret {
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
        let Some(key) = self.0.get() else { return Cow::Borrowed(bytes) };
        let mut cleaned: Option<Vec<u8>> = None;
        let (mut copied, mut at) = (0, 0);
        while at < bytes.len() {
            if let Some(length) = spelled(key, &bytes[at..]) {
                let cleaned = cleaned.get_or_insert_with(|| Vec::with_capacity(bytes.len()));
                cleaned.extend_from_slice(&bytes[copied..at]);
                cleaned.extend_from_slice(SUBSTITUTE);
                at += length;
                copied = at;
            } else {
                at += 1;
            }
        }
        match cleaned {
            Some(mut cleaned) => {
                cleaned.extend_from_slice(&bytes[copied..]);
                Cow::Owned(cleaned)
            }
            None => Cow::Borrowed(bytes),
        }
    }
}

/// The length of the key at the beginning of the text, if it is there.
fn spelled(key: &[u8], text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for byte in key {
        at += letter(*byte, &text[at..])?;
    }
    Some(at)
}

/// The length of one character of it: plain, `%41`, `\u0041`, or after a backslash.
fn letter(byte: u8, text: &[u8]) -> Option<usize> {
    let is_hex = |digits: &[u8]| {
        std::str::from_utf8(digits).is_ok_and(|digits| u8::from_str_radix(digits, 16).is_ok_and(|value| value == byte))
    };
    match text {
        [first, ..] if *first == byte => Some(1),
        [b'%', high, low, ..] if is_hex(&[*high, *low]) => Some(3),
        [b'\\', b'u', b'0', b'0', high, low, ..] if is_hex(&[*high, *low]) => Some(6),
        [b'\\', second, ..] if *second == byte && !byte.is_ascii_alphanumeric() => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(key: &str, text: &str) -> String {
        let secret = Secret::default();
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
        assert_eq!(Secret::default().removed_from(b"anything"), Cow::Borrowed(b"anything"));
        assert_eq!(without("secret-1234", "secret-secret-1234"), "secret-[key]");
    }
}
