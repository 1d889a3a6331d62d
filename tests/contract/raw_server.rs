//! A server that responds with given bytes, valid or not, and records requests.
//!
//! The mock server sends valid HTTP. This one sends what a broken service, a proxy or an attacker may send.

use std::sync::{Arc, Mutex};

use ideogram_client::{Client, ClientBuilder};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

pub(crate) use crate::raw_request::{KEY, RawRequest, client_builder, response};

/// A running server. Dropping it stops it, and breaks what is still open.
pub(crate) struct RawServer {
    url: String,
    requests: Arc<Mutex<Vec<RawRequest>>>,
    received: Arc<Notify>,
    task: JoinHandle<()>,
}

/// What happens to a connection after its request has been read.
#[derive(Clone)]
enum Reaction {
    Response(Vec<u8>),
    HeldResponse(Vec<u8>, Arc<Notify>),
    Silence,
}

impl RawServer {
    /// Sends these bytes to every request, then closes the connection.
    pub(crate) async fn responding(response: impl Into<Vec<u8>>) -> Self {
        Self::start(Reaction::Response(response.into())).await
    }

    /// Sends these bytes after a notification.
    pub(crate) async fn responding_when_notified(response: impl Into<Vec<u8>>) -> (Self, Arc<Notify>) {
        let permission = Arc::new(Notify::new());
        (Self::start(Reaction::HeldResponse(response.into(), Arc::clone(&permission))).await, permission)
    }

    /// Waits for a request.
    pub(crate) async fn received(&self) {
        self.received.notified().await;
    }

    /// Never responds.
    pub(crate) async fn silent() -> Self {
        Self::start(Reaction::Silence).await
    }

    async fn start(reaction: Reaction) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        let received = Arc::new(Notify::new());
        let arrival = Arc::clone(&received);
        let task = tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                if let Some(request) = read_request(&mut stream).await {
                    log.lock().unwrap().push(request);
                    arrival.notify_one();
                }
                if let Reaction::HeldResponse(_, permission) = &reaction {
                    permission.notified().await;
                }
                match &reaction {
                    Reaction::Response(response) | Reaction::HeldResponse(response, _) => {
                        // The client may close the connection early.
                        let _ = stream.write_all(response).await;
                        let _ = stream.shutdown().await;
                    }
                    Reaction::Silence => silent.push(stream),
                }
            }
        });
        Self { url, requests, received, task }
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

async fn read_request(stream: &mut TcpStream) -> Option<RawRequest> {
    let mut rest = Vec::new();
    let mut request = RawRequest::read_head(stream, &mut rest).await?;
    request.read_body(stream, &mut rest, usize::MAX).await?;
    Some(request)
}
