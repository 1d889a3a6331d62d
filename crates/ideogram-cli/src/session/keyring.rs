//! The keyring of the desktop, which can store the API key.
//!
//! On macOS and Windows it is called directly, elsewhere through `secret-tool` of libsecret, which supports the keyrings
//! of GNOME and KDE. The key is never an argument of a program.

use std::fmt;

/// The service name of the entries in the keyring.
const SERVICE: &str = "ideogram";

/// Why the keyring cannot be used.
#[derive(Debug)]
pub(crate) enum NoKeyring {
    /// This machine does not have one.
    #[cfg_attr(any(target_os = "macos", windows), expect(dead_code, reason = "these systems always have one"))]
    Missing(String),
    /// An operation failed.
    Failed(String),
}

impl fmt::Display for NoKeyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Missing(text) | Self::Failed(text)) = self;
        formatter.write_str(text)
    }
}

impl std::error::Error for NoKeyring {}

pub(crate) use platform::{delete, get, set};

#[cfg(any(target_os = "macos", windows))]
mod platform {
    use keyring::{Entry, Error};

    use super::{NoKeyring, SERVICE};

    /// The key of a profile, if the keyring has one.
    pub(crate) async fn get(profile: &str) -> Result<Option<String>, NoKeyring> {
        none_if_missing(in_keyring(profile, |entry| entry.get_password()).await)
    }

    /// Stores the key of a profile.
    pub(crate) async fn set(profile: &str, key: &str) -> Result<(), NoKeyring> {
        let key = key.to_owned();
        in_keyring(profile, move |entry| entry.set_password(&key)).await.map_err(failed)
    }

    /// Removes the key of a profile; returns whether there was one.
    pub(crate) async fn delete(profile: &str) -> Result<bool, NoKeyring> {
        Ok(none_if_missing(in_keyring(profile, |entry| entry.delete_credential()).await)?.is_some())
    }

    /// The platform may ask the user meanwhile, and Ctrl-C must work.
    async fn in_keyring<T: Send + 'static>(
        profile: &str,
        work: impl FnOnce(Entry) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let profile = profile.to_owned();
        let result = tokio::task::spawn_blocking(move || work(Entry::new(SERVICE, &profile)?)).await;
        result.unwrap_or_else(|error| Err(Error::PlatformFailure(Box::new(error))))
    }

    fn none_if_missing<T>(result: Result<T, Error>) -> Result<Option<T>, NoKeyring> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn failed(error: Error) -> NoKeyring {
        NoKeyring::Failed(error.to_string())
    }
}

#[cfg(not(any(target_os = "macos", windows)))]
mod platform {
    use std::{
        io,
        process::{Output, Stdio},
    };

    use tokio::{io::AsyncWriteExt as _, process::Command};

    use super::{NoKeyring, SERVICE};

    const PROGRAM: &str = "secret-tool";

    /// The key of a profile, if the keyring has one.
    pub(crate) async fn get(profile: &str) -> Result<Option<String>, NoKeyring> {
        let output = run(&["lookup"], profile, None).await?;
        // Exit code 1 without a message: there is no such entry.
        if !output.status.success() && output.stderr.is_empty() {
            return Ok(None);
        }
        let key = String::from_utf8(succeeded(output)?.stdout)
            .map_err(|_| NoKeyring::Failed("the content of the keyring is not text".to_owned()))?;
        Ok(Some(key).filter(|key| !key.trim().is_empty()))
    }

    /// Stores the key of a profile.
    pub(crate) async fn set(profile: &str, key: &str) -> Result<(), NoKeyring> {
        let label = format!("--label=Ideogram API key ({profile})");
        succeeded(run(&["store", &label], profile, Some(key)).await?).map(drop)
    }

    /// Removes the key of a profile; returns whether there was one.
    pub(crate) async fn delete(profile: &str) -> Result<bool, NoKeyring> {
        let existed = get(profile).await?.is_some();
        if existed {
            succeeded(run(&["clear"], profile, None).await?)?;
        }
        Ok(existed)
    }

    async fn run(arguments: &[&str], profile: &str, input: Option<&str>) -> Result<Output, NoKeyring> {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .args(["service", SERVICE, "profile", profile])
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                NoKeyring::Missing(format!("{PROGRAM} is not installed (package libsecret-tools or libsecret)"))
            }
            _ => cannot_run(&error),
        })?;
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            stdin.write_all(input.as_bytes()).await.map_err(|error| cannot_run(&error))?;
        }
        child.wait_with_output().await.map_err(|error| cannot_run(&error))
    }

    fn succeeded(output: Output) -> Result<Output, NoKeyring> {
        if output.status.success() {
            return Ok(output);
        }
        let reason = String::from_utf8_lossy(&output.stderr);
        let reason = reason.trim().trim_start_matches("secret-tool: ");
        Err(NoKeyring::Failed(if reason.is_empty() { format!("{PROGRAM} failed") } else { reason.to_owned() }))
    }

    fn cannot_run(error: &io::Error) -> NoKeyring {
        NoKeyring::Failed(format!("{PROGRAM} cannot be run: {error}"))
    }
}
