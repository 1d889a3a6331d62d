//! Which links are followed, and whether one has expired.
//!
//! A link comes from an answer, or from a file that somebody handed over. Fetching it must not become a way to reach
//! what only this machine can reach, and a picture must not travel in the clear.
//!
//! Names are not resolved here: a name that leads into a private network must still show a certificate for itself.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use reqwest::Url;

use super::failure;
use crate::{Error, link_stack::is_loopback};

/// Asking for an expired picture costs nothing, and refusing a living one costs the picture. So a clock may be wrong by
/// this much before its word is taken: one that was set in another zone is wrong by less.
const TOLERANCE: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn parse(link: &str) -> Result<Url, Error> {
    Url::parse(link.trim()).map_err(|error| failure::refused(format!("the link is no address: {error}")))
}

/// Refuses what must not be fetched by a client whose service is at `base`.
pub(super) fn check(url: &Url, base: &Url) -> Result<(), Error> {
    let host = url.host_str().unwrap_or_default();
    let refused = |reason: &str| Err(failure::refused(format!("the link to {host} is not followed: {reason}")));
    if !["http", "https"].contains(&url.scheme()) {
        return refused("it is neither https nor http");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused("it holds a user name or password");
    }
    let of_the_service = url.host() == base.host();
    if is_internal(host) && !is_loopback(base) && !of_the_service {
        return refused("it leads into this machine or a private network, where the service is not");
    }
    let allowed_in_the_clear = is_loopback(url) || (of_the_service && base.scheme() == "http");
    if url.scheme() == "http" && !allowed_in_the_clear {
        return refused("it is plain http to another machine");
    }
    Ok(())
}

/// The address that a redirect leads to, if it may be followed.
pub(super) fn redirected(from: &Url, location: &str, base: &Url) -> Result<Url, Error> {
    let to = from.join(location).map_err(|error| failure::refused(format!("a redirect leads nowhere: {error}")))?;
    if from.scheme() == "https" && to.scheme() != "https" {
        return Err(failure::refused("a redirect leads from https to something else, and is not followed"));
    }
    check(&to, base).map(|()| to)
}

/// When a link expires, in seconds since 1970, if it says so.
pub(super) fn expiry(url: &Url) -> Option<i64> {
    url.query_pairs().find_map(|(name, value)| (name == "exp").then(|| value.parse().ok()).flatten())
}

/// Whether a link has expired for sure, without asking.
pub(super) fn has_expired(url: &Url, now: SystemTime) -> bool {
    // A server for tests has a time of its own, so it is asked.
    !is_loopback(url) && is_past(url, now, TOLERANCE)
}

/// Whether a link that was refused has expired.
pub(super) fn is_past(url: &Url, now: SystemTime, tolerance: Duration) -> bool {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    expiry(url).is_some_and(|expiry| {
        let expiry = u64::try_from(expiry).unwrap_or(0);
        expiry.saturating_add(tolerance.as_secs()) <= now
    })
}

fn is_internal(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => is_internal_address(address),
        Err(_) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            let ends = [".localhost", ".local", ".internal", ".home.arpa"];
            host == "localhost" || ends.iter().any(|end| host.ends_with(end))
        }
    }
}

fn is_internal_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let shared = first == 100 && (64..128).contains(&second);
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_broadcast()
                || address.is_multicast()
                || first == 0
                || shared
        }
        IpAddr::V6(address) => {
            // Addresses that hold one of the other kind: mapped, compatible, translated.
            let holds_v4 = match address.segments() {
                [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some((high, low)),
                _ => None,
            };
            let v4 = holds_v4.map(|(high, low)| std::net::Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_multicast()
                || v4.is_some_and(|v4| is_internal_address(IpAddr::V4(v4)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "https://api.ideogram.ai";
    const MOCK: &str = "http://127.0.0.1:8080";

    fn followed(link: &str, base: &str) -> bool {
        check(&Url::parse(link).unwrap(), &Url::parse(base).unwrap()).is_ok()
    }

    #[test]
    fn the_open_network_is_followed_by_https_only() {
        assert!(followed("https://ideogram.ai/api/images/ephemeral/x.png?exp=1", SERVICE));
        assert!(followed("https://d1234.cloudfront.net/x", SERVICE));
        for link in ["http://ideogram.ai/x.png", "ftp://ideogram.ai/x", "file:///etc/passwd", "data:image/png,x"] {
            assert!(!followed(link, SERVICE), "{link}");
            assert!(!followed(link, MOCK), "{link}");
        }
        assert!(!followed("https://user:word@ideogram.ai/x.png", SERVICE));
    }

    #[test]
    fn this_machine_and_private_networks_are_for_services_there() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f000001",
            "0.0.0.0",
            "localhost",
            "LOCALHOST.",
            "x.localhost",
            "printer.local",
            "metadata.google.internal",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::10.0.0.1]",
        ] {
            assert!(!followed(&format!("https://{host}/x"), SERVICE), "{host}");
        }
        assert!(!followed("http://127.0.0.1:9/x", SERVICE));
        assert!(followed("http://127.0.0.1:9/x", MOCK));
        assert!(followed("https://10.0.0.1/x", "https://10.0.0.1:8443"));
        assert!(followed("http://10.0.0.1/x", "http://10.0.0.1"));
        assert!(!followed("https://10.0.0.2/x", "https://10.0.0.1"));
        for host in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "[2606:4700::1]", "[::ffff:8.8.8.8]"] {
            assert!(followed(&format!("https://{host}/x"), SERVICE), "{host}");
        }
    }

    #[test]
    fn redirects_are_followed_where_links_are_and_never_into_the_clear() {
        let base = Url::parse(MOCK).unwrap();
        let secure = Url::parse("https://ideogram.ai/a/b").unwrap();
        let plain = Url::parse("http://127.0.0.1:8080/a/b").unwrap();

        assert_eq!(redirected(&secure, "/c", &base).unwrap().as_str(), "https://ideogram.ai/c");
        assert_eq!(redirected(&plain, "c", &base).unwrap().as_str(), "http://127.0.0.1:8080/a/c");
        assert!(redirected(&plain, "https://ideogram.ai/c", &base).is_ok());
        assert!(redirected(&secure, "http://127.0.0.1:8080/c", &base).is_err());
        assert!(redirected(&plain, "http://ideogram.ai/c", &base).is_err());
        assert!(redirected(&plain, "file:///etc/passwd", &base).is_err());
        assert!(redirected(&plain, "http://", &base).is_err());
    }

    #[test]
    fn a_link_is_given_up_unasked_only_when_every_likely_clock_says_so() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let link = |text: &str| Url::parse(text).unwrap();
        let dying = link("https://ideogram.ai/x.png?exp=10000&sig=1");

        assert!(!has_expired(&dying, at(9_999)));
        assert!(!has_expired(&dying, at(96_399)));
        assert!(has_expired(&dying, at(96_400)));
        assert!(is_past(&dying, at(10_000), Duration::ZERO) && !is_past(&dying, at(9_999), Duration::ZERO));
        for forever in ["https://ideogram.ai/x", "https://ideogram.ai/x?exp=soon", "http://127.0.0.1/x?exp=1"] {
            assert!(!has_expired(&link(forever), at(u64::from(u32::MAX))), "{forever}");
        }
        assert!(has_expired(&link("https://ideogram.ai/x?exp=-5"), at(100_000)));
    }
}
