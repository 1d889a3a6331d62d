//! Clients for servers that misbehave.

use ideogram_client::{CallOptions, Client, ClientBuilder};
pub(crate) use ideogram_testkit::RawRequest;

/// A key that is easy to find where it must not be.
pub(crate) const KEY: &str = "secret-key-0123456789";

/// A client with [`KEY`] that makes one attempt of each call by default.
pub(crate) fn client_builder(url: &str) -> ClientBuilder {
    Client::builder().api_key(KEY).base_url(url).options(CallOptions::new().attempts(1))
}
