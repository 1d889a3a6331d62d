//! What is whole in an answer that broke off.
//!
//! Such an answer is paid for, and the links that arrived are good. What ends at the break is left out, since half a link
//! looks like a link, and half a number like a number.

use serde_json::Value;

/// The JSON of an answer that broke off: every member and item that is whole, and the brackets closed that were open.
/// `None` if the text is not the beginning of JSON.
pub(super) fn salvage(text: &str) -> Option<Value> {
    // Anything else than an early end is damage, and what it has damaged is unknown.
    if !serde_json::from_str::<Value>(text).is_err_and(|error| error.is_eof()) {
        return None;
    }
    // The brackets that are to be closed, and how much of the text is whole. After that comes no bracket.
    let (mut open, mut whole) = (Vec::new(), 0);
    let (mut in_text, mut is_escaped, mut is_value) = (false, false, false);
    for (place, character) in text.bytes().enumerate() {
        match character {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' if in_text => {
                in_text = false;
                // A name without its value is not.
                if is_value || open.last() == Some(&']') {
                    whole = place + 1;
                }
            }
            _ if in_text => {}
            b'"' => in_text = true,
            b'{' | b'[' => {
                open.push(if character == b'{' { '}' } else { ']' });
                (whole, is_value) = (place + 1, false);
            }
            b'}' | b']' => {
                open.pop();
                (whole, is_value) = (place + 1, false);
            }
            b',' => (whole, is_value) = (place, false),
            b':' => is_value = true,
            _ => {}
        }
    }
    let closed: String = text.get(..whole)?.chars().chain(open.into_iter().rev()).collect();
    serde_json::from_str(&closed).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_whole_is_left() {
        for (text, expected) in [
            (r#"{"a": "b"#, Some(json!({}))),
            (r#"{"a": "b""#, Some(json!({"a": "b"}))),
            (r#"{"a": "b", "c""#, Some(json!({"a": "b"}))),
            (r#"{"a": 12"#, Some(json!({}))),
            (r#"{"a": 12,"#, Some(json!({"a": 12}))),
            (r#"{"a": tr"#, Some(json!({}))),
            (r#"{"a": ["b", "c""#, Some(json!({"a": ["b", "c"]}))),
            (r#"{"a": ["b", 7"#, Some(json!({"a": ["b"]}))),
            (r#"[{"a": {"b": "]}\"#, Some(json!([{"a": {}}]))),
            (r#"[{"a": "\"]", "b": [{}, "#, Some(json!([{"a": "\"]", "b": [{}]}]))),
            ("", None),
            ("7", None),
            ("<html>", None),
            (r#"{"a": "b"} {"#, None),
            (r#"{"a" "b"#, None),
        ] {
            assert_eq!(salvage(text), expected, "{text}");
        }
    }
}
