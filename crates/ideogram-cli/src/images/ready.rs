//! Checks that images can be written, before a call is billed.
//!
//! [`check_folder`] creates a folder and checks permissions, the maximum file size and the free space. [`check_stems`]
//! checks the names of the images. Both are called before the first billed call.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use ideogram_client::internal;

use crate::{failure::Failure, output::units};

/// The size of a large image: the minimum free space and file size limit.
const MIN_BYTES: u64 = 16 * 1024 * 1024;
/// The minimum free space for a stored response.
const MIN_RESPONSE_BYTES: u64 = 1024 * 1024;

/// The longest default name of an image: time, number, and a part of the link.
pub(crate) const NAME_OF_OURS: &str = "20260702T090713Z-1-LavTZAE4";

/// Creates a folder if necessary, and checks that an image can be written into it.
///
/// # Errors
///
/// The failure says that nothing was sent.
pub(crate) async fn check_folder(folder: impl Into<PathBuf>) -> Result<(), Failure> {
    let folder = folder.into();
    let tried = folder.clone();
    blocking(move || try_folder(&tried, MIN_BYTES)).await.map_err(|error| cannot_save(&folder, &error))
}

/// Creates the folder for stored responses if necessary, and checks that one can be written into it.
///
/// # Errors
///
/// The failure says that nothing was sent.
pub(crate) async fn check_responses_folder(folder: PathBuf) -> Result<(), Failure> {
    let path = folder.display().to_string();
    blocking(move || try_folder(&folder, MIN_RESPONSE_BYTES)).await.map_err(|error| {
        Failure::local_io(format!("responses cannot be stored in \"{path}\""))
            .because(&error)
            .hint("nothing was sent; choose another state folder with the environment variable XDG_STATE_HOME")
    })
}

/// Checks that files in an existing folder can have these names, with the longest suffix that saving adds.
///
/// # Errors
///
/// The failure has the first refused name, and says that nothing was sent.
pub(crate) async fn check_stems(folder: &Path, stems: Vec<String>) -> Result<(), Failure> {
    let into = folder.to_owned();
    let tried = blocking(move || {
        // In a folder of its own, so that files of the user do not interfere, and a kill leaves one hidden folder.
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
        Err(error) => Err(cannot_save(folder, &error)),
    }
}

fn cannot_save(folder: &Path, error: &io::Error) -> Failure {
    Failure::local_io(format!("images cannot be saved in \"{}\"", folder.display()))
        .because(error)
        .hint("nothing was sent; choose another folder with --out")
}

fn try_folder(folder: &Path, min_bytes: u64) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut probe = tempfile::tempfile_in(folder)?;
    // A sparse file takes no space, and hits the file size limit as writing would.
    probe.set_len(min_bytes).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => {
            let limit = units::size(min_bytes);
            let message = format!("the file size limit is below {limit}, which an image may need (see `ulimit -f`)");
            io::Error::new(error.kind(), message)
        }
        _ => error,
    })?;
    probe.set_len(0)?;
    probe.write_all(b"?")?;
    probe.sync_all()?;
    // Some file systems do not report their size.
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

/// Runs blocking work: a network drive may be slow, and Ctrl-C must work meanwhile.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_are_checked_with_their_longest_suffix() {
        let folder = tempfile::tempdir().unwrap();
        let suffix = internal::MAX_SUFFIX.len();
        // Characters of every length in UTF-8.
        for letter in ["n", "\u{e9}", "\u{706f}", "\u{20000}"] {
            for bytes in 200..=260 {
                let stem = letter.repeat(bytes / letter.len());
                let written = stem.len() + suffix;

                let checked = check_stems(folder.path(), vec![NAME_OF_OURS.to_owned(), stem.clone()]).await;

                // Exactly the names that can be written are accepted: Linux counts bytes, other systems characters.
                let path = folder.path().join(format!("{stem}{}", internal::MAX_SUFFIX));
                assert_eq!(checked.is_ok(), File::create(&path).is_ok(), "{letter} {bytes}");
                if cfg!(target_os = "linux") {
                    assert_eq!(checked.is_ok(), written <= 255, "{letter} {bytes}");
                }
                let _ = fs::remove_file(path);
            }
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    }

    #[tokio::test]
    async fn a_refused_name_is_in_the_failure() {
        let folder = tempfile::tempdir().unwrap();

        let failure = check_stems(folder.path(), vec!["a".to_owned(), "b/c".to_owned()]).await.unwrap_err();

        assert!(failure.what().contains("`b/c`"), "{}", failure.what());
        assert!(failure.hints()[0].starts_with("nothing was sent"), "{:?}", failure.hints());
    }

    #[tokio::test]
    async fn a_folder_is_created_and_left_empty_and_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (made, taken) = (folder.path().join("a/b"), folder.path().join("taken"));
        fs::write(&taken, "").unwrap();

        check_folder(&made).await.unwrap();

        assert_eq!(fs::read_dir(made).unwrap().count(), 0);
        assert!(check_folder(taken.join("x")).await.is_err() && check_folder(taken).await.is_err());
    }
}
