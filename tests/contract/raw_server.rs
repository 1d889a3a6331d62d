//! A server that answers with given bytes, right or wrong, and keeps what it was sent.
//!
//! The mock server speaks HTTP as one should. This one says what a broken service, a proxy or an attacker might say.

use std::sync::{Arc, Mutex};

use ideogram_client::{CallOptions, Client, ClientBuilder};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A key that is easy to find where it must not be.
pub(crate) const KEY: &str = "secret-key-0123456789";

/// A running server. Dropping it stops it, and breaks what is still open.
pub(crate) struct RawServer {
    url: String,
    requests: Arc<Mutex<Vec<RawRequest>>>,
    task: JoinHandle<()>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct RawRequest {
    /// Request line and headers.
    pub(crate) head: String,
    /// The body; chunks put together.
    pub(crate) body: Vec<u8>,
}

/// What becomes of a connection once its request has been read.
#[derive(Clone)]
enum Reaction {
    Answer(Vec<u8>),
    Silence,
}

impl RawServer {
    /// Sends these bytes to every request, then closes the connection.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        Self::start(Reaction::Answer(answer.into())).await
    }

    /// Never answers.
    pub(crate) async fn silent() -> Self {
        Self::start(Reaction::Silence).await
    }

    async fn start(reaction: Reaction) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                if let Some(request) = read_request(&mut stream).await {
                    kept.lock().unwrap().push(request);
                }
                match &reaction {
                    Reaction::Answer(answer) => {
                        // The client may have had enough before the end.
                        let _ = stream.write_all(answer).await;
                        let _ = stream.shutdown().await;
                    }
                    Reaction::Silence => silent.push(stream),
                }
            }
        });
        Self { url, requests, task }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn requests(&self) -> Vec<RawRequest> {
        self.requests.lock().unwrap().clone()
    }

    /// A client of this server.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        client_builder(&self.url)
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A client with [`KEY`] that makes one attempt of each call: repeats have tests of their own.
pub(crate) fn client_builder(url: &str) -> ClientBuilder {
    Client::builder().api_key(KEY).base_url(url).options(CallOptions::new().attempts(1))
}

/// An answer with the right length.
pub(crate) fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let mut answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n").into_bytes();
    answer.extend_from_slice(body);
    answer
}

impl RawRequest {
    /// The request line, without the version.
    pub(crate) fn line(&self) -> &str {
        self.head.split(" HTTP/").next().unwrap()
    }

    /// The values of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<RawRequest> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            break end + 4;
        }
        read_more(stream, &mut bytes).await?;
    };
    let mut request = RawRequest { head: String::from_utf8(bytes[..end].to_vec()).unwrap(), body: Vec::new() };
    let mut rest = bytes.split_off(end);
    if let Some(length) = request.header("content-length").first() {
        let length: usize = length.parse().unwrap();
        while rest.len() < length {
            read_more(stream, &mut rest).await?;
        }
        request.body = rest;
    } else if request.header("transfer-encoding") == ["chunked"] {
        loop {
            let end = loop {
                match find(&rest, b"\r\n") {
                    Some(end) => break end,
                    None => read_more(stream, &mut rest).await?,
                }
            };
            let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
            while rest.len() < end + 2 + size + 2 {
                read_more(stream, &mut rest).await?;
            }
            request.body.extend_from_slice(&rest[end + 2..end + 2 + size]);
            rest.drain(..end + 2 + size + 2);
            if size == 0 {
                break;
            }
        }
    }
    Some(request)
}

/// Nothing if the connection ended.
async fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    (stream.read_buf(bytes).await.ok()? > 0).then_some(())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
