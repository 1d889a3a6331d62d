//! The running server: a thread of its own with a runtime of its own.
//!
//! So it answers while a test blocks, waits for a child process, or has no runtime at all.

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

use crate::{
    builder::MockServerBuilder,
    call::{self, Shared},
    document::Document,
    recorder::RecordedRequest,
    scenario::Scenario,
};

/// The key that a server accepts unless its builder names another.
pub const MOCK_API_KEY: &str = "mock-api-key";

/// How long a server that is asked to stop waits for requests that are still running.
const GRACE: Duration = Duration::from_secs(5);

/// A server on the loopback that behaves like the Ideogram API. Dropping it stops it.
///
/// See the [crate documentation](crate) for what it does and what it leaves out.
#[must_use = "dropping the server stops it"]
pub struct MockServer {
    url: String,
    shared: Arc<Shared>,
    orders: mpsc::UnboundedSender<Order>,
    /// Gone once the server has been stopped.
    thread: Option<JoinHandle<io::Result<()>>>,
    ended: oneshot::Receiver<()>,
}

/// What the thread of the server is told.
#[derive(Debug)]
enum Order {
    Abort,
    Finish,
    FinishAtInterrupt,
}

impl MockServer {
    /// Starts a server on a free port, with one dataset, `demo`, and time standing still.
    ///
    /// # Errors
    ///
    /// The loopback has no free port, or no thread can be started.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Sets up a server: port, key, time, state directory, scenario.
    pub fn builder() -> MockServerBuilder {
        MockServerBuilder::default()
    }

    /// The base URL, without a slash at the end: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The key to send in the `Api-Key` header.
    pub fn api_key(&self) -> &str {
        &self.shared.api_key
    }

    /// The last 1000 requests, oldest first, those included that were refused or are still coming in.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.recorder.requests()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.recorder.clear();
    }

    /// Switches to another behaviour, from the next request on.
    pub fn set_scenario(&self, scenario: Scenario) {
        self.shared.service.stage.set(scenario);
    }

    /// Lets service time pass at once: trainings go on, models get ready.
    pub fn advance(&self, time: Duration) {
        self.shared.service.world.clock.advance(time);
    }

    /// Stops the server: no new requests, and up to 5 seconds for those that are running.
    ///
    /// # Errors
    ///
    /// What made the server fail, if it did.
    pub async fn stop(self) -> io::Result<()> {
        self.end(Order::Finish).await
    }

    /// Serves until Ctrl-C, then stops like [`MockServer::stop`]: for a program that is nothing but the server.
    ///
    /// # Errors
    ///
    /// Ctrl-C cannot be awaited on this system, or what made the server fail, if it did.
    pub async fn wait(self) -> io::Result<()> {
        self.end(Order::FinishAtInterrupt).await
    }

    /// Serves on `listener`, which is reached under `url`.
    pub(crate) fn serve(listener: TcpListener, url: String, shared: Arc<Shared>) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (orders, incoming) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = thread::Builder::new().name("ideogram-mock".to_owned()).spawn(move || {
            // Requests can wait in the socket while the document is being read.
            let _ = Document::embedded();
            let result = run(&runtime, listener, served, incoming);
            // An inspection of an archive that nobody waits for any more may go on a little longer.
            runtime.shutdown_background();
            let _ = end.send(());
            result
        })?;
        Ok(Self { url, shared, orders, thread: Some(thread), ended })
    }

    async fn end(mut self, order: Order) -> io::Result<()> {
        let _ = self.orders.send(order);
        let _ = (&mut self.ended).await;
        self.join()
    }

    /// Waits for the thread, which must have been told to stop.
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
        let _ = self.orders.send(Order::Abort);
        let _ = self.join();
    }
}

impl fmt::Debug for MockServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockServer").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Serves until told to stop.
fn run(
    runtime: &Runtime,
    listener: TcpListener,
    shared: Arc<Shared>,
    mut orders: mpsc::UnboundedReceiver<Order>,
) -> io::Result<()> {
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        // Responses are small; waiting to fill a packet would only make tests slow.
        let listener = listener.tap_io(|stream| _ = stream.set_nodelay(true));
        // Bodies have limits of their own.
        let router = Router::new().fallback(call::response).layer(DefaultBodyLimit::disable()).with_state(shared);
        let (close, closing) = oneshot::channel::<()>();
        let server = axum::serve(listener, router).with_graceful_shutdown(async { _ = closing.await });
        let mut server = pin!(server.into_future());
        let order = select! {
            result = &mut server => return result,
            order = orders.recv() => order.unwrap_or(Order::Abort),
        };
        match order {
            Order::Abort => return Ok(()),
            Order::Finish => {}
            Order::FinishAtInterrupt => select! {
                result = &mut server => return result,
                result = signal::ctrl_c() => result?,
                // The caller has stopped waiting.
                _ = orders.recv() => return Ok(()),
            },
        }
        let _ = close.send(());
        timeout(GRACE, server).await.unwrap_or(Ok(()))
    })
}
