//! Work on the disk, away from the threads of the runtime.

use std::{fs, io, path::PathBuf};

use crate::failure::Failure;

/// Runs blocking work, to its end even if the caller is dropped.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Failure::internal("work on the disk broke off").because(&error)))
}

/// Returns the names of stored responses, or of their folders; none if `folder` does not exist.
pub(super) async fn names_in(folder: PathBuf) -> Result<Vec<String>, Failure> {
    blocking(move || {
        let entries = match fs::read_dir(&folder) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            entries => entries,
        };
        let name =
            |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name().to_string_lossy().into_owned());
        entries.and_then(|entries| entries.map(name).collect()).map_err(|error: io::Error| {
            Failure::local_io(format!("cannot read the stored responses in \"{}\"", folder.display()))
                .because(&error)
                .hint("nothing was sent; choose another folder with --out")
        })
    })
    .await
}
