//! Waits for a training to end.
//!
//! Start at [`Client::wait_until_trained`]. A training takes hours, so the wait polls rarely, and survives lost
//! connections, failures of the service and unknown states. It stores nothing: after a restart of your program, wait
//! again. The training does not depend on the wait, and cannot be stopped.

mod poll;
mod state;

use std::{fmt, future::IntoFuture, pin::Pin, time::Duration};

use futures_util::Stream;

pub use self::state::{TrainedModel, TrainingError, TrainingProgress, TrainingState, has_ended};
use crate::{Client, Error, net::stack::is_loopback, polling::last, types::ModelId};

/// The default interval, which the vendor's tutorial uses.
const POLL_EVERY: Duration = Duration::from_secs(60);
/// The default interval for a server on this machine, such as the mock server, whose time may pass faster.
const POLL_EVERY_LOOPBACK: Duration = Duration::from_secs(1);
/// The minimum interval.
const MIN_POLL: Duration = Duration::from_secs(1);
/// The minimum interval for a server on this machine, such as the mock server.
const MIN_POLL_LOOPBACK: Duration = Duration::from_millis(1);

impl Client {
    /// Waits until a model is trained and can make images.
    ///
    /// The wait ends when the model is `COMPLETED` and available, and has the URI for requests. It ends with an error if
    /// the model is `ERRORED`, `ARCHIVED`, or in another state whose name means a failure; if the key is wrong or the
    /// model does not exist; and after a day in states that this version does not know.
    ///
    /// Awaiting it returns the model; [`WaitUntilTrained::states`] returns every observed state. Both can be dropped and
    /// started again at any time.
    ///
    /// ```no_run
    /// # async fn example(client: ideogram_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let trained = client.wait_until_trained("model-id").await?;
    /// let uri = &trained.custom_model_uri;
    /// client.generate_image_v3().prompt("a paper lantern").custom_model_uri(uri).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait_until_trained<V>(&self, model_id: V) -> WaitUntilTrained
    where
        V: TryInto<ModelId>,
        V::Error: fmt::Display,
    {
        WaitUntilTrained {
            client: self.clone(),
            model_id: model_id.try_into().map_err(|error| format!("`model_id`: {error}")),
            poll_every: if is_loopback(self.base_url()) { POLL_EVERY_LOOPBACK } else { POLL_EVERY },
            deadline: None,
        }
    }
}

/// A wait for a training; see [`Client::wait_until_trained`].
#[derive(Clone, Debug)]
#[must_use = "it waits for nothing until it is awaited, or `states()` is read"]
pub struct WaitUntilTrained {
    client: Client,
    model_id: Result<ModelId, String>,
    poll_every: Duration,
    deadline: Option<Duration>,
}

impl WaitUntilTrained {
    /// Sets the interval between two polls: 60 seconds by default, or 1 second for a server on this machine, with a jitter
    /// of a tenth, so that programs do not poll all at once. The minimum is one second, unless the server is on this
    /// machine. A longer `Retry-After` is honored, up to ten minutes.
    pub fn poll_every(mut self, interval: Duration) -> Self {
        self.poll_every = interval;
        self
    }

    /// Sets how long to wait, from the first poll: without a limit by default. There is a last poll at the deadline, which
    /// may take ten more seconds. The training itself continues.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Like awaiting the model, for programs without `async`.
    ///
    /// # Errors
    ///
    /// Those of awaiting the model.
    #[cfg(feature = "blocking")]
    pub fn wait_blocking(self) -> Result<TrainedModel, TrainingError> {
        let client = self.client.clone();
        client.block_on(self.into_future())?
    }

    /// Returns a stream with one item for each poll, for a progress display.
    ///
    /// The last item is an error, or one whose [`TrainingProgress::trained`] is `Some`. Nothing is sent before the
    /// stream is read.
    ///
    /// ```no_run
    /// # async fn example(client: ideogram_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::pin::pin;
    ///
    /// use futures_util::TryStreamExt as _;
    ///
    /// let mut states = pin!(client.wait_until_trained("model-id").states());
    /// while let Some(progress) = states.try_next().await? {
    ///     println!("{} after {:?}", progress.state, progress.elapsed);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn states(self) -> impl Stream<Item = Result<TrainingProgress, TrainingError>> + Send + use<> {
        let Self { client, model_id, poll_every, deadline } = self;
        let poll_every = poll_every.max(if is_loopback(client.base_url()) { MIN_POLL_LOOPBACK } else { MIN_POLL });
        let poll = move || {
            let (client, model_id) = (client.clone(), model_id.clone());
            async move {
                let model_id = model_id.map_err(Error::invalid_argument)?;
                Ok(client.get_custom_model().model_id(model_id).send().await?.model)
            }
        };
        poll::states(poll, poll_every, deadline)
    }
}

impl IntoFuture for WaitUntilTrained {
    type Output = Result<TrainedModel, TrainingError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(last(self.states(), |progress| match progress.state {
            TrainingState::Trained(trained) => Some(trained),
            _ => None,
        }))
    }
}
