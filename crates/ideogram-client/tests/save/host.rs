//! A host of images that sends prepared bytes, valid or not, and records requests.

use ideogram_testkit::{RawRequest, Server};

pub(crate) use ideogram_testkit::Reply;

/// A running host. Dropping it stops it, and breaks open connections.
pub(crate) struct Host(Server);

impl Host {
    /// Responds with `reply`, which gets the number of earlier requests and the path.
    pub(crate) fn start(reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let path = |request: &RawRequest| request.head.split(' ').nth(1).unwrap_or_default().to_owned();
        Self(Server::start(move |before, request| reply(before, &path(request))))
    }

    /// Responds to every request with these bytes.
    pub(crate) fn responding(response: Vec<u8>) -> Self {
        Self::start(move |_, _| Reply::Bytes(response.clone()))
    }

    /// Responds with these in order, and repeats the last one.
    pub(crate) fn in_turn(replies: Vec<Reply>) -> Self {
        Self::start(move |before, _| replies[before.min(replies.len() - 1)].clone())
    }

    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }

    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.url())
    }

    /// Request line and headers of every request.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.0.requests().into_iter().map(|request| request.head).collect()
    }

    pub(crate) fn requests(&self) -> usize {
        self.heads().len()
    }

    pub(crate) fn max_in_flight(&self) -> usize {
        self.0.max_in_flight()
    }
}

/// A response with the right length.
pub(crate) fn response(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    ideogram_testkit::response(status, &format!("Connection: close\r\n{headers}"), body)
}

/// An image with the right `Content-Type`.
pub(crate) fn image(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    response(200, "Content-Type: image/png\r\n", bytes)
}

/// An image that ends with the connection.
pub(crate) fn unframed(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut response = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: image/png\r\n\r\n".to_vec();
    response.extend_from_slice(bytes.as_ref());
    response
}

/// An image in chunks, without the last one.
pub(crate) fn endless(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let mut response = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    response.extend_from_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
    response.extend_from_slice(bytes);
    response.extend_from_slice(b"\r\n");
    response
}
