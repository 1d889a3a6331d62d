//! The reason why the service refused a call, from any form of body.
//!
//! The service writes `{"error": "..."}`. Its framework, gateways and proxies write other forms: nested objects, lists
//! with one entry per property, web pages.

use http::StatusCode;
use serde_json::Value;

use crate::net::body_text::text_of;

/// Bodies of errors are cut long before this size.
const MAX_TEXT_BYTES: usize = 1024 * 1024;
/// The number of reasons that are taken from a list.
const MAX_REASONS: usize = 5;
/// Properties that hold the reason, the most common first.
const REASONS: [&str; 9] =
    ["error", "message", "detail", "error_description", "description", "reason", "msg", "errors", "title"];
/// Properties whose text is for programs, or a value of the caller.
const NO_REASONS: [&str; 11] =
    ["code", "ctx", "input", "instance", "loc", "path", "request_id", "status", "trace_id", "type", "url"];
/// Words and codes in a refusal by the safety check.
const SAFETY_TERMS: [&str; 8] =
    ["safety", "unsafe", "moderat", "prohibited", "content policy", "content_policy", "nsfw", "inappropriate"];

/// The body of a refusal.
#[derive(Debug)]
pub(crate) enum Refusal {
    Json(Value),
    Text(String),
}

impl Refusal {
    pub(crate) fn read(body: &[u8]) -> Self {
        let text = text_of(body, MAX_TEXT_BYTES).text;
        serde_json::from_str(&text).map_or_else(|_| Self::Text(text.into_owned()), Self::Json)
    }

    /// Returns the reason for people.
    pub(crate) fn reason(&self) -> Option<String> {
        match self {
            Self::Json(json) => reason_in(json),
            Self::Text(text) => is_page(text).then(|| reason_of_page(text)).or_else(|| Some(text.clone())),
        }
        .filter(|reason| !reason.trim().is_empty())
    }

    /// Returns whether the body says that the safety check refused.
    pub(crate) fn names_safety(&self) -> bool {
        match self {
            Self::Json(json) => names_safety(json),
            Self::Text(text) => has_safety_term(text),
        }
    }
}

fn reason_in(json: &Value) -> Option<String> {
    match json {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Array(items) => joined(items.iter().filter_map(reason_in)),
        Value::Object(object) => {
            // Each value is visited once: nesting must not multiply the work.
            let mut known: Vec<_> = REASONS.iter().filter_map(|name| reason_in(object.get(*name)?)).collect();
            // A sentence says more than "Bad Request" or `invalid_value`.
            let best = known.iter().position(|text| is_sentence(text)).unwrap_or(0);
            let best = (best < known.len()).then(|| known.swap_remove(best));
            if let (Some(best), Some(Value::Array(path))) = (&best, object.get("loc")) {
                let path: Vec<_> =
                    path.iter().map(|step| step.as_str().map_or(step.to_string(), str::to_owned)).collect();
                return Some(format!("{}: {best}", path.join(".")));
            }
            best.or_else(|| {
                let is_other = |name: &str| !NO_REASONS.contains(&name) && !REASONS.contains(&name);
                let others = object.iter().filter(|(name, _)| is_other(name));
                joined(others.filter(|(name, value)| !is_prompt(name, value)).filter_map(|(name, value)| {
                    let reason = reason_in(value).filter(|text| !value.is_string() || is_sentence(text))?;
                    Some(format!("{name}: {reason}"))
                }))
            })
        }
        _ => None,
    }
}

fn joined(reasons: impl Iterator<Item = String>) -> Option<String> {
    let reasons: Vec<_> = reasons.take(MAX_REASONS).collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// Returns whether a text says more than a status or a code.
fn is_sentence(text: &str) -> bool {
    let is_status = (400..=511).filter_map(|code| StatusCode::from_u16(code).ok()?.canonical_reason());
    let is_code = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte));
    !is_code && !is_status.into_iter().any(|reason| text.eq_ignore_ascii_case(reason))
}

/// Returns whether a property is the prompt of the caller; a list of that name is about the prompt.
fn is_prompt(name: &str, value: &Value) -> bool {
    name == "prompt" && value.is_string()
}

fn names_safety(json: &Value) -> bool {
    match json {
        Value::String(text) => has_safety_term(text),
        Value::Array(items) => items.iter().any(names_safety),
        Value::Object(object) => object.iter().any(|(name, value)| {
            let is_callers = ["ctx", "input", "loc", "url"].contains(&name.as_str());
            !is_callers && !is_prompt(name, value) && names_safety(value)
        }),
        _ => false,
    }
}

fn has_safety_term(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    SAFETY_TERMS.iter().any(|term| text.contains(term))
}

fn is_page(text: &str) -> bool {
    let start: String = text.chars().take(4096).collect::<String>().to_ascii_lowercase();
    ["<html", "<!doctype", "<title", "<body"].iter().any(|tag| start.contains(tag))
}

/// Returns the title and the text of a page, without its tags.
fn reason_of_page(page: &str) -> String {
    let (mut title, mut text) = (String::new(), String::new());
    let mut rest = page;
    let mut inside = "";
    while let Some((before, after)) = rest.split_once('<') {
        take(before, inside, &mut title, &mut text);
        let Some((tag, after)) = after.split_once('>') else { return reason_of(&title, &text) };
        let name = tag.split(|letter: char| letter.is_ascii_whitespace() || letter == '/').next().unwrap_or_default();
        let is_inside_code = matches!(inside, "script" | "style");
        if !is_inside_code || tag.strip_prefix('/').is_some_and(|name| name.trim().eq_ignore_ascii_case(inside)) {
            let special = ["title", "script", "style"].into_iter().find(|special| name.eq_ignore_ascii_case(special));
            inside = special.unwrap_or_default();
        }
        text.push(' ');
        rest = after;
    }
    take(rest, inside, &mut title, &mut text);
    reason_of(&title, &text)
}

fn take(content: &str, inside: &str, title: &mut String, text: &mut String) {
    match inside {
        "title" => title.push_str(content),
        "" => text.push_str(content),
        _ => {}
    }
}

fn reason_of(title: &str, text: &str) -> String {
    let plain = |text: &str| {
        let text = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
            .iter()
            .fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (title, text) = (plain(title), plain(text));
    let text = text.strip_prefix(title.as_str()).unwrap_or(&text).trim_start();
    match (title.is_empty(), text.is_empty()) {
        (false, false) => format!("{title}: {text}"),
        (false, true) => title,
        (true, _) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(body: &str) -> String {
        Refusal::read(body.as_bytes()).reason().unwrap_or_default()
    }

    #[test]
    fn the_reason_is_read_from_every_form() {
        for (body, expected) in [
            (r#"{"error":{"message":"Size 9x9 is not offered","code":null}}"#, "Size 9x9 is not offered"),
            (
                r#"{"error":{"error":{"details":{"text":"Size 9x9 is not offered"}}}}"#,
                "details: text: Size 9x9 is not offered",
            ),
            (r#"["Size 9x9 is not offered", "Too long"]"#, "Size 9x9 is not offered; Too long"),
            (
                r#"{"errors":[{"message":"Size 9x9 is not offered"},{"message":"Too long"}]}"#,
                "Size 9x9 is not offered; Too long",
            ),
            (
                r#"{"detail":[{"loc":["body","seeds",0],"msg":"field required","type":"missing"}]}"#,
                "body.seeds.0: field required",
            ),
            (r#"{"title":"Not valid","errors":{"prompt":["too long","too rude"]}}"#, "prompt: too long; too rude"),
            (
                r#"{"statusCode":400,"error":"Bad Request","message":"Size 9x9 is not offered"}"#,
                "Size 9x9 is not offered",
            ),
            (r#"{"error":"invalid_request","error_description":"Size 9x9 is not offered"}"#, "Size 9x9 is not offered"),
            (r#"{"type":"about:blank","title":"Bad Request","detail":"'x' is short"}"#, "'x' is short"),
            (r#"{"type":"about:blank","title":"Bad Request","status":400}"#, "Bad Request"),
            (r#"{"success":false,"hint":"Size 9x9 is not offered"}"#, "hint: Size 9x9 is not offered"),
            (r#"{"error": true, "status": "failed", "type": "x y"}"#, ""),
            (r#"{"error":"invalid_size"}"#, "invalid_size"),
            (r#"{"message":"Access denied."}"#, "Access denied."),
            (r#"{"error": 7}"#, ""),
            (r#""Size 9x9 is not offered""#, "Size 9x9 is not offered"),
            ("\u{feff}{\"error\":\"Size 9x9\"}", "Size 9x9"),
            ("Size 9x9 is not offered", "Size 9x9 is not offered"),
            ("a < b", "a < b"),
            (
                "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1><hr>nginx</body></html>",
                "502 Bad Gateway: nginx",
            ),
            (
                "<!DOCTYPE html><TITLE lang=en>Blocked</TITLE><style>p {}</style><script>var a = '<b>';</script><p>Rule &lt;9&gt;\nsays <b>no</b>",
                "Blocked: Rule <9> says no",
            ),
            ("<body>Rule 9", "Rule 9"),
            ("{}", ""),
            ("[1, 2]", ""),
            ("null", ""),
            ("", ""),
        ] {
            assert_eq!(reason(body), expected, "{body}");
        }
    }

    #[test]
    fn a_deeply_nested_body_is_text() {
        let deep = format!("{{\"error\":\"Size\",\"deep\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));

        assert!(reason(&deep).starts_with("{\"error\":\"Size\""));
        for leaf in ["7", "\"code\""] {
            let nested = format!("{}{leaf}{}", "{\"error\":".repeat(100), "}".repeat(100));
            assert_eq!(reason(&nested), leaf.trim_matches('"').replace('7', ""));
        }
    }

    #[test]
    fn values_of_the_caller_do_not_name_the_safety_check() {
        for (body, expected) in [
            (r#"{"error":"Prompt provided failed safety check due to the inclusion of prohibited content."}"#, true),
            (r#"{"error":{"code":"moderation_blocked"}}"#, true),
            (r#"{"detail":[{"msg":"unsafe image"}]}"#, true),
            (r#"{"errors":{"prompt":["is unsafe"]}}"#, true),
            (r#"{"error":"too long","prompt":"an unsafe street"}"#, false),
            ("Blocked: NSFW", true),
            (r#"{"error":"The mask must have the size of the image"}"#, false),
            (r#"{"detail":[{"loc":["body","safety"],"msg":"too long","input":"an unsafe street"}]}"#, false),
            ("", false),
        ] {
            assert_eq!(Refusal::read(body.as_bytes()).names_safety(), expected, "{body}");
        }
    }
}
