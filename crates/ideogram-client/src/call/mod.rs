//! Calls: from a prepared request to the decoded response.
//!
//! Start at [`Client::execute`].

mod attempt;
mod builder;
mod dynamic;
mod exchange;
mod progress;
mod refusal;
mod response;
pub(crate) mod retry;
pub(crate) mod status;
pub(crate) mod stored_response;

use serde::de::DeserializeOwned;

pub(crate) use self::{
    attempt::retry_after,
    exchange::{ImagePermit, call, call_with_permit, deadline_in, redacted},
};
pub use self::{builder::CallBuilder, dynamic::DynamicCall, response::Response, stored_response::StoredResponse};
use crate::{Client, Error, request::Request};

impl Client {
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
    /// Those of `send()` of every builder, and [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the
    /// request was prepared for another address than this client's: the key is not sent there.
    pub async fn execute<T: DeserializeOwned + 'static>(&self, request: Request) -> Result<Response<T>, Error> {
        self.check_origin(&request)?;
        call(self, request).await
    }

    /// Like [`Client::execute`], for programs without `async`: the thread waits.
    #[cfg(feature = "blocking")]
    pub fn execute_blocking<T: DeserializeOwned + Send + 'static>(
        &self,
        request: Request,
    ) -> Result<Response<T>, Error> {
        self.check_origin(&request)?;
        call_blocking(self, request)
    }

    /// Refuses a request for another address: the key must not be sent there.
    pub(crate) fn check_origin(&self, request: &Request) -> Result<(), Error> {
        let (ours, theirs) = (self.base_url().origin(), request.url().origin());
        if ours == theirs {
            return Ok(());
        }
        let (ours, theirs) = (ours.ascii_serialization(), theirs.ascii_serialization());
        let message = format!("the request was prepared for {theirs}, and this client calls {ours}");
        Err(Error::invalid_argument(message).in_operation(request.operation()))
    }
}

/// Sends a request, decodes its response, and waits for both.
#[cfg(feature = "blocking")]
pub(crate) fn call_blocking<T>(client: &Client, request: Request) -> Result<Response<T>, Error>
where
    T: DeserializeOwned + Send + 'static,
{
    let (operation, sender) = (request.operation(), client.clone());
    let called = client.block_on(async move { call(&sender, request).await });
    called.map_err(|error| error.in_operation(operation))?
}
