//! A server that misbehaves on purpose, and counts connections and requests.
//!
//! It follows a script: one [`Fault`] for each request, the last one for all further requests. It uses TCP directly,
//! because no HTTP server resets a connection in the middle of a header.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use ideogram_client::ClientBuilder;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Notify, Semaphore},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use crate::raw_request::{RawRequest, client_builder};

/// A test that waits longer has failed.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The reaction to one request.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) read: Reading,
    pub(crate) actions: Vec<Action>,
    pub(crate) end: End,
}

/// How much of a request is read before the response.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading {
    Nothing,
    /// Waits for it, without reading.
    Arrival,
    /// Request line, headers, and this many bytes of the body.
    Part(usize),
    All,
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Bytes(Vec<u8>),
    /// One byte, a pause, one byte.
    Drip(Vec<u8>, Duration),
    /// This many bytes, as fast as they are accepted.
    Flood(u64),
    /// Waits for a permit of the test.
    Wait(Arc<Semaphore>),
}

/// What happens to the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// The end of the response; further bytes are read and dropped.
    Close,
    /// A reset: what the other side has not read is lost.
    Reset,
    /// Silence.
    Hang,
    /// The next request.
    Keep,
}

impl Fault {
    pub(crate) fn new(read: Reading, actions: impl Into<Vec<Action>>, end: End) -> Self {
        Self { read, actions: actions.into(), end }
    }

    /// Reads the request, sends these bytes, and closes the connection.
    pub(crate) fn response(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Reading::All, [Action::Bytes(bytes.into())], End::Close)
    }
}

/// A running server. Dropping it stops it, and breaks what is still open.
pub(crate) struct Server {
    address: SocketAddr,
    /// Bound, so that the port is reserved, and not listening, so that connections are refused.
    refusing: Option<TcpSocket>,
    shared: Arc<Shared>,
    task: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<Script>,
    log: Mutex<Log>,
    changed: Notify,
}

#[derive(Default)]
struct Script {
    faults: Vec<Fault>,
    next: usize,
}

/// Connections and requests so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) connections: usize,
    /// Connections that are over, for both sides.
    pub(crate) ended: usize,
    /// Every request whose head arrived.
    pub(crate) requests: Vec<RecordedRequest>,
    /// Bytes of responses that were taken by the other side or by the kernel.
    pub(crate) sent_bytes: u64,
}

/// A request, without the bytes of large bodies.
#[derive(Clone, Debug)]
pub(crate) struct RecordedRequest {
    pub(crate) request: RawRequest,
    pub(crate) body_bytes: usize,
}

/// Bodies up to this size are recorded.
const MAX_STORED_BODY_BYTES: usize = 16 * 1024;

impl Server {
    /// Starts with a script; refuses connections if it is empty.
    pub(crate) fn start(script: Vec<Fault>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // Small, so that a client notices soon when nothing is read.
        socket.set_recv_buffer_size(64 * 1024).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let mut server = Self { address, refusing: Some(socket), shared: Arc::default(), task: None };
        if !script.is_empty() {
            server.set_script(script);
        }
        server
    }

    /// Continues with another script.
    pub(crate) fn set_script(&mut self, faults: Vec<Fault>) {
        *self.shared.script.lock().unwrap() = Script { faults, next: 0 };
        if let Some(socket) = self.refusing.take() {
            let listener = socket.listen(1024).unwrap();
            self.task = Some(tokio::spawn(accept(listener, Arc::clone(&self.shared))));
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client of this server, to adjust.
    pub(crate) fn builder(&self) -> ClientBuilder {
        // There is no TLS here, and to read the platform's certificates takes longer than most calls.
        client_builder(&self.url()).configure_http(|http| http.tls_certs_only([]))
    }

    /// The log so far.
    pub(crate) fn log(&self) -> Log {
        self.shared.log.lock().unwrap().clone()
    }

    /// Waits until this is true of the log.
    pub(crate) async fn until(&self, is_so: impl Fn(&Log) -> bool) {
        let seen = async {
            loop {
                let changed = self.shared.changed.notified();
                if is_so(&self.shared.log.lock().unwrap()) {
                    break;
                }
                changed.await;
            }
        };
        let in_time = timeout(TEST_TIMEOUT, seen).await;
        assert!(in_time.is_ok(), "the condition is not true in time: {:?}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Shared {
    fn note(&self, change: impl FnOnce(&mut Log)) {
        change(&mut self.log.lock().unwrap());
        self.changed.notify_waiters();
    }

    fn next_fault(&self) -> Fault {
        let mut script = self.script.lock().unwrap();
        let fault = script.faults[script.next.min(script.faults.len() - 1)].clone();
        script.next += 1;
        fault
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.note(|log| log.connections += 1);
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // A connection that the other side broke is what is tested.
            let _ = serve(stream, &shared).await;
            shared.note(|log| log.ended += 1);
        });
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut rest = Vec::new();
    loop {
        let Fault { read, actions, end } = shared.next_fault();
        if !read_request(&mut stream, &mut rest, read, shared).await {
            return Ok(());
        }
        for actions in actions {
            perform(&mut stream, actions, shared).await?;
        }
        match end {
            End::Keep if rest.is_empty() && stream.peek(&mut [0]).await? == 0 => return Ok(()),
            End::Keep => {}
            End::Hang => std::future::pending().await,
            End::Reset => return stream.set_zero_linger(),
            End::Close => {
                stream.shutdown().await?;
                // Closing with something unread would be a reset.
                while stream.read(&mut [0; 4096]).await? > 0 {}
                return Ok(());
            }
        }
    }
}

/// Returns whether this part of a request arrived.
async fn read_request(stream: &mut TcpStream, rest: &mut Vec<u8>, reading: Reading, shared: &Shared) -> bool {
    let most = match reading {
        Reading::Nothing => return true,
        Reading::Arrival => return stream.peek(&mut [0]).await.is_ok(),
        Reading::Part(bytes) => bytes,
        Reading::All => usize::MAX,
    };
    let Some(mut request) = RawRequest::read_head(stream, rest).await else { return false };
    let mut index = 0;
    shared.note(|log| {
        index = log.requests.len();
        log.requests.push(RecordedRequest { request: request.clone(), body_bytes: 0 });
    });
    let arrived = request.read_body(stream, rest, most).await.is_some();
    shared.note(|log| {
        let seen = &mut log.requests[index];
        seen.body_bytes = request.body.len();
        if seen.body_bytes <= MAX_STORED_BODY_BYTES {
            seen.request.body = request.body;
        }
    });
    arrived
}

async fn perform(stream: &mut TcpStream, actions: Action, shared: &Shared) -> io::Result<()> {
    match actions {
        Action::Bytes(bytes) => stream.write_all(&bytes).await,
        Action::Drip(bytes, pause) => {
            for byte in bytes {
                stream.write_all(&[byte]).await?;
                sleep(pause).await;
            }
            Ok(())
        }
        Action::Flood(bytes) => {
            let block = vec![b' '; 64 * 1024];
            let mut left = bytes;
            while left > 0 {
                let sent = stream.write(&block[..block.len().min(usize::try_from(left).unwrap_or(usize::MAX))]).await?;
                left -= sent as u64;
                shared.note(|log| log.sent_bytes += sent as u64);
            }
            Ok(())
        }
        Action::Wait(permits) => {
            permits.acquire().await.expect("tests do not close it").forget();
            Ok(())
        }
    }
}
