//! Durable files: a file has its name only when it is complete.
//!
//! A file is written under a temporary name, synced, and renamed in one step; it lasts once its folder is synced. Some
//! file systems, such as those of networks and memory cards, do not support all of this. Then the file still gets its
//! name, because a paid response must not be lost.

use std::{fs::File, io, path::Path};

use tempfile::{NamedTempFile, PersistError};

/// Renames a temporary file, unless something of that name exists.
pub(crate) fn put_new(part: NamedTempFile, path: &Path) -> Result<(), PersistError> {
    // One step, by the system's own call for it or by a hard link.
    put_new_by(part, path, |part, path| part.persist_noclobber(path))
}

fn put_new_by(
    part: NamedTempFile,
    path: &Path,
    one_step: impl FnOnce(NamedTempFile, &Path) -> Result<File, PersistError>,
) -> Result<(), PersistError> {
    one_step(part, path).map(drop).or_else(|failed| {
        let has_neither = matches!(failed.error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied);
        // Not atomic: another process may create a file of that name between the check and the rename.
        if has_neither && path.symlink_metadata().is_err() { failed.file.persist(path).map(drop) } else { Err(failed) }
    })
}

/// Syncs a folder, so that the names in it last. Does nothing if the system cannot sync folders.
///
/// # Errors
///
/// If the disk fails.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Other systems cannot open a folder as a file.
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).or_else(unless_unsupported)
    } else {
        Ok(())
    }
}

fn unless_unsupported(error: io::Error) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    // A folder may be writable and not readable.
    if matches!(error.kind(), Unsupported | InvalidInput | PermissionDenied) { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn part(folder: &Path) -> NamedTempFile {
        let part = NamedTempFile::new_in(folder).unwrap();
        fs::write(part.path(), "new").unwrap();
        part
    }

    fn refuse(part: NamedTempFile, kind: io::ErrorKind) -> Result<File, PersistError> {
        Err(PersistError { error: kind.into(), file: part })
    }

    #[test]
    fn a_file_system_without_an_atomic_rename_gets_the_file_nevertheless() {
        for kind in [io::ErrorKind::Unsupported, io::ErrorKind::PermissionDenied] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("file");

            put_new_by(part(folder.path()), &path, |part, _| refuse(part, kind)).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"new");

            fs::write(&path, "mine").unwrap();
            assert!(put_new_by(part(folder.path()), &path, |part, _| refuse(part, kind)).is_err());
            assert_eq!(fs::read(&path).unwrap(), b"mine");
        }
    }

    #[test]
    fn an_existing_file_stays_and_a_full_disk_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let full = put_new_by(part(folder.path()), &path, |part, _| refuse(part, io::ErrorKind::StorageFull));
        assert_eq!(full.unwrap_err().error.kind(), io::ErrorKind::StorageFull);

        fs::write(&path, "mine").unwrap();
        let there = put_new(part(folder.path()), &path).unwrap_err();

        assert_eq!(there.error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(path).unwrap(), b"mine");
    }

    #[test]
    fn an_unsupported_sync_is_ignored_and_a_failing_disk_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        sync_folder(folder.path()).unwrap();
        for kind in [io::ErrorKind::Unsupported, io::ErrorKind::InvalidInput, io::ErrorKind::PermissionDenied] {
            unless_unsupported(kind.into()).unwrap();
        }
        assert!(unless_unsupported(io::ErrorKind::Other.into()).is_err());
        #[cfg(unix)]
        assert!(sync_folder(&folder.path().join("nowhere")).is_err());
    }
}
