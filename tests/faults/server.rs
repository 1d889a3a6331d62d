//! A server that misbehaves on purpose, and counts what reaches it.
//!
//! It works through a script: one [`Fault`] for each request, the last one for all that follow. It speaks TCP itself,
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

/// Far longer than anything here takes; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What becomes of one request.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) read: Reading,
    pub(crate) say: Vec<Say>,
    pub(crate) end: End,
}

/// How much of a request is read before anything is said.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading {
    Nothing,
    /// It is waited for, and left unread.
    Arrival,
    /// Request line, headers, and so many bytes of the body.
    Part(usize),
    All,
}

#[derive(Clone, Debug)]
pub(crate) enum Say {
    Bytes(Vec<u8>),
    /// One byte, a pause, one byte.
    Drip(Vec<u8>, Duration),
    /// So many bytes, as fast as they are taken.
    Flood(u64),
    /// Nothing before a test permits it.
    Wait(Arc<Semaphore>),
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// The end of the response; what still comes is read and thrown away.
    Close,
    /// A reset: what the other side has not read is lost.
    Reset,
    /// Silence.
    Hang,
    /// The next request.
    Keep,
}

impl Fault {
    pub(crate) fn new(read: Reading, say: impl Into<Vec<Say>>, end: End) -> Self {
        Self { read, say: say.into(), end }
    }

    /// Reads the request, sends these bytes, and closes the connection.
    pub(crate) fn response(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Reading::All, [Say::Bytes(bytes.into())], End::Close)
    }
}

/// A running server. Dropping it stops it, and breaks what is still open.
pub(crate) struct Server {
    address: SocketAddr,
    /// Bound, so that nobody else gets the port, and not listening, so that connections are refused.
    refusing: Option<TcpSocket>,
    shared: Arc<Shared>,
    task: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<Script>,
    log: Mutex<Log>,
    news: Notify,
}

#[derive(Default)]
struct Script {
    faults: Vec<Fault>,
    next: usize,
}

/// What reached the server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) connections: usize,
    /// Connections that are over, for both sides.
    pub(crate) ended: usize,
    /// Every request whose head arrived.
    pub(crate) requests: Vec<Seen>,
    /// Bytes of responses that were taken by the other side or by the kernel.
    pub(crate) sent_bytes: u64,
}

/// A request, without the bytes of large bodies.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) request: RawRequest,
    pub(crate) body_bytes: usize,
}

/// A body of this size is kept whole.
const KEPT_BODY_BYTES: usize = 16 * 1024;

impl Seen {
    /// The text of a part of a multipart body.
    pub(crate) fn text(&self, part: &str) -> String {
        let body = String::from_utf8_lossy(&self.request.body);
        let (_, rest) = body.split_once(&format!("name=\"{part}\"")).expect("the body has the part");
        rest.split("\r\n").nth(2).expect("a part has a head and an end").to_owned()
    }
}

impl Server {
    /// Works through the script; refuses connections if it is empty.
    pub(crate) fn start(script: Vec<Fault>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // Small, so that a client notices soon when nothing is read.
        socket.set_recv_buffer_size(64 * 1024).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let mut server = Self { address, refusing: Some(socket), shared: Arc::default(), task: None };
        if !script.is_empty() {
            server.mend(script);
        }
        server
    }

    /// Goes on with another script.
    pub(crate) fn mend(&mut self, faults: Vec<Fault>) {
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

    /// What reached it so far.
    pub(crate) fn log(&self) -> Log {
        self.shared.log.lock().unwrap().clone()
    }

    /// Waits until this is true of what reached the server.
    pub(crate) async fn until(&self, is_so: impl Fn(&Log) -> bool) {
        let seen = async {
            loop {
                let news = self.shared.news.notified();
                if is_so(&self.shared.log.lock().unwrap()) {
                    break;
                }
                news.await;
            }
        };
        let in_time = timeout(PATIENCE, seen).await;
        assert!(in_time.is_ok(), "the server still waits: {:?}", self.log());
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
        self.news.notify_waiters();
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
        let Fault { read, say, end } = shared.next_fault();
        if !hear(&mut stream, &mut rest, read, shared).await {
            return Ok(());
        }
        for say in say {
            speak(&mut stream, say, shared).await?;
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

/// Whether so much of a request came.
async fn hear(stream: &mut TcpStream, rest: &mut Vec<u8>, reading: Reading, shared: &Shared) -> bool {
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
        log.requests.push(Seen { request: request.clone(), body_bytes: 0 });
    });
    let arrived = request.read_body(stream, rest, most).await.is_some();
    shared.note(|log| {
        let seen = &mut log.requests[index];
        seen.body_bytes = request.body.len();
        if seen.body_bytes <= KEPT_BODY_BYTES {
            seen.request.body = request.body;
        }
    });
    arrived
}

async fn speak(stream: &mut TcpStream, say: Say, shared: &Shared) -> io::Result<()> {
    match say {
        Say::Bytes(bytes) => stream.write_all(&bytes).await,
        Say::Drip(bytes, pause) => {
            for byte in bytes {
                stream.write_all(&[byte]).await?;
                sleep(pause).await;
            }
            Ok(())
        }
        Say::Flood(bytes) => {
            let block = vec![b' '; 64 * 1024];
            let mut left = bytes;
            while left > 0 {
                let sent = stream.write(&block[..block.len().min(usize::try_from(left).unwrap_or(usize::MAX))]).await?;
                left -= sent as u64;
                shared.note(|log| log.sent_bytes += sent as u64);
            }
            Ok(())
        }
        Say::Wait(permits) => {
            permits.acquire().await.expect("tests do not close it").forget();
            Ok(())
        }
    }
}
