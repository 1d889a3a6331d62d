//! Finds the API key: in `--api-key-file`, the environment, the profile, or the keyring, in this order.

use std::{fmt, fs, io, path::Path, time::Duration};

use ideogram_client::{ApiKey, internal};
use serde::Serialize;

use crate::{
    executable,
    exit::Exit,
    failure::{Failure, KEY_PAGE},
    output::messages::Messages,
    session::config::{Config, KeyText},
    session::environment,
    session::keyring::{self, NoKeyring},
    session::question,
    text_input,
};

pub(crate) const KEY_VARIABLE: &str = "IDEOGRAM_API_KEY";
/// The maximum size, far above any key.
pub(crate) const MAX_KEY_FILE_BYTES: u64 = 64 * 1024;

/// How long the keyring may take.
const KEYRING_TIME: Duration = Duration::from_secs(5);
/// The same if the user may have to unlock it.
const KEYRING_TIME_AT_TERMINAL: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct KeyWithSource {
    pub(crate) key: KeyText,
    pub(crate) source: Source,
}

/// The source of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub(crate) enum Source {
    /// The file of `--api-key-file`.
    Flag { path: String },
    /// The variable of the environment.
    Environment,
    /// The configuration file.
    Profile { path: String },
    /// The file of the profile, or the one of `auth login`.
    ProfileFile { path: String },
    /// The keyring.
    Keyring,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag { path } | Self::ProfileFile { path } => write!(formatter, "the file \"{path}\""),
            Self::Environment => write!(formatter, "the environment variable {KEY_VARIABLE}"),
            Self::Profile { path } => write!(formatter, "the configuration file \"{path}\""),
            Self::Keyring => formatter.write_str("the keyring"),
        }
    }
}

/// Finds the key, if there is one. The keyring comes last, and may ask the user.
pub(crate) async fn find(
    flag: Option<&Path>,
    config: &Config,
    messages: &Messages,
) -> Result<Option<KeyWithSource>, Failure> {
    let found = match find_outside_of_keyring(flag, config, messages)? {
        Some(found) => Some(found),
        None => from_keyring(config, messages).await.map(|key| checked(&key, Source::Keyring)).transpose()?,
    };
    if let Some(found) = &found {
        messages.redactor().set(&found.key.0);
    }
    Ok(found)
}

/// The key in the keyring, if there is one. A keyring that fails or does not respond gives a warning.
async fn from_keyring(config: &Config, messages: &Messages) -> Option<String> {
    let stored = keyring::get(&config.name);
    // A user at a terminal may have to unlock it, which takes a while.
    let time = if question::is_possible() { KEYRING_TIME_AT_TERMINAL } else { KEYRING_TIME };
    match tokio::time::timeout(time, stored).await {
        Ok(Ok(key)) => key,
        Ok(Err(NoKeyring::Missing(_))) => None,
        Ok(Err(error)) => {
            messages.warning(&format!("the keyring could not be read: {error}"));
            None
        }
        Err(_) => {
            messages.warning(&format!("the keyring did not respond within {} s: it may be locked", time.as_secs()));
            None
        }
    }
}

/// Finds the key, or fails with how to get one.
pub(crate) async fn require(
    flag: Option<&Path>,
    config: &Config,
    messages: &Messages,
) -> Result<KeyWithSource, Failure> {
    find(flag, config, messages).await?.ok_or_else(|| {
        Failure::new(Exit::Authentication, "no API key")
            .cause(format!(
                "none in --api-key-file, {KEY_VARIABLE}, the profile \"{}\" and the keyring, in this order",
                config.name
            ))
            .hint(format!("how to get a key: {KEY_PAGE}"))
            .hint(format!("then store it: ideogram auth login; or set it: export {KEY_VARIABLE}=..."))
            .hint(format!(
                "to try the command without a key, add --mock: {}",
                executable::command_line_beginning_with("--mock")
            ))
    })
}

fn find_outside_of_keyring(
    flag: Option<&Path>,
    config: &Config,
    messages: &Messages,
) -> Result<Option<KeyWithSource>, Failure> {
    if let Some(path) = flag {
        return from_file(path, Source::Flag { path: path.display().to_string() }, messages).map(Some);
    }
    let profile = &config.profile;
    let file = config.key_file().or_else(|| config.stored_key().filter(|path| path.exists()));
    if let Some(key) = environment::variable(KEY_VARIABLE)? {
        if config.was_requested && (profile.api_key.is_some() || file.is_some()) {
            messages
                .warning(&format!("{KEY_VARIABLE} takes precedence over the key of the profile \"{}\"", config.name));
        }
        return checked(&key, Source::Environment).map(Some);
    }
    if let (Some(key), Some(path)) = (&profile.api_key, &config.path) {
        warn_if_readable(path, messages);
        return checked(&key.0, Source::Profile { path: path.display().to_string() }).map(Some);
    }
    let Some(path) = file else { return Ok(None) };
    from_file(&path, Source::ProfileFile { path: path.display().to_string() }, messages).map(Some)
}

fn from_file(path: &Path, source: Source, messages: &Messages) -> Result<KeyWithSource, Failure> {
    let key = text_input::read_text_file(path, MAX_KEY_FILE_BYTES)
        .map_err(|error| error.failure(&format!("the API key from \"{}\"", path.display())))?;
    warn_if_readable(path, messages);
    checked(&key, source)
}

/// Validates a key here, where its source is known.
fn checked(key: &str, source: Source) -> Result<KeyWithSource, Failure> {
    // `$(cat key)` keeps the byte order mark of the file.
    let key = text_input::without_mark(key).to_owned();
    ApiKey::new(&key).map_err(|error| {
        Failure::new(Exit::Authentication, format!("the key in {source} is not valid"))
            .because(&error)
            .hint(format!("how to get a key: {KEY_PAGE}"))
    })?;
    Ok(KeyWithSource { key: KeyText(key), source })
}

/// Warns about regular files only: no other program can read a pipe.
#[cfg(unix)]
fn warn_if_readable(path: &Path, messages: &Messages) {
    use std::os::unix::fs::PermissionsExt as _;

    let is_readable =
        fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0);
    if is_readable {
        messages.warning(&format!(
            "other users of this machine may read the API key in \"{0}\": run chmod 600 \"{0}\"",
            path.display()
        ));
    }
}

#[cfg(not(unix))]
fn warn_if_readable(_path: &Path, _messages: &Messages) {}

/// Writes a key to a file that only its owner can read.
pub(crate) fn store(path: &Path, key: &str) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut folders = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
    folders.recursive(true).create(folder)?;
    // Renamed only when complete; a new file never has the permissions of an earlier one, and temporary files are
    // readable only by their owner.
    let mut part = tempfile::Builder::new().prefix(".key-").suffix(".part").tempfile_in(folder)?;
    io::Write::write_all(&mut part, format!("{key}\n").as_bytes())?;
    part.as_file().sync_all()?;
    part.persist(path)?;
    internal::sync_folder(folder)
}
