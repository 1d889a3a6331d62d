//! The client that generated methods hang on.

use std::{fmt, sync::Arc};

use reqwest::Url;

use crate::{ApiKey, ClientBuilder, Error, Validation, link_stack::LinkStack};

/// A client of the service. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    pub(crate) api_key: ApiKey,
    pub(crate) base_url: Url,
    pub(crate) validation: Validation,
    pub(crate) answer_limit_bytes: usize,
    pub(crate) timeout: std::time::Duration,
    #[allow(dead_code, reason = "not every client of a document fetches links")]
    pub(crate) links: LinkStack,
}

impl Client {
    /// A client with sensible defaults. [`Client::builder`] has the rest.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the key cannot be one.
    pub fn new(api_key: impl AsRef<str>) -> Result<Self, Error> {
        Self::builder().api_key(api_key).build()
    }

    /// A client to adjust.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Where the service is.
    pub fn base_url(&self) -> &Url {
        &self.inner.base_url
    }

    pub(crate) fn validation(&self) -> &Validation {
        &self.inner.validation
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    pub(crate) fn from_inner(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { api_key, base_url, .. } = self.inner();
        formatter
            .debug_struct("Client")
            .field("base_url", &base_url.as_str())
            .field("api_key", api_key)
            .finish_non_exhaustive()
    }
}
