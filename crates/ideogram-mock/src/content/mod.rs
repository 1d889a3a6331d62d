//! What an uploaded file holds, found out while it streams in.
//!
//! Start at [`Inspector`]. The name says what a file wants to be, the content whether it is; the content is then
//! dropped.

mod archive;
mod image;

use std::{
    fs::File,
    io::{self, Write},
};

use crate::size::Size;

/// Largest image in bytes. The limit for datasets is not published; elsewhere the service takes 10 MB.
pub(crate) const MAX_IMAGE_BYTES: u64 = 10 * 1024 * 1024;

/// Largest caption in bytes.
const LARGEST_CAPTION: u64 = 1024 * 1024;

/// Largest archive in bytes; it is inspected on disk.
const LARGEST_ARCHIVE: u64 = 1024 * 1024 * 1024;

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// With its size in pixels.
    Image(Size),
    Caption,
    /// The files in an archive.
    Archive(Vec<Entry>),
    Faulty(Fault),
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

/// Why a file cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NoImage,
    NoCaption,
    NoArchive,
    TooLarge,
}

/// What a file claims to be by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    Image,
    Caption,
    Archive,
}

/// Takes a file in pieces and says in the end what it was.
#[derive(Debug)]
pub(crate) struct Inspector {
    claim: Claim,
    size: u64,
    kept: Kept,
}

/// What has been received so far; nothing more is added once the file is too large.
#[derive(Debug)]
enum Kept {
    Memory(Vec<u8>),
    Disk(File),
}

impl Claim {
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
            Self::Caption => LARGEST_CAPTION,
            Self::Archive => LARGEST_ARCHIVE,
        }
    }
}

impl Inspector {
    pub(crate) fn new(file_name: &str) -> io::Result<Self> {
        let claim = Claim::of(file_name);
        let kept = match claim {
            Claim::Archive => Kept::Disk(tempfile::tempfile()?),
            Claim::Image | Claim::Caption => Kept::Memory(Vec::new()),
        };
        Ok(Self { claim, size: 0, kept })
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.size += bytes.len() as u64;
        if self.size > self.claim.limit() {
            return Ok(());
        }
        match &mut self.kept {
            Kept::Memory(kept) => kept.extend_from_slice(bytes),
            Kept::Disk(file) => file.write_all(bytes)?,
        }
        Ok(())
    }

    /// The size so far in bytes, whether kept or not.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) async fn finish(self) -> io::Result<Content> {
        if self.size > self.claim.limit() {
            return Ok(Content::Faulty(Fault::TooLarge));
        }
        match self.kept {
            Kept::Memory(bytes) => Ok(judge(self.claim, &bytes)),
            // Unpacking takes long enough to hold up other requests.
            Kept::Disk(file) => tokio::task::spawn_blocking(|| archive::open(file)).await.map_err(io::Error::other),
        }
    }
}

/// What a file is that is no archive.
fn judge(claim: Claim, bytes: &[u8]) -> Content {
    match claim {
        Claim::Image => image::measure(bytes).map_or(Content::Faulty(Fault::NoImage), Content::Image),
        Claim::Caption if std::str::from_utf8(bytes).is_ok_and(|text| !text.trim().is_empty()) => Content::Caption,
        Claim::Caption => Content::Faulty(Fault::NoCaption),
        Claim::Archive => Content::Faulty(Fault::NoArchive),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_are_text_and_not_blank() {
        assert_eq!(judge(Claim::Caption, "a lantern, größer".as_bytes()), Content::Caption);
        assert_eq!(judge(Claim::Caption, b" \n"), Content::Faulty(Fault::NoCaption));
        assert_eq!(judge(Claim::Caption, b"\xff\xfe"), Content::Faulty(Fault::NoCaption));
    }

    #[test]
    fn extensions_are_read_in_any_case() {
        assert_eq!(Claim::of("A.TXT"), Claim::Caption);
        assert_eq!(Claim::of("b.Zip"), Claim::Archive);
        assert_eq!(Claim::of("txt"), Claim::Image);
    }
}
