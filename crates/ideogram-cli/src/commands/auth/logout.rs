//! `ideogram auth logout`.

use std::io;

use clap::Args;
use serde_json::json;

use crate::{failure::Failure, output::layout::Layout, session::connection::Globals, session::key, session::keyring};

/// Remove the API key that `ideogram auth login` stored
///
/// The key itself stays valid; revoke it at the service if someone else may have it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram auth logout
  ideogram auth logout --profile work")]
pub(crate) struct Logout {}

impl Logout {
    pub(super) async fn run(&self, globals: Globals<'_>) -> Result<(), Failure> {
        globals.options.refuse_those_of_calls_but_profile("ideogram auth logout")?;
        let mut removed = Vec::new();
        if let Some(path) = globals.config.stored_key() {
            match std::fs::remove_file(&path) {
                Ok(()) => removed.push(format!("the file \"{}\"", path.display())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let what = format!("the key was not removed: \"{}\"", path.display());
                    return Err(Failure::local_io(what).because(&error));
                }
            }
        }
        match keyring::delete(&globals.config.name).await {
            Ok(true) => removed.push("the keyring".to_owned()),
            Ok(false) => {}
            // A keyring that fails may still have a key.
            Err(error) => globals.output.note(&format!("the keyring could not be used: {error}")),
        }

        let profile = &globals.config.name;
        let layout = if removed.is_empty() {
            Layout::new().line(format!("no key was stored for the profile \"{profile}\""))
        } else {
            Layout::new()
                .line(format!("the key of the profile \"{profile}\" was removed from {}", removed.join(" and ")))
        };
        globals.output.result(&json!({"profile": profile, "removed_from": removed}), &layout)?;
        if let Some(found) = key::find(None, globals.config, globals.output.messages()).await? {
            globals.output.warning(&format!("there is still a key in {}", found.source));
        }
        Ok(())
    }
}
