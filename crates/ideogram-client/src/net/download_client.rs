//! The HTTP stack for downloads, separate from the one for calls.
//!
//! Links lead to other hosts, which must not receive what a caller configures for calls, such as default headers with
//! the token of a gateway. So nothing is shared. Redirects are off: each is checked before it is followed.

use std::{fmt, sync::OnceLock, time::Duration};

use reqwest::Url;

use super::{
    address::PublicOnly,
    stack::{self, is_loopback, without_needless_roots},
};
use crate::Error;

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
        let client = match (is_loopback(url), url.scheme()) {
            (false, _) => &self.external,
            (true, "http") => &self.loopback_plain,
            (true, _) => &self.loopback,
        };
        if let Some(client) = client.get() {
            return Ok(client);
        }
        let built = self.build(url)?;
        Ok(client.get_or_init(|| built))
    }

    fn build(&self, url: &Url) -> Result<reqwest::Client, Error> {
        stack::check_provider()?;
        let mut builder = stack::builder(self.connect_timeout).dns_resolver(self.resolver.clone());
        if is_loopback(url) {
            builder = without_needless_roots(builder, url);
        }
        if let Some(configure) = &self.configure {
            builder = configure(builder);
        }
        if is_loopback(url) {
            // A proxy of the environment must not receive requests to this machine.
            builder = builder.no_proxy();
        }
        stack::build(builder.referer(false))
    }
}

impl fmt::Debug for DownloadClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DownloadClient").finish_non_exhaustive()
    }
}
