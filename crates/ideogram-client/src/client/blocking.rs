//! Calls for programs without `async`.
//!
//! A client that is used this way has one thread of its own, which makes its calls and maintains its connections
//! between them. The caller waits for that thread. That works everywhere except on the thread itself, where hooks and
//! progress callbacks run; within an async runtime, it blocks the thread of the runtime.

use std::{
    fmt, io, panic,
    sync::{Arc, Mutex, OnceLock, PoisonError, mpsc},
    thread::{self, ThreadId},
};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::{Error, ErrorKind, Outcome};

/// The runtime of a client, started by the first blocking call.
#[derive(Default)]
pub(crate) struct Blocking {
    runtime: Mutex<Option<Runtime>>,
    /// The thread that makes the calls.
    worker: Arc<OnceLock<ThreadId>>,
}

impl Blocking {
    fn handle(&self) -> io::Result<Handle> {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = runtime.as_ref() {
            return Ok(runtime.handle().clone());
        }
        let worker = Arc::clone(&self.worker);
        let built = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("ideogram-client")
            .enable_all()
            // The first thread is the worker; later ones read files.
            .on_thread_start(move || {
                let _ = worker.set(thread::current().id());
            })
            .build()?;
        Ok(runtime.insert(built).handle().clone())
    }

    /// Runs a future on the client's own thread, and waits for its result.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LocalIo`] if the thread cannot be started or waited for; [`ErrorKind::Transport`] if it ends before
    /// the future does.
    pub(super) fn block_on<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let result = self.wait_for(future).map_err(|error| {
            let message = format!("cannot make a blocking call: {error}");
            Error::new(ErrorKind::LocalIo, Outcome::NotSent, message).with_source(error)
        })?;
        let ended = "the thread that makes the calls has ended";
        result.ok_or_else(|| Error::new(ErrorKind::Transport, Outcome::Unknown, ended))
    }

    /// Returns the result of a future, or `None` if the thread ends before the future does.
    fn wait_for<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> io::Result<Option<T>> {
        if self.worker.get() == Some(&thread::current().id()) {
            let message = "a blocking call in a hook or a progress callback would wait for its own thread";
            return Err(io::Error::new(io::ErrorKind::Deadlock, message));
        }
        let (sender, result) = mpsc::sync_channel(1);
        let runtime = self.handle()?;
        let task = runtime.spawn(future);
        runtime.spawn(async move { sender.send(task.await) });
        match result.recv() {
            Ok(Ok(value)) => Ok(Some(value)),
            // A hook has panicked: the panic continues in the caller, as it would without the thread.
            Ok(Err(ended)) if ended.is_panic() => panic::resume_unwind(ended.into_panic()),
            Ok(Err(_)) | Err(_) => Ok(None),
        }
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        // The last client may be dropped inside an async runtime, where waiting for another runtime panics.
        if let Some(runtime) = self.runtime.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Blocking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Blocking").finish_non_exhaustive()
    }
}
