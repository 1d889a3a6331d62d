//! Files to upload, from a path, from memory or from a reader.
//!
//! Nothing is read until a call is sent. Then the file is inspected first ([`File::inspect`]): a missing or empty file or
//! a directory fails the call before anything is sent. Paths and bytes can be read again for a retry, readers cannot.

use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
    fmt,
    io::{self, Read as _},
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _, stream};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::io::ReaderStream;

use super::file_type::{ImageType, SIGNATURE_BYTES, image_type, is_zip};

/// The number of bytes read from a file at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// A file to upload.
///
/// Serializes as name, size and media type, without its content. The file is not read for that, so size and media type
/// of a file on disk are `null`; [`File::inspect`] returns them. It cannot be deserialized: foreign JSON must not name
/// local files.
#[derive(Clone)]
pub struct File {
    source: Source,
    name: Option<Arc<str>>,
    media_type: Option<Arc<str>>,
}

#[derive(Clone)]
enum Source {
    Path(Arc<Path>),
    Bytes(Bytes),
    Reader { reader: Arc<Mutex<Option<Reader>>>, size_bytes: Option<u64> },
}

type Reader = Pin<Box<dyn AsyncRead + Send>>;

/// Properties of a file at the time of its inspection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileInfo {
    /// The name that is sent.
    pub name: String,
    /// The media type that is sent.
    pub media_type: String,
    /// The size; unknown for a reader without a size, and for a file that no longer exists.
    pub size_bytes: Option<u64>,
}

impl File {
    /// Creates a file from a path, sent under its own name. `"a.png".into()` does the same.
    pub fn from_path(path: impl AsRef<Path>) -> Self {
        Self { source: Source::Path(Arc::from(path.as_ref())), name: None, media_type: None }
    }

    /// Creates a file from bytes in memory.
    pub fn from_bytes(name: impl AsRef<str>, bytes: impl Into<Bytes>) -> Self {
        Self { source: Source::Bytes(bytes.into()), name: Some(Arc::from(name.as_ref())), media_type: None }
    }

    /// Creates a file from a reader, which is read while it is sent. It can be sent once, so the call is not retried.
    ///
    /// Pass the size in bytes if it is known: some servers need it. If the reader has more or less bytes, the call fails.
    /// The media type is that of the name.
    pub fn from_reader(
        name: impl AsRef<str>,
        reader: impl AsyncRead + Send + 'static,
        size_bytes: Option<u64>,
    ) -> Self {
        let reader: Reader = Box::pin(reader);
        let source = Source::Reader { reader: Arc::new(Mutex::new(Some(reader))), size_bytes };
        Self { source, name: Some(Arc::from(name.as_ref())), media_type: None }
    }

    /// Sends the file under another name.
    pub fn with_name(mut self, name: impl AsRef<str>) -> Self {
        self.name = Some(Arc::from(name.as_ref()));
        self
    }

    /// Sends the file with this media type. By default, the content decides, then the name.
    pub fn with_media_type(mut self, media_type: impl AsRef<str>) -> Self {
        self.media_type = Some(Arc::from(media_type.as_ref()));
        self
    }

    /// The name that is sent. Bytes of a path that are not UTF-8 become `%` and two digits, so that two files have
    /// different names.
    pub fn name(&self) -> Cow<'_, str> {
        match (&self.name, &self.source) {
            (Some(name), _) => Cow::Borrowed(name),
            (None, Source::Path(path)) => name_of(path.file_name().unwrap_or(path.as_os_str())),
            (None, _) => Cow::Borrowed("file"),
        }
    }

    /// The path, for a file on disk.
    pub fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::Path(path) => Some(path),
            _ => None,
        }
    }

    /// Whether the content can be read again for a retry.
    pub fn is_reusable(&self) -> bool {
        !matches!(self.source, Source::Reader { .. })
    }

    /// Inspects the file without sending it.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is not a regular file, is empty, or has a name that cannot be sent.
    pub async fn inspect(&self) -> io::Result<FileInfo> {
        let (signature, size_bytes) = match &self.source {
            Source::Path(path) => {
                let path = Arc::clone(path);
                // A network drive may be slow, and must not block the runtime.
                let inspected = tokio::task::spawn_blocking(move || inspect_path(&path)).await;
                let (signature, size) = inspected.map_err(io::Error::other)??;
                (signature, Some(size))
            }
            Source::Bytes(bytes) => {
                (bytes.slice(..bytes.len().min(SIGNATURE_BYTES)).to_vec(), Some(bytes.len() as u64))
            }
            Source::Reader { size_bytes, .. } => (Vec::new(), *size_bytes),
        };
        if size_bytes == Some(0) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is empty"));
        }
        let name = self.name().into_owned();
        if name.chars().any(char::is_control) {
            // In a header of the request, a line break would start another header.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "its name contains a control character"));
        }
        let media_type = match &self.media_type {
            Some(media_type) => media_type.to_string(),
            None => media_type_of(&signature, &name).to_owned(),
        };
        Ok(FileInfo { name, media_type, size_bytes })
    }

    /// Returns what is known of a file without inspecting it: the file may no longer exist.
    pub(crate) fn uninspected(&self) -> FileInfo {
        let name = self.name().into_owned();
        let media_type = self.media_type.as_deref().unwrap_or_else(|| media_type_of(&[], &name)).to_owned();
        FileInfo { name, media_type, size_bytes: None }
    }

    /// Returns the content for one attempt, with the size from [`File::inspect`].
    ///
    /// A file on disk is opened when it is read: a request may contain more files than a process may open.
    pub(crate) fn open(&self, size_bytes: Option<u64>) -> io::Result<reqwest::Body> {
        let name = self.name().into_owned();
        match &self.source {
            Source::Bytes(bytes) => {
                // In chunks, because the progress of one large chunk cannot be observed.
                let bytes = bytes.clone();
                let chunks = (0..bytes.len()).step_by(CHUNK_BYTES);
                let chunks = chunks.map(move |at| Ok(bytes.slice(at..bytes.len().min(at + CHUNK_BYTES))));
                Ok(body_of(name, stream::iter(chunks)))
            }
            Source::Path(path) => {
                let path = Arc::clone(path);
                let opened = async move {
                    let file = tokio::fs::File::open(path).await?;
                    let exact = Exact { reader: file, remaining: size_bytes };
                    io::Result::Ok(ReaderStream::with_capacity(exact, CHUNK_BYTES))
                };
                Ok(body_of(name, stream::once(opened).try_flatten()))
            }
            Source::Reader { reader, .. } => {
                let reader = reader.lock().unwrap_or_else(PoisonError::into_inner).take();
                let reader = reader
                    .ok_or_else(|| io::Error::other("the reader has been sent already, and cannot be read again"))?;
                let exact = Exact { reader, remaining: size_bytes };
                Ok(body_of(name, ReaderStream::with_capacity(exact, CHUNK_BYTES)))
            }
        }
    }
}

fn body_of(name: String, stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> reqwest::Body {
    reqwest::Body::wrap_stream(stream.map_err(move |error| ReadFailure { name: name.clone(), error }))
}

/// A file could not be read while it was sent. The HTTP stack makes this a source of its own error.
#[derive(Debug, thiserror::Error)]
#[error("\"{name}\": {error}")]
pub(crate) struct ReadFailure {
    name: String,
    error: io::Error,
}

fn name_of(file_name: &OsStr) -> Cow<'_, str> {
    if let Some(name) = file_name.to_str() {
        return Cow::Borrowed(name);
    }
    let mut name = String::new();
    for chunk in file_name.as_encoded_bytes().utf8_chunks() {
        name.push_str(chunk.valid());
        name.extend(chunk.invalid().iter().map(|byte| format!("%{byte:02X}")));
    }
    Cow::Owned(name)
}

fn inspect_path(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
    }
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut signature = Vec::new();
    std::fs::File::open(path)?.take(SIGNATURE_BYTES as u64).read_to_end(&mut signature)?;
    Ok((signature, metadata.len()))
}

/// Returns the media type by the content, then by the name: services check the content.
fn media_type_of(signature: &[u8], name: &str) -> &'static str {
    if let Some(image) = image_type(signature) {
        return image;
    }
    if is_zip(signature) {
        return "application/zip";
    }
    let extension = Path::new(name).extension().and_then(OsStr::to_str).unwrap_or_default();
    if let Some(image) = ImageType::by_extension(extension) {
        return image.media_type;
    }
    match extension.to_ascii_lowercase().as_str() {
        "otf" => "font/otf",
        "ttf" => "font/ttf",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "txt" => "text/plain",
        "zip" => "application/zip",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

/// A reader that fails unless it has exactly the announced size: a shorter body would never end, and a longer one would
/// be cut off.
struct Exact<R> {
    reader: R,
    /// The remaining bytes; unknown without an announced size.
    remaining: Option<u64>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Exact<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let had_room = buffer.remaining() > 0;
        let failed = |kind, message: &str| Poll::Ready(Err(io::Error::new(kind, message)));
        let outcome = Pin::new(&mut self.reader).poll_read(context, buffer);
        if let (Poll::Ready(Ok(())), Some(remaining)) = (&outcome, self.remaining) {
            let read = (buffer.filled().len() - before) as u64;
            if read == 0 && had_room && remaining > 0 {
                return failed(io::ErrorKind::UnexpectedEof, "it became shorter while it was sent");
            }
            if read > remaining {
                buffer.set_filled(before);
                return failed(io::ErrorKind::InvalidData, "it became longer while it was sent");
            }
            self.remaining = Some(remaining - read);
        }
        outcome
    }
}

impl fmt::Debug for File {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("File");
        debug.field("name", &self.name());
        match &self.source {
            Source::Path(path) => debug.field("path", path),
            Source::Bytes(bytes) => debug.field("size_bytes", &bytes.len()),
            Source::Reader { size_bytes, .. } => debug.field("size_bytes", size_bytes),
        };
        debug.finish_non_exhaustive()
    }
}

impl PartialEq for File {
    /// Compares source, name and media type. Readers are equal only if one is a clone of the other.
    fn eq(&self, other: &Self) -> bool {
        let same_source = match (&self.source, &other.source) {
            (Source::Path(one), Source::Path(two)) => one == two,
            (Source::Bytes(one), Source::Bytes(two)) => one == two,
            (Source::Reader { reader: one, .. }, Source::Reader { reader: two, .. }) => Arc::ptr_eq(one, two),
            _ => false,
        };
        same_source && self.name() == other.name() && self.media_type == other.media_type
    }
}

impl Serialize for File {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = self.name();
        let (size_bytes, media_type) = match &self.source {
            Source::Path(_) => (None, None),
            Source::Bytes(bytes) => (Some(bytes.len() as u64), Some(media_type_of(bytes, &name))),
            Source::Reader { size_bytes, .. } => (*size_bytes, Some(media_type_of(&[], &name))),
        };
        let media_type = self.media_type.as_deref().or(media_type);
        let mut file = serializer.serialize_struct("File", 3)?;
        file.serialize_field("name", &name)?;
        file.serialize_field("size_bytes", &size_bytes)?;
        file.serialize_field("media_type", &media_type)?;
        file.end()
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for File {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "File".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "A file as it is logged: without its content.",
            "required": ["name", "size_bytes", "media_type"],
            "properties": {
                "name": {"type": "string"},
                "size_bytes": {"type": ["integer", "null"], "minimum": 0},
                "media_type": {"type": ["string", "null"]},
            },
        })
    }
}

macro_rules! from_paths {
    ($($path:ty),*) => {$(
        impl From<$path> for File {
            fn from(path: $path) -> Self {
                Self::from_path(path)
            }
        }
    )*};
}

impl From<&File> for File {
    fn from(file: &File) -> Self {
        file.clone()
    }
}

from_paths!(&str, &&str, OsString, &OsStr, String, &String, &Path, PathBuf, &PathBuf);

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[test]
    fn the_content_decides_before_the_name() {
        assert_eq!(media_type_of(b"\x89PNG\r\n\x1a\n", "a.jpg"), "image/png");
        assert_eq!(media_type_of(b"RIFF\0\0\0\0WEBPVP8 ", "a"), "image/webp");
        assert_eq!(media_type_of(b"a caption", "A.TXT"), "text/plain");
        assert_eq!(media_type_of(b"", "noext"), "application/octet-stream");
    }

    #[tokio::test]
    async fn files_that_cannot_be_sent_fail_the_inspection() {
        let folder = std::env::temp_dir();

        assert_eq!(File::from_path(&folder).inspect().await.unwrap_err().to_string(), "it is a directory");
        assert_eq!(File::from_bytes("a.png", Vec::new()).inspect().await.unwrap_err().to_string(), "the file is empty");
        let two_headers = File::from_bytes("a\r\nX-Evil: 1.png", &b"1"[..]).inspect().await.unwrap_err();
        assert_eq!(two_headers.to_string(), "its name contains a control character");
        let missing = File::from_path(folder.join("no-such-file.png")).inspect().await.unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn size_and_media_type_are_serialized_if_they_are_known() {
        let fields = |file: &File| {
            let json = serde_json::to_value(file).unwrap();
            (json["size_bytes"].clone(), json["media_type"].clone())
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        std::fs::write(&path, b"\x89PNG\r\n\x1a\n").unwrap();

        assert_eq!(fields(&File::from_path(&path)), (().into(), ().into()));
        assert_eq!(fields(&File::from_path(&path).with_media_type("image/x")), (().into(), "image/x".into()));
        assert_eq!(fields(&File::from_bytes("a.jpg", &b"\x89PNG\r\n\x1a\n"[..])), (8.into(), "image/png".into()));
        assert_eq!(fields(&File::from_reader("a.jpg", &b"12"[..], Some(2))), (2.into(), "image/jpeg".into()));
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_utf_8_stay_different() {
        use std::os::unix::ffi::OsStrExt as _;

        let name = |bytes: &[u8]| File::from_path(Path::new(OsStr::from_bytes(bytes))).name().into_owned();

        assert_eq!([name(b"x/caf\xe8.png"), name(b"caf\xe9.png")], ["caf%E8.png", "caf%E9.png"]);
        assert_eq!(name("café%E9.png".as_bytes()), "café%E9.png");
    }

    #[test]
    fn a_reader_is_sent_once() {
        let file = File::from_reader("a.png", &b"123"[..], Some(3));

        assert!(file.open(Some(3)).is_ok());
        assert!(file.open(Some(3)).unwrap_err().to_string().contains("cannot be read again"));
        assert!(!file.is_reusable());
    }

    #[tokio::test]
    async fn a_file_that_changes_its_size_while_it_is_sent_is_an_error() {
        for (announced, expected) in [
            (Some(3), Err(io::ErrorKind::UnexpectedEof)),
            (Some(2), Ok(2)),
            (Some(1), Err(io::ErrorKind::InvalidData)),
            (None, Ok(2)),
        ] {
            let mut exact = Exact { reader: &b"12"[..], remaining: announced };
            let mut read = Vec::new();

            assert_eq!(exact.read_to_end(&mut read).await.map_err(|error| error.kind()), expected, "{announced:?}");
        }
    }
}
