//! `ideogram auth login`.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use clap::Args;
use ideogram_client::ApiKey;
use serde_json::json;

use crate::{
    exit::Exit,
    failure::{Failure, KEY_PAGE},
    output::layout::Layout,
    session::connection::{self, Globals},
    session::context::Context,
    session::environment,
    session::key::{self, KEY_VARIABLE, MAX_KEY_FILE_BYTES},
    session::keyring,
    text_input::{self, Unreadable},
};

/// Store the API key in the keyring
///
/// Asks for the key without showing it, or reads it from standard input if that is not a terminal. The key is checked
/// with a free call, and stored for the profile.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram auth login
  ideogram auth login < key.txt
  ideogram auth login --insecure-storage --profile work    on a machine without a keyring")]
pub(crate) struct Login {
    /// Store the key in a file instead, which only this account can read
    ///
    /// For machines without a keyring. Programs of this account can read it too.
    #[arg(long)]
    insecure_storage: bool,

    /// Store the key without checking it
    #[arg(long)]
    no_check: bool,
}

impl Login {
    pub(super) async fn run(&self, globals: Globals<'_>) -> Result<(), Failure> {
        if globals.options.api_key_file.is_some() {
            let hint = "to store the key of a file: ideogram auth login < PATH";
            return Err(Failure::usage("--api-key-file cannot be used here: this command stores a new key").hint(hint));
        }
        let key = if globals.options.dry_run { "dry-run".to_owned() } else { read().await? };
        globals.output.messages().redactor().set(&key);
        // With --no-check, the service does not check the key.
        ApiKey::new(&key).map_err(|error| {
            let hint = format!("how to get a key: {KEY_PAGE}");
            Failure::new(Exit::Authentication, "this is not a valid key").because(&error).hint(hint)
        })?;
        if !self.no_check {
            let context = Context::with_client(globals, connection::client(globals, Some(&key))?);
            let action = "the key was not stored: it could not be checked";
            if !context.check_key(action).await? {
                return Ok(());
            }
        } else if globals.options.dry_run {
            return Err(Failure::usage("--dry-run cannot be combined with --no-check, which sends nothing"));
        }

        let stored = if self.insecure_storage { in_file(globals, &key)? } else { in_keyring(globals, &key).await? };
        let profile = &globals.config.name;
        let layout = Layout::new().line(format!("the key of the profile \"{profile}\" is in {stored}"));
        globals.output.result(&json!({"profile": profile, "stored_in": stored, "checked": !self.no_check}), &layout)?;
        if environment::variable(KEY_VARIABLE)?.is_some() {
            globals.output.warning(&format!("{KEY_VARIABLE} is set, and takes precedence over the stored key"));
        }
        Ok(())
    }
}

async fn in_keyring(globals: Globals<'_>, key: &str) -> Result<String, Failure> {
    keyring::set(&globals.config.name, key.trim()).await.map_err(|error| {
        Failure::local_io("the key was not stored: the keyring cannot be used")
            .because(&error)
            .hint("to store it in a file that only this account can read, use --insecure-storage")
            .hint(format!("to use it without storing it: export {KEY_VARIABLE}=..., or --api-key-file PATH"))
    })?;
    // A file would take precedence over the keyring.
    if let Some(path) = globals.config.stored_key()
        && let Err(error) = std::fs::remove_file(&path)
        && error.kind() != io::ErrorKind::NotFound
    {
        globals.output.warning(&format!(
            "a key in \"{}\" takes precedence over the keyring, and cannot be removed: {error}",
            path.display()
        ));
    }
    Ok("the keyring".to_owned())
}

fn in_file(globals: Globals<'_>, key: &str) -> Result<String, Failure> {
    let path = globals.config.stored_key().ok_or_else(|| {
        Failure::usage(format!("the key of the profile \"{}\" cannot be stored in a file", globals.config.name))
            .hint("its name must be letters, digits, `-` and `_`, and the account must have a home folder")
    })?;
    key::store(&path, key.trim()).map_err(|error| {
        Failure::local_io(format!("the key was not stored: cannot write \"{}\"", path.display())).because(&error)
    })?;
    Ok(format!("the file \"{}\"", path.display()))
}

/// Reads a key from the terminal, without showing it, or from standard input.
async fn read() -> Result<String, Failure> {
    // Ctrl-C must work meanwhile.
    let read = tokio::task::spawn_blocking(|| {
        if io::stdin().is_terminal() {
            return rpassword::prompt_password("API key (not shown): ").map(String::into_bytes);
        }
        let mut stdin = io::stdin().lock().take(MAX_KEY_FILE_BYTES);
        let mut line = Vec::new();
        stdin.read_until(b'\n', &mut line)?;
        // In UTF-16, this byte may be half of a character.
        if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") {
            stdin.read_to_end(&mut line)?;
        }
        Ok(line)
    });
    let line = read.await.map_err(io::Error::other).and_then(|read| read);
    let line = line.map_err(|error| Failure::local_io("cannot read the key").because(&error))?;
    text_input::decode(&line).map_err(|encoding| Unreadable::Encoding(encoding).failure("the key from standard input"))
}
