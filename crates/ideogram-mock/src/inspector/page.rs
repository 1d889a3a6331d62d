//! The page, which needs nothing but itself: no file, no font and no script from elsewhere.

use std::sync::LazyLock;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderValue, header};
use ring::digest::{SHA256, digest};

use crate::reply::Reply;

const PAGE: &str = include_str!("page.html");

/// Allows the style and the script of the page by their hashes, and requests to this server; nothing else.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash("<script>", "</script>"),
        hash("<style>", "</style>"),
    );
    HeaderValue::from_str(&policy).expect("the policy is ASCII")
});

pub(super) fn reply() -> Reply {
    Reply::page(PAGE).with_header(header::CONTENT_SECURITY_POLICY, POLICY.clone())
}

/// The hash of the text between two tags of the page.
fn hash(begin: &str, end: &str) -> String {
    let inside = PAGE.split_once(begin).and_then(|(_, rest)| rest.split_once(end));
    let (text, _) = inside.expect("a test reads the page");
    format!("sha256-{}", BASE64_STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_needs_nothing_else_and_writes_no_markup() {
        assert_eq!((PAGE.matches("<script").count(), PAGE.matches("<style").count()), (1, 1));
        assert!(POLICY.to_str().unwrap().contains("script-src 'sha256-"));
        for what in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", " style=", " onclick=", "//"]
        {
            // A comment of the script, or a URL.
            assert_eq!(PAGE.matches(what).count(), 0, "{what}");
        }
    }
}
