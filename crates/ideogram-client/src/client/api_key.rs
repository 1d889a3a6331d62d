//! The API key, kept out of everything that is printed.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use crate::{
    Error,
    net::body_text::{MAX_TEXT_BYTES, text_of},
};

/// An API key. `Debug` does not show it, and nothing displays it.
#[derive(Clone)]
pub struct ApiKey {
    /// Marked sensitive, so that no HTTP library logs it either.
    header: HeaderValue,
}

/// A shorter key is a word, not a secret, such as what a gateway is content with. Taking it out of a response would
/// spoil the links in it.
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

    /// The key of a client that has none.
    pub(crate) fn none() -> Self {
        Self { header: HeaderValue::from_static("") }
    }

    pub(crate) fn is_none(&self) -> bool {
        self.header.is_empty()
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// Takes the key out of what came from elsewhere: a server may repeat what it was sent, also escaped as JSON and
    /// links allow. Everything else stays byte for byte.
    pub(crate) fn redact(&self, bytes: Bytes) -> Bytes {
        let Some((mut start, mut length)) = self.find(&bytes) else { return bytes };
        let mut redacted = Vec::with_capacity(bytes.len());
        let mut rest: &[u8] = &bytes;
        loop {
            redacted.extend_from_slice(&rest[..start]);
            redacted.extend_from_slice(b"[key]");
            rest = &rest[start + length..];
            match self.find(rest) {
                Some(next) => (start, length) = next,
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

    /// The same for a body in any form. One that is compressed or in another encoding and holds the key becomes plain
    /// text without it.
    pub(crate) fn redact_body(&self, body: Bytes) -> Bytes {
        let redacted = self.redact(body);
        let text = match text_of(&redacted, MAX_TEXT_BYTES).text {
            // As it stands: there is nothing inside.
            Cow::Borrowed(_) => return redacted,
            Cow::Owned(text) => text,
        };
        if self.is_in(&text) { self.redact(Bytes::from(text)) } else { redacted }
    }

    /// Takes the key out of headers, whatever their names. A header whose name holds it goes.
    pub(crate) fn redact_headers(&self, headers: &mut HeaderMap) {
        let named: Vec<_> = headers.keys().filter(|name| self.is_in(name.as_str())).cloned().collect();
        for name in named {
            headers.remove(name);
        }
        for value in headers.values_mut() {
            if self.find(value.as_bytes()).is_some() {
                let redacted = self.redact(Bytes::copy_from_slice(value.as_bytes()));
                *value = HeaderValue::from_maybe_shared(redacted).unwrap_or_else(|_| HeaderValue::from_static("[key]"));
            }
        }
    }

    /// Whether a text, such as a link from a response, contains the key, in whatever case and however escaped.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.find(text.as_bytes()).is_some()
    }

    /// The first place where the key stands, and how long it is there.
    fn find(&self, text: &[u8]) -> Option<(usize, usize)> {
        let key = self.header.as_bytes();
        if key.len() < SHORTEST_SECRET {
            return None;
        }
        let may_begin = |byte: u8| byte.eq_ignore_ascii_case(&key[0]) || byte == b'%' || byte == b'\\';
        let mut starts = text.iter().enumerate().filter(|(_, byte)| may_begin(**byte));
        starts.find_map(|(start, _)| Some((start, length_of(key, &text[start..])?)))
    }
}

/// How long the key is at the beginning of a text, if it is there: each character plain, or escaped as JSON (`\u0041`,
/// `\/`) or a link (`%41`) would.
fn length_of(key: &[u8], text: &[u8]) -> Option<usize> {
    let mut place = 0;
    for wanted in key {
        let is_wanted = |byte: u8| byte.eq_ignore_ascii_case(wanted);
        let hex = |from: usize, digits: usize| {
            let digits = str::from_utf8(text.get(place + from..place + from + digits)?).ok()?;
            u8::try_from(u32::from_str_radix(digits, 16).ok()?).ok()
        };
        place += match *text.get(place)? {
            b'%' if hex(1, 2).is_some_and(is_wanted) => 3,
            b'\\' if text.get(place + 1) == Some(&b'u') && hex(2, 4).is_some_and(is_wanted) => 6,
            b'\\' if b"\"\\/".contains(wanted) && text.get(place + 1) == Some(wanted) => 2,
            byte if is_wanted(byte) => 1,
            _ => return None,
        };
    }
    Some(place)
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
        for (sent, shown) in [
            (r#"{"score": NaN, "a": "\u0073\u0065cret-12345"}"#, r#"{"score": NaN, "a": "[key]"}"#),
            ("https://a.test/?k=%73ecret%2d12345&x", "https://a.test/?k=[key]&x"),
            ("HTTPS://SECRET-12345.test/", "HTTPS://[key].test/"),
            ("secret-1234 secret_12345", "secret-1234 secret_12345"),
        ] {
            assert_eq!(key.redact(Bytes::from(sent)), shown);
            assert_eq!(key.is_in(sent), sent != shown);
        }
        for (cut, shown) in [("a secret-12345 b secr", "a [key] b "), ("a s", "a "), ("a b", "a b"), ("", "")] {
            assert_eq!(key.redact_cut(Bytes::from(cut)), shown);
        }
    }

    #[test]
    fn a_key_in_a_body_of_another_form_and_in_headers_is_taken_out() {
        let key = ApiKey::new("secret-12345").unwrap();
        let utf16: Vec<u8> = "{\"a\": \"secret-12345\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut headers = HeaderMap::new();
        headers.insert("x-echo", HeaderValue::from_static("key=secret-12345; secret%2D12345"));
        headers.insert("x-secret-12345", HeaderValue::from_static("a"));
        headers.insert("x-other", HeaderValue::from_static("a"));

        key.redact_headers(&mut headers);

        assert_eq!(key.redact_body(Bytes::from(utf16)), "{\"a\": \"[key]\"}");
        assert_eq!((headers.len(), &headers["x-echo"]), (2, &HeaderValue::from_static("key=[key]; [key]")));
    }

    #[test]
    fn a_key_that_is_a_word_does_not_spoil_what_comes_back() {
        let link = "https://ideogram.ai/image.png";

        assert_eq!(ApiKey::new("ideogram").unwrap().redact(Bytes::from(link)), link);
    }
}
