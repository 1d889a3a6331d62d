//! This command: its file, for processes that it starts of itself, and its command line, for hints.

use std::{env, ffi::OsString, io, path::PathBuf};

use crate::output::printable::{printable, shell_word};

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

/// The command line with an option before the command.
pub(crate) fn command_line_beginning_with(option: &str) -> String {
    let mut words = words();
    words.insert(1, option.into());
    line(&words)
}

/// The command line with options in place of those of the same name.
pub(crate) fn command_line_with(options: &str) -> String {
    let (mut words, options): (_, Vec<&str>) = (words(), options.split(' ').collect());
    for (index, name) in options.iter().enumerate().filter(|(_, word)| word.starts_with("--")) {
        let is_with_value = |word: &OsString| word.to_str().is_some_and(|word| word.starts_with(&format!("{name}=")));
        words.retain(|word| !is_with_value(word));
        if let Some(at) = words.iter().position(|word| word == name) {
            let has_value = options.get(index + 1).is_some_and(|next| !next.starts_with("--"));
            words.drain(at..(at + 1 + usize::from(has_value)).min(words.len()));
        }
    }
    with_options(words, &options)
}

/// The command line with more options.
pub(crate) fn command_line_adding(more: &[&str]) -> String {
    with_options(words(), more)
}

/// The command line with an option in place of another, each as `--name`, or `--name=value`. If the new one has a value, it is
/// used.
pub(crate) fn command_line_replacing(option: &str, other: &str) -> String {
    let name = option.split('=').next().unwrap_or(option);
    let other: Vec<OsString> = format!("--{other}").split(' ').map(OsString::from).collect();
    let replaced = words().into_iter().flat_map(|word| match word.to_str().and_then(|word| word.strip_prefix(name)) {
        Some("") => other.clone(),
        Some(value) if value.starts_with('=') && other.len() > 1 => other.clone(),
        Some(value) if value.starts_with('=') => vec![format!("{}{value}", other[0].to_string_lossy()).into()],
        _ => vec![word],
    });
    line(&replaced.collect::<Vec<_>>())
}

/// The command line with other words in place of these; `None` if they do not stand together.
pub(crate) fn command_line_instead_of(old: &[&OsString], new: impl IntoIterator<Item = OsString>) -> Option<String> {
    let mut words = words();
    let at = words.windows(old.len()).position(|window| window.iter().eq(old.iter().copied()))?;
    words.splice(at..at + old.len(), new);
    Some(line(&words))
}

/// The command line with other words from this index on.
pub(crate) fn command_line_from(at: usize, rest: impl IntoIterator<Item = OsString>) -> String {
    line(&words().into_iter().take(at).chain(rest).collect::<Vec<_>>())
}

fn words() -> Vec<OsString> {
    let mut words = env::args_os().collect();
    take_supervisor(&mut words);
    words
}

/// Options stand before `--`.
fn with_options(mut words: Vec<OsString>, options: &[&str]) -> String {
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    words.splice(end..end, options.iter().map(OsString::from));
    line(&words)
}

/// Shown for a command line that must not be printed, or cannot be pasted: with a secret, with standard input, or with
/// letters that a terminal does not show. The command refuses it.
const UNPRINTABLE: &str = "ideogram ...";

fn line(words: &[OsString]) -> String {
    let is_secret = |word: &str| {
        let name = word.split('=').next().unwrap_or_default().to_lowercase();
        name.starts_with('-')
            && name != "--api-key-file"
            && ["key", "token", "secret", "password"].iter().any(|part| name.contains(part))
    };
    let mut line = vec!["ideogram".to_owned()];
    for word in words.iter().skip(1) {
        match word.to_str() {
            Some(word) if word != "-" && !is_secret(word) && printable(word) == word => {
                line.push(shell_word(word).into_owned());
            }
            _ => return UNPRINTABLE.to_owned(),
        }
    }
    line.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_with_a_secret_or_without_a_terminal_is_not_printed() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (typed, printed) in [
            ("ideogram generate fox -n 2", "ideogram generate fox -n 2"),
            ("ideogram generate fox --key sk-123", UNPRINTABLE),
            ("ideogram generate fox --api-token=sk-123", UNPRINTABLE),
            ("ideogram generate fox --api-key-file key.txt", "ideogram generate fox --api-key-file key.txt"),
            ("ideogram batch - --out x", UNPRINTABLE),
            ("ideogram generate a\nb", UNPRINTABLE),
            ("ideogram generate \u{1b}[31m", UNPRINTABLE),
        ] {
            assert_eq!(line(&words(typed)), printed, "{typed:?}");
        }
        assert_eq!(with_options(words("ideogram batch -- x"), &["--yes"]), "ideogram batch --yes -- x");
    }

    #[test]
    fn the_arguments_of_a_worker_are_removed() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (input, supervisor, left) in [
            ("ideogram --work-for-process 7 batch rows.csv", Some(7), "ideogram batch rows.csv"),
            ("ideogram batch rows.csv", None, "ideogram batch rows.csv"),
            // Refused as an unknown argument.
            ("ideogram --work-for-process x batch", None, "ideogram --work-for-process x batch"),
            ("ideogram --work-for-process", None, "ideogram --work-for-process"),
        ] {
            let mut words_left = words(input);
            assert_eq!((take_supervisor(&mut words_left), words_left), (supervisor, words(left)), "{input}");
        }
    }
}
