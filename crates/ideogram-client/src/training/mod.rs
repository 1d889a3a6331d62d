//! Waits for a training to end.
//!
//! Start at [`Client::wait_until_trained`]. A training takes an hour or most of a day, so the wait asks rarely, and is
//! not shaken by what goes wrong in between: lost connections, failures of the service, states that this version does
//! not know. Nothing is kept between two waits: after a restart of your program, just wait again. The training itself
//! does not notice who waits for it, and cannot be stopped.

mod poll;
mod state;

use std::{fmt, future::IntoFuture, pin::Pin, time::Duration};

use futures_util::Stream;

pub use self::state::{Observation, TrainedModel, TrainingError, TrainingProgress, has_ended};
use crate::{Client, Error, net::download_client::is_loopback, types::ModelId};

/// How often to ask unless the caller says otherwise, as the vendor's tutorial does.
const POLL_EVERY: Duration = Duration::from_secs(60);
/// The shortest time between two looks: anything less would be a loop of requests without a pause.
const MIN_POLL: Duration = Duration::from_secs(1);
/// The same for a server on this machine, such as the mock server, whose trainings end at once.
const MIN_POLL_HERE: Duration = Duration::from_millis(1);

impl Client {
    /// Waits until a model is trained and images can be made with it.
    ///
    /// The wait is over when the model is `COMPLETED`, available, and has the URI that images are made with; a model
    /// that is `COMPLETED` but not registered yet is waited for. A model that is `ERRORED` or `ARCHIVED`, or in any
    /// other state whose name reads like a failure, ends the wait with an error, as do a wrong key, a model that is not
    /// there, and a day in states of which this version does not know what they mean.
    ///
    /// Awaiting it gives the model. [`WaitUntilTrained::states`] tells what happens meanwhile. Both can be dropped at
    /// any time, and started again.
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
            poll_every: POLL_EVERY,
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
    /// How long to wait between two looks: 60 seconds by default, give or take a tenth, so that many programs that wait
    /// do not ask all at once. Less than a second counts as a second, unless the server is on this machine. A service
    /// that asks for more patience gets it, up to ten minutes at a time.
    pub fn poll_every(mut self, interval: Duration) -> Self {
        self.poll_every = interval;
        self
    }

    /// How long to wait at most, counted from the first look: for ever by default. A last look is taken when the time
    /// is over, and may take ten seconds more. The training itself goes on.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The same as awaiting it, for programs without `async`.
    ///
    /// # Errors
    ///
    /// Those of awaiting it.
    #[cfg(feature = "blocking")]
    pub fn wait_blocking(self) -> Result<TrainedModel, TrainingError> {
        let client = self.client.clone();
        client.block_on(self.into_future())?
    }

    /// What is seen while waiting, one item for each look: for a progress display.
    ///
    /// The last item is the state in which [`TrainingProgress::trained`] is something, or an error. Nothing is sent
    /// before the stream is read.
    ///
    /// ```no_run
    /// # async fn example(client: ideogram_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::pin::pin;
    ///
    /// use futures_util::TryStreamExt as _;
    ///
    /// let mut states = pin!(client.wait_until_trained("model-id").states());
    /// while let Some(state) = states.try_next().await? {
    ///     println!("{} after {:?}", state.observation, state.elapsed);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn states(self) -> impl Stream<Item = Result<TrainingProgress, TrainingError>> + Send + use<> {
        let Self { client, model_id, poll_every, deadline } = self;
        let poll_every = poll_every.max(if is_loopback(client.base_url()) { MIN_POLL_HERE } else { MIN_POLL });
        let look = move || {
            let (client, model_id) = (client.clone(), model_id.clone());
            async move {
                let model_id = model_id.map_err(Error::invalid_argument)?;
                Ok(client.get_custom_model().model_id(model_id).send().await?.model)
            }
        };
        poll::states(look, poll_every, deadline)
    }
}

impl IntoFuture for WaitUntilTrained {
    type Output = Result<TrainedModel, TrainingError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(poll::last(self.states()))
    }
}
