//! The API key, kept out of everything that is printed.

use std::{fmt, mem};

use bytes::Bytes;
use http::HeaderValue;
use serde_json::Value;

use crate::Error;

/// An API key. `Debug` does not show it, and nothing displays it.
#[derive(Clone)]
pub struct ApiKey {
    /// Marked sensitive, so that no HTTP library logs it either.
    header: HeaderValue,
}

/// A shorter key is a word, not a secret, such as what a gateway is content with. Taking it out of an answer would spoil
/// the links in it.
const SHORTEST_SECRET: usize = 12;

impl ApiKey {
    /// Takes a key as the service handed it out. White space around it is dropped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is empty or cannot stand in a header.
    /// The error does not repeat it.
    pub fn new(key: impl AsRef<str>) -> Result<Self, Error> {
        let key = key.as_ref().trim();
        if key.is_empty() {
            return Err(Error::invalid_argument("the API key is empty".to_owned()));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let reason = "the API key holds white space or characters beyond ASCII, which no key does";
            return Err(Error::invalid_argument(reason.to_owned()));
        }
        let mut header = HeaderValue::from_str(key)
            .map_err(|_| Error::invalid_argument("the API key cannot stand in a header".to_owned()))?;
        header.set_sensitive(true);
        Ok(Self { header })
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// Takes the key out of what came from elsewhere: a server may repeat what it was sent, also escaped as JSON allows.
    pub(crate) fn redact(&self, bytes: Bytes) -> Bytes {
        let bytes = self.redact_plain(bytes);
        if !bytes.contains(&b'\\') {
            return bytes;
        }
        let Ok(mut json) = serde_json::from_slice::<Value>(&bytes) else { return bytes };
        if self.redact_json(&mut json) { Bytes::from(json.to_string()) } else { bytes }
    }

    /// The same for every text in a JSON value, names included; says whether there was something to take out.
    fn redact_json(&self, json: &mut Value) -> bool {
        match json {
            Value::String(text) => self.redact_text(text),
            Value::Array(items) => items.iter_mut().fold(false, |changed, item| self.redact_json(item) | changed),
            Value::Object(members) => {
                let mut changed = false;
                *members = mem::take(members)
                    .into_iter()
                    .map(|(mut name, mut member)| {
                        changed |= self.redact_text(&mut name) | self.redact_json(&mut member);
                        (name, member)
                    })
                    .collect();
                changed
            }
            _ => false,
        }
    }

    fn redact_text(&self, text: &mut String) -> bool {
        let redacted = self.redact_plain(Bytes::copy_from_slice(text.as_bytes()));
        let changed = redacted.as_ref() != text.as_bytes();
        if changed {
            *text = String::from_utf8_lossy(&redacted).into_owned();
        }
        changed
    }

    fn redact_plain(&self, bytes: Bytes) -> Bytes {
        let key = self.header.as_bytes();
        if key.len() < SHORTEST_SECRET {
            return bytes;
        }
        let Some(mut start) = find(&bytes, key) else { return bytes };
        let mut redacted = Vec::with_capacity(bytes.len());
        let mut rest: &[u8] = &bytes;
        loop {
            redacted.extend_from_slice(&rest[..start]);
            redacted.extend_from_slice(b"[key]");
            rest = &rest[start + key.len()..];
            match find(rest, key) {
                Some(next) => start = next,
                None => break,
            }
        }
        redacted.extend_from_slice(rest);
        Bytes::from(redacted)
    }

    /// The same for what was cut at a limit: the key may have been cut too, and its beginning is taken away.
    pub(crate) fn redact_cut(&self, bytes: Bytes) -> Bytes {
        let key = self.header.as_bytes();
        let bytes = self.redact(bytes);
        let cut = (1..key.len()).rev().find(|&length| bytes.ends_with(&key[..length])).unwrap_or(0);
        bytes.slice(..bytes.len() - cut)
    }
}

fn find(text: &[u8], key: &[u8]) -> Option<usize> {
    text.windows(key.len()).position(|window| window == key)
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_in_no_debug_output() {
        let key = ApiKey::new(" secret-1234\n").unwrap();

        assert_eq!(format!("{key:?}"), "ApiKey(..)");
        assert!(!format!("{:?}", key.header()).contains("secret"));
    }

    #[test]
    fn a_refused_key_is_not_repeated_in_the_error() {
        for key in ["", "  ", "secret 1234", "secret\u{e9}", "secret\n1234"] {
            let error = ApiKey::new(key).unwrap_err();

            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_key_that_a_server_repeats_is_taken_out() {
        let key = ApiKey::new("secret-12345").unwrap();

        for (sent, shown) in
            [("a secret-12345 b secret-12345", "a [key] b [key]"), ("nothing here", "nothing here"), ("", "")]
        {
            assert_eq!(key.redact(Bytes::from(sent)), shown);
        }
        let escaped = key.redact(Bytes::from(r#"{"a":["\u0073ecret-12345\n"],"\u0073ecret-12345":1,"z":0}"#));
        assert_eq!(escaped, r#"{"a":["[key]\n"],"[key]":1,"z":0}"#);
        for (cut, shown) in [("a secret-12345 b secr", "a [key] b "), ("a s", "a "), ("a b", "a b"), ("", "")] {
            assert_eq!(key.redact_cut(Bytes::from(cut)), shown);
        }
    }

    #[test]
    fn a_key_that_is_a_word_does_not_spoil_what_comes_back() {
        let link = "https://ideogram.ai/image.png";

        assert_eq!(ApiKey::new("ideogram").unwrap().redact(Bytes::from(link)), link);
    }
}
