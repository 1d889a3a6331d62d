//! Rules for links: which are followed, and when one expires.
//!
//! A link comes from a response, a file or an argument, and may come from an attacker. It must not give access to hosts
//! that only this machine can reach, an image must not be sent unencrypted, and the API key must not be sent at all. This
//! module checks the text of a link; the addresses of its host are checked when a connection is established.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use percent_encoding::{AsciiSet, percent_encode};
use reqwest::Url;

use super::failure;
use crate::{
    ApiKey, Client, Error,
    net::address::{NOT_PUBLIC, is_public},
    net::stack::is_loopback,
};

/// Which addresses belong to the service, and are exempt from the rules for the public internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// For links from responses: its host, and loopback addresses if the service has one.
    Host,
    /// For links that a user passes, perhaps from someone else: its scheme, host and port.
    Origin,
}

/// Decides which links are followed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'c> {
    base: &'c Url,
    api_key: &'c ApiKey,
    own: Own,
}

pub(super) fn parse(link: &str) -> Result<Url, Error> {
    Url::parse(link.trim()).map_err(|error| failure::refused(format!("the link is not a valid address: {error}")))
}

impl<'c> Rules<'c> {
    pub(super) fn new(client: &'c Client, own: Own) -> Self {
        Self { base: client.base_url(), api_key: &client.inner().api_key, own }
    }

    /// Refuses a link that must not be followed.
    pub(super) fn check(&self, url: &Url) -> Result<(), Error> {
        let host = url.host_str().unwrap_or_default();
        let refused = |reason: &str| Err(failure::refused(format!("the link to {host} is not followed: {reason}")));
        if self.api_key.is_in(url.as_str()) {
            // Without the host, which may contain the key.
            return Err(failure::refused("a link is not followed: it contains the API key"));
        }
        if !["http", "https"].contains(&url.scheme()) {
            return refused("it is neither https nor http");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("it contains a user name or password");
        }
        let is_own = self.is_own(url);
        if !is_own && is_internal(host) {
            return refused(NOT_PUBLIC);
        }
        let allows_plain_http = is_own && (is_loopback(url) || self.base.scheme() == "http");
        if url.scheme() == "http" && !allows_plain_http {
            return refused("it is plain http to another machine");
        }
        Ok(())
    }

    /// Returns whether a link leads to the service itself.
    pub(super) fn is_own(&self, url: &Url) -> bool {
        match self.own {
            Own::Host => url.host() == self.base.host() || (is_loopback(self.base) && is_loopback(url)),
            Own::Origin => url.origin() == self.base.origin(),
        }
    }

    /// Returns the address of a redirect, if it may be followed. Bytes beyond ASCII are escaped as browsers do.
    pub(super) fn redirected(&self, from: &Url, location: &[u8]) -> Result<Url, Error> {
        let location = percent_encode(location, &AsciiSet::EMPTY).to_string();
        let to = from
            .join(&location)
            .map_err(|error| failure::refused(format!("the address of a redirect is not valid: {error}")))?;
        if from.scheme() == "https" && to.scheme() != "https" {
            return Err(failure::refused("a redirect from https to another scheme is not followed"));
        }
        self.check(&to).map(|()| to)
    }
}

/// Returns when a link expires, in seconds since 1970, if it contains the time.
pub(super) fn expiry(url: &Url) -> Option<i64> {
    url.query_pairs().find_map(|(name, value)| (name == "exp").then(|| value.parse().ok()).flatten())
}

/// Returns whether a link that was refused has expired. The clock of this machine may be wrong, so a link is always
/// requested first.
pub(super) fn is_past(url: &Url, now: SystemTime) -> bool {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    expiry(url).is_some_and(|expiry| u64::try_from(expiry).unwrap_or(0) <= now)
}

fn is_internal(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => !is_public(address),
        Err(_) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            let ends = [".localhost", ".local", ".internal", ".home.arpa"];
            host == "localhost" || ends.iter().any(|end| host.ends_with(end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "https://api.ideogram.ai";
    const MOCK: &str = "http://127.0.0.1:8080";

    fn client(base: &str) -> Client {
        Client::builder().api_key("secret/123456").base_url(base).allow_plain_http().build().unwrap()
    }

    fn followed(link: &str, base: &str) -> bool {
        Rules::new(&client(base), Own::Host).check(&Url::parse(link).unwrap()).is_ok()
    }

    #[test]
    fn public_links_are_followed_with_https_only() {
        assert!(followed("https://ideogram.ai/api/images/ephemeral/x.png?exp=1", SERVICE));
        assert!(followed("https://d1234.cloudfront.net/x", SERVICE));
        for link in ["http://ideogram.ai/x.png", "ftp://ideogram.ai/x", "file:///etc/passwd", "data:image/png,x"] {
            assert!(!followed(link, SERVICE), "{link}");
            assert!(!followed(link, MOCK), "{link}");
        }
        assert!(!followed("https://user:word@ideogram.ai/x.png", SERVICE));
    }

    #[test]
    fn private_addresses_are_followed_only_for_a_service_there() {
        let private = "127.0.0.1 127.1 0x7f000001 0.0.0.0 localhost LOCALHOST. x.localhost printer.local \
                       metadata.google.internal 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 [::1] [::] \
                       [fe80::1] [fd00::1] [::ffff:10.0.0.1] [::127.0.0.1] [64:ff9b::10.0.0.1]";
        for host in private.split(' ') {
            assert!(!followed(&format!("https://{host}/x"), SERVICE), "{host}");
        }
        for (link, base, is_followed) in [
            ("http://127.0.0.1:9/x", SERVICE, false),
            ("http://127.0.0.1:9/x", MOCK, true),
            ("http://localhost:9/x", MOCK, true),
            ("https://[::1]:9/x", MOCK, true),
            // A service on this machine does not open private networks.
            ("https://10.0.0.1/x", MOCK, false),
            ("https://192.168.1.1/x", MOCK, false),
            ("https://printer.local/x", MOCK, false),
            ("http://ideogram.ai/x", MOCK, false),
            // A service in a private network opens its own host only.
            ("https://10.0.0.1/x", "https://10.0.0.1:8443", true),
            ("http://10.0.0.1/x", "http://10.0.0.1", true),
            ("http://10.0.0.1/x", "https://10.0.0.1", false),
            ("https://10.0.0.2/x", "https://10.0.0.1", false),
            ("https://127.0.0.1/x", "https://10.0.0.1", false),
            ("https://images.internal/x", "https://images.internal", true),
        ] {
            assert_eq!(followed(link, base), is_followed, "{link} {base}");
        }
        for host in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "[2606:4700::1]", "[::ffff:8.8.8.8]"] {
            assert!(followed(&format!("https://{host}/x"), SERVICE), "{host}");
        }
    }

    #[test]
    fn a_link_of_a_user_may_lead_to_the_service_or_to_public_addresses() {
        let mock = client(MOCK);
        let rules = Rules::new(&mock, Own::Origin);
        for (link, is_followed) in [
            ("http://127.0.0.1:8080/x", true),
            ("http://127.0.0.1:8081/x", false),
            ("https://127.0.0.1:8080/x", false),
            ("http://localhost:8080/x", false),
            ("https://ideogram.ai/x", true),
        ] {
            assert_eq!(rules.check(&Url::parse(link).unwrap()).is_ok(), is_followed, "{link}");
        }
    }

    #[test]
    fn a_link_with_the_key_in_it_is_not_followed() {
        let client = client(SERVICE);
        let rules = Rules::new(&client, Own::Host);
        let from = Url::parse("https://ideogram.ai/a").unwrap();
        for link in [
            "https://a.test/secret/123456",
            "https://a.test/?key=secret%2F123456",
            "https://a.test/?key=%73%65cret%2f12345%36",
            "https://a.test/#secret/123456",
        ] {
            let error = rules.check(&Url::parse(link).unwrap()).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("123456"), "{error}");
            assert!(rules.redirected(&from, link.as_bytes()).is_err(), "{link}");
        }
        assert!(rules.check(&Url::parse("https://a.test/secret").unwrap()).is_ok());
    }

    #[test]
    fn redirects_follow_the_rules_of_links_and_never_leave_https() {
        let client = client(MOCK);
        let rules = Rules::new(&client, Own::Host);
        let secure = Url::parse("https://ideogram.ai/a/b").unwrap();
        let plain = Url::parse("http://127.0.0.1:8080/a/b").unwrap();

        for (from, location, to) in [
            (&secure, b"/c".as_slice(), "https://ideogram.ai/c"),
            (&plain, b"c", "http://127.0.0.1:8080/a/c"),
            (&plain, b"https://ideogram.ai/c", "https://ideogram.ai/c"),
            // Bytes of any encoding are escaped.
            (&secure, "/caf\u{e9} 1.png".as_bytes(), "https://ideogram.ai/caf%C3%A9%201.png"),
            (&secure, b"/caf\xe9.png?x=\xe9", "https://ideogram.ai/caf%E9.png?x=%E9"),
            (&secure, b"/caf%C3%A9.png", "https://ideogram.ai/caf%C3%A9.png"),
            (&secure, b" //cdn.test/x ", "https://cdn.test/x"),
        ] {
            assert_eq!(rules.redirected(from, location).unwrap().as_str(), to);
        }
        assert!(rules.redirected(&secure, b"http://127.0.0.1:8080/c").is_err());
        assert!(rules.redirected(&plain, b"http://ideogram.ai/c").is_err());
        assert!(rules.redirected(&plain, b"file:///etc/passwd").is_err());
        assert!(rules.redirected(&plain, b"http://").is_err());
    }

    #[test]
    fn a_link_expires_at_its_last_second() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let link = |text: &str| Url::parse(text).unwrap();
        let dying = link("https://ideogram.ai/x.png?exp=10000&sig=1");

        assert!(is_past(&dying, at(10_000)) && !is_past(&dying, at(9_999)));
        assert!(is_past(&link("https://ideogram.ai/x?exp=-5"), at(0)));
        for forever in ["https://ideogram.ai/x", "https://ideogram.ai/x?exp=soon"] {
            assert!(!is_past(&link(forever), at(u64::from(u32::MAX))), "{forever}");
        }
    }
}
