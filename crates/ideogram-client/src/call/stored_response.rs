//! Stored responses: the responses of paid calls, written to disk before they are decoded.
//!
//! A response holds the only links to its images. With [`CallOptions::store_responses_in`](crate::CallOptions), each is
//! written to a file of its own, byte for byte; [`StoredResponse::read`] reads it. A damaged response is read, too: the
//! links that are whole in it work.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Value, value::RawValue};
use tokio::io::AsyncReadExt as _;

use crate::{
    Error, ErrorKind, Outcome, Timestamp,
    fs::durable,
    net::body_text::{MAX_TEXT_BYTES, text_of},
};

/// The maximum size of a file. It is larger than the body in it: Base64 adds a third, and the file contains the request,
/// too.
const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;
/// The headers that say how to decode a body.
const STORED_HEADERS: [HeaderName; 2] = [header::CONTENT_TYPE, header::CONTENT_ENCODING];

/// A call, as files and sidecars describe it.
#[derive(Debug)]
pub(crate) struct CallSummary {
    pub(crate) operation: String,
    /// A [`RequestSummary`](crate::request::RequestSummary) in JSON.
    pub(crate) request: Value,
}

/// A response that was written to disk. Its [`Debug`](fmt::Debug) form shows neither the request nor the links.
#[derive(Clone)]
pub struct StoredResponse {
    operation: String,
    request: Value,
    status: u16,
    received: Timestamp,
    body: Bytes,
    text: OnceLock<String>,
    json: OnceLock<Option<Value>>,
}

/// The file. It has one of the three forms of a body, the most readable one that fits.
#[derive(Serialize, Deserialize)]
struct Contents {
    operation: String,
    request: Value,
    status: u16,
    received: Timestamp,
    /// For people: the codings of the body are recognized without it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", skip_deserializing)]
    headers: BTreeMap<String, String>,
    /// JSON, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response: Option<Box<RawValue>>,
    /// White space before and after that JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response_padding: Option<(String, String)>,
    /// Other text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response_text: Option<String>,
    /// Bytes that are not UTF-8, such as a compressed body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response_base64: Option<String>,
}

impl<'de> Deserialize<'de> for StoredResponse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let contents = Contents::deserialize(deserializer)?;
        let body = match (contents.response, contents.response_text, contents.response_base64) {
            (Some(json), ..) => {
                let (before, after) = contents.response_padding.unwrap_or_default();
                Bytes::from([before.as_str(), json.get(), after.as_str()].concat())
            }
            (None, Some(text), _) => Bytes::from(text),
            (None, None, Some(base64)) => Bytes::from(BASE64_STANDARD.decode(base64).map_err(de::Error::custom)?),
            (None, None, None) => Bytes::new(),
        };
        let Contents { operation, request, status, received, .. } = contents;
        let (text, json) = Default::default();
        Ok(Self { operation, request, status, received, body, text, json })
    }
}

impl StoredResponse {
    /// Reads a file that was written with [`store_responses_in`](crate::CallOptions::store_responses_in).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LocalIo`] if it cannot be read, [`ErrorKind::InvalidArgument`] if it is not a stored response.
    pub async fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bounded = async {
            let mut json = Vec::new();
            tokio::fs::File::open(path).await?.take(MAX_FILE_BYTES).read_to_end(&mut json).await?;
            Ok(json)
        };
        let json = bounded.await.map_err(|error: io::Error| {
            let message = format!("cannot read \"{}\": {error}", path.display());
            Error::new(ErrorKind::LocalIo, Outcome::NotSent, message).with_source(error)
        })?;
        serde_json::from_slice(&json).map_err(|error| {
            let message = format!("\"{}\" is not a stored response: {error}", path.display());
            Error::invalid_argument(message).with_source(error)
        })
    }

    /// The service's id of the operation.
    pub fn operation_id(&self) -> &str {
        &self.operation
    }

    /// The request, as a [`RequestSummary`](crate::request::RequestSummary) in JSON.
    pub fn request(&self) -> &Value {
        &self.request
    }

    /// The status of the response.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// When the response arrived.
    pub fn received(&self) -> &Timestamp {
        &self.received
    }

    /// The body, byte for byte as it arrived. If it contained the API key, the key was removed, and a compressed or
    /// otherwise encoded body was decoded for that.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The text of the body. Content codings and text encodings are decoded, also if no header declares them.
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| text_of(&self.body, MAX_TEXT_BYTES).text.into_owned())
    }

    /// The body as JSON; `None` if it is not JSON, for example because it broke off. It may still contain whole links:
    /// see [`HasImages`](crate::save::HasImages).
    pub fn response(&self) -> Option<&Value> {
        self.json.get_or_init(|| serde_json::from_str(self.text()).ok()).as_ref()
    }

    /// The text of a body that is not JSON.
    pub fn response_text(&self) -> Option<&str> {
        self.response().is_none().then(|| self.text())
    }
}

impl fmt::Debug for StoredResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, status, received, body, .. } = self;
        let mut debug = formatter.debug_struct("StoredResponse");
        debug.field("operation", operation).field("status", status).field("received", received);
        debug.field("body_bytes", &body.len()).finish_non_exhaustive()
    }
}

/// Writes a response to a new file in the folder, and returns its path once it is safe on disk.
pub(crate) async fn write(
    folder: &Path,
    call: Arc<CallSummary>,
    status: StatusCode,
    headers: &HeaderMap,
    body: Bytes,
) -> io::Result<PathBuf> {
    let stored_headers = STORED_HEADERS.iter().filter_map(|name| {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        (!values.is_empty()).then(|| (name.to_string(), values.join(", ")))
    });
    let (folder, headers) = (folder.to_owned(), stored_headers.collect());
    let writing = tokio::task::spawn_blocking(move || {
        let received = Timestamp::from(SystemTime::now());
        let prefix = format!("{}-{}-", received.compact(), call.operation);
        let contents = serde_json::to_vec_pretty(&contents(&call, status, received, headers, &body))?;
        write_blocking(&folder, &prefix, &contents)
    });
    writing.await.map_err(io::Error::other)?
}

fn contents(
    call: &CallSummary,
    status: StatusCode,
    received: Timestamp,
    headers: BTreeMap<String, String>,
    body: &[u8],
) -> Contents {
    let text = str::from_utf8(body).ok();
    let response: Option<Box<RawValue>> = text.and_then(|text| serde_json::from_str(text).ok());
    // Serde reads `null` as an absent value.
    let response = response.filter(|json| json.get() != "null");
    let padding = text.zip(response.as_ref()).and_then(|(text, json)| text.split_once(json.get()));
    Contents {
        operation: call.operation.clone(),
        request: call.request.clone(),
        status: status.as_u16(),
        received,
        headers,
        response_padding: padding.filter(|it| *it != ("", "")).map(|(before, after)| (before.into(), after.into())),
        response_text: text.filter(|_| response.is_none()).map(str::to_owned),
        response_base64: text.is_none().then(|| BASE64_STANDARD.encode(body)),
        response,
    }
}

/// Checks, before a call is paid, that its response can be stored: creates the folder, and a file in it that is removed.
pub(crate) async fn check_folder(folder: &Path) -> io::Result<()> {
    let folder = folder.to_owned();
    let checked = tokio::task::spawn_blocking(move || new_file(&folder).map(drop)).await;
    checked.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    std::fs::create_dir_all(folder)?;
    tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(folder)
}

fn write_blocking(folder: &Path, prefix: &str, contents: &[u8]) -> io::Result<PathBuf> {
    // The file gets its name when it is complete, and the name is free even if other processes write here.
    let mut file = new_file(folder)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    for _ in 0..64 {
        let path = folder.join(format!("{prefix}{:08x}.json", fastrand::u32(..)));
        match durable::put_new(file, &path) {
            Ok(()) => {
                // The file is there. A failing disk is no reason to withhold the response from the caller.
                let _ = durable::sync_folder(folder);
                return Ok(path);
            }
            Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => file = failed.file,
            Err(failed) => return Err(failed.error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn stored(body: &[u8]) -> StoredResponse {
        let folder = tempfile::tempdir().unwrap();
        let (operation, request) = ("post_generate_image_v3".to_owned(), Value::Null);
        let (headers, body) = (HeaderMap::new(), Bytes::copy_from_slice(body));
        let call = Arc::new(CallSummary { operation, request });
        let path = write(folder.path(), call, StatusCode::OK, &headers, body).await.unwrap();
        StoredResponse::read(path).await.unwrap()
    }

    #[tokio::test]
    async fn every_body_is_read_byte_for_byte() {
        for body in [
            "",
            "null",
            " {}\n",
            "{\"seed\":123456789012345678901234567890}",
            "{\"a\":1,\"a\":2}",
            "{\"a\": NaN}",
            "\u{feff}{}",
            "\"\\ud800\"",
            "1e999",
            "{\"a\": \"cut",
            "<html>\u{0}\u{1}</html>",
            "[1, 2] rest",
            "\"a\" ",
        ] {
            assert_eq!(stored(body.as_bytes()).await.body(), body.as_bytes(), "{body}");
        }
        let mut random = fastrand::Rng::with_seed(1);
        for length in 0..200 {
            let body: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
            assert_eq!(stored(&body).await.body(), &body);
        }
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        assert_eq!(stored(deep.as_bytes()).await.body(), deep.as_bytes());
        assert_eq!(stored(deep.as_bytes()).await.response(), None);
    }

    #[tokio::test]
    async fn json_is_read_in_every_encoding() {
        let marked = "\u{feff}{\"a\": 1}";
        let utf16: Vec<u8> = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for body in [b"{\"a\": 1}\n".as_slice(), marked.as_bytes(), &utf16] {
            let stored = stored(body).await;

            assert_eq!(stored.response(), Some(&serde_json::json!({"a": 1})));
            assert_eq!((stored.text().trim(), stored.response_text()), ("{\"a\": 1}", None));
        }
        assert_eq!(stored(b"{\"a\":").await.response_text(), Some("{\"a\":"));
    }
}
