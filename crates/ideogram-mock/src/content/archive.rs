//! ZIP archives: unpacked within limits, each entry inspected.

use std::io::Read as _;

use tempfile::SpooledTempFile;
use zip::{ZipArchive, result::ZipResult};

use super::{Content, Entry, FileType, inspect};

/// The maximum number of entries in an archive.
const MAX_ENTRIES: usize = 1000;

/// The maximum size of all unpacked entries together, in bytes: a small archive can hold very many zeros.
const MAX_UNPACKED: u64 = 2 * 1024 * 1024 * 1024;

/// Returns the entries of the archive in `file`; `None` if it cannot be read completely or exceeds a limit.
pub(super) fn read(file: SpooledTempFile) -> Option<Vec<Entry>> {
    let mut archive = ZipArchive::new(file).ok()?;
    if archive.is_empty() || archive.len() > MAX_ENTRIES {
        return None;
    }
    let mut entries = Vec::new();
    let mut unpacked = 0;
    for index in 0..archive.len() {
        let Some(entry) = read_entry(&mut archive, index).ok()? else { continue };
        unpacked += entry.size;
        if unpacked > MAX_UNPACKED {
            return None;
        }
        entries.push(entry);
    }
    Some(entries)
}

/// Returns one entry, or `None` for folders and hidden files.
fn read_entry(archive: &mut ZipArchive<SpooledTempFile>, index: usize) -> ZipResult<Option<Entry>> {
    let entry = archive.by_index(index)?;
    let name = entry.name()?.into_owned();
    if entry.is_dir() || is_hidden(&name) {
        return Ok(None);
    }
    // The size in the header is not reliable, so the size is measured: at most one byte beyond the limit is read.
    let file_type = FileType::of(&name);
    let limit = match file_type {
        // Archives in archives are not opened.
        FileType::Archive => 0,
        FileType::Image | FileType::Caption => file_type.limit(),
    };
    let mut bytes = Vec::new();
    entry.take(limit + 1).read_to_end(&mut bytes)?;
    let size = bytes.len() as u64;
    let is_too_large = file_type != FileType::Archive && size > limit;
    let content = if is_too_large { Content::TooLarge } else { inspect(file_type, &bytes) };
    Ok(Some(Entry { name, size, content }))
}

/// Returns whether an entry was added by an operating system.
fn is_hidden(name: &str) -> bool {
    name.split('/').any(|part| part == "__MACOSX" || part.starts_with('.') && part != ".")
}
