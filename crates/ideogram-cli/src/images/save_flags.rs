//! Where images go, and what is done with them there.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    time::SystemTime,
};

use clap::{
    Args, ValueEnum,
    builder::{PathBufValueParser, TypedValueParser},
};
use ideogram_client::{Timestamp, internal, save::IfExists};

use super::{preview, ready};
use crate::{failure::Failure, session::config::Profile};

/// Responses of paid calls, as they came, in the folder of their images.
pub(crate) const RESPONSES: &str = ".ideogram-responses";

/// Where images go.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Saving")]
pub(crate) struct SaveFlags {
    /// The folder for the images [default: `out` of the profile, or ideogram-YYYY-MM-DD, the day in UTC]
    ///
    /// No file is overwritten. Each image gets a sidecar, a JSON file with its operation, request, seed and prompt, and
    /// the response is stored in `.ideogram-responses` before it is decoded.
    #[arg(long, short, value_name = "DIR", value_parser = out_folder())]
    pub(crate) out: Option<PathBuf>,

    /// The name of the files, without extension; several are numbered [default: time, number, part of the link]
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) name: Option<String>,

    /// Show images in the terminal, as kitty and iTerm2 can: auto, always, never
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, hide_short_help = true, hide_possible_values = true)]
    pub(crate) preview: preview::When,

    /// Open the first image, or all, with the program of this machine: first, all [default: first]
    #[arg(
        long,
        value_name = "WHICH",
        hide_short_help = true,
        hide_possible_values = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "first"
    )]
    pub(crate) open: Option<Open>,
}

/// Which images to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Open {
    /// The first that was saved
    First,
    /// Each of them
    All,
}

impl SaveFlags {
    /// What becomes of an image that exists when images are saved again: with `--name`, another image may have its name.
    pub(crate) fn if_exists(&self) -> IfExists {
        if self.name.is_some() { IfExists::Number } else { IfExists::Skip }
    }

    /// The folder that was requested, that of the profile, or that of today.
    pub(crate) fn folder(&self, profile: &Profile) -> PathBuf {
        self.out.clone().or_else(|| profile.out.clone()).unwrap_or_else(folder_of_today)
    }
}

/// `ideogram-2026-06-30`.
fn folder_of_today() -> PathBuf {
    let now = Timestamp::from(SystemTime::now()).to_string();
    PathBuf::from(format!("ideogram-{}", now.get(..10).unwrap_or("images")))
}

/// Makes the folders, and makes sure that images and their responses can be written: before a call is paid for.
pub(crate) async fn make_ready(folder: &Path, saving: &SaveFlags) -> Result<(), Failure> {
    ready::check_folder(folder).await?;
    ready::check_folder(folder.join(RESPONSES)).await?;
    ready::check_stems(folder, vec![saving.name.clone().unwrap_or_else(|| ready::NAME_OF_OURS.to_owned())]).await
}

/// Reads `--out`: it is refused where people mean what it is in other programs.
pub(crate) fn out_folder() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(check_out)
}

fn check_out(folder: PathBuf) -> Result<PathBuf, String> {
    if folder.as_os_str() == "-" {
        return Err("images go into a folder, not to standard output: their paths are printed there; \
                    ./- is a folder of that name"
            .to_owned());
    }
    let extension = folder.extension().and_then(OsStr::to_str);
    if extension.is_some_and(internal::is_image_extension) && !folder.is_dir() {
        let stem = folder.file_stem().unwrap_or_default().display();
        return Err(format!("it names a folder, not a file: a file is named by --name {stem}"));
    }
    Ok(folder)
}

fn name(text: &str) -> Result<String, String> {
    // The extension is that of the image.
    let stem = match text.rsplit_once('.') {
        Some((stem, extension)) if internal::is_image_extension(extension) => stem,
        _ => text,
    };
    internal::check_stem(stem).map_err(str::to_owned)?;
    Ok(stem.to_owned())
}
