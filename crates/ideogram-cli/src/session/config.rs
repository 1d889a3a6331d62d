//! The configuration file: profiles, each with an address, a key and preferences.
//!
//! One file, in the configuration folder of the platform ([`Config::find`]). The user writes it, and this module only
//! reads it; keys that `ideogram auth login` stores in files are in the same folder ([`Config::stored_key`]).

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy as _;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    failure::Failure,
    options::Format,
    output::units::parse_usd,
    session::environment,
    text_input::{self, Unreadable},
};

const CONFIG_VARIABLE: &str = "IDEOGRAM_CONFIG";
const PROFILE_VARIABLE: &str = "IDEOGRAM_PROFILE";
/// The maximum size, far above any configuration.
const MAX_BYTES: u64 = 1024 * 1024;
/// The profile that exists without a configuration.
const DEFAULT_PROFILE: &str = "default";

/// The configuration file with the selected profile.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file may not exist; `None` if the user has no home folder.
    pub(crate) path: Option<PathBuf>,
    /// The name of the profile.
    pub(crate) name: String,
    /// Whether `--profile` selected the profile.
    pub(crate) was_requested: bool,
    pub(crate) profile: Profile,
}

/// The settings of a profile.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) base_url: Option<String>,
    /// The key itself.
    pub(crate) api_key: Option<KeyText>,
    /// A file with the key, relative to the folder of the configuration file.
    pub(crate) api_key_file: Option<PathBuf>,
    pub(crate) output: Option<Format>,
    /// The folder for images, relative to the working folder.
    pub(crate) out: Option<PathBuf>,
    /// Calls that cost more than this ask first, in millionths of a US dollar.
    #[serde(default, rename = "ask_above_usd", deserialize_with = "usd")]
    pub(crate) ask_above_usd_micros: Option<u64>,
}

/// Reads an amount of US dollars, which is text: `"0.50"`.
fn usd<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_usd(&text).map(Some).map_err(|reason| D::Error::custom(format!("`ask_above_usd` {reason}")))
}

/// A text that `Debug` does not print.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct KeyText(pub(crate) String);

impl std::fmt::Debug for KeyText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("KeyText(..)")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The profile to use if none is selected.
    profile: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

impl Config {
    /// Reads the file, if it exists, and selects the profile.
    pub(crate) fn read(profile: Option<&str>) -> Result<Self, Failure> {
        let (path, must_exist) = match environment::variable(CONFIG_VARIABLE)? {
            Some(path) => (Some(PathBuf::from(path)), true),
            None => (Self::find(), false),
        };
        let mut file = match &path {
            Some(path) => read(path, must_exist)?,
            None => File::default(),
        };

        let was_requested = profile.is_some();
        let requested = match profile {
            Some(name) => Some((name.to_owned(), "--profile")),
            None => environment::variable(PROFILE_VARIABLE)?.map(|name| (name, PROFILE_VARIABLE)),
        };
        let (name, origin) = match (requested, file.profile.take()) {
            (Some(requested), _) => requested,
            (None, Some(name)) => (name, "`profile` of the configuration file"),
            (None, None) => (DEFAULT_PROFILE.to_owned(), ""),
        };
        let profile = match file.profiles.remove(&name) {
            Some(profile) => profile,
            None if name == DEFAULT_PROFILE => Profile::default(),
            None => return Err(unknown(&name, origin, &file, path.as_deref())),
        };
        Ok(Self { path, name, was_requested, profile })
    }

    /// The default path: `~/.config/ideogram/config.toml`, with `XDG_CONFIG_HOME` in place of `~/.config` if it is set;
    /// `%APPDATA%\ideogram\config.toml` on Windows.
    fn find() -> Option<PathBuf> {
        let folders = etcetera::choose_base_strategy().ok()?;
        Some(folders.config_dir().join("ideogram").join("config.toml"))
    }

    pub(crate) fn key_file(&self) -> Option<PathBuf> {
        let file = self.profile.api_key_file.as_ref()?;
        Some(self.path.as_ref().and_then(|path| path.parent()).map_or_else(|| file.clone(), |folder| folder.join(file)))
    }

    /// The file in which `ideogram auth login --insecure-storage` stores the key of the profile.
    pub(crate) fn stored_key(&self) -> Option<PathBuf> {
        // Other profiles cannot be stored in a file.
        let is_plain = self.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let folder = self.path.as_ref()?.parent()?;
        (is_plain && !self.name.is_empty()).then(|| folder.join("keys").join(&self.name))
    }
}

/// The default folder of stored responses; `None` if the user has no home folder.
pub(crate) fn responses_folder() -> Option<PathBuf> {
    Some(state_folder()?.join("responses"))
}

/// The folder for state that outlives a command; `None` if the user has no home folder.
pub(crate) fn state_folder() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    // Windows has no folder for state.
    let state = folders.state_dir().unwrap_or_else(|| folders.data_dir());
    Some(state.join("ideogram"))
}

fn read(path: &Path, must_exist: bool) -> Result<File, Failure> {
    let text = match text_input::read_text_file(path, MAX_BYTES) {
        Ok(text) => text,
        Err(Unreadable::Io(error)) if error.kind() == io::ErrorKind::NotFound && !must_exist => {
            return Ok(File::default());
        }
        Err(error) => {
            let failure = error.failure(&format!("the configuration file \"{}\"", path.display()));
            return Err(if must_exist { failure.hint(format!("{CONFIG_VARIABLE} names it")) } else { failure });
        }
    };
    toml::from_str(&text).map_err(|error| {
        // Only message and line: the rest of the file may contain a key.
        let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
        Failure::usage(format!("the configuration file is invalid: \"{}\"{line}", path.display()))
            .cause(error.message())
            .hint("`ideogram auth --help` describes the file")
    })
}

fn unknown(name: &str, origin: &str, file: &File, path: Option<&Path>) -> Failure {
    let mut names: Vec<&str> = file.profiles.keys().map(String::as_str).collect();
    if !names.contains(&DEFAULT_PROFILE) {
        names.push(DEFAULT_PROFILE);
    }
    let failure = Failure::usage(format!("there is no profile \"{name}\", which {origin} selects"))
        .fact(format!("known profiles: {}", names.join(", ")));
    match path {
        Some(path) => failure.hint(format!("to add it, write [profiles.{name}] into \"{}\"", path.display())),
        None => failure,
    }
}
