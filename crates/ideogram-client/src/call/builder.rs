//! What all builders of calls share.

use serde::de::DeserializeOwned;

use crate::{Client, Error, Response, operation::Operation, request::Request};

/// A builder of a call: the generated builder of each operation, and [`DynamicCall`](crate::DynamicCall).
///
/// One function can take the builder of any operation:
///
/// ```
/// use ideogram_client::{CallBuilder, Error, operation::Billing};
///
/// async fn send_free<B: CallBuilder>(builder: B) -> Result<Option<B::Output>, Error> {
///     match builder.operation().billing {
///         Billing::Free => Ok(Some(builder.send().await?)),
///         _ => Ok(None),
///     }
/// }
/// ```
pub trait CallBuilder: Clone + Sized {
    /// The decoded body of a successful response.
    type Output: DeserializeOwned + 'static;

    /// The operation that is called.
    fn operation(&self) -> &'static Operation;

    /// The client that sends the call.
    fn client(&self) -> &Client;

    /// Builds the request without sending it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if a required value is missing, or a value is
    /// out of its bounds.
    fn prepare(self) -> Result<Request, Error>;

    /// Sends the call, and returns status, headers and raw body with the decoded body.
    fn response(self) -> impl Future<Output = Result<Response<Self::Output>, Error>> + Send {
        let client = self.client().clone();
        let request = self.prepare();
        async move { client.execute(request?).await }
    }

    /// Sends the call, and returns the decoded body.
    fn send(self) -> impl Future<Output = Result<Self::Output, Error>> + Send {
        let response = self.response();
        async move { Ok(response.await?.into_value()) }
    }
}
