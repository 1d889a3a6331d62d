//! The configuration file: profiles, each with an address, a key and preferences.
//!
//! One file, in the place that the platform has for it ([`Config::find`]). It is written by people and only read here;
//! keys that `ideogram auth login` stores in a file lie beside it ([`Config::stored_key`]).

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy as _;
use serde::Deserialize;

use crate::{
    failure::Failure,
    options::Format,
    session::environment,
    text_input::{self, Unreadable},
};

const CONFIG_VARIABLE: &str = "IDEOGRAM_CONFIG";
const PROFILE_VARIABLE: &str = "IDEOGRAM_PROFILE";
/// Far above any configuration, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;
/// The profile that is there without any configuration.
const DEFAULT_PROFILE: &str = "default";

/// The configuration file, and the profile that is used of it.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where it is, or would be; `None` if this account has no home.
    path: Option<PathBuf>,
    name: String,
    /// Whether `--profile` names it.
    was_requested: bool,
    profile: Profile,
}

/// What a profile sets.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) base_url: Option<String>,
    /// The key itself. Whoever can read the file has it.
    pub(crate) api_key: Option<Secret>,
    /// A file that holds the key; a relative path begins at the configuration file.
    pub(crate) api_key_file: Option<PathBuf>,
    pub(crate) output: Option<Format>,
    /// Where images are saved; a relative path begins at the working folder.
    pub(crate) out: Option<PathBuf>,
}

/// A text that is not shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The profile to use when none is requested.
    profile: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

impl Config {
    /// Reads the file, if there is one, and takes the profile that is requested.
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

    /// Where the file is unless `IDEOGRAM_CONFIG` says otherwise: `~/.config/ideogram/config.toml`, or what
    /// `XDG_CONFIG_HOME` says instead of `~/.config`; `%APPDATA%\ideogram\config.toml` on Windows.
    fn find() -> Option<PathBuf> {
        let places = etcetera::choose_base_strategy().ok()?;
        Some(places.config_dir().join("ideogram").join("config.toml"))
    }

    /// Where it is, or would be.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The name of the profile that is used.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether `--profile` names the profile.
    pub(crate) fn was_requested(&self) -> bool {
        self.was_requested
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The file that holds the key of the profile, by its own word.
    pub(crate) fn key_file(&self) -> Option<PathBuf> {
        let file = self.profile.api_key_file.as_ref()?;
        Some(self.path.as_ref().and_then(|path| path.parent()).map_or_else(|| file.clone(), |folder| folder.join(file)))
    }

    /// The file in which `ideogram auth login --insecure-storage` keeps the key of the profile.
    pub(crate) fn stored_key(&self) -> Option<PathBuf> {
        // A name that is no file name is in no file of ours.
        let is_plain = self.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let folder = self.path.as_ref()?.parent()?;
        (is_plain && !self.name.is_empty()).then(|| folder.join("keys").join(&self.name))
    }
}

/// Where responses of paid calls are kept when nothing else says where; `None` if this account has no home.
pub(crate) fn responses_folder() -> Option<PathBuf> {
    Some(state_folder()?.join("responses"))
}

/// Where what outlives a command is kept; `None` if this account has no home.
pub(crate) fn state_folder() -> Option<PathBuf> {
    let places = etcetera::choose_base_strategy().ok()?;
    // Windows has no place for state, and keeps it with data.
    let state = places.state_dir().unwrap_or_else(|| places.data_dir());
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
        // Only message and line: the text beside them may hold a key.
        let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count().max(1));
        let place = line.map(|line| format!(", line {line}")).unwrap_or_default();
        Failure::usage(format!("the configuration file is refused: \"{}\"{place}", path.display()))
            .cause(error.message())
            .hint("`ideogram auth --help` shows what it may hold")
    })
}

fn unknown(name: &str, origin: &str, file: &File, path: Option<&Path>) -> Failure {
    let mut names: Vec<&str> = file.profiles.keys().map(String::as_str).collect();
    if !names.contains(&DEFAULT_PROFILE) {
        names.push(DEFAULT_PROFILE);
    }
    let failure = Failure::usage(format!("there is no profile \"{name}\", which {origin} names"))
        .cause(format!("there are: {}", names.join(", ")));
    match path {
        Some(path) => failure.hint(format!("a new one begins with [profiles.{name}] in \"{}\"", path.display())),
        None => failure,
    }
}
