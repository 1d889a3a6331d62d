//! Where pictures go, and what is done with them there.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use clap::Args;
use ideogram_client::Timestamp;

use super::{preview, shown::Open};
use crate::{config::Profile, failure::Failure};

/// Answers of paid calls, as they came, in the folder of their pictures.
pub(crate) const ANSWERS: &str = ".ideogram-answers";

/// Where pictures go.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Saving")]
pub(crate) struct Saving {
    /// The folder for the pictures, made if it is not there [default: `out` of the profile, or ideogram-YYYY-MM-DD with the day in UTC]
    ///
    /// No file is ever replaced. Beside each picture goes a JSON file that says how it was made, and the answer itself
    /// goes into `.ideogram-answers` before anything is done with it.
    #[arg(long, short, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// What the files are called: NAME.png, or NAME-1.png, NAME-2.png, ... [default: time, number and a piece of the link]
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) name: Option<String>,

    /// When to show pictures in the terminal: `auto` does where kitty's or iTerm2's way is understood
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, hide_possible_values = false)]
    pub(crate) preview: preview::When,

    /// Open the first picture, or all, with the program of this machine
    #[arg(long, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "first")]
    pub(crate) open: Option<Open>,
}

impl Saving {
    /// The folder that was asked for, that of the profile, or that of today.
    pub(crate) fn folder(&self, profile: &Profile) -> PathBuf {
        self.out.clone().or_else(|| profile.out.clone()).unwrap_or_else(folder_of_today)
    }
}

/// `ideogram-2026-06-30`.
fn folder_of_today() -> PathBuf {
    let now = Timestamp::from(SystemTime::now()).to_string();
    PathBuf::from(format!("ideogram-{}", now.get(..10).unwrap_or("pictures")))
}

/// Makes the folders, and makes sure that they can be written: before a call is paid for.
pub(crate) async fn make_ready(folder: &Path) -> Result<(), Failure> {
    try_folder(folder.join(ANSWERS)).await.map_err(|error| {
        Failure::local_io(format!("pictures cannot be saved in \"{}\"", folder.display()))
            .because(&error)
            .hint("nothing was sent; --out names another folder")
    })
}

/// Makes a folder, and writes into it.
pub(crate) async fn try_folder(folder: PathBuf) -> io::Result<()> {
    let tried = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&folder)?;
        let mut probe = tempfile::tempfile_in(&folder)?;
        probe.write_all(b"?")?;
        probe.sync_all()
    });
    tried.await.map_err(io::Error::other)?
}

fn name(text: &str) -> Result<String, String> {
    let refused = text.is_empty() || text.starts_with('.') || text.contains(['/', '\\', ':']);
    if refused || text.chars().any(char::is_control) {
        return Err("a name for files has no slash, backslash, colon or dot at its beginning".to_owned());
    }
    Ok(text.to_owned())
}
