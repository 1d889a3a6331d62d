//! Files of a local folder: what they are, and why some are left out.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

/// The maximum size of a caption. The service publishes no limit; no more than this is read.
pub(crate) const MAX_CAPTION_BYTES: u64 = 1024 * 1024;

/// The maximum depth of folders that are read.
pub const MAX_FOLDER_DEPTH: usize = 256;
/// The maximum number of files and folders: far more than any training set, and less than a whole disk.
pub const MAX_FOLDER_ENTRIES: usize = 1_000_000;

/// A local image or caption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LocalFile {
    /// The path of the file.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// The name that is sent: the base name, in NFC.
    pub name: String,
    /// The size in bytes.
    pub size_bytes: u64,
    /// The type of the file.
    pub kind: FileKind,
    /// Why it cannot be sent, if so.
    pub fault: Option<Fault>,
    /// Whether it is a caption that begins with a byte order mark. The mark is sent with it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_byte_order_mark: bool,
}

/// The type of a local file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileKind {
    /// A JPEG by its signature.
    Jpeg,
    /// A PNG by its signature.
    Png,
    /// A WebP by its signature.
    WebP,
    /// An image by its name, but not by its content.
    NoImage,
    /// A caption by its name.
    Caption,
}

/// Why a local file cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// It is empty, or a caption of white space only.
    #[error("it is empty")]
    Empty,
    /// It has the name of an image, but another content.
    #[error("it is not a JPEG, PNG or WebP image")]
    NotAImage,
    /// It has the name of an image that the service accepts, but the content of another format.
    #[error("its format is {0}; the service accepts JPEG, PNG and WebP images")]
    OtherImage(String),
    /// A caption that is not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// A caption in another encoding, such as UTF-16.
    #[error("its encoding is {0}; save it as UTF-8")]
    OtherEncoding(String),
    /// A caption of more than 1 MiB.
    #[error("it is larger than {} KiB, too large for a caption", MAX_CAPTION_BYTES / 1024)]
    TooLarge,
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Its name is not UTF-8 or contains a control character, and cannot be sent.
    #[error("its name is not UTF-8 or contains a control character, and cannot be sent")]
    UnusableName,
}

/// A file or folder that is not part of the training set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Skipped {
    /// The path.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// Why it was skipped.
    pub reason: SkipReason,
}

/// Why something was skipped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// A link whose target does not exist.
    #[error("a broken link")]
    BrokenLink,
    /// A folder that is more than [`MAX_FOLDER_DEPTH`] folders deep. It is not read.
    #[error("more than {MAX_FOLDER_DEPTH} folders deep, and not read")]
    TooDeep,
    /// An image of a format that the service does not accept, such as HEIC.
    #[error("an image of the format {0}: convert it to JPEG, PNG or WebP")]
    OtherImage(String),
    /// Probably a caption, or the captions of many images, in a form that the service does not accept.
    #[error("{}", rename_hint(.rename_to.as_deref()))]
    OtherCaption {
        /// The name that would make it the caption of an image in the folder.
        rename_to: Option<String>,
    },
    /// A ZIP archive, whose files cannot be compared with the dataset. Unpack it, or upload it separately.
    #[error("a ZIP archive: unpack it, or upload it separately")]
    Archive,
    /// An archive of another format, which the service does not accept.
    #[error("an archive that the service does not accept: unpack it")]
    OtherArchive,
    /// Its name begins with a dot. A hidden folder is not read.
    #[error("hidden: its name begins with a dot")]
    Hidden,
    /// Neither image nor caption.
    #[error("neither image nor caption")]
    OtherType,
    /// Not a regular file, such as a pipe.
    #[error("not a regular file")]
    NotAFile,
    /// A link to a folder that is already read.
    #[error("a link to a folder that is already read")]
    AlreadyRead,
}

impl FileKind {
    /// Whether it is an image that the service accepts.
    pub fn is_image(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::WebP)
    }
}

/// The message for what may be a caption.
fn rename_hint(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("perhaps a caption: rename it to {name} to send it"),
        None => "perhaps captions: the service accepts one text file per image, a.txt for a.png".to_owned(),
    }
}

impl SkipReason {
    /// Whether it may contain images or captions that could not be read.
    pub fn is_unread(&self) -> bool {
        matches!(self, Self::Unreadable(_) | Self::BrokenLink | Self::TooDeep)
    }
}

/// Serializes a path as text, also if it is not UTF-8: a list of files must not fail because of one name.
pub(super) fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}
