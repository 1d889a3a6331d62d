//! Fingerprints of files.

use std::{
    collections::HashMap,
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::{
    images::source::{self, MAX_BYTES},
    output::units,
};

/// How much of a file is read at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// The digests of files, each of which is read once.
#[derive(Debug, Default)]
pub(super) struct Digests(HashMap<PathBuf, Result<String, String>>);

impl Digests {
    pub(super) fn of(&mut self, path: &Path) -> Result<String, String> {
        self.0.entry(path.to_owned()).or_insert_with(|| digest(path)).clone()
    }
}

fn digest(path: &Path) -> Result<String, String> {
    let unreadable = |error: io::Error| format!("cannot read \"{}\": {error}", path.display());
    // Opening a pipe would block until something writes to it.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    match metadata.len() {
        _ if !metadata.is_file() => return Err(format!("\"{}\" is not a file", path.display())),
        0 => return Err(format!("\"{}\" is empty", path.display())),
        size if size > MAX_BYTES => {
            return Err(format!(
                "\"{}\" is too large: {}; the service accepts images up to {}",
                path.display(),
                units::size(size),
                units::size(MAX_BYTES)
            ));
        }
        _ => {}
    }
    let mut file = fs::File::open(path).map_err(unreadable)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut is_first = true;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                if std::mem::take(&mut is_first) {
                    source::check_head(&buffer[..length])
                        .map_err(|reason| format!("\"{}\" is not a supported image: {reason}", path.display()))?;
                }
                hash.update(&buffer[..length]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    Ok(hex(&hash.finalize()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
