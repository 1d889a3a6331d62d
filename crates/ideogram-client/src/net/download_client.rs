//! The HTTP stack that fetches links, apart from the one that calls the service.
//!
//! Links lead to other hosts. What a caller puts into the stack for calls, such as default headers with a gateway's
//! token, must not reach them, so nothing is shared. Redirects are off here too: whoever follows one looks at it first.

use std::{error::Error as StdError, fmt, iter, net::IpAddr, sync::OnceLock, time::Duration};

use reqwest::Url;

use super::address::PublicOnly;
use crate::{Error, ErrorKind, Outcome};

/// A connection that the peer closed while it was idle looks like an unknown outcome, so idle ones are not kept long.
pub(crate) const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// As many header lines as curl reads; the stack's own limit is 100.
const MAX_HEADERS: usize = 5000;

/// Reads past what browsers and curl read past: folded header lines, spaces before the colon, lines that are no header,
/// many lines. A firewall's odd cookie must not cost a response that is paid for.
///
/// What stays an error, as it is for browsers: lengths that contradict each other or are no number, and header sections
/// of more than about 400 KiB.
pub(crate) fn with_lenient_headers(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_max_headers(MAX_HEADERS)
}

/// Loads no certificate authorities where none are needed: a machine may have none, and then no stack could be made.
pub(crate) fn without_needless_roots(builder: reqwest::ClientBuilder, url: &Url) -> reqwest::ClientBuilder {
    // A plain address on another machine may be reached through a proxy that is not plain.
    let needs_none = url.scheme() == "http" && (is_loopback(url) || reqwest::Client::builder().build().is_err());
    if needs_none { without_roots(builder) } else { builder }
}

#[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
fn without_roots(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder.tls_certs_only([])
}

#[cfg(not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls")))]
fn without_roots(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder
}

/// The error of a stack that cannot be made: the caller's settings, or a machine without certificate authorities.
pub(crate) fn stack_error(error: reqwest::Error) -> Error {
    let texts = iter::successors(error.source(), |&cause: &&dyn StdError| cause.source()).map(ToString::to_string);
    let (kind, message) = if texts.into_iter().any(|text| text.contains("No CA certificates")) {
        let message = "this system has no certificate authorities to check https with: install its package of them, \
                       such as ca-certificates, or name a file in the environment variable SSL_CERT_FILE";
        (ErrorKind::Transport, message)
    } else {
        (ErrorKind::InvalidArgument, "the HTTP stack refuses its settings")
    };
    Error::new(kind, Outcome::NotSent, message).with_source(error)
}

/// What a caller changes about the stack.
pub(crate) type Configure = Box<dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync>;

/// Made on first use: most programs that call the service fetch no links.
pub(crate) struct DownloadClient {
    resolver: PublicOnly,
    connect_timeout: Duration,
    configure: Option<Configure>,
    elsewhere: OnceLock<reqwest::Client>,
    this_machine: OnceLock<reqwest::Client>,
    /// The same by plain http, for which no certificates are loaded.
    this_machine_plain: OnceLock<reqwest::Client>,
}

impl DownloadClient {
    pub(crate) fn new(connect_timeout: Duration, configure: Option<Configure>) -> Self {
        let [elsewhere, this_machine, this_machine_plain] = [const { OnceLock::new() }; 3];
        let resolver = PublicOnly::default();
        Self { resolver, connect_timeout, configure, elsewhere, this_machine, this_machine_plain }
    }

    /// The client to fetch `url` with. The name of another host than the service's own must have public addresses.
    pub(crate) fn client(&self, url: &Url, is_own_host: bool) -> Result<&reqwest::Client, Error> {
        if let Some(host) = url.host_str()
            && !is_own_host
        {
            self.resolver.watch(host);
        }
        // A proxy named by the environment must not be requested what is on this machine.
        let (place, proxies) = if is_loopback(url) {
            let is_plain = url.scheme() == "http";
            (if is_plain { &self.this_machine_plain } else { &self.this_machine }, Proxies::None)
        } else {
            (&self.elsewhere, Proxies::OfTheEnvironment)
        };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let client = self.build(proxies, url).map_err(stack_error)?;
        Ok(place.get_or_init(|| client))
    }

    fn build(&self, proxies: Proxies, url: &Url) -> reqwest::Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("ideogram-client/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .tcp_keepalive(POOL_IDLE_TIMEOUT)
            .dns_resolver(self.resolver.clone());
        builder = with_lenient_headers(builder);
        if proxies == Proxies::None {
            builder = without_needless_roots(builder, url);
        }
        if let Some(configure) = &self.configure {
            builder = configure(builder);
        }
        if proxies == Proxies::None {
            builder = builder.no_proxy();
        }
        // What keeps the promises comes last. Bytes are kept as they come: other crates of a program may have switched
        // decompression on for everybody, and a small response could then become an endless image.
        builder
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .build()
    }
}

impl fmt::Debug for DownloadClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DownloadClient").finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Proxies {
    OfTheEnvironment,
    None,
}

/// Whether an address leads to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
