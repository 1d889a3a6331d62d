//! `ideogram completions`.

use clap::Args;
use clap_complete::Shell;

use crate::{failure::Failure, output::Output};

/// Print a script that completes the command in a shell
///
/// Load it from the startup file of the shell, or save it where the shell looks for completions.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram completions bash > ~/.local/share/bash-completion/completions/ideogram
  ideogram completions zsh > ~/.zfunc/_ideogram
  ideogram completions fish > ~/.config/fish/completions/ideogram.fish
  ideogram completions powershell >> $PROFILE")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, output: &Output, mut tree: clap::Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut tree, "ideogram", &mut script);
        output.verbatim(&script)
    }
}
