//! Removes API keys from the output of the inspector: that of the server, and every key that a caller sent. Long texts are cut afterwards, so that no part of a key is left at the end.

use http::{HeaderMap, HeaderName, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;

const REDACTED: &str = "(redacted)";

/// The end of a text that was cut.
const MORE: &str = "…";

/// The maximum number of characters of a text.
const MAX_TEXT_CHARS: usize = 4000;

/// The minimum length of a key that is redacted everywhere, in characters. A shorter one is redacted in the headers only:
/// elsewhere that would hide ordinary words.
const MIN_KEY_CHARS: usize = 4;

/// The texts that must not be shown.
#[derive(Debug)]
pub(super) struct Redaction {
    /// Each key as it is and in JSON, longest first.
    keys: Vec<String>,
    key_header: HeaderName,
}

impl Redaction {
    /// Redacts the key of the server, and those that requests have in their headers.
    pub(super) fn new<'a>(api_key: &str, key_header: &str, requests: impl IntoIterator<Item = &'a HeaderMap>) -> Self {
        let key_header = HeaderName::from_bytes(key_header.as_bytes()).expect("the document names a header");
        let mut keys = vec![api_key.to_owned()];
        for headers in requests {
            for name in [&key_header, &header::AUTHORIZATION, &header::PROXY_AUTHORIZATION] {
                let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
                // The last word is the key, after a scheme such as `Bearer`.
                keys.extend(values.filter_map(|value| value.split_whitespace().next_back().map(str::to_owned)));
            }
        }
        keys.retain(|key| key.chars().count() >= MIN_KEY_CHARS);
        keys = keys.iter().flat_map(|key| forms(key)).collect();
        keys.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        keys.dedup();
        Self { keys, key_header }
    }

    /// A text without keys, cut if it is long.
    pub(super) fn text(&self, text: &str) -> String {
        let mut text = self.without_keys(text);
        // A path may have any of its characters percent-encoded.
        if text.contains('%') {
            let decoded = percent_decode_str(&text).decode_utf8_lossy();
            let redacted = self.without_keys(&decoded);
            if redacted != decoded {
                text = redacted;
            }
        }
        cut(&text, MAX_TEXT_CHARS)
    }

    fn without_keys(&self, text: &str) -> String {
        self.keys.iter().fold(text.to_owned(), |text, key| text.replace(key, REDACTED))
    }

    /// The value of a header.
    pub(super) fn header(&self, name: &HeaderName, value: &str) -> String {
        let secret = [&self.key_header, &header::AUTHORIZATION, &header::PROXY_AUTHORIZATION, &header::COOKIE];
        if secret.contains(&name) { REDACTED.to_owned() } else { self.text(value) }
    }

    /// Applies [`Self::text`] to all texts in a value, names of properties included.
    pub(super) fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.value(value)),
            Value::Object(properties) => {
                *properties = std::mem::take(properties)
                    .into_iter()
                    .map(|(name, mut value)| {
                        self.value(&mut value);
                        (self.text(&name), value)
                    })
                    .collect();
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// The first characters of a text, with a mark if there are more.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) if text[at..] != *MORE => format!("{}{MORE}", &text[..at]),
        _ => text.to_owned(),
    }
}

/// A key as it is, and in JSON.
fn forms(key: &str) -> [String; 2] {
    let json = Value::from(key).to_string();
    [key.to_owned(), json[1..json.len() - 1].to_owned()]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_redacted_in_every_form() {
        let mut headers = HeaderMap::new();
        headers.insert("api-key", "a-real-key".parse().unwrap());
        headers.insert("authorization", "Bearer a-token".parse().unwrap());
        let redaction = Redaction::new(r#"mock"key"#, "Api-Key", [&headers]);

        let mut value = json!({r#"mock"key"#: ["is a-real-key", r#"mock\"key, mock%22key"#, "a-token", 5]});
        redaction.value(&mut value);

        assert_eq!(value["(redacted)"][0], "is (redacted)");
        assert_eq!(value["(redacted)"][1], "(redacted), (redacted)");
        assert_eq!(value["(redacted)"][2], "(redacted)");
    }

    #[test]
    fn headers_with_keys_have_no_value_however_short() {
        let redaction = Redaction::new("k", "Api-Key", []);

        for name in ["api-key", "authorization", "cookie"] {
            assert_eq!(redaction.header(&name.parse().unwrap(), "k"), REDACTED, "{name}");
        }
        assert_eq!(redaction.header(&header::USER_AGENT, "key"), "key");
    }
}
