//! Whether images can be written: found out before a call is paid for.
//!
//! [`check_folder`] makes a folder and tries it: permissions, the size that a file may have, the space that is left.
//! [`check_stems`] tries the names of the images to come. Whoever pays for images calls both before the first call.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use ideogram_client::internal;

use crate::{failure::Failure, output::units};

/// As large as an image may well be, in bytes: less must not be left, and no lower limit may hold for one file.
const MIN_BYTES: u64 = 16 * 1024 * 1024;
/// Space for a response that is printed and not saved, in bytes.
const MIN_RESPONSE_BYTES: u64 = 1024 * 1024;

/// The longest name that images get when nobody chooses one: time, place, and a piece of the link.
const NAME_OF_OURS: &str = "20260702T090713Z-1-LavTZAE4";

/// Makes a folder, unless it is there, and tries whether an image can be written into it.
///
/// # Errors
///
/// With a failure that says that nothing was sent.
pub(crate) async fn check_folder(folder: impl Into<PathBuf>) -> Result<(), Failure> {
    let folder = folder.into();
    let shown = folder.display().to_string();
    on_disk(move || try_folder(&folder, MIN_BYTES)).await.map_err(|error| {
        Failure::local_io(format!("images cannot be saved in \"{shown}\""))
            .because(&error)
            .hint("nothing was sent; --out names another folder")
    })
}

/// Makes the folder for responses that are printed and not saved, unless it is there, and tries whether one can be
/// written into it.
///
/// # Errors
///
/// With a failure that says that nothing was sent.
pub(crate) async fn check_responses_folder(folder: PathBuf) -> Result<(), Failure> {
    let shown = folder.display().to_string();
    on_disk(move || try_folder(&folder, MIN_RESPONSE_BYTES)).await.map_err(|error| {
        Failure::local_io(format!("the response, which is paid for, cannot be stored in \"{shown}\""))
            .because(&error)
            .hint("nothing was sent; the environment variable XDG_STATE_HOME names another place for such folders")
    })
}

/// Tries whether files can have names that begin like these, in a folder that is there. The longest suffix that saving
/// ever adds is tried with each.
///
/// # Errors
///
/// With a failure that names the first one that is refused, and says that nothing was sent.
pub(crate) async fn check_stems(folder: &Path, stems: Vec<String>) -> Result<(), Failure> {
    let into = folder.to_owned();
    let tried = on_disk(move || {
        // Beside the files of the user, so that no name is taken by theirs, and what a kill leaves is one hidden
        // folder.
        let probes = tempfile::Builder::new().prefix(".ideogram-").suffix(".part").tempdir_in(into)?;
        let refused = stems.into_iter().find_map(|stem| Some((try_stem(probes.path(), &stem).err()?, stem)));
        probes.close().map(|()| refused)
    });
    match tried.await {
        Ok(None) => Ok(()),
        Ok(Some((error, stem))) => {
            let name: String =
                if stem.chars().count() > 40 { stem.chars().take(40).chain("...".chars()).collect() } else { stem };
            let what = format!("files in \"{}\" cannot be named `{name}`", folder.display());
            let is_name = matches!(error.kind(), io::ErrorKind::InvalidFilename | io::ErrorKind::InvalidInput);
            let failure = if is_name { Failure::usage(what) } else { Failure::local_io(what) };
            let suffix = internal::MAX_SUFFIX.len();
            let hint = format!("nothing was sent; up to {suffix} bytes are added to a name: its number and extension");
            Err(failure.because(&error).hint(hint))
        }
        Err(error) => Err(Failure::local_io(format!("images cannot be saved in \"{}\"", folder.display()))
            .because(&error)
            .hint("nothing was sent; --out names another folder")),
    }
}

/// The names that images get when nobody chooses one.
pub(crate) fn name_of_ours() -> String {
    NAME_OF_OURS.to_owned()
}

fn try_folder(folder: &Path, min_bytes: u64) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut probe = tempfile::tempfile_in(folder)?;
    // Takes no space where files may have holes, and finds the limit of the process as writing would.
    probe.set_len(min_bytes).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => {
            let limit = units::size(min_bytes);
            let message = format!("no file may have {limit}, which may be needed (see `ulimit -f`)");
            io::Error::new(error.kind(), message)
        }
        _ => error,
    })?;
    probe.set_len(0)?;
    probe.write_all(b"?")?;
    probe.sync_all()?;
    // Not every file system knows its size.
    if let Ok(space) = fs4::statvfs(folder)
        && space.total_space() > 0
        && space.available_space() < min_bytes
    {
        let (left, needed) = (units::size(space.available_space()), units::size(min_bytes));
        let message = format!("the disk has {left} left, and {needed} may be needed");
        return Err(io::Error::new(io::ErrorKind::StorageFull, message));
    }
    Ok(())
}

fn try_stem(folder: &Path, stem: &str) -> io::Result<()> {
    internal::check_stem(stem).map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
    let path = folder.join(format!("{stem}{}", internal::MAX_SUFFIX));
    File::create(&path)?;
    fs::remove_file(path)
}

/// A network drive may take its time; Ctrl-C is heard meanwhile.
async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_are_tried_with_all_that_is_added_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let suffix = internal::MAX_SUFFIX.len();
        // Of every width that UTF-8 has.
        for letter in ["n", "\u{e9}", "\u{706f}", "\u{20000}"] {
            for bytes in 200..=260 {
                let stem = letter.repeat(bytes / letter.len());
                let written = stem.len() + suffix;

                let checked = check_stems(folder.path(), vec![name_of_ours(), stem.clone()]).await;

                // What is let through can be written, and nothing else is refused: Linux counts bytes, others letters.
                let path = folder.path().join(format!("{stem}{}", internal::MAX_SUFFIX));
                assert_eq!(checked.is_ok(), File::create(&path).is_ok(), "{letter} {bytes}");
                if cfg!(target_os = "linux") {
                    assert_eq!(checked.is_ok(), written <= 255, "{letter} {bytes}");
                }
                let _ = fs::remove_file(path);
            }
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing of it stays");
    }

    #[tokio::test]
    async fn a_refused_name_is_named() {
        let folder = tempfile::tempdir().unwrap();

        let failure = check_stems(folder.path(), vec!["a".to_owned(), "b/c".to_owned()]).await.unwrap_err();

        assert!(failure.what().contains("`b/c`"), "{}", failure.what());
        assert!(failure.hints()[0].starts_with("nothing was sent"), "{:?}", failure.hints());
    }

    #[tokio::test]
    async fn a_folder_is_made_and_left_empty_and_a_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let (made, taken) = (folder.path().join("a/b"), folder.path().join("taken"));
        fs::write(&taken, "").unwrap();

        check_folder(&made).await.unwrap();

        assert_eq!(fs::read_dir(made).unwrap().count(), 0);
        assert!(check_folder(taken.join("x")).await.is_err() && check_folder(taken).await.is_err());
    }
}
