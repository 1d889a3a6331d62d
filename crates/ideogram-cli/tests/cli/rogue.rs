//! A server that gives one response, byte by byte as a test wants it, or none.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

/// What to do with a connection that comes.
enum Reply {
    Bytes(Vec<u8>),
    /// Keep it open and say nothing.
    Silence,
}

/// Answers one request, or as many as it has responses, then it is gone.
pub(crate) struct Rogue {
    url: String,
    /// Dropped to end a silence.
    _end: mpsc::Sender<()>,
    connected: mpsc::Receiver<()>,
}

impl Rogue {
    /// A whole response: `200 OK` and its body.
    pub(crate) fn responses(status: &str, body: &str) -> Self {
        Self::answers_with(status, "", body)
    }

    /// A whole response with further header lines.
    pub(crate) fn answers_with(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::sends(format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
        ))
    }

    /// These bytes, and then it hangs up.
    pub(crate) fn sends(bytes: impl Into<Vec<u8>>) -> Self {
        Self::start(Reply::Bytes(bytes.into()))
    }

    /// One of these for each connection, whatever the bytes are, and then it hangs up.
    pub(crate) fn sends_in_turn(bytes: impl IntoIterator<Item = String>) -> Self {
        Self::start_all(bytes.into_iter().map(|bytes| Reply::Bytes(bytes.into_bytes())).collect())
    }

    /// Takes the request, and is never heard of again.
    pub(crate) fn is_silent() -> Self {
        Self::start(Reply::Silence)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until somebody has connected and sent the head of a request.
    pub(crate) fn wait_for_connection(&self) {
        self.connected.recv().unwrap();
    }

    fn start(reply: Reply) -> Self {
        Self::start_all(vec![reply])
    }

    fn start_all(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (end, ended) = mpsc::channel();
        let (connecting, connected) = mpsc::channel();
        thread::spawn(move || {
            for reply in replies {
                let (mut stream, _) = listener.accept().unwrap();
                match reply {
                    Reply::Bytes(bytes) => {
                        read_request(&stream);
                        stream.write_all(&bytes).unwrap();
                    }
                    Reply::Silence => {
                        read_request(&stream);
                        // Most tests do not wait for it.
                        let _ = connecting.send(());
                        _ = ended.recv();
                    }
                }
            }
        });
        Self { url, _end: end, connected }
    }
}

fn read_request(stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    // Hanging up on unread bytes would reset the connection before the response is read.
    reader.take(length).read_to_end(&mut Vec::new()).unwrap();
}
