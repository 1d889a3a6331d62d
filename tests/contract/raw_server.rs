//! A server that answers with given bytes, right or wrong, and keeps what it was sent.
//!
//! The mock server speaks HTTP as one should. This one says what a broken service, a proxy or an attacker might say.

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
    asked: Arc<Notify>,
    task: JoinHandle<()>,
}

/// What becomes of a connection once its request has been read.
#[derive(Clone)]
enum Reaction {
    Answer(Vec<u8>),
    ResponseHeld(Vec<u8>, Arc<Notify>),
    Silence,
}

impl RawServer {
    /// Sends these bytes to every request, then closes the connection.
    pub(crate) async fn answering(response: impl Into<Vec<u8>>) -> Self {
        Self::start(Reaction::Answer(response.into())).await
    }

    /// Sends these bytes once it is told to.
    pub(crate) async fn answering_when_told(response: impl Into<Vec<u8>>) -> (Self, Arc<Notify>) {
        let told = Arc::new(Notify::new());
        (Self::start(Reaction::ResponseHeld(response.into(), Arc::clone(&told))).await, told)
    }

    /// Waits for a request.
    pub(crate) async fn asked(&self) {
        self.asked.notified().await;
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
        let asked = Arc::new(Notify::new());
        let asked_now = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                if let Some(request) = read_request(&mut stream).await {
                    kept.lock().unwrap().push(request);
                    asked_now.notify_one();
                }
                if let Reaction::ResponseHeld(_, told) = &reaction {
                    told.notified().await;
                }
                match &reaction {
                    Reaction::Answer(response) | Reaction::ResponseHeld(response, _) => {
                        // The client may have had enough before the end.
                        let _ = stream.write_all(response).await;
                        let _ = stream.shutdown().await;
                    }
                    Reaction::Silence => silent.push(stream),
                }
            }
        });
        Self { url, requests, asked, task }
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
