//! Records requests, so that tests can assert what was sent and that nothing else was.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use http::{HeaderMap, Method, StatusCode, request};
use jiff::Timestamp;
use serde_json::Value;

use crate::reply::Reply;

/// The maximum number of requests that are recorded; the oldest are dropped first.
const MAX_REQUESTS: usize = 1000;

/// The maximum number of bytes of a body that are recorded.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The maximum number of bytes of the body of a response that are recorded.
const MAX_RESPONSE_BYTES: usize = 16 * 1024;

/// A request as the server received it, refused ones included.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method.
    pub method: Method,
    /// The path as it was sent, percent-encoding included.
    pub path: String,
    /// The query as it was sent, without the `?`.
    pub query: Option<String>,
    /// The headers, including the key.
    pub headers: HeaderMap,
    /// The first 64 KiB of the body.
    pub body: Vec<u8>,
    /// The size of the body in bytes, as far as it has been read.
    pub body_size: u64,
    /// The parts of a multipart body, as far as it could be decoded, in the order in which they were received.
    pub parts: Vec<RecordedPart>,
    /// The id of the operation that the document has for this method and path.
    pub operation_id: Option<String>,
    /// The status of the response; `None` until there is a response.
    pub status: Option<u16>,
}

impl RecordedRequest {
    /// The value of a property of the request: the text of a part of a multipart body, or a property of a JSON body, as it
    /// was sent. `None` if the request does not have it.
    pub fn field(&self, name: &str) -> Option<String> {
        let part = self.parts.iter().find(|part| part.name == name).and_then(|part| part.text.clone());
        part.or_else(|| {
            let body: Value = serde_json::from_slice(&self.body).ok()?;
            let value = body.get(name)?;
            Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
    }
}

/// One part of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedPart {
    /// The name of the part.
    pub name: String,
    /// The name of the file, for parts that are files.
    pub file_name: Option<String>,
    /// The `Content-Type` of the part.
    pub media_type: Option<String>,
    /// The size of the content in bytes.
    pub size: u64,
    /// The content of a part that is not a file.
    pub text: Option<String>,
}

/// A request and its response, with their times.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// The number of the request since the start of the server, from 1.
    pub(crate) number: u64,
    /// When the head of the request arrived, in real time.
    pub(crate) received: Timestamp,
    started: Instant,
    pub(crate) request: RecordedRequest,
    /// `None` until there is a response.
    pub(crate) response: Option<RecordedResponse>,
}

/// The response to a request.
#[derive(Debug, Clone)]
pub(crate) struct RecordedResponse {
    /// The time from the head of the request to the response.
    pub(crate) elapsed: Duration,
    pub(crate) media_type: &'static str,
    /// The size of the body in bytes.
    pub(crate) size: usize,
    /// The first 16 KiB of the body; nothing of an image.
    pub(crate) body: Vec<u8>,
    /// Whether the connection breaks in the middle of the body.
    pub(crate) is_cut_off: bool,
}

/// The record of one request.
#[derive(Debug, Clone)]
pub(crate) struct Record(Arc<Mutex<Exchange>>);

impl Record {
    pub(crate) fn add_bytes(&self, bytes: &[u8]) {
        let request = &mut self.lock().request;
        let room = MAX_BODY_BYTES - request.body.len();
        request.body.extend_from_slice(&bytes[..bytes.len().min(room)]);
        request.body_size += bytes.len() as u64;
    }

    pub(crate) fn add_part(&self, part: RecordedPart) {
        self.lock().request.parts.push(part);
    }

    pub(crate) fn set_operation(&self, id: &str) {
        self.lock().request.operation_id = Some(id.to_owned());
    }

    /// Ends the record; `status` is that of the operation; a damaged response is sent with 200.
    pub(crate) fn set_response(&self, status: StatusCode, response: &Reply, is_cut_off: bool) {
        let (media_type, body) = response.content();
        let recorded = if media_type.starts_with("image/") { 0 } else { body.len().min(MAX_RESPONSE_BYTES) };
        let mut exchange = self.lock();
        exchange.request.status = Some(status.as_u16());
        exchange.response = Some(RecordedResponse {
            elapsed: exchange.started.elapsed(),
            media_type,
            size: body.len(),
            body: body[..recorded].to_vec(),
            is_cut_off,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Exchange> {
        self.0.lock().expect("nothing panics while it holds this lock")
    }
}

/// The requests of one server.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Records>);

#[derive(Debug, Default)]
struct Records {
    /// The number of all requests since the start.
    count: u64,
    last: VecDeque<Record>,
}

impl Recorder {
    /// Starts the record of a request whose head has arrived.
    pub(crate) fn begin(&self, head: &request::Parts) -> Record {
        let request = RecordedRequest {
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            headers: head.headers.clone(),
            body: Vec::new(),
            body_size: 0,
            parts: Vec::new(),
            operation_id: None,
            status: None,
        };
        let mut records = self.lock();
        records.count += 1;
        let exchange = Exchange {
            number: records.count,
            received: Timestamp::now(),
            started: Instant::now(),
            request,
            response: None,
        };
        let record = Record(Arc::new(Mutex::new(exchange)));
        if records.last.len() == MAX_REQUESTS {
            records.last.pop_front();
        }
        records.last.push_back(record.clone());
        record
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.lock().last.iter().map(|record| record.lock().request.clone()).collect()
    }

    /// The last `most` requests whose number is above `after`, oldest first.
    pub(crate) fn exchanges(&self, most: usize, after: u64) -> Vec<Exchange> {
        let records = self.lock();
        let skipped = records.last.len().saturating_sub(most);
        let exchanges = records.last.iter().skip(skipped).map(Record::lock);
        exchanges.filter(|exchange| exchange.number > after).map(|exchange| exchange.clone()).collect()
    }

    /// The number of all requests since the start of the server, and of those that are recorded.
    pub(crate) fn counts(&self) -> (u64, usize) {
        let records = self.lock();
        (records.count, records.last.len())
    }

    pub(crate) fn clear(&self) {
        self.lock().last.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().expect("nothing panics while it holds this lock")
    }
}
