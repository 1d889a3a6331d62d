//! A server that responds with the bytes of a test, and a client of it.

use std::sync::Arc;

use ideogram_client::{Client, ClientBuilder};
use ideogram_testkit::{Reply, Server};
use tokio::sync::Notify;

pub(crate) use crate::raw_request::{KEY, RawRequest, client_builder};

/// Returns a response with the right length, after which the client does not use the connection again: the server
/// closes it.
pub(crate) fn response(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    ideogram_testkit::response(status, &format!("Connection: close\r\n{headers}"), body)
}

/// A running server. Dropping it stops it, and breaks open connections.
pub(crate) struct RawServer(Server);

impl RawServer {
    /// Sends these bytes to every request, then closes the connection.
    pub(crate) fn responding(response: impl Into<Vec<u8>>) -> Self {
        let response = response.into();
        Self(Server::start(move |_, _| Reply::Bytes(response.clone())))
    }

    /// Sends these bytes after a notification.
    pub(crate) fn responding_when_notified(response: impl Into<Vec<u8>>) -> (Self, Arc<Notify>) {
        let (response, permission) = (response.into(), Arc::new(Notify::new()));
        let held = Reply::Held(Arc::clone(&permission), response);
        (Self(Server::start(move |_, _| held.clone())), permission)
    }

    /// Never responds.
    pub(crate) fn silent() -> Self {
        Self(Server::start(|_, _| Reply::Unfinished(Vec::new())))
    }

    /// Waits for a request.
    pub(crate) async fn received(&self) {
        self.0.received().await;
    }

    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }

    pub(crate) fn requests(&self) -> Vec<RawRequest> {
        self.0.requests()
    }

    /// A client of this server.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        client_builder(self.url())
    }
}
