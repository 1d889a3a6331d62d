//! Calls for programs without `async`.
//!
//! A client that is used this way keeps one thread of its own, which makes its calls and looks after its connections
//! between them. A call waits for it, so it works from everywhere, also from within an async runtime, whose thread it
//! then blocks.

use std::{
    fmt, io,
    sync::{Mutex, PoisonError, mpsc},
};

use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Handle, Runtime};

use super::call;
use crate::{Client, Error, ErrorKind, Outcome, Request, Response};

/// The runtime of a client, made with the first call that needs it.
#[derive(Default)]
pub(crate) struct Blocking(Mutex<Option<Runtime>>);

impl Blocking {
    fn handle(&self) -> io::Result<Handle> {
        let mut runtime = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = runtime.as_ref() {
            return Ok(runtime.handle().clone());
        }
        let made = Builder::new_multi_thread().worker_threads(1).thread_name("ideogram-client").enable_all().build()?;
        Ok(runtime.insert(made).handle().clone())
    }

    /// Runs a future on the client's own thread, and waits for what it gives; nothing if the thread ends before.
    pub(crate) fn wait_for<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<Option<T>> {
        let (sender, result) = mpsc::sync_channel(1);
        self.handle()?.spawn(async move {
            // Whoever waits is blocked until this arrives.
            let _ = sender.send(future.await);
        });
        Ok(result.recv().ok())
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        // The last client may go inside of an async runtime, where nobody may wait for another one to end.
        if let Some(runtime) = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Blocking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Blocking").finish_non_exhaustive()
    }
}

/// Sends a request, decodes its answer, and waits for both.
pub(crate) fn call_blocking<T>(client: &Client, request: Request) -> Result<Response<T>, Error>
where
    T: DeserializeOwned + Send + 'static,
{
    let operation = request.operation();
    let blocking = &client.inner().blocking;
    let called = {
        let client = client.clone();
        blocking.wait_for(async move { call(&client, request).await })
    };
    let answer = called.map_err(|error| {
        let error = Error::new(ErrorKind::LocalIo, Outcome::NotSent, "no thread can be started").with_source(error);
        error.in_operation(operation)
    })?;
    answer.unwrap_or_else(|| {
        let message = "the thread that makes the calls has ended";
        Err(Error::new(ErrorKind::Transport, Outcome::Unknown, message).in_operation(operation))
    })
}
