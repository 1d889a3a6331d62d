//! A host of images that answers with given bytes, right or wrong, and keeps what it was asked.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// A running host. Dropping it stops it, and breaks what is still open.
pub(crate) struct Host {
    url: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    heads: Mutex<Vec<String>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

/// What a question gets.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// These bytes after some milliseconds.
    Late(Vec<u8>),
    /// These bytes, then nothing, for ever.
    ThenSilence(Vec<u8>),
}

impl Host {
    /// Answers each question as `reply` says, which is told how many there were before, and the path.
    pub(crate) async fn start(reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (state, reply) = (Arc::new(State::default()), Arc::new(reply));
        let kept = Arc::clone(&state);
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(serve(stream, Arc::clone(&kept), Arc::clone(&reply)));
            }
        });
        Self { url, state, task }
    }

    /// Answers every question with these bytes.
    pub(crate) async fn answering(response: Vec<u8>) -> Self {
        Self::start(move |_, _| Reply::Bytes(response.clone())).await
    }

    /// Answers the questions with these, one after the other, the last one for ever.
    pub(crate) async fn in_turn(replies: Vec<Reply>) -> Self {
        Self::start(move |before, _| replies[before.min(replies.len() - 1)].clone()).await
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Request line and headers of every question.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.state.heads.lock().unwrap().clone()
    }

    pub(crate) fn questions(&self) -> usize {
        self.heads().len()
    }

    /// How many questions were being answered at the same time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state.most_at_once.load(Ordering::SeqCst)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>, reply: Arc<impl Fn(usize, &str) -> Reply>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let before = {
        let mut heads = state.heads.lock().unwrap();
        heads.push(head);
        heads.len() - 1
    };
    let at_once = state.at_once.fetch_add(1, Ordering::SeqCst) + 1;
    state.most_at_once.fetch_max(at_once, Ordering::SeqCst);
    // The client may have had enough before the end.
    match reply(before, &path) {
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Reply::Late(bytes) => {
            tokio::time::sleep(Duration::from_millis(30)).await;
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Reply::ThenSilence(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.read(&mut [0]).await;
        }
    }
    state.at_once.fetch_sub(1, Ordering::SeqCst);
}

/// A response with the right length.
pub(crate) fn response(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let mut response =
        format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n").into_bytes();
    response.extend_from_slice(body);
    response
}

/// An image, rightly called one.
pub(crate) fn image(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    response(200, "Content-Type: image/png\r\n", bytes)
}

/// The same without an end but the connection's.
pub(crate) fn unframed(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut response = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: image/png\r\n\r\n".to_vec();
    response.extend_from_slice(bytes.as_ref());
    response
}

/// The same in chunks, the last of which is missing.
pub(crate) fn endless(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let mut response = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    response.extend_from_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
    response.extend_from_slice(bytes);
    response.extend_from_slice(b"\r\n");
    response
}
