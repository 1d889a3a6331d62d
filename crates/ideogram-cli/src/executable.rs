//! The file of this command, for processes that it starts of itself.

use std::{env, io, path::PathBuf};

/// Returns a path that starts this command again.
pub(crate) fn path() -> io::Result<PathBuf> {
    // The file may be replaced while the command runs.
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { env::current_exe() }
}
