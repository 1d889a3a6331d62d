//! Answers on disk, before anybody decodes them.
//!
//! A paid answer holds the only links to its pictures. [`CallOptions::keep_answers_in`](crate::CallOptions) has each one
//! written to a file of its own; [`KeptAnswer::read`] brings it back, as long as its links live.

use std::{
    fmt,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, ErrorKind, Outcome, RequestSummary, Timestamp, durable};

/// An answer that was written to disk. Its [`Debug`](fmt::Debug) form shows neither what was asked nor the links.
#[derive(Clone, Deserialize)]
pub struct KeptAnswer {
    operation: String,
    request: Value,
    status: u16,
    received: Timestamp,
    #[serde(default)]
    answer: Option<Value>,
    #[serde(default)]
    answer_text: Option<String>,
}

/// The file, as it is written.
#[derive(Serialize)]
struct Kept<'a> {
    operation: &'a str,
    request: &'a RequestSummary,
    status: u16,
    received: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Value>,
    /// What is not JSON, or broke off.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_text: Option<String>,
}

impl KeptAnswer {
    /// Reads a file that [`keep_answers_in`](crate::CallOptions::keep_answers_in) has written.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LocalIo`] if it cannot be read, [`ErrorKind::InvalidArgument`] if it is no such file.
    pub async fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let json = tokio::fs::read(path).await.map_err(|error| {
            let message = format!("cannot read \"{}\": {error}", path.display());
            Error::new(ErrorKind::LocalIo, Outcome::NotSent, message).with_source(error)
        })?;
        serde_json::from_slice(&json).map_err(|error| {
            let message = format!("\"{}\" is not a kept answer: {error}", path.display());
            Error::invalid_argument(message).with_source(error)
        })
    }

    /// The service's id of the operation.
    pub fn operation_id(&self) -> &str {
        &self.operation
    }

    /// What was asked, as a [`RequestSummary`] writes it.
    pub fn request(&self) -> &Value {
        &self.request
    }

    /// The status that came with it.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// When it arrived.
    pub fn received(&self) -> &Timestamp {
        &self.received
    }

    /// The answer; `None` if it is not JSON, for instance because it broke off.
    pub fn answer(&self) -> Option<&Value> {
        self.answer.as_ref()
    }

    /// What arrived of an answer that is not JSON.
    pub fn answer_text(&self) -> Option<&str> {
        self.answer_text.as_deref()
    }
}

impl fmt::Debug for KeptAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, status, received, answer, .. } = self;
        let mut shown = formatter.debug_struct("KeptAnswer");
        shown.field("operation", operation).field("status", status).field("received", received);
        shown.field("is_json", &answer.is_some()).finish_non_exhaustive()
    }
}

/// Writes an answer to a new file in the folder, and returns its path once it is safe on disk.
pub(crate) async fn write(
    folder: &Path,
    request: &RequestSummary,
    status: StatusCode,
    body: &Bytes,
) -> io::Result<PathBuf> {
    let received = Timestamp::from(SystemTime::now());
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let text = json.is_none().then(|| String::from_utf8_lossy(body).into_owned());
    let prefix = format!("{}-{}-", received.compact(), request.operation);
    let kept = Kept {
        operation: &request.operation,
        request,
        status: status.as_u16(),
        received,
        answer: json,
        answer_text: text,
    };
    let contents = serde_json::to_vec_pretty(&kept)?;
    let folder = folder.to_owned();
    let written = tokio::task::spawn_blocking(move || write_blocking(&folder, &prefix, &contents)).await;
    written.map_err(io::Error::other)?
}

fn write_blocking(folder: &Path, prefix: &str, contents: &[u8]) -> io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    // Under its own name only when all of it is there; a name of its own even beside another process.
    let mut file = tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(folder)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    for _ in 0..64 {
        let path = folder.join(format!("{prefix}{:08x}.json", fastrand::u32(..)));
        match durable::put_new(file, &path) {
            Ok(()) => {
                // It is in its place. A disk that fails now takes no answer away that the caller is about to get.
                let _ = durable::sync_folder(folder);
                return Ok(path);
            }
            Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => file = refused.file,
            Err(refused) => return Err(refused.error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free name"))
}
