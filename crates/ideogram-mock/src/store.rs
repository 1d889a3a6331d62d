//! The state on disk: one JSON file, always replaced whole.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::world::State;

const FILE_NAME: &str = "ideogram-mock.json";

/// Raised when the form of the file changes.
const FORMAT: u32 = 1;

/// A directory that keeps the state of one server. Two servers must not share it.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Envelope<S> {
    format: u32,
    state: S,
}

impl Store {
    /// Opens a directory, which is made if it does not exist, and reads what it keeps.
    ///
    /// # Errors
    ///
    /// The directory cannot be made, or its file cannot be read or understood. Nothing has been overwritten.
    pub(crate) fn open(directory: &Path) -> io::Result<(Self, Option<State>)> {
        fs::create_dir_all(directory).map_err(|error| at(directory, &error))?;
        let store = Self { directory: directory.to_owned() };
        let path = store.path();
        let text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((store, None)),
            read => read.map_err(|error| at(&path, &error))?,
        };
        let corrupt = |why: String| {
            let text = format!("`{}` is not a state of the mock server ({why}); move it away", path.display());
            io::Error::new(ErrorKind::InvalidData, text)
        };
        let envelope: Envelope<serde_json::Value> =
            serde_json::from_slice(&text).map_err(|error| corrupt(error.to_string()))?;
        if envelope.format != FORMAT {
            return Err(corrupt(format!("format {} instead of {FORMAT}", envelope.format)));
        }
        let state = serde_json::from_value(envelope.state).map_err(|error| corrupt(error.to_string()))?;
        Ok((store, Some(state)))
    }

    /// Replaces the file in one step, so that a reader sees the old state or the new one.
    pub(crate) fn save(&self, state: &State) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(&self.directory)?;
        serde_json::to_writer_pretty(&mut file, &Envelope { format: FORMAT, state })?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(self.path())?;
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.directory.join(FILE_NAME)
    }
}

/// The same error with the path, which `std` leaves out.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}
