//! The HTTP stack for downloads, separate from the one for calls.
//!
//! Links lead to other hosts, which must not receive what a caller configures for calls, such as default headers with
//! the token of a gateway. So nothing is shared. Redirects are off: each is checked before it is followed.

use std::{error::Error as StdError, fmt, iter, net::IpAddr, sync::OnceLock, time::Duration};

use reqwest::Url;

use super::address::PublicOnly;
use crate::{Error, ErrorKind, Outcome};

/// Short, because a request on an idle connection that the peer has closed has an unknown outcome.
pub(crate) const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// The limit of curl; the stack's own limit is 100.
const MAX_HEADERS: usize = 5000;

/// Accepts headers that browsers and curl accept: folded lines, spaces before the colon, lines that are not headers, many
/// lines. An odd cookie of a firewall must not cost a paid response.
///
/// As in browsers, invalid or contradicting lengths and header sections above about 400 KiB are errors.
pub(crate) fn with_lenient_headers(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_max_headers(MAX_HEADERS)
}

/// Loads no certificate authorities if none are needed: on a machine without any, no stack could be built otherwise.
pub(crate) fn without_needless_roots(builder: reqwest::ClientBuilder, url: &Url) -> reqwest::ClientBuilder {
    // A plain address on another machine may be behind a proxy with https.
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

/// The error of a stack that cannot be built: its configuration is invalid, or the machine has no certificate
/// authorities.
pub(crate) fn stack_error(error: reqwest::Error) -> Error {
    let texts = iter::successors(error.source(), |&cause: &&dyn StdError| cause.source()).map(ToString::to_string);
    let (kind, message) = if texts.into_iter().any(|text| text.contains("No CA certificates")) {
        let message = "this system has no certificate authorities, which https needs: install its package of them, such \
                       as ca-certificates, or set the environment variable SSL_CERT_FILE to a file";
        (ErrorKind::Transport, message)
    } else {
        (ErrorKind::InvalidArgument, "the configuration of the HTTP stack is not valid")
    };
    Error::new(kind, Outcome::NotSent, message).with_source(error)
}

/// The caller's configuration of the stack.
pub(crate) type Configure = Box<dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync>;

/// The clients for downloads, built on first use.
pub(crate) struct DownloadClient {
    resolver: PublicOnly,
    connect_timeout: Duration,
    configure: Option<Configure>,
    external: OnceLock<reqwest::Client>,
    loopback: OnceLock<reqwest::Client>,
    /// For plain http, without certificate authorities.
    loopback_plain: OnceLock<reqwest::Client>,
}

impl DownloadClient {
    pub(crate) fn new(connect_timeout: Duration, configure: Option<Configure>) -> Self {
        let [external, loopback, loopback_plain] = [const { OnceLock::new() }; 3];
        let resolver = PublicOnly::default();
        Self { resolver, connect_timeout, configure, external, loopback, loopback_plain }
    }

    /// Returns the client for a link. Unless it leads to the host of the service, its addresses must be public.
    pub(crate) fn client(&self, url: &Url, is_own_host: bool) -> Result<&reqwest::Client, Error> {
        if let Some(host) = url.host_str()
            && !is_own_host
        {
            self.resolver.watch(host);
        }
        // A proxy of the environment must not receive requests to this machine.
        let (client, proxies) = if is_loopback(url) {
            let is_plain = url.scheme() == "http";
            (if is_plain { &self.loopback_plain } else { &self.loopback }, Proxies::None)
        } else {
            (&self.external, Proxies::Environment)
        };
        if let Some(client) = client.get() {
            return Ok(client);
        }
        let built = self.build(proxies, url).map_err(stack_error)?;
        Ok(client.get_or_init(|| built))
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
        // Last, so that the caller's configuration cannot override it. Another crate of the program may have enabled
        // decompression for every client, and a small response could then become an endless image.
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
    Environment,
    None,
}

/// Returns whether an address leads to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
