//! Files of a local folder: what they are, and why some are left out.

use std::{
    fmt,
    path::{Path, PathBuf},
};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// It is empty, or a caption of white space only.
    Empty,
    /// It has the name of an image, but another content.
    NotAImage,
    /// It has the name of an image that the service accepts, but the content of another format.
    OtherImage(String),
    /// A caption that is not UTF-8.
    NotText,
    /// A caption in another encoding, such as UTF-16.
    OtherEncoding(String),
    /// A caption of more than 1 MiB.
    TooLarge,
    /// It cannot be read.
    Unreadable(String),
    /// Its name is not UTF-8 or contains a control character, and cannot be sent.
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// It cannot be read.
    Unreadable(String),
    /// A link whose target does not exist.
    BrokenLink,
    /// A folder that is more than [`MAX_FOLDER_DEPTH`] folders deep. It is not read.
    TooDeep,
    /// An image of a format that the service does not accept, such as HEIC.
    OtherImage(String),
    /// Probably a caption, or the captions of many images, in a form that the service does not accept.
    OtherCaption {
        /// The name that would make it the caption of an image in the folder.
        rename_to: Option<String>,
    },
    /// A ZIP archive, whose files cannot be compared with the dataset. Unpack it, or upload it separately.
    Archive,
    /// An archive of another format, which the service does not accept.
    OtherArchive,
    /// Its name begins with a dot. A hidden folder is not read.
    Hidden,
    /// Neither image nor caption.
    OtherType,
    /// Not a regular file, such as a pipe.
    NotAFile,
    /// A link to a folder that is already read.
    AlreadyRead,
}

impl FileKind {
    /// Whether it is an image that the service accepts.
    pub fn is_image(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::WebP)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("it is empty"),
            Self::NotAImage => formatter.write_str("it is not a JPEG, PNG or WebP image"),
            Self::OtherImage(format) => {
                write!(formatter, "its format is {format}; the service accepts JPEG, PNG and WebP images")
            }
            Self::NotText => formatter.write_str("it is not UTF-8 text"),
            Self::OtherEncoding(encoding) => write!(formatter, "its encoding is {encoding}; save it as UTF-8"),
            Self::TooLarge => {
                write!(formatter, "it is larger than {} KiB, too large for a caption", MAX_CAPTION_BYTES / 1024)
            }
            Self::Unreadable(why) => write!(formatter, "it cannot be read: {why}"),
            Self::UnusableName => {
                formatter.write_str("its name is not UTF-8 or contains a control character, and cannot be sent")
            }
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(formatter, "cannot be read: {why}"),
            Self::BrokenLink => formatter.write_str("a broken link"),
            Self::TooDeep => write!(formatter, "more than {MAX_FOLDER_DEPTH} folders deep, and not read"),
            Self::OtherImage(format) => {
                write!(formatter, "an image of the format {format}: convert it to JPEG, PNG or WebP")
            }
            Self::OtherCaption { rename_to: Some(name) } => {
                write!(formatter, "perhaps a caption: rename it to {name} to send it")
            }
            Self::OtherCaption { rename_to: None } => {
                formatter.write_str("perhaps captions: the service accepts one text file per image, a.txt for a.png")
            }
            Self::Archive => formatter.write_str("a ZIP archive: unpack it, or upload it separately"),
            Self::OtherArchive => formatter.write_str("an archive that the service does not accept: unpack it"),
            Self::Hidden => formatter.write_str("hidden: its name begins with a dot"),
            Self::OtherType => formatter.write_str("neither image nor caption"),
            Self::NotAFile => formatter.write_str("not a regular file"),
            Self::AlreadyRead => formatter.write_str("a link to a folder that is already read"),
        }
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
