//! `ideogram auth`.

mod login;
mod logout;
mod status;

use clap::Subcommand;

use crate::{failure::Failure, session::connection::Globals};

/// The subcommands.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
The key is looked for in this order:
  1. the file that --api-key-file names
  2. the environment variable IDEOGRAM_API_KEY
  3. the profile: its `api_key` or `api_key_file` in the configuration file, or what
     `ideogram auth login --insecure-storage` has stored for it
  4. the keyring, where `ideogram auth login` stores it

The configuration file is ~/.config/ideogram/config.toml (XDG_CONFIG_HOME is respected; on Windows
%APPDATA%\\ideogram\\config.toml), or what IDEOGRAM_CONFIG names. All of it may be left out:
  profile = \"work\"                          # used without --profile and IDEOGRAM_PROFILE

  [profiles.work]
  base_url = \"https://api.ideogram.ai\"      # --base-url and IDEOGRAM_BASE_URL take precedence
  api_key_file = \"work.key\"                 # relative to the configuration file
  output = \"json\"                           # --output takes precedence
  out = \"images\"                            # where images are saved; --out takes precedence
  ask_above_usd = \"0.50\"                    # ask before a call or a batch that costs more

  [profiles.default]                        # used if no other profile is named")]
pub(crate) enum Command {
    Login(login::Login),
    Status(status::Status),
    Logout(logout::Logout),
}

impl Command {
    pub(super) async fn run(&self, globals: Globals<'_>) -> Result<(), Failure> {
        if globals.options.mock {
            return Err(Failure::usage("--mock cannot be used here: the mock server has its own key"));
        }
        match self {
            Self::Login(login) => login.run(globals).await,
            Self::Status(status) => status.run(globals).await,
            Self::Logout(logout) => logout.run(globals).await,
        }
    }
}
