//! `ideogram auth status`.

use clap::Args;
use serde_json::{Value, json};

use crate::{
    exit::Exit,
    failure::Failure,
    output::layout::{ABSENT, Layout},
    session::connection::{self, Globals},
    session::context::Context,
    session::key,
};

/// Show which API key is used, and where it comes from
///
/// The key itself is never shown, not even a part. Nothing is sent without --check.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram auth status
  ideogram auth status --check
  ideogram auth status --jq .source")]
pub(crate) struct Status {
    /// Check the key with a free call
    #[arg(long)]
    check: bool,
}

impl Status {
    pub(super) async fn run(&self, globals: Globals<'_>) -> Result<(), Failure> {
        if !self.check && globals.options.dry_run {
            return Err(Failure::usage("--dry-run needs --check: without it nothing is sent"));
        }
        let found =
            key::find(globals.options.api_key_file.as_deref(), globals.config, globals.output.messages()).await?;
        let base_url = connection::base_url(globals)?;
        let (base_url, base_url_from) = match &base_url {
            Some((url, from)) => (url.as_str(), *from),
            None => (ideogram_client::operations::SERVER_URL, "default"),
        };
        let config = globals.config.path.as_ref().filter(|path| path.exists()).map(|path| path.display().to_string());

        let mut taken = Value::Null;
        if let (true, Some(found)) = (self.check, &found) {
            let context = Context::with_client(globals, connection::client(globals, Some(&found.key.0))?);
            let action = &format!("cannot check the key in {}", found.source);
            if !context.check_key(action).await? {
                return Ok(());
            }
            taken = json!(true);
        }

        let mut status = json!({
            "source": null,
            "profile": globals.config.name,
            "base_url": base_url,
            "base_url_from": base_url_from,
            "config": config,
            "out": globals.config.profile.out,
            "taken": taken,
        });
        if let (Value::Object(status), Value::Object(source)) =
            (&mut status, json!(found.as_ref().map(|found| &found.source)))
        {
            status.extend(source);
        }
        let key = found.as_ref().map_or_else(|| "none".to_owned(), |found| format!("in {}", found.source));
        let layout = Layout::new()
            .field("Key", key)
            .field("Valid", if taken.is_null() { "unknown: use --check" } else { "yes" })
            .field("Profile", &globals.config.name)
            .field("Address", format!("{base_url} ({base_url_from})"))
            .field("Configuration", config.unwrap_or_else(|| ABSENT.to_owned()));
        let layout = match &globals.config.profile.out {
            Some(folder) => layout.field("Images", folder.display().to_string()),
            None => layout,
        };
        globals.output.result(&status, &layout)?;
        match found {
            Some(_) => Ok(()),
            None => Err(Failure::new(Exit::Authentication, "no API key").hint("to store one: ideogram auth login")),
        }
    }
}
