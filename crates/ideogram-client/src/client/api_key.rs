//! The API key, which is never printed.

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

/// Shorter keys are not redacted: a gateway may accept a plain word, and removing it would damage links in responses.
const MIN_SECRET_BYTES: usize = 12;

impl ApiKey {
    /// Creates a key from the text that the service issued. White space around it is removed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is empty, or not valid in a header. The
    /// error does not contain it.
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
            .map_err(|_| Error::invalid_argument("the API key is not valid in a header".to_owned()))?;
        header.set_sensitive(true);
        Ok(Self { header })
    }

    /// Returns the placeholder of a client without a key.
    pub(crate) fn none() -> Self {
        Self { header: HeaderValue::from_static("") }
    }

    pub(crate) fn is_none(&self) -> bool {
        self.header.is_empty()
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// Removes the key from bytes that a server sent: it may echo the request, and escape it as JSON or a link allow.
    /// All other bytes stay as they are.
    pub(crate) fn redact(&self, bytes: Bytes) -> Bytes {
        let Some(Cow::Owned(redacted)) = self.secret().map(|key| without_key(key, &bytes)) else { return bytes };
        Bytes::from(redacted)
    }

    /// Like `redact`, for bytes that were cut at a limit: removes the beginning of a key at the end, too.
    pub(crate) fn redact_cut(&self, bytes: Bytes) -> Bytes {
        let key = self.header.as_bytes();
        let bytes = self.redact(bytes);
        let cut = (1..key.len()).rev().find(|&length| bytes.ends_with(&key[..length])).unwrap_or(0);
        bytes.slice(..bytes.len() - cut)
    }

    /// Like `redact`, for a body in any form. A compressed or otherwise encoded body that contains the key becomes plain
    /// text without it.
    pub(crate) fn redact_body(&self, body: Bytes) -> Bytes {
        let redacted = self.redact(body);
        let text = match text_of(&redacted, MAX_TEXT_BYTES).text {
            Cow::Borrowed(_) => return redacted,
            Cow::Owned(text) => text,
        };
        if self.is_in(&text) { self.redact(Bytes::from(text)) } else { redacted }
    }

    /// Removes the key from the values of headers, and removes headers whose names contain it.
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

    /// Returns whether a text, such as a link, contains the key, in any case and with any escapes.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.find(text.as_bytes()).is_some()
    }

    /// Returns the first position of the key, and its length there.
    fn find(&self, text: &[u8]) -> Option<(usize, usize)> {
        find(self.secret()?, text)
    }

    /// The key, unless it is too short for a secret.
    fn secret(&self) -> Option<&[u8]> {
        Some(self.header.as_bytes()).filter(|key| key.len() >= MIN_SECRET_BYTES)
    }
}

/// Returns bytes without a key, also where it is escaped as JSON or a link allow, in any case. All other bytes stay as
/// they are.
pub fn without_key<'b>(key: &[u8], bytes: &'b [u8]) -> Cow<'b, [u8]> {
    let mut cleaned = Vec::new();
    let mut rest = bytes;
    while let Some((start, length)) = find(key, rest) {
        cleaned.extend_from_slice(&rest[..start]);
        cleaned.extend_from_slice(b"[key]");
        rest = &rest[start + length..];
    }
    if cleaned.is_empty() {
        return Cow::Borrowed(bytes);
    }
    cleaned.extend_from_slice(rest);
    Cow::Owned(cleaned)
}

fn find(key: &[u8], text: &[u8]) -> Option<(usize, usize)> {
    let first = key.first()?;
    let may_begin = |byte: u8| byte.eq_ignore_ascii_case(first) || byte == b'%' || byte == b'\\';
    let mut starts = text.iter().enumerate().filter(|(_, byte)| may_begin(**byte));
    starts.find_map(|(start, _)| Some((start, length_of(key, &text[start..])?)))
}

/// Returns the length of the key at the beginning of a text, if it is there: each character is plain, or escaped as in
/// JSON (`\u0041`, `\/`) or in a link (`%41`).
fn length_of(key: &[u8], text: &[u8]) -> Option<usize> {
    let mut position = 0;
    for wanted in key {
        let is_wanted = |byte: u8| byte.eq_ignore_ascii_case(wanted);
        let hex = |from: usize, digits: usize| {
            let digits = str::from_utf8(text.get(position + from..position + from + digits)?).ok()?;
            u8::try_from(u32::from_str_radix(digits, 16).ok()?).ok()
        };
        position += match *text.get(position)? {
            b'%' if hex(1, 2).is_some_and(is_wanted) => 3,
            b'\\' if text.get(position + 1) == Some(&b'u') && hex(2, 4).is_some_and(is_wanted) => 6,
            b'\\' if b"\"\\/".contains(wanted) && text.get(position + 1) == Some(wanted) => 2,
            byte if is_wanted(byte) => 1,
            _ => return None,
        };
    }
    Some(position)
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
    fn the_error_of_a_refused_key_does_not_contain_it() {
        for key in ["", "  ", "secret 1234", "secret\u{e9}", "secret\n1234"] {
            let error = ApiKey::new(key).unwrap_err();

            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_key_that_a_server_echoes_is_removed() {
        let key = ApiKey::new("secret-12345").unwrap();

        for (sent, redacted) in
            [("a secret-12345 b secret-12345", "a [key] b [key]"), ("nothing here", "nothing here"), ("", "")]
        {
            assert_eq!(key.redact(Bytes::from(sent)), redacted);
        }
        let escaped = key.redact(Bytes::from(r#"{"a":["\u0073ecret-12345\n"],"\u0073ecret-12345":1,"z":0}"#));
        assert_eq!(escaped, r#"{"a":["[key]\n"],"[key]":1,"z":0}"#);
        for (sent, redacted) in [
            (r#"{"score": NaN, "a": "\u0073\u0065cret-12345"}"#, r#"{"score": NaN, "a": "[key]"}"#),
            ("https://a.test/?k=%73ecret%2d12345&x", "https://a.test/?k=[key]&x"),
            ("HTTPS://SECRET-12345.test/", "HTTPS://[key].test/"),
            ("secret-1234 secret_12345", "secret-1234 secret_12345"),
        ] {
            assert_eq!(key.redact(Bytes::from(sent)), redacted);
            assert_eq!(key.is_in(sent), sent != redacted);
        }
        for (cut, redacted) in [("a secret-12345 b secr", "a [key] b "), ("a s", "a "), ("a b", "a b"), ("", "")] {
            assert_eq!(key.redact_cut(Bytes::from(cut)), redacted);
        }
    }

    #[test]
    fn a_key_in_an_encoded_body_and_in_headers_is_removed() {
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
    fn a_short_key_does_not_damage_responses() {
        let link = "https://ideogram.ai/image.png";

        assert_eq!(ApiKey::new("ideogram").unwrap().redact(Bytes::from(link)), link);
    }
}
