//! The body of a request as a stream: counted, limited, recorded, and read to its end even if it is refused.
//!
//! If a server responds and closes the connection while the client still sends, the client may see a broken connection
//! instead of the response. So the rest of a refused body is read and dropped, up to a limit.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, ready},
};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, StatusCode, header};

use crate::{recorder::Record, reply::Reply};

/// The maximum number of bytes of a refused body that are read before the connection is closed.
const MAX_DRAINED_BYTES: u64 = 64 * 1024 * 1024;

/// A body as a stream; clones read from the same body.
#[derive(Debug, Clone)]
pub(crate) struct BodyStream(Arc<Mutex<Source>>);

#[derive(Debug)]
struct Source {
    body: BodyDataStream,
    record: Record,
    received: u64,
    limit: u64,
    /// Whether the client waits for `100 Continue`.
    awaits_continue: bool,
}

/// Why a body ended early.
const TOO_LARGE: &str = "the request body is too large";
const BROKE_OFF: &str = "the request body broke off";

impl BodyStream {
    pub(crate) fn new(body: Body, headers: &HeaderMap, record: Record, limit: u64) -> Self {
        let body = body.into_data_stream();
        let awaits_continue = headers.contains_key(header::EXPECT);
        Self(Arc::new(Mutex::new(Source { body, record, received: 0, limit, awaits_continue })))
    }

    /// Refuses a body whose announced length is beyond the limit, before any of it is read.
    pub(crate) fn check_announced(&self, headers: &HeaderMap) -> Result<(), Reply> {
        let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let limit = self.source().limit;
        if announced.is_some_and(|announced| announced > limit) { Err(too_large(limit)) } else { Ok(()) }
    }

    /// Sets a lower limit than that of the server.
    pub(super) fn limit_to(&self, limit: u64) {
        let mut source = self.source();
        source.limit = source.limit.min(limit);
    }

    /// Returns the response to a body that could not be read completely.
    pub(super) fn refusal(&self, detail: &str) -> Reply {
        let source = self.source();
        if source.received > source.limit { too_large(source.limit) } else { Reply::bad_request(detail) }
    }

    /// Reads and drops the rest, up to [`MAX_DRAINED_BYTES`].
    pub(crate) async fn drain(&self) {
        {
            let mut source = self.source();
            if source.awaits_continue && source.received == 0 {
                return;
            }
            source.limit = source.received.saturating_add(MAX_DRAINED_BYTES);
        }
        let mut rest = self.clone();
        while let Some(Ok(_)) = rest.next().await {}
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.0.lock().expect("nothing panics while it holds this lock")
    }
}

impl Stream for BodyStream {
    type Item = Result<Bytes, &'static str>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut source = self.source();
        if source.received > source.limit {
            return Poll::Ready(Some(Err(TOO_LARGE)));
        }
        Poll::Ready(match ready!(source.body.poll_next_unpin(context)) {
            None => None,
            Some(Err(_)) => Some(Err(BROKE_OFF)),
            Some(Ok(bytes)) => {
                source.received += bytes.len() as u64;
                source.record.add_bytes(&bytes);
                Some(if source.received > source.limit { Err(TOO_LARGE) } else { Ok(bytes) })
            }
        })
    }
}

fn too_large(limit: u64) -> Reply {
    let detail = format!("the request body is larger than {limit} bytes");
    Reply::problem(StatusCode::PAYLOAD_TOO_LARGE, &detail)
}
