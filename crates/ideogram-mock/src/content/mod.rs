//! Inspects an uploaded file while it is received.
//!
//! Start at [`FileReader`]. The name decides the expected type of a file; the content is checked and then dropped.

mod archive;
mod image;

use std::io::{self, Read as _, Seek as _, Write as _};

use tempfile::SpooledTempFile;

use crate::size::Size;

/// The maximum size of an image in bytes. The limit for datasets is not published; elsewhere the service takes 25 MB.
pub(crate) const MAX_IMAGE_BYTES: u64 = 25 * 1024 * 1024;

/// The maximum size of a caption in bytes.
const MAX_CAPTION_BYTES: u64 = 1024 * 1024;

/// The maximum size of an archive in bytes.
const MAX_ARCHIVE_BYTES: u64 = 1024 * 1024 * 1024;

/// The maximum size of an archive that is inspected in memory; a larger one is inspected on disk.
const MAX_BYTES_IN_MEMORY: usize = 25 * 1024 * 1024;

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// With its size in pixels.
    Image(Size),
    Caption,
    /// The files in an archive.
    Archive(Vec<Entry>),
    /// Not what its name says.
    Invalid(FileType),
    TooLarge,
}

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// With its folders, as in the archive.
    pub(crate) name: String,
    pub(crate) size: u64,
    /// Never an archive.
    pub(crate) content: Content,
}

/// The type of a file according to its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileType {
    Image,
    Caption,
    Archive,
}

/// Receives a file in chunks and returns its content at the end.
#[derive(Debug)]
pub(crate) struct FileReader {
    file_type: FileType,
    size: u64,
    /// The bytes received so far; none are added once the file is too large.
    buffer: SpooledTempFile,
}

impl FileType {
    pub(crate) fn of(file_name: &str) -> Self {
        match file_name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref() {
            Some("txt") => Self::Caption,
            Some("zip") => Self::Archive,
            _ => Self::Image,
        }
    }

    fn limit(self) -> u64 {
        match self {
            Self::Image => MAX_IMAGE_BYTES,
            Self::Caption => MAX_CAPTION_BYTES,
            Self::Archive => MAX_ARCHIVE_BYTES,
        }
    }
}

impl FileReader {
    pub(crate) fn new(file_name: &str) -> Self {
        let file_type = FileType::of(file_name);
        Self { file_type, size: 0, buffer: SpooledTempFile::new(MAX_BYTES_IN_MEMORY) }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.size += bytes.len() as u64;
        if self.size > self.file_type.limit() { Ok(()) } else { self.buffer.write_all(bytes) }
    }

    /// The number of bytes received so far, including those that were dropped.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) async fn finish(mut self) -> io::Result<Content> {
        if self.size > self.file_type.limit() {
            return Ok(Content::TooLarge);
        }
        self.buffer.rewind()?;
        if self.file_type == FileType::Archive {
            // Unpacking blocks; other requests go on meanwhile.
            let entries = tokio::task::spawn_blocking(|| archive::read(self.buffer)).await.map_err(io::Error::other)?;
            return Ok(entries.map_or(Content::Invalid(FileType::Archive), Content::Archive));
        }
        let mut bytes = Vec::new();
        self.buffer.read_to_end(&mut bytes)?;
        Ok(inspect(self.file_type, &bytes))
    }
}

/// Returns the content of a file that is not an archive.
fn inspect(file_type: FileType, bytes: &[u8]) -> Content {
    let is_caption = || str::from_utf8(bytes).is_ok_and(|text| !text.trim().is_empty());
    let content = match file_type {
        FileType::Image => image::measure(bytes).map(Content::Image),
        FileType::Caption => is_caption().then_some(Content::Caption),
        FileType::Archive => None,
    };
    content.unwrap_or(Content::Invalid(file_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_read_in_any_case() {
        assert_eq!(FileType::of("A.TXT"), FileType::Caption);
        assert_eq!(FileType::of("b.Zip"), FileType::Archive);
        assert_eq!(FileType::of("txt"), FileType::Image);
    }
}
