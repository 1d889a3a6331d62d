//! ZIP archives: opened, unpacked within bounds, and each entry judged.

use std::{fs::File, io::Read};

use zip::{ZipArchive, result::ZipResult};

use super::{Claim, Content, Entry, Fault, judge};

/// How many entries an archive may have.
const MOST_ENTRIES: usize = 1000;

/// How many bytes all entries together may unpack to: a small archive can hold a great many zeros.
const MOST_UNPACKED: u64 = 2 * 1024 * 1024 * 1024;

/// What the archive in `file` holds; one that cannot be read whole, or is beyond the bounds, is a fault.
pub(super) fn open(file: File) -> Content {
    match read(file) {
        Ok(Some(entries)) => Content::Archive(entries),
        Ok(None) | Err(_) => Content::Faulty(Fault::NoArchive),
    }
}

/// The entries, or `None` if they are too many or too large.
fn read(file: File) -> ZipResult<Option<Vec<Entry>>> {
    let mut archive = ZipArchive::new(file)?;
    if archive.is_empty() || archive.len() > MOST_ENTRIES {
        return Ok(None);
    }
    let mut entries = Vec::new();
    let mut unpacked = 0;
    for index in 0..archive.len() {
        let Some(entry) = read_entry(&mut archive, index)? else { continue };
        unpacked += entry.size;
        if unpacked > MOST_UNPACKED {
            return Ok(None);
        }
        entries.push(entry);
    }
    Ok(Some(entries))
}

/// One entry, or `None` if it is nothing that anybody meant to upload.
fn read_entry(archive: &mut ZipArchive<File>, index: usize) -> ZipResult<Option<Entry>> {
    let entry = archive.by_index(index)?;
    let name = entry.name()?.into_owned();
    if entry.is_dir() || is_hidden(&name) {
        return Ok(None);
    }
    // The size in the header is a claim; what counts is what comes out, one byte beyond the limit at most.
    let claim = Claim::of(&name);
    let limit = match claim {
        // Archives in archives are not opened.
        Claim::Archive => 0,
        Claim::Image | Claim::Caption => claim.limit(),
    };
    let mut bytes = Vec::new();
    entry.take(limit + 1).read_to_end(&mut bytes)?;
    let size = bytes.len() as u64;
    let is_too_large = claim != Claim::Archive && size > limit;
    let content = if is_too_large { Content::Faulty(Fault::TooLarge) } else { judge(claim, &bytes) };
    Ok(Some(Entry { name, size, content }))
}

/// What operating systems leave in archives.
fn is_hidden(name: &str) -> bool {
    name.split('/').any(|part| part == "__MACOSX" || part.starts_with('.') && part != ".")
}
