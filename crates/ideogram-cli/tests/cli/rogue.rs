//! A server that sends given responses, valid or not, or none.

use std::sync::Arc;

use ideogram_testkit::{Reply, Server};
use serde_json::json;
use tokio::sync::Notify;

/// An image of one pixel.
pub(crate) const TINY_WEBP: &[u8] = b"RIFF\x12\0\0\0WEBPVP8L\x06\0\0\0\x2f\0\0\0\0\0";

/// Sends one response, or each of several, then refuses connections.
pub(crate) struct Rogue {
    server: Server,
    /// Permits to send the responses that are held.
    permits: Arc<Notify>,
}

impl Rogue {
    /// A complete response: `200 OK` and its body.
    pub(crate) fn responding(status: &str, body: &str) -> Self {
        Self::responding_with(status, "", body)
    }

    /// A complete response with further header lines.
    pub(crate) fn responding_with(status: &str, headers: &str, body: &str) -> Self {
        Self::sending(complete(status, headers, body.as_bytes()))
    }

    /// These bytes, then the end of the connection.
    pub(crate) fn sending(bytes: impl Into<Vec<u8>>) -> Self {
        Self::start(vec![Reply::Bytes(bytes.into())])
    }

    /// One of these for each connection, then its end.
    pub(crate) fn sending_in_turn(bytes: impl IntoIterator<Item = String>) -> Self {
        Self::start(bytes.into_iter().map(|bytes| Reply::Bytes(bytes.into_bytes())).collect())
    }

    /// A complete response to each connection, once it is [released](Self::release).
    pub(crate) fn holding(body: &str) -> Self {
        let permits = Arc::new(Notify::new());
        let reply = Reply::Held(Arc::clone(&permits), ok(body.as_bytes()));
        Self { server: Server::start(move |_, _| reply.clone()), permits }
    }

    /// A response with the link of an image, once it is [released](Self::release), and then the image.
    pub(crate) fn holding_an_image() -> Self {
        let permits = Arc::new(Notify::new());
        let held = Arc::clone(&permits);
        let server = Server::start(move |_, request| {
            if request.line().starts_with("GET ") {
                return Reply::Bytes(ok(TINY_WEBP));
            }
            let url = format!("http://{}/lantern.webp", request.header("host")[0]);
            let image = json!({
                "url": url, "prompt": "a lantern", "resolution": "1024x1024", "is_image_safe": true, "seed": 7
            });
            let body = json!({ "created": "2026-01-01T00:00:00Z", "data": [image] }).to_string();
            Reply::Held(Arc::clone(&held), ok(body.as_bytes()))
        });
        Self { server, permits }
    }

    /// Reads the request and never responds.
    pub(crate) fn silent() -> Self {
        Self::start(vec![Reply::Unfinished(Vec::new())])
    }

    pub(crate) fn url(&self) -> &str {
        self.server.url()
    }

    /// Waits until a request has arrived.
    pub(crate) fn wait_for_connection(&self) {
        self.server.wait_for_request();
    }

    /// Lets one response go that is held, or that is going to be.
    pub(crate) fn release(&self) {
        self.permits.notify_one();
    }

    /// The number of requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.server.requests().len()
    }

    fn start(replies: Vec<Reply>) -> Self {
        let server = Server::start_limited(replies.len(), move |before, _| replies[before].clone());
        Self { server, permits: Arc::default() }
    }
}

fn complete(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn ok(body: &[u8]) -> Vec<u8> {
    complete("200 OK", "", body)
}
