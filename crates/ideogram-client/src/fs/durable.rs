//! Files that are whole under their names, or not there: the steps that everything shares that must survive.
//!
//! A file is written under a name that nobody looks for, synced, put into its place in one step, and lasts once its
//! folder is synced. Some file systems cannot do all of that, network and memory cards among them. What is in its place
//! then is in its place: a paid response does not fail over it.

use std::{fs::File, io, path::Path};

use tempfile::{NamedTempFile, PersistError};

/// Gives a file its name, unless there is something of that name.
pub fn put_new(part: NamedTempFile, path: &Path) -> Result<(), PersistError> {
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
        // Looking first leaves an instant for somebody else's file of that name.
        if has_neither && path.symlink_metadata().is_err() { failed.file.persist(path).map(drop) } else { Err(failed) }
    })
}

/// Makes the names in a folder last. Where folders cannot be synced, the system does without.
///
/// # Errors
///
/// If the disk fails, and not if there is no such thing.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened as a file.
    if cfg!(unix) { File::open(folder).and_then(|folder| folder.sync_all()).or_else(unless_it_cannot) } else { Ok(()) }
}

fn unless_it_cannot(error: io::Error) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    // A folder may be written and not read.
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
    fn a_file_system_that_has_no_step_for_it_gets_the_file_all_the_same() {
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
    fn what_is_there_stays_and_a_full_disk_is_told() {
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
    fn a_folder_that_cannot_be_synced_is_no_failure_and_a_disk_that_fails_is_one() {
        let folder = tempfile::tempdir().unwrap();
        sync_folder(folder.path()).unwrap();
        for kind in [io::ErrorKind::Unsupported, io::ErrorKind::InvalidInput, io::ErrorKind::PermissionDenied] {
            unless_it_cannot(kind.into()).unwrap();
        }
        assert!(unless_it_cannot(io::ErrorKind::Other.into()).is_err());
        #[cfg(unix)]
        assert!(sync_folder(&folder.path().join("nowhere")).is_err());
    }
}
