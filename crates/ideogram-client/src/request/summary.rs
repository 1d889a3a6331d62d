//! A request for people and logs: everything that is sent, except the key and the content of files.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{Body, FileInfo, Part, PartContent, Request};
use crate::{Error, call::stored_response::CallSummary};

/// The content of a request, for a dry run, a log or a sidecar. It contains no key.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RequestSummary {
    /// The service's id of the operation.
    pub operation: String,
    /// The HTTP method.
    pub method: String,
    /// The address, with its parameters.
    pub url: String,
    /// The headers of the call. The HTTP stack adds the `Content-Type` of a multipart body.
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(flatten)]
    pub body: Option<BodySummary>,
}

/// The content of a body.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BodySummary {
    /// A JSON body.
    Json(Value),
    /// The parts of a multipart body, in order.
    Parts(Vec<PartSummary>),
}

/// One part of a multipart body.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PartSummary {
    /// The name of the part.
    pub name: String,
    /// The content of the part.
    #[serde(flatten)]
    pub content: ContentSummary,
}

/// The content of a part.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContentSummary {
    /// A scalar as text.
    Text(String),
    /// JSON text.
    Json(Value),
    /// A file: its name, size and media type. If the file no longer exists, its size is not known, and its media type is
    /// that of its name.
    File(FileInfo),
}

impl Request {
    /// Describes the request without sending it. Files are inspected for their sizes and media types.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LocalIo`](crate::ErrorKind::LocalIo) if a file cannot be sent.
    pub async fn summary(&self) -> Result<RequestSummary, Error> {
        Ok(self.summarize(&self.inspect_files().await?))
    }

    pub(crate) fn call_summary(&self, infos: &[Option<FileInfo>]) -> CallSummary {
        let request = serde_json::to_value(self.summarize(infos)).unwrap_or_default();
        CallSummary { operation: self.operation().id.to_owned(), request }
    }

    pub(crate) fn summarize(&self, infos: &[Option<FileInfo>]) -> RequestSummary {
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        RequestSummary {
            operation: self.operation().id.to_owned(),
            method: self.method().to_string(),
            url: self.url().to_string(),
            headers: self.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: match self.body() {
                Body::Empty => None,
                Body::Json(json) => Some(BodySummary::Json(json_or_text(json))),
                Body::Multipart(parts) => Some(BodySummary::Parts(
                    parts.iter().zip(infos).map(|(part, info)| part.summarize(info.as_ref())).collect(),
                )),
            },
        }
    }
}

impl Part {
    fn summarize(&self, info: Option<&FileInfo>) -> PartSummary {
        let content = match (&self.content, info) {
            (PartContent::Text(text), _) => ContentSummary::Text(text.clone()),
            (PartContent::Json { text, .. }, _) => ContentSummary::Json(json_or_text(text.as_bytes())),
            (PartContent::File(_), Some(info)) => ContentSummary::File(info.clone()),
            (PartContent::File(file), None) => ContentSummary::File(file.uninspected()),
        };
        PartSummary { name: self.name.to_string(), content }
    }
}

fn json_or_text(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(json).into_owned()))
}
