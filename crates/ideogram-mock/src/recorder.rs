//! Records requests, so that tests can assert what was sent and that nothing else was.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use http::{HeaderMap, Method, request};

/// How many requests are recorded; the oldest are dropped first.
const MAX_REQUESTS: usize = 1000;

/// How many bytes of a body are recorded.
const MAX_BODY_BYTES: usize = 64 * 1024;

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

/// The record of one request.
#[derive(Debug, Clone)]
pub(crate) struct Record(Arc<Mutex<RecordedRequest>>);

impl Record {
    pub(crate) fn add_bytes(&self, bytes: &[u8]) {
        let mut request = self.lock();
        let room = MAX_BODY_BYTES - request.body.len();
        request.body.extend_from_slice(&bytes[..bytes.len().min(room)]);
        request.body_size += bytes.len() as u64;
    }

    pub(crate) fn add_part(&self, part: RecordedPart) {
        self.lock().parts.push(part);
    }

    pub(crate) fn set_operation(&self, id: &str) {
        self.lock().operation_id = Some(id.to_owned());
    }

    pub(crate) fn set_status(&self, status: http::StatusCode) {
        self.lock().status = Some(status.as_u16());
    }

    fn lock(&self) -> MutexGuard<'_, RecordedRequest> {
        self.0.lock().expect("nothing panics while it holds this lock")
    }
}

/// The requests of one server.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<VecDeque<Record>>);

impl Recorder {
    /// Starts the record of a request whose head has arrived.
    pub(crate) fn begin(&self, head: &request::Parts) -> Record {
        let record = Record(Arc::new(Mutex::new(RecordedRequest {
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            headers: head.headers.clone(),
            body: Vec::new(),
            body_size: 0,
            parts: Vec::new(),
            operation_id: None,
            status: None,
        })));
        let mut records = self.lock();
        if records.len() == MAX_REQUESTS {
            records.pop_front();
        }
        records.push_back(record.clone());
        record
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.lock().iter().map(|record| record.lock().clone()).collect()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Record>> {
        self.0.lock().expect("nothing panics while it holds this lock")
    }
}
