//! The HTTP stacks of calls and downloads: what they share.

use std::{error::Error as StdError, iter, net::IpAddr, time::Duration};

use reqwest::Url;

use crate::{Error, ErrorKind, Outcome};

/// Short, because a request on an idle connection that the peer has closed has an unknown outcome.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// The stack's own limit is 100, and a paid response must not be lost for the headers of a gateway. The stack initializes a
/// table of this length for each response: one of 5,000, as curl has it, costs more than the rest of a call.
const MAX_HEADERS: usize = 1024;

/// Returns a stack with the defaults of calls and downloads.
///
/// It accepts headers that browsers and curl accept: folded lines, spaces before the colon, lines that are not headers,
/// many lines. An odd cookie of a firewall must not cost a paid response. As in browsers, invalid or contradicting
/// lengths and header sections above about 400 KiB are errors.
pub(crate) fn builder(connect_timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("ideogram-client/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .tcp_keepalive(POOL_IDLE_TIMEOUT)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_max_headers(MAX_HEADERS)
}

/// Builds a stack. The settings here come last, so that the caller's configuration cannot override them. Another crate of
/// the program may have enabled decompression for every client: a response would differ from the bytes on the wire, and a
/// small download could become an endless image.
pub(crate) fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Error> {
    builder
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .build()
        .map_err(stack_error)
}

/// Refuses a stack that has no provider of cryptography, where reqwest would panic.
#[cfg(all(feature = "rustls-no-provider", not(any(feature = "rustls", feature = "native-tls"))))]
pub(crate) fn check_provider() -> Result<(), Error> {
    if rustls::crypto::CryptoProvider::get_default().is_some() {
        return Ok(());
    }
    let message = "no provider of cryptography is installed, which the feature `rustls-no-provider` leaves to the program: \
                   call `rustls::crypto::ring::default_provider().install_default()` first, or use the feature `rustls`";
    Err(Error::invalid_argument(message.to_owned()))
}

#[cfg(not(all(feature = "rustls-no-provider", not(any(feature = "rustls", feature = "native-tls")))))]
#[expect(clippy::unnecessary_wraps, reason = "the other one fails")]
pub(crate) fn check_provider() -> Result<(), Error> {
    Ok(())
}

/// Loads no certificate authorities if none are needed: on a machine without any, no stack could be built otherwise.
pub(crate) fn without_needless_roots(builder: reqwest::ClientBuilder, url: &Url) -> reqwest::ClientBuilder {
    // A plain address on another machine may be behind a proxy with https.
    let needs_none = url.scheme() == "http" && (is_loopback(url) || reqwest::Client::builder().build().is_err());
    if needs_none { without_roots(builder) } else { builder }
}

fn without_roots(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    #[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
    let builder = builder.tls_certs_only([]);
    builder
}

/// The error of a stack that cannot be built: its configuration is invalid, or the machine has no certificate
/// authorities.
fn stack_error(error: reqwest::Error) -> Error {
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

/// Returns whether an address leads to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
