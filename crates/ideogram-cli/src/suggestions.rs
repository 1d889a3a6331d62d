//! Hints for arguments that the parser refuses. Its own go by spelling alone, and lead from `--n` to `--name`.

use std::ffi::OsString;

use clap::{
    Command,
    builder::StyledStr,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{executable, output::printable::shell_word};

/// How users of other tools call an option, and how it is called here: with the same value, or with this one.
const OPTIONS: &[(&str, &str)] = &[
    ("count", "num-images"),
    ("number", "num-images"),
    ("dimensions", "size"),
    ("negative", "negative-prompt"),
    ("json", "output json"),
    ("format", "output"),
];

/// How users look for a command, and what they look for.
const COMMANDS: &[(&[&str], &str)] = &[
    (
        &[
            "cost", "costs", "price", "prices", "pricing", "billing", "balance", "account", "credits", "history",
            "spent",
        ],
        "`ideogram usage` shows what was spent; --quote prints the price of a command before it is paid",
    ),
    (&["create", "draw", "make", "image", "images", "imagine"], "`ideogram generate \"A PROMPT\"` makes images"),
    (&["extend", "outpaint", "expand", "uncrop", "resize"], "`ideogram reframe` extends an image to another size"),
    (&["whoami"], "`ideogram auth status` shows which key is used"),
    (
        &["sizes", "styles", "presets", "ratios"],
        "`ideogram generate x --model v3 --style-preset list` shows the styles, and --size list, --resolution list and --aspect-ratio list the sizes",
    ),
];

/// How many typing mistakes a suggestion corrects.
const MAX_MISTAKES: usize = 2;

/// The same error, with hints that go by meaning.
pub(crate) fn improve(mut error: clap::Error, root: impl FnOnce() -> Command, words: &[OsString]) -> clap::Error {
    let text = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let tips = match error.kind() {
        ErrorKind::UnknownArgument => {
            let Some(unknown) = text(&error, ContextKind::InvalidArg) else { return error };
            let mut command = root();
            command.build();
            let (command, at) = called(&command, words);
            error.remove(ContextKind::SuggestedArg);
            let mut command = command.clone();
            error.insert(ContextKind::Usage, ContextValue::StyledStr(command.render_usage()));
            match unknown.strip_prefix("--") {
                Some(name) => option(&command, name)
                    .map(|option| format!("use --{option}: {}", executable::command_line_replacing(&unknown, &option))),
                None if unknown.starts_with('-') => None,
                None => quoted_prompt(&command, words, at),
            }
        }
        ErrorKind::InvalidSubcommand => {
            let Some(unknown) = text(&error, ContextKind::InvalidSubcommand) else { return error };
            let meant = COMMANDS.iter().find(|(names, _)| names.contains(&unknown.to_lowercase().as_str()));
            let meant = meant.map(|(_, tip)| (*tip).to_owned()).or_else(|| nested(&root(), &unknown));
            if meant.is_some() {
                error.remove(ContextKind::SuggestedSubcommand);
            }
            meant
        }
        _ => return error,
    };
    match tips {
        Some(tip) => error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)])),
        None if error.kind() == ErrorKind::UnknownArgument => error.remove(ContextKind::Suggested),
        None => None,
    };
    error
}

/// The command that the words call, and the index of its name.
fn called<'a>(root: &'a Command, words: &[OsString]) -> (&'a Command, usize) {
    let (mut command, mut at) = (root, 0);
    for (index, word) in words.iter().enumerate().skip(1) {
        if let Some(next) = command.find_subcommand(word) {
            (command, at) = (next, index);
        }
    }
    (command, at)
}

/// The option that is meant by a name, both without hyphens in front.
fn option(command: &Command, name: &str) -> Option<String> {
    let name = name.split('=').next().unwrap_or_default();
    let options =
        || command.get_arguments().filter(|argument| !argument.is_hide_set() && argument.get_long().is_some());
    let find = |is_meant: &dyn Fn(&str) -> bool| {
        options().filter_map(clap::Arg::get_long).find(|long| is_meant(long)).map(str::to_owned)
    };
    let words = |text: &str| text.split('-').map(str::to_owned).collect::<Vec<_>>();
    let short = options().find(|argument| argument.get_short().is_some_and(|short| name == short.to_string()));
    if let Some(argument) = short {
        return argument.get_long().map(str::to_owned);
    }
    let known = OPTIONS.iter().find(|(other, _)| *other == name).map(|(_, here)| *here);
    known
        .filter(|here| find(&|long| Some(long) == here.split(' ').next()).is_some())
        .map(str::to_owned)
        .or_else(|| find(&|long| words(long).iter().any(|word| word == name)))
        .or_else(|| find(&|long| words(long).iter().all(|word| words(name).contains(word))))
        .or_else(|| find(&|long| strsim::damerau_levenshtein(long, name) <= MAX_MISTAKES.min(name.len() / 3)))
}

/// The words of a prompt in quotes, if the command takes a prompt.
fn quoted_prompt(command: &Command, words: &[OsString], at: usize) -> Option<String> {
    command.get_positionals().find(|argument| ["prompt", "idea"].contains(&argument.get_id().as_str()))?;
    let before = words[1..=at].iter().map(|word| word.to_string_lossy());
    let prompt = words[at + 1..].iter().map(|word| word.to_string_lossy());
    let prompt: Vec<_> = prompt.take_while(|word| !word.starts_with('-')).collect();
    let command = std::iter::once("ideogram".into()).chain(before).collect::<Vec<_>>().join(" ");
    Some(format!("put a prompt of several words in quotes: {command} {}", shell_word(&prompt.join(" "))))
}

/// The subcommand of another command with this name.
fn nested(root: &Command, name: &str) -> Option<String> {
    let has = |parent: &&Command| parent.get_subcommands().any(|command| command.get_name() == name);
    let parents: Vec<&str> = root.get_subcommands().filter(has).map(Command::get_name).collect();
    let commands: Vec<String> = parents.iter().map(|parent| format!("`ideogram {parent} {name}`")).collect();
    (!commands.is_empty()).then(|| format!("there is {}", commands.join(" and ")))
}
