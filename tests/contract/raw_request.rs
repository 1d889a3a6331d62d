//! Requests as they come off the wire, and answers as they go onto it; for servers that misbehave.

use ideogram_client::{CallOptions, Client, ClientBuilder};
use tokio::{io::AsyncReadExt as _, net::TcpStream};

/// A key that is easy to find where it must not be.
pub(crate) const KEY: &str = "secret-key-0123456789";

/// A client with [`KEY`] that makes one attempt of each call by default.
pub(crate) fn client_builder(url: &str) -> ClientBuilder {
    Client::builder().api_key(KEY).base_url(url).options(CallOptions::new().attempts(1))
}

/// A response with the right length.
pub(crate) fn response(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let mut response = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n").into_bytes();
    response.extend_from_slice(body);
    response
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct RawRequest {
    /// Request line and headers.
    pub(crate) head: String,
    /// The body; chunks put together.
    pub(crate) body: Vec<u8>,
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

    /// Reads request line and headers; leaves what came behind them in `rest`. Nothing if the connection ended.
    pub(crate) async fn read_head(stream: &mut TcpStream, rest: &mut Vec<u8>) -> Option<Self> {
        let end = loop {
            if let Some(end) = find(rest, b"\r\n\r\n") {
                break end + 4;
            }
            read_more(stream, rest).await?;
        };
        let head = rest.drain(..end).collect();
        Some(Self { head: String::from_utf8(head).unwrap(), body: Vec::new() })
    }

    /// Reads the body, or so much of it; leaves what came behind it in `rest`. Nothing if the connection ended.
    pub(crate) async fn read_body(&mut self, stream: &mut TcpStream, rest: &mut Vec<u8>, most: usize) -> Option<()> {
        if let Some(length) = self.header("content-length").first() {
            let wanted = most.min(length.parse().unwrap());
            while self.body.len() < wanted {
                if rest.is_empty() {
                    read_more(stream, rest).await?;
                }
                let taken = rest.len().min(wanted - self.body.len());
                self.body.extend(rest.drain(..taken));
            }
        } else if self.header("transfer-encoding") == ["chunked"] {
            while self.body.len() < most {
                let end = loop {
                    match find(rest, b"\r\n") {
                        Some(end) => break end,
                        None => read_more(stream, rest).await?,
                    }
                };
                let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
                while rest.len() < end + 2 + size + 2 {
                    read_more(stream, rest).await?;
                }
                self.body.extend_from_slice(&rest[end + 2..end + 2 + size]);
                rest.drain(..end + 2 + size + 2);
                if size == 0 {
                    break;
                }
            }
        }
        Some(())
    }
}

/// Nothing if the connection ended.
async fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    (stream.read_buf(bytes).await.ok()? > 0).then_some(())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
