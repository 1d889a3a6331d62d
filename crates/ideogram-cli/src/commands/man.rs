//! `ideogram man`.

use std::{io, path::PathBuf};

use clap::Args;
use clap_mangen::{
    Man as ManualPage,
    roff::{Roff, bold, roman},
};

use serde_json::{Map, json};

use crate::{exit::Exit, failure::Failure, options, output::Output, output::printable::shell_word, output::units};

/// A script that handles each exit code.
const SCRIPT: &str = include_str!("script.sh");

/// Write the manual as man pages
///
/// Writes one page for the command and one for each subcommand into a folder, and prints their paths. Without a folder,
/// prints the page of the command itself. `man` finds pages in ~/.local/share/man if ~/.local/bin is in PATH; else set
/// MANPATH, as the last message says.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ideogram man | man -l -
  ideogram man ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// The folder for the pages; it is created if it does not exist
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(&self, output: &Output, tree: clap::Command) -> Result<(), Failure> {
        let command = options::brief(tree);
        let Some(folder) = &self.folder else {
            return output.print(&page(command).map_err(|error| cannot_write(&error))?);
        };
        let is_command = command.get_subcommands().any(|it| folder.as_os_str() == it.get_name());
        if is_command && !folder.exists() {
            let name = folder.display();
            return Err(Failure::usage(format!("`{name}` is a command, and this writes all pages into a folder"))
                .hint(format!("to read about the command: ideogram help {name}"))
                .hint(format!("for a folder of this name: ideogram man ./{name}")));
        }
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::local_io(format!("cannot create the folder \"{}\"", folder.display())).because(&error)
        })?;
        let mut pages = Vec::new();
        collect(command, "ideogram".to_owned(), &mut pages).map_err(|error| cannot_write(&error))?;
        let mut written = output.stream("pages");
        for (name, text) in &pages {
            let path = folder.join(format!("{name}.1"));
            std::fs::write(&path, text)
                .map_err(|error| Failure::local_io(format!("cannot write \"{}\"", path.display())).because(&error))?;
            let path = path.display().to_string();
            written.push(&json!({"path": path}), &path)?;
        }
        written.finish(Map::new())?;
        output.note(&format!("wrote {} to {}", units::count(pages.len() as u64, "page"), folder.display()));
        // `man` looks into the folders beside those of PATH.
        let above = std::path::absolute(folder).ok().and_then(|folder| Some(folder.parent()?.to_owned()));
        if let Some(above) = above {
            let path = shell_word(&above.to_string_lossy()).into_owned();
            output.note(&format!("to read them: export MANPATH={path}:$MANPATH; man ideogram"));
        }
        Ok(())
    }
}

/// Collects the pages of a command and its subcommands, with names such as `ideogram-datasets-get`.
fn collect(command: clap::Command, name: String, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        collect(subcommand.clone(), format!("{name}-{}", subcommand.get_name()), pages)?;
    }
    let text = page(command.name(name.clone()))?;
    pages.push((name, text));
    Ok(())
}

fn page(command: clap::Command) -> io::Result<Vec<u8>> {
    let is_root = command.get_name() == "ideogram";
    let mut text = Vec::new();
    ManualPage::new(command).render(&mut text)?;
    let mut more = Roff::new();
    more.control("SH", ["EXIT STATUS"]);
    if is_root {
        for exit in Exit::ALL {
            more.control("TP", []);
            more.text([bold(exit.code().to_string())]);
            more.text([roman(exit.meaning())]);
        }
        more.control("PP", []);
        more.text([roman("A mock server provokes them: see "), bold("ideogram-mock-serve"), roman("(1).")]);
        more.control("SH", ["SCRIPTS"]);
        more.text([roman("Begin a script with this:")]);
        more.control("nf", []);
        for line in SCRIPT.lines() {
            more.text([roman(line)]);
        }
        more.control("fi", []);
    } else {
        more.text([roman("See "), bold("ideogram"), roman("(1).")]);
    }
    more.to_writer(&mut text)?;
    Ok(text)
}

fn cannot_write(error: &io::Error) -> Failure {
    Failure::internal("the manual cannot be written").because(error)
}
