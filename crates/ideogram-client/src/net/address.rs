//! Addresses of the public internet.
//!
//! A link in a response, a file or an argument may come from anyone, so a link may lead to public addresses only. All
//! addresses that IANA's registries `iana-ipv4-special-registry` and `iana-ipv6-special-registry` (as of 2025-10) list
//! as not globally reachable are refused, and so is every IPv6 address that contains such an IPv4 address.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The reason why a name or address is refused.
pub(crate) const NOT_PUBLIC: &str = "it leads into this machine or a private network";

/// Blocks of IPv4 that are not public: address and prefix length.
const SPECIAL_V4: [([u8; 4], u32); 17] = [
    ([0, 0, 0, 0], 8),       // this network
    ([10, 0, 0, 0], 8),      // private use
    ([100, 64, 0, 0], 10),   // shared address space of providers
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link local, with the metadata services of clouds
    ([172, 16, 0, 0], 12),   // private use
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 31, 196, 0], 24), // AS112: a sink for queries about private addresses
    ([192, 52, 193, 0], 24), // AMT relays
    ([192, 88, 99, 0], 24),  // 6to4 relays, deprecated
    ([192, 168, 0, 0], 16),  // private use
    ([192, 175, 48, 0], 24), // AS112
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 3),     // multicast, reserved, broadcast
];

/// Blocks of IPv6 within `2000::/3` that are not public. Outside of it, only addresses that contain an IPv4 address can
/// be public.
const SPECIAL_V6: [(Ipv6Addr, u32); 5] = [
    // Protocol assignments: Teredo, benchmarks, AMT, AS112, ORCHID, drone identities. None of them serves images.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),     // 6to4: a tunnel to an address of IPv4, deprecated
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),     // documentation
];

/// Returns whether an address belongs to the public internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !SPECIAL_V4.iter().any(|(block, length)| (bits ^ u32::from_be_bytes(*block)) >> (32 - length) == 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let bits = address.to_bits();
    let within = |block: Ipv6Addr, length: u32| (bits ^ block.to_bits()) >> (128 - length) == 0;
    // These lead to the IPv4 address in them: mapped (by this machine) or translated (by NAT64 of the network).
    let mapped = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0);
    let translated = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0);
    if within(mapped, 96) || within(translated, 96) {
        let [.., a, b, c, d] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    within(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
        && !SPECIAL_V6.iter().any(|(block, length)| within(*block, *length))
}

/// A resolver that returns the addresses of a name only if all of them are public. The connection uses these addresses,
/// so a later change of the name has no effect.
///
/// Names of proxies may resolve to private addresses, so only the hosts of links are checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct PublicOnly {
    hosts: Arc<RwLock<BTreeSet<String>>>,
}

impl PublicOnly {
    /// Adds the host of a link. It is never removed: a connection may be established after its download ended.
    pub(crate) fn watch(&self, host: &str) {
        if !self.watches(host) {
            self.hosts.write().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned());
        }
    }

    fn watches(&self, host: &str) -> bool {
        self.hosts.read().unwrap_or_else(PoisonError::into_inner).contains(host)
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let is_watched = self.watches(name.as_str());
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if is_watched { Ok(all_public(addresses)?) } else { Ok(Box::new(addresses.into_iter()) as Addrs) }
        })
    }
}

/// Returns whether a connection was refused because its name has an address that is not public.
pub(crate) fn is_not_public(error: &reqwest::Error) -> bool {
    std::iter::successors(std::error::Error::source(error), |error| error.source()).any(|error| {
        // The error inside an `io::Error` is not its source.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        error.is::<NotPublic>() || inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<NotPublic>)
    })
}

/// A name has an address that is not public.
#[derive(Debug, thiserror::Error)]
#[error("{NOT_PUBLIC}")]
struct NotPublic;

fn all_public(addresses: Vec<SocketAddr>) -> Result<Addrs, NotPublic> {
    if addresses.iter().all(|address| is_public(address.ip())) {
        Ok(Box::new(addresses.into_iter()))
    } else {
        Err(NotPublic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and last address of every block that is not public: those of both registries, multicast, and blocks of
    /// earlier standards.
    const NOT_PUBLIC_BLOCKS: &str = "\
        0.0.0.0-0.255.255.255 10.0.0.0-10.255.255.255 100.64.0.0-100.127.255.255 127.0.0.0-127.255.255.255 \
        169.254.0.0-169.254.255.255 172.16.0.0-172.31.255.255 192.0.0.0-192.0.0.255 192.0.2.0-192.0.2.255 \
        192.31.196.0-192.31.196.255 192.52.193.0-192.52.193.255 192.88.99.0-192.88.99.255 192.168.0.0-192.168.255.255 \
        192.175.48.0-192.175.48.255 198.18.0.0-198.19.255.255 198.51.100.0-198.51.100.255 203.0.113.0-203.0.113.255 \
        224.0.0.0-239.255.255.255 240.0.0.0-255.255.255.255 ::-:: ::1-::1 ::0.0.0.2-::255.255.255.255 \
        ::ffff:0:0:0-::ffff:0:ffff:ffff 64:ff9b:1::-64:ff9b:1:ffff:ffff:ffff:ffff:ffff 100::-100::ffff:ffff:ffff:ffff \
        100:0:0:1::-100::1:ffff:ffff:ffff:ffff 2001::-2001:0:ffff:ffff:ffff:ffff:ffff:ffff 2001:1::1-2001:1::3 \
        2001:2::-2001:2:0:ffff:ffff:ffff:ffff:ffff 2001:3::-2001:3:ffff:ffff:ffff:ffff:ffff:ffff \
        2001:4:112::-2001:4:112:ffff:ffff:ffff:ffff:ffff 2001:10::-2001:1f:ffff:ffff:ffff:ffff:ffff:ffff \
        2001:20::-2001:3f:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff \
        2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2620:4f:8000::-2620:4f:8000:ffff:ffff:ffff:ffff:ffff \
        3fff::-3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff 5f00::-5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
        fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe80::-feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
        ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

    /// Public addresses next to these blocks, and some well-known ones.
    const PUBLIC_ADDRESSES: &str = "\
        1.0.0.0 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 \
        169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 192.31.195.255 192.31.197.0 \
        192.52.192.255 192.52.194.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 192.175.47.255 192.175.49.0 \
        198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255 2001:200:: \
        2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db9:: 2003:: 2606:4700::1111 3ffd:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

    fn blocks() -> impl Iterator<Item = (&'static str, &'static str)> {
        NOT_PUBLIC_BLOCKS.split(' ').map(|block| block.split_once('-').unwrap())
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn every_special_purpose_block_is_refused() {
        for (first, last) in blocks() {
            let (first, last) = (address(first), address(last));
            assert!(!is_public(first) && !is_public(last), "{first} {last}");
            let middle = match (first, last) {
                (IpAddr::V4(first), IpAddr::V4(last)) => {
                    IpAddr::V4(Ipv4Addr::from_bits(first.to_bits() + (last.to_bits() - first.to_bits()) / 2))
                }
                (IpAddr::V6(first), IpAddr::V6(last)) => {
                    IpAddr::V6(Ipv6Addr::from_bits(first.to_bits() + (last.to_bits() - first.to_bits()) / 2))
                }
                _ => panic!("one kind"),
            };
            assert!(!is_public(middle), "{middle}");
        }
        for text in PUBLIC_ADDRESSES.split(' ') {
            assert!(is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn an_ipv4_address_in_an_ipv6_address_follows_the_same_rules() {
        let v4 = blocks().flat_map(|(first, last)| [first, last]).chain(PUBLIC_ADDRESSES.split(' '));
        for inner in v4.filter_map(|text| text.parse::<Ipv4Addr>().ok()) {
            let [high, low] = [inner.to_bits() >> 16, inner.to_bits() & 0xffff];
            for form in [format!("::ffff:{inner}"), format!("64:ff9b::{inner}")] {
                assert_eq!(is_public(address(&form)), is_public(IpAddr::V4(inner)), "{form}");
            }
            for form in [
                format!("::{inner}"),
                format!("::ffff:0:{inner}"),
                format!("2002:{high:x}:{low:x}::1"),
                format!("2002:{high:x}:{low:x}::{inner}"),
                format!("2001:0:{high:x}:{low:x}::"),
                format!("2001::{:x}:{:x}", high ^ 0xffff, low ^ 0xffff),
                format!("64:ff9b:1::{inner}"),
                format!("fe80::5efe:{inner}"),
            ] {
                assert!(!is_public(address(&form)), "{form}");
            }
        }
    }

    #[test]
    fn a_name_with_one_private_address_is_refused() {
        let socket = |text: &str| SocketAddr::new(address(text), 0);

        assert!(all_public(vec![socket("8.8.8.8"), socket("2606:4700::1111")]).is_ok());
        assert!(all_public(vec![socket("8.8.8.8"), socket("10.0.0.1")]).is_err());
        assert!(all_public(vec![socket("2606:4700::1111"), socket("::ffff:127.0.0.1")]).is_err());
    }

    #[tokio::test]
    async fn a_loopback_name_is_refused_for_links_and_not_for_proxies() {
        let resolver = PublicOnly::default();
        assert!(resolver.resolve("localhost".parse().unwrap()).await.is_ok());

        resolver.watch("localhost");

        let Err(error) = resolver.clone().resolve("localhost".parse().unwrap()).await else {
            panic!("it was resolved")
        };
        assert!(error.is::<NotPublic>(), "{error}");
    }
}
