//! `ideogram completions`.

use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::Shell;

use crate::{failure::Failure, output::Output};

/// Corrects the script for bash, which offers options where files are wanted, and values only in their case.
const BASH: &[u8] = include_bytes!("completions.bash");

/// Print a script that completes the command in a shell
///
/// Without FILE, prints it. New shells find it in the folders below: bash if the package bash-completion is installed
/// (without it, add to ~/.bashrc: source <(ideogram completions bash)), zsh if ~/.zshrc has the line:
/// fpath+=~/.zfunc; autoload -Uz compinit; compinit
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram completions bash ~/.local/share/bash-completion/completions/ideogram
  ideogram completions zsh ~/.zfunc/_ideogram
  ideogram completions fish ~/.config/fish/completions/ideogram.fish
  ideogram completions powershell >> $PROFILE")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,

    /// The file for the script; its folder is created if it does not exist
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Completions {
    pub(super) fn run(&self, output: &Output, mut tree: clap::Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut tree, "ideogram", &mut script);
        if self.shell == Shell::Bash {
            script.extend(BASH);
        }
        let Some(file) = &self.file else { return output.print(&script) };
        let folder = file.parent().unwrap_or(Path::new(""));
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(file, &script))
            .map_err(|error| Failure::local_io(format!("cannot write \"{}\"", file.display())).because(&error))?;
        output.note(&format!("wrote {}; start another shell to use it", file.display()));
        Ok(())
    }
}
