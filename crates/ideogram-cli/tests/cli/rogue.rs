//! A server that sends given responses, valid or not, or none.

use std::time::Duration;

use ideogram_testkit::{Reply, Server};

/// Sends one response, or each of several, then refuses connections.
pub(crate) struct Rogue(Server);

impl Rogue {
    /// A complete response: `200 OK` and its body.
    pub(crate) fn responding(status: &str, body: &str) -> Self {
        Self::responding_with(status, "", body)
    }

    /// A complete response with further header lines.
    pub(crate) fn responding_with(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::sending(format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
        ))
    }

    /// These bytes, then the end of the connection.
    pub(crate) fn sending(bytes: impl Into<Vec<u8>>) -> Self {
        Self::start(vec![Reply::Bytes(bytes.into())])
    }

    /// One of these for each connection, then its end.
    pub(crate) fn sending_in_turn(bytes: impl IntoIterator<Item = String>) -> Self {
        Self::start(bytes.into_iter().map(|bytes| Reply::Bytes(bytes.into_bytes())).collect())
    }

    /// A complete response after a delay.
    pub(crate) fn sending_after(delay: Duration, status: &str, body: &str) -> Self {
        let length = body.len();
        let response = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        Self::start(vec![Reply::Delayed(delay, response.into_bytes())])
    }

    /// Reads the request and never responds.
    pub(crate) fn silent() -> Self {
        Self::start(vec![Reply::Unfinished(Vec::new())])
    }

    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }

    /// Waits until a request has arrived.
    pub(crate) fn wait_for_connection(&self) {
        self.0.wait_for_request();
    }

    fn start(replies: Vec<Reply>) -> Self {
        Self(Server::start_limited(replies.len(), move |before, _| replies[before].clone()))
    }
}
