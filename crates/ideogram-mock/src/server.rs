//! The running server.
//!
//! It has its own thread and runtime, so it responds while a test blocks, waits for a child process, or has no runtime.

use std::{
    fmt,
    future::IntoFuture,
    io,
    net::TcpListener,
    pin::pin,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use axum::{Router, extract::DefaultBodyLimit, serve::ListenerExt};
use tokio::{
    runtime::{self, Runtime},
    select, signal,
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{dispatch, document::Document, recorder::RecordedRequest, scenario::Scenario, service::Shared};

/// How long a server that stops waits for running requests.
const GRACE: Duration = Duration::from_secs(5);

/// A server on the loopback that behaves like the Ideogram API. Dropping it stops it.
///
/// See the [crate documentation](crate) for what it does and what it leaves out.
#[must_use = "dropping the server stops it"]
pub struct MockServer {
    url: String,
    shared: Arc<Shared>,
    shutdown: mpsc::UnboundedSender<Shutdown>,
    /// `None` once the server has been stopped.
    thread: Option<JoinHandle<io::Result<()>>>,
    ended: oneshot::Receiver<()>,
}

/// How the thread of the server ends.
#[derive(Debug)]
enum Shutdown {
    /// At once; running requests are cut off.
    Abort,
    /// After running requests.
    Graceful,
    /// Like `Graceful`, but not before a signal.
    GracefulAtSignal,
}

impl MockServer {
    /// The base URL, without a slash at the end: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The key to send in the `Api-Key` header.
    pub fn api_key(&self) -> &str {
        &self.shared.service.settings.api_key
    }

    /// The last 1000 requests, oldest first, including those that were refused or are still being received. Downloads of
    /// images are among them, without an [`operation_id`](RecordedRequest::operation_id).
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.recorder.requests()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.recorder.clear();
    }

    /// Switches to another scenario, from the next request on.
    pub fn set_scenario(&self, scenario: Scenario) {
        self.shared.service.scenario.set(scenario);
    }

    /// Advances service time: trainings progress, links expire.
    pub fn advance(&self, time: Duration) {
        self.shared.service.store.clock.advance(time);
    }

    /// Stops the server: no new requests, and up to 5 seconds for those that are running.
    ///
    /// # Errors
    ///
    /// The server has failed.
    pub async fn stop(self) -> io::Result<()> {
        self.end(Shutdown::Graceful).await
    }

    /// Serves until Ctrl-C or, on Unix, SIGTERM; then stops like [`MockServer::stop`]. For a program that only runs the
    /// server.
    ///
    /// # Errors
    ///
    /// The signals cannot be awaited on this system, or the server has failed.
    pub async fn wait(self) -> io::Result<()> {
        self.end(Shutdown::GracefulAtSignal).await
    }

    /// Serves on `listener`, whose address is `url`.
    pub(crate) fn serve(listener: TcpListener, url: String, shared: Arc<Shared>) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (shutdown, requested) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = thread::Builder::new().name("ideogram-mock".to_owned()).spawn(move || {
            // Requests can wait in the socket while the document is being read.
            let _ = Document::embedded();
            let result = run(&runtime, listener, served, requested);
            // Does not wait for the inspection of an archive whose caller has gone.
            runtime.shutdown_background();
            let _ = end.send(());
            result
        })?;
        Ok(Self { url, shared, shutdown, thread: Some(thread), ended })
    }

    async fn end(mut self, shutdown: Shutdown) -> io::Result<()> {
        let _ = self.shutdown.send(shutdown);
        let _ = (&mut self.ended).await;
        self.join()
    }

    /// Waits for the thread; call it after a shutdown has been requested.
    fn join(&mut self) -> io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the mock server panicked")),
            None => Ok(()),
        }
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        let _ = self.shutdown.send(Shutdown::Abort);
        let _ = self.join();
    }
}

impl fmt::Debug for MockServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockServer").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Serves until a shutdown is requested.
fn run(
    runtime: &Runtime,
    listener: TcpListener,
    shared: Arc<Shared>,
    mut requested: mpsc::UnboundedReceiver<Shutdown>,
) -> io::Result<()> {
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        // Responses are small; Nagle's algorithm would only delay them.
        let listener = listener.tap_io(|stream| _ = stream.set_nodelay(true));
        // `BodyStream` limits bodies.
        let router = Router::new().fallback(dispatch::handle).layer(DefaultBodyLimit::disable()).with_state(shared);
        let (close, closing) = oneshot::channel::<()>();
        let server = axum::serve(listener, router).with_graceful_shutdown(async { _ = closing.await });
        let mut server = pin!(server.into_future());
        let shutdown = select! {
            result = &mut server => return result,
            shutdown = requested.recv() => shutdown.unwrap_or(Shutdown::Abort),
        };
        match shutdown {
            Shutdown::Abort => return Ok(()),
            Shutdown::Graceful => {}
            Shutdown::GracefulAtSignal => select! {
                result = &mut server => return result,
                result = stop_signal() => result?,
                // The caller has stopped waiting.
                _ = requested.recv() => return Ok(()),
            },
        }
        let _ = close.send(());
        timeout(GRACE, server).await.unwrap_or(Ok(()))
    })
}

/// Waits for Ctrl-C or, on Unix, SIGTERM.
async fn stop_signal() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        select! {
            result = signal::ctrl_c() => result,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await
}
