//! This command: its file, for processes that it starts of itself, and its command line, for hints.

use std::{env, ffi::OsString, io, path::PathBuf};

use crate::output::printable::shell_word;

/// The first argument of the worker of a batch; the second is the id of the process that supervises it.
pub(crate) const WORKER_ARGUMENT: &str = "--work-for-process";

/// Returns a path that starts this command again.
pub(crate) fn path() -> io::Result<PathBuf> {
    // The file may be replaced while the command runs.
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { env::current_exe() }
}

/// Removes the arguments of a worker, and returns the id of its supervisor; `None` for the command that a user started.
pub(crate) fn take_supervisor(words: &mut Vec<OsString>) -> Option<u32> {
    if words.get(1).is_none_or(|word| word != WORKER_ARGUMENT) {
        return None;
    }
    let supervisor = words.get(2).and_then(|word| word.to_str()).and_then(|word| word.parse().ok())?;
    words.drain(1..3);
    Some(supervisor)
}

/// The command line as the user typed it, to be pasted into a shell.
pub(crate) fn command_line() -> String {
    line(&words())
}

/// The same with an option that stands before the command.
pub(crate) fn command_line_beginning_with(option: &str) -> String {
    let mut words = words();
    words.insert(1, option.into());
    line(&words)
}

/// The same with options in place of those of the same name.
pub(crate) fn command_line_with(options: &str) -> String {
    let mut words = words();
    for name in options.split(' ').filter(|word| word.starts_with("--")) {
        if let Some(at) = words.iter().position(|word| word == name) {
            let has_value =
                options.split(' ').skip_while(|word| *word != name).nth(1).is_some_and(|it| !it.starts_with("--"));
            words.drain(at..at + 1 + usize::from(has_value && at + 1 < words.len()));
        }
    }
    words.extend(options.split(' ').map(OsString::from));
    line(&words)
}

/// The same with more words at its end.
pub(crate) fn command_line_adding(more: &[&str]) -> String {
    line(&words().into_iter().chain(more.iter().map(OsString::from)).collect::<Vec<_>>())
}

/// The same with an option in place of another: both `--name`, or `--name=value`; the new one may have a value.
pub(crate) fn command_line_replacing(option: &str, other: &str) -> String {
    let name = option.split('=').next().unwrap_or(option);
    let replaced = words().into_iter().flat_map(|word| match word.to_str().and_then(|word| word.strip_prefix(name)) {
        Some("") => format!("--{other}").split(' ').map(OsString::from).collect(),
        Some(value) if value.starts_with('=') => vec![format!("--{other}{value}").into()],
        _ => vec![word],
    });
    line(&replaced.collect::<Vec<_>>())
}

fn words() -> Vec<OsString> {
    let mut words = env::args_os().collect();
    take_supervisor(&mut words);
    words
}

fn line(words: &[OsString]) -> String {
    let arguments = words.iter().skip(1).map(|word| word.to_string_lossy());
    let arguments = arguments.map(|word| shell_word(&word).into_owned());
    std::iter::once("ideogram".to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_a_worker_are_removed() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (given, supervisor, left) in [
            ("ideogram --work-for-process 7 batch rows.csv", Some(7), "ideogram batch rows.csv"),
            ("ideogram batch rows.csv", None, "ideogram batch rows.csv"),
            // Refused as an unknown argument.
            ("ideogram --work-for-process x batch", None, "ideogram --work-for-process x batch"),
            ("ideogram --work-for-process", None, "ideogram --work-for-process"),
        ] {
            let mut words_left = words(given);
            assert_eq!((take_supervisor(&mut words_left), words_left), (supervisor, words(left)), "{given}");
        }
    }
}
