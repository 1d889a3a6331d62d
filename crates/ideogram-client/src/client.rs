//! The client that generated methods hang on.

use std::{fmt, sync::Arc};

use reqwest::Url;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::{
    ApiKey, CallOptions, ClientBuilder, Error, Response, Validation, download_client::DownloadClient,
    limiter::ImageLimiter, options::Settings, request::Request, runtime,
};

/// A client of the service. Cheap to clone; clones share connections and the count of images in the making.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    settings: Arc<Settings>,
}

pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    pub(crate) api_key: ApiKey,
    pub(crate) base_url: Url,
    pub(crate) limiter: ImageLimiter,
    /// Calls that make no image pass no limiter, but do not all run at once.
    pub(crate) attempts: Arc<Semaphore>,
    #[allow(dead_code, reason = "not every client of a document fetches links")]
    pub(crate) links: DownloadClient,
    #[cfg(feature = "blocking")]
    pub(crate) blocking: crate::runtime::Blocking,
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

    /// Creates a client with the API key in the environment variable `IDEOGRAM_API_KEY`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the variable is not set, is empty, or holds
    /// what cannot be a key. The message does not contain the value.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().api_key_from_env().build()
    }

    /// A client to adjust.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Where the service is.
    pub fn base_url(&self) -> &Url {
        &self.inner.base_url
    }

    /// The same client, with other settings for the calls made with it. It shares connections and the count of images
    /// in the making.
    #[must_use = "the client itself stays as it is"]
    pub fn with(&self, options: CallOptions) -> Self {
        Self { inner: Arc::clone(&self.inner), settings: Arc::new(self.settings.with(options)) }
    }

    /// Sends a request that was prepared with this client, or with one that shares its connections.
    ///
    /// ```no_run
    /// # async fn example(client: &ideogram_client::Client) -> Result<(), ideogram_client::Error> {
    /// use ideogram_client::types::GetDatasetResponse;
    ///
    /// let request = client.get_dataset().dataset_id("abc").prepare()?;
    /// println!("{request}");
    /// let response = client.execute::<GetDatasetResponse>(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As `send()` of every builder; and [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the
    /// request is for another address than this client's: the key stays where it belongs.
    pub async fn execute<T: DeserializeOwned + 'static>(&self, request: Request) -> Result<Response<T>, Error> {
        self.check_origin(&request)?;
        runtime::call(self, request).await
    }

    /// Like [`Client::execute`], for programs without `async`: the thread waits.
    #[cfg(feature = "blocking")]
    pub fn execute_blocking<T: DeserializeOwned + Send + 'static>(
        &self,
        request: Request,
    ) -> Result<Response<T>, Error> {
        self.check_origin(&request)?;
        runtime::call_blocking(self, request)
    }

    /// The key stays where it belongs.
    fn check_origin(&self, request: &Request) -> Result<(), Error> {
        let (ours, theirs) = (self.base_url().origin(), request.url().origin());
        if ours == theirs {
            return Ok(());
        }
        let (ours, theirs) = (ours.ascii_serialization(), theirs.ascii_serialization());
        let message = format!("the request was prepared for {theirs}, and this client calls {ours}");
        Err(Error::invalid_argument(message).in_operation(request.operation()))
    }

    /// Returns the number of images in flight, of this client and its clones.
    pub fn images_in_flight(&self) -> u32 {
        self.inner.limiter.acquired()
    }

    pub(crate) fn validation(&self) -> &Validation {
        &self.settings.validation
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    pub(crate) fn from_parts(inner: Inner, settings: Settings) -> Self {
        Self { inner: Arc::new(inner), settings: Arc::new(settings) }
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
