//! The store: the state of one server, shared by its requests and written to disk if it has a directory.
//!
//! Start at [`Store::change`]. A change is made on a copy, the copy is written, and only then replaces the state: a
//! change that cannot be written has not happened.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

use http::StatusCode;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::{clock::Clock, reply::Reply, state::State};

const FILE_NAME: &str = "ideogram-mock.json";

/// The version of the file. It rises when the form of the file changes.
const FORMAT: u32 = 1;

/// The state of one server, its clock, and its file.
#[derive(Debug)]
pub(crate) struct Store {
    state: Mutex<State>,
    file: Option<StateFile>,
    pub(crate) clock: Clock,
}

impl Store {
    pub(crate) fn new(state: State, file: Option<StateFile>, clock: Clock) -> Self {
        Self { state: Mutex::new(state), file, clock }
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock())
    }

    /// Applies a change completely or not at all.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> Result<T, Reply>) -> Result<T, Reply> {
        let mut state = self.lock();
        let mut draft = state.clone();
        let result = change(&mut draft)?;
        if let Some(file) = &self.file {
            draft.now = Some(self.clock.now());
            file.save(&draft).map_err(|error| {
                Reply::error(StatusCode::INTERNAL_SERVER_ERROR, &format!("could not write the state: {error}"))
            })?;
        }
        *state = draft;
        Ok(result)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds this lock")
    }
}

/// The file with the state of one server: JSON, always replaced as a whole. Two servers must not share a directory.
#[derive(Debug)]
pub(crate) struct StateFile {
    directory: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Envelope<S> {
    format: u32,
    state: S,
}

impl StateFile {
    /// Opens a directory, creating it if it does not exist, and reads the state in it.
    ///
    /// # Errors
    ///
    /// The directory cannot be created, or its file cannot be read or decoded. Nothing has been overwritten.
    pub(crate) fn open(directory: &Path) -> io::Result<(Self, Option<State>)> {
        fs::create_dir_all(directory).map_err(|error| at(directory, &error))?;
        let file = Self { directory: directory.to_owned() };
        let path = file.path();
        let text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((file, None)),
            read => read.map_err(|error| at(&path, &error))?,
        };
        let corrupt = |why: String| {
            let text = format!("`{}` is not a state file of the mock server ({why}); move it away", path.display());
            io::Error::new(ErrorKind::InvalidData, text)
        };
        let envelope: Envelope<serde_json::Value> =
            serde_json::from_slice(&text).map_err(|error| corrupt(error.to_string()))?;
        if envelope.format != FORMAT {
            return Err(corrupt(format!("format {} instead of {FORMAT}", envelope.format)));
        }
        let state = serde_json::from_value(envelope.state).map_err(|error| corrupt(error.to_string()))?;
        Ok((file, Some(state)))
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

/// Adds the path to the error, which `std` leaves out.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_change_that_fails_leaves_no_trace() {
        let clock = Clock::new(Timestamp::UNIX_EPOCH, 0.0);
        let store = Store::new(State::demo(Duration::ZERO, crate::clock::DEFAULT_START), None, clock);

        let result = store.change(|state| {
            state.datasets.clear();
            Err::<(), _>(Reply::not_found("Dataset not found."))
        });

        assert!(result.is_err());
        assert_eq!(store.read(|state| state.datasets.len()), 1);
    }
}
