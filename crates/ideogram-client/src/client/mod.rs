//! The client: its methods are generated, one per operation.

pub(crate) mod api_key;
#[cfg(feature = "blocking")]
mod blocking;
mod builder;
pub mod hook;
mod limiter;
mod options;

use std::{fmt, sync::Arc};

use reqwest::Url;
use tokio::sync::Semaphore;

use self::limiter::ImageLimiter;
pub use self::{api_key::ApiKey, builder::ClientBuilder, options::CallOptions};
pub(crate) use self::{
    limiter::Permit,
    options::{OnUpload, Settings, is_reserved},
};
use crate::{Error, net::download_client::DownloadClient, operation::Operation, request::Request};

/// A client of the service. Cheap to clone: clones share connections and the limit of images in flight.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    settings: Arc<Settings>,
}

pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    pub(crate) api_key: ApiKey,
    pub(crate) base_url: Arc<Url>,
    pub(crate) limiter: ImageLimiter,
    /// Limits concurrent attempts of calls that make no image.
    pub(crate) attempts: Arc<Semaphore>,
    pub(crate) links: DownloadClient,
    #[cfg(feature = "blocking")]
    blocking: blocking::Blocking,
}

impl Client {
    /// Creates a client with the default settings; [`Client::builder`] changes them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the key is not valid.
    pub fn new(api_key: impl AsRef<str>) -> Result<Self, Error> {
        Self::builder().api_key(api_key).build()
    }

    /// Creates a client with the API key in the environment variable `IDEOGRAM_API_KEY`. If `IDEOGRAM_BASE_URL` is set and
    /// not empty, it is the address of the service, as for the `ideogram` command: `ideogram mock serve` prints both.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the first variable is not set, is empty, or
    /// does not hold a valid key, or the second is not a valid address. The message does not contain the key.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().api_key_from_env().base_url_from_env().build()
    }

    /// Returns a builder.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// The address of the service.
    pub fn base_url(&self) -> &Url {
        &self.inner.base_url
    }

    /// Returns a client with other settings, which shares connections and the limit of images in flight.
    #[must_use = "the client itself does not change"]
    pub fn with(&self, options: CallOptions) -> Self {
        Self { inner: Arc::clone(&self.inner), settings: Arc::new(self.settings.with(options)) }
    }

    /// Returns the number of images in flight, of this client and its clones.
    pub fn images_in_flight(&self) -> u32 {
        self.inner.limiter.acquired()
    }

    /// Returns an empty request of an operation.
    pub(crate) fn new_request(&self, operation: &'static Operation) -> Request {
        Request::new(operation, Arc::clone(&self.inner.base_url), self.settings.validation.clone())
    }

    /// Runs a future on the client's own thread, and waits for its result.
    #[cfg(feature = "blocking")]
    pub(crate) fn block_on<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner.blocking.block_on(future)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
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
