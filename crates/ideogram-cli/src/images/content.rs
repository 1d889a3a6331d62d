//! The content of an image that is sent: on disk or in memory.

use std::{
    fs,
    io::{self, BufRead, BufReader, Cursor, Seek},
    path::{Path, PathBuf},
    sync::Arc,
};

use ideogram_client::File;

/// The content of an image that is sent.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A file, sent under this name.
    Path { name: String, path: PathBuf },
    /// In memory.
    Bytes { name: String, bytes: Arc<Vec<u8>> },
    /// Behind a link, which a dry run does not fetch.
    NotFetched { name: String },
}

impl Content {
    /// A file under its own name.
    pub(crate) fn of_path(path: &Path) -> Self {
        // A file name may contain characters that a header must not contain.
        let name = File::from_path(path).name().chars().map(|it| if it.is_control() { '_' } else { it }).collect();
        Self::Path { name, path: path.to_owned() }
    }

    /// Opens it for reading; `None` for a link.
    pub(crate) fn open(&self) -> io::Result<Option<Box<dyn Input + '_>>> {
        Ok(match self {
            Self::Path { path, .. } => Some(Box::new(BufReader::new(fs::File::open(path)?))),
            Self::Bytes { bytes, .. } => Some(Box::new(Cursor::new(bytes.as_slice()))),
            Self::NotFetched { .. } => None,
        })
    }

    pub(crate) fn into_file(self) -> File {
        match self {
            Self::Path { name, path } => File::from_path(path).with_name(name),
            Self::Bytes { name, bytes } => File::from_bytes(name, Arc::unwrap_or_clone(bytes)),
            Self::NotFetched { name } => File::from_reader(name, tokio::io::empty(), None),
        }
    }
}

/// The input of an image decoder.
pub(crate) trait Input: BufRead + Seek {}

impl<T: BufRead + Seek> Input for T {}
