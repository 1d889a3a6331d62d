//! Who may use the inspector: programs on this machine, and its own page; no other web page.
//!
//! A page of another host that a developer has open must neither read the requests nor switch a scenario. A browser sends
//! `Origin` with every request that could change something, and a name of that host in `Host` if its name server returns
//! the address of this machine.

use http::{HeaderMap, HeaderName, StatusCode, header, request};

use crate::reply::Reply;

/// Refuses a request for another host, or from a page of another origin.
pub(super) fn check(head: &request::Parts) -> Result<(), Reply> {
    let host = text(&head.headers, &header::HOST).unwrap_or_default();
    if !is_loopback(host) {
        return Err(refusal("the inspector is for this machine: its host is 127.0.0.1 or localhost"));
    }
    let has_foreign_origin = head.headers.get_all(header::ORIGIN).iter().any(|origin| {
        // Browsers may write the names of hosts in lower case only.
        !origin.to_str().is_ok_and(|origin| origin.eq_ignore_ascii_case(&format!("http://{host}")))
    });
    if has_foreign_origin { Err(refusal("the inspector refuses requests of other web pages")) } else { Ok(()) }
}

/// Refuses a body that is not JSON, which includes every form that a web page can send without asking first.
pub(super) fn check_json(head: &request::Parts) -> Result<(), Reply> {
    let media_type = text(&head.headers, &header::CONTENT_TYPE).and_then(|value| value.split(';').next());
    if media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    Err(Reply::problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the Content-Type must be application/json"))
}

fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => (name, port),
        _ => (host, "80"),
    };
    let names = ["127.0.0.1", "localhost", "[::1]"];
    names.iter().any(|loopback| name.eq_ignore_ascii_case(loopback)) && port.parse::<u16>().is_ok()
}

fn refusal(text: &str) -> Reply {
    Reply::problem(StatusCode::FORBIDDEN, text)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_hosts() {
        for host in ["127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]:80", "[::1]", "127.0.0.1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["", "example.com", "127.0.0.1.example.com:80", "localhost:evil", "localhost.:80", "10.0.0.1", "[::2]"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
