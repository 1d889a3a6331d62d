//! The library beside its alternatives: `cargo bench -p ideogram-tests`, or with `-- ROW` for one row.
//!
//! Each row runs both sides in turns against one server in this process on loopback, and prints the median ratio with
//! the lowest and the highest one. Instructions are counted by `valgrind` where it is installed: they do not depend on
//! what else runs. Needs Linux, `curl`, and 2 GB of disk in the folder for temporary files.

mod calls;
mod server;
mod transfers;

use std::env;

use anyhow::{Result, bail};
use xtask::{measure::load, say};

/// The number of pairs of each row.
const PAIRS: usize = 7;

/// Measures something and prints it.
type Row = fn() -> Result<()>;

/// The rows, by name.
/// The upload comes first: it prints by how much it raises the peak of this process's memory.
const ROWS: [(&str, Row); 4] = [
    ("upload", transfers::upload),
    ("saving", transfers::saving),
    ("get-dataset", calls::get_dataset),
    ("decoding", calls::decoding),
];

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some((calls::COUNTED, arguments)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return calls::run_counted(arguments);
    }
    for name in &arguments {
        if !ROWS.iter().any(|(row, _)| row == name) {
            bail!("there is no row `{name}`; the rows are {}", ROWS.map(|(row, _)| row).join(", "));
        }
    }
    say(&format!("{PAIRS} pairs; {}", load()?));
    for (name, row) in ROWS {
        if arguments.is_empty() || arguments.iter().any(|wanted| wanted == name) {
            row()?;
        }
    }
    say(&load()?);
    Ok(())
}
