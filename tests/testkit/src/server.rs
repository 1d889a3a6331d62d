//! The server: one reply for each connection.

use std::{
    net,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime, select,
    sync::{Notify, oneshot},
    task::JoinSet,
    time::sleep,
};

use crate::RawRequest;

/// What a server sends after it has read a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// The same after a delay.
    Delayed(Duration, Vec<u8>),
    /// The same after a notification.
    Held(Arc<Notify>, Vec<u8>),
    /// These bytes, then nothing until the client closes the connection.
    Unfinished(Vec<u8>),
}

/// A running server. Dropping it stops it, and breaks open connections.
#[derive(Debug)]
pub struct Server {
    url: String,
    shared: Arc<Shared>,
    arrivals: Mutex<mpsc::Receiver<()>>,
    /// Dropped to stop the server.
    _stop: oneshot::Sender<()>,
}

#[derive(Debug, Default)]
struct Shared {
    log: Mutex<Log>,
    received: Notify,
}

#[derive(Debug, Default)]
struct Log {
    requests: Vec<RawRequest>,
    in_flight: usize,
    max_in_flight: usize,
}

type Handler = dyn Fn(usize, &RawRequest) -> Reply + Send + Sync;

impl Server {
    /// Starts a server. `handler` gets the number of earlier requests, and the request.
    pub fn start(handler: impl Fn(usize, &RawRequest) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_limited(usize::MAX, handler)
    }

    /// Starts a server that refuses connections after `connections` of them.
    ///
    /// # Panics
    ///
    /// The loopback has no free port.
    pub fn start_limited(
        connections: usize,
        handler: impl Fn(usize, &RawRequest) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = net::TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
        listener.set_nonblocking(true).expect("sockets can be non-blocking");
        let url = format!("http://{}", listener.local_addr().expect("the socket is bound"));
        let (shared, handler): (_, Arc<Handler>) = (Arc::new(Shared::default()), Arc::new(handler));
        let (arrived, arrivals) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
            runtime.block_on(async {
                let mut open = JoinSet::new();
                let listener = TcpListener::from_std(listener).expect("the socket is valid");
                let accept = async {
                    for _ in 0..connections {
                        let Ok((stream, _)) = listener.accept().await else { break };
                        open.spawn(serve(stream, Arc::clone(&served), Arc::clone(&handler), arrived.clone()));
                    }
                    drop(listener);
                    while open.join_next().await.is_some() {}
                };
                select! {
                    () = accept => {}
                    _ = stopped => {}
                }
            });
        });
        Self { url, shared, arrivals: Mutex::new(arrivals), _stop: stop }
    }

    /// The base URL, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<RawRequest> {
        self.log(|log| log.requests.clone())
    }

    /// The largest number of requests in flight at the same time.
    pub fn max_in_flight(&self) -> usize {
        self.log(|log| log.max_in_flight)
    }

    /// Waits for a request.
    pub async fn received(&self) {
        self.shared.received.notified().await;
    }

    /// Waits for a request, and blocks the thread.
    ///
    /// # Panics
    ///
    /// The server has ended without a request.
    pub fn wait_for_request(&self) {
        self.arrivals.lock().expect("nothing panics while it holds this lock").recv().expect("the server runs");
    }

    fn log<T>(&self, read: impl FnOnce(&Log) -> T) -> T {
        read(&self.shared.log.lock().expect("nothing panics while it holds this lock"))
    }
}

impl Shared {
    fn change<T>(&self, change: impl FnOnce(&mut Log) -> T) -> T {
        change(&mut self.log.lock().expect("nothing panics while it holds this lock"))
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>, handler: Arc<Handler>, arrived: mpsc::Sender<()>) {
    let mut rest = Vec::new();
    let Some(mut request) = RawRequest::read_head(&mut stream, &mut rest).await else { return };
    if request.read_body(&mut stream, &mut rest, usize::MAX).await.is_none() {
        return;
    }
    let before = shared.change(|log| {
        log.requests.push(request.clone());
        log.in_flight += 1;
        log.max_in_flight = log.max_in_flight.max(log.in_flight);
        log.requests.len() - 1
    });
    shared.received.notify_one();
    // Most tests do not wait for it.
    let _ = arrived.send(());
    let bytes = match handler(before, &request) {
        Reply::Bytes(bytes) => bytes,
        Reply::Delayed(delay, bytes) => {
            sleep(delay).await;
            bytes
        }
        Reply::Held(permission, bytes) => {
            permission.notified().await;
            bytes
        }
        Reply::Unfinished(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.read(&mut [0]).await;
            Vec::new()
        }
    };
    // The client may close the connection early.
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
    shared.change(|log| log.in_flight -= 1);
}
