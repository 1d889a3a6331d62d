//! Requests as they are received.

use tokio::{io::AsyncReadExt as _, net::TcpStream};

/// A request as it was received.
#[derive(Clone, Debug)]
pub struct RawRequest {
    /// Request line and headers.
    pub head: String,
    /// The body, without the framing of chunks.
    pub body: Vec<u8>,
}

impl RawRequest {
    /// The request line, without the version.
    ///
    /// # Panics
    ///
    /// Never: a head has a first line.
    pub fn line(&self) -> &str {
        self.head.split(" HTTP/").next().expect("a head has a first line")
    }

    /// The values of a header.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }

    /// Reads request line and headers; leaves the bytes after them in `rest`. Returns `None` if the connection ended.
    ///
    /// # Panics
    ///
    /// The head is not UTF-8.
    pub async fn read_head(stream: &mut TcpStream, rest: &mut Vec<u8>) -> Option<Self> {
        let end = loop {
            if let Some(end) = find(rest, b"\r\n\r\n") {
                break end + 4;
            }
            read_more(stream, rest).await?;
        };
        let head = rest.drain(..end).collect();
        Some(Self { head: String::from_utf8(head).expect("heads are text"), body: Vec::new() })
    }

    /// Reads the body, at most `most` bytes of it; leaves the bytes after it in `rest`. Returns `None` if the
    /// connection ended.
    ///
    /// # Panics
    ///
    /// The length of the body or of a chunk is not a number.
    pub async fn read_body(&mut self, stream: &mut TcpStream, rest: &mut Vec<u8>, most: usize) -> Option<()> {
        if let Some(length) = self.header("content-length").first() {
            let wanted = most.min(length.parse().expect("lengths are numbers"));
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
                let size = std::str::from_utf8(&rest[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
                let size = size.expect("sizes of chunks are numbers");
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

/// Reads more bytes; returns `None` if the connection ended.
async fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    (stream.read_buf(bytes).await.ok()? > 0).then_some(())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
