//! The results of downloading and saving an image.

use std::path::PathBuf;

use tempfile::NamedTempFile;

use super::media_type::MediaType;

/// An image on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Saved {
    /// The path of the image.
    pub path: PathBuf,
    /// The path of its sidecar, if one was requested.
    pub sidecar: Option<PathBuf>,
    /// The type of the image by its content, such as `image/png`.
    pub media_type: String,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// The result of saving an image.
pub(super) enum Done {
    Saved(Saved),
    AlreadyThere(Saved),
}

/// A downloaded image that does not have its name yet.
pub(super) struct Received {
    pub(super) part: NamedTempFile,
    pub(super) media_type: MediaType,
    pub(super) size_bytes: u64,
}
