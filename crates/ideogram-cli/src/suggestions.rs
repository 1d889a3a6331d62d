//! Hints for arguments that the parser refuses. They replace those of
//! clap, which compare only spelling and suggest `--name` for `--n`.

use std::{ffi::OsString, path::Path};

use clap::{
    Command,
    builder::StyledStr,
    error::{ContextKind, ContextValue, ErrorKind},
};

use ideogram_client::{operation::ImageCount, operations};

use crate::{
    commands::values,
    executable,
    images::{legacy_properties, size},
};

/// Names of options in other tools, with the name here; a second word is the value.
const OPTIONS: &[(&str, &str)] = &[
    ("count", "num-images"),
    ("number", "num-images"),
    ("dimensions", "size"),
    ("negative", "negative-prompt"),
    ("json", "output json"),
    ("format", "output"),
    ("output-dir", "out"),
    ("outdir", "out"),
    ("dir", "out"),
    ("folder", "out"),
    ("directory", "out"),
    ("ar", "aspect-ratio"),
    ("scale", "upscale-factor"),
    ("neg", "negative-prompt"),
    ("filename", "name"),
    ("max-price", "max-usd"),
    ("max-cost", "max-usd"),
    ("budget", "max-usd"),
];

/// How users look for a command, and what they look for.
const COMMANDS: &[(&str, &str)] = &[
    (
        "cost costs price prices pricing billing balance account credits history spent quote",
        "`ideogram usage` shows what was spent; --quote prints the price of a command before it is paid",
    ),
    ("create draw make image images img imagine", "`ideogram generate \"A PROMPT\"` makes images"),
    (
        "download fetch",
        "`ideogram save` saves the images of a stored response, `ideogram generations save ID` those of a generation",
    ),
    ("extend outpaint expand uncrop resize", "`ideogram reframe` extends an image to another size"),
    ("version", "`ideogram --version` prints the version"),
    ("completion complete", "`ideogram completions SHELL` prints a script for a shell"),
    ("whoami", "`ideogram auth status` shows which key is used"),
    (
        "sizes styles presets ratios",
        "`ideogram generate x --model v3 --style-preset list` shows the styles; --size, --resolution and --aspect-ratio \
         take `list` as well",
    ),
];

/// Options that pay again, or name a secret: suggested only for a typing mistake.
const CAREFUL: [&str; 7] =
    ["again", "api-key-file", "pay-again", "rerun-unknown", "retry-declined", "send-failed", "send-uncertain"];

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
            let by_name = |name: &str| {
                option(&command, name)
                    .filter(|option| accepts(&command, option, value_of(&unknown, words).as_deref()))
                    .map(|option| format!("use --{option}: {}", executable::command_line_replacing(&unknown, &option)))
            };
            match unknown.strip_prefix("--") {
                Some(name) => {
                    argument(&command, &unknown, words).or_else(|| by_name(name)).or_else(|| column(&command, name))
                }
                None if unknown.starts_with('-') => {
                    argument(&command, &unknown, words).or_else(|| hyphenated_file(words))
                }
                None => mask(&command, words, at)
                    .or_else(|| quoted_prompt(&command, words, at))
                    .or_else(|| one_image(&command, words, at)),
            }
        }
        ErrorKind::InvalidSubcommand => {
            let Some(unknown) = text(&error, ContextKind::InvalidSubcommand) else { return error };
            let meant = COMMANDS.iter().find(|(names, _)| names.split(' ').any(|name| name == unknown.to_lowercase()));
            let meant = meant.map(|(_, tip)| (*tip).to_owned()).or_else(|| nested(&root(), &unknown));
            if meant.is_some() {
                error.remove(ContextKind::SuggestedSubcommand);
            }
            meant
        }
        ErrorKind::InvalidValue
            if text(&error, ContextKind::InvalidArg).is_some_and(|option| option.starts_with("--output ")) =>
        {
            let has_out = |argument: &clap::Arg| argument.get_long() == Some("out");
            let mut command = root();
            command.build();
            let takes_out = called(&command, words).0.get_arguments().any(has_out);
            let line = || executable::command_line_replacing("--output", "out");
            takes_out.then(|| format!("for the folder of the images, use --out: {}", line()))
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
    let (mut command, mut at, mut index) = (root, 0, 1);
    while let Some(word) = words.get(index) {
        let long = word.to_str().and_then(|word| word.strip_prefix("--"));
        let option =
            command.get_arguments().find(|argument| argument.get_long().is_some() && argument.get_long() == long);
        if option.is_some_and(|argument| argument.get_action().takes_values()) {
            index += 1;
        } else if let Some(next) = command.find_subcommand(word) {
            (command, at) = (next, index);
        }
        index += 1;
    }
    (command, at)
}

/// The option that is meant by a name, both without hyphens in front.
fn option(command: &Command, name: &str) -> Option<String> {
    let name = name.split('=').next().unwrap_or_default();
    let options =
        || command.get_arguments().filter(|argument| !argument.is_hide_set() && argument.get_long().is_some());
    // Where several are meant, none is suggested.
    let find = |is_meant: &dyn Fn(&str) -> bool| {
        let mut meant = options().filter_map(clap::Arg::get_long).filter(|long| is_meant(long));
        meant.next().filter(|_| meant.next().is_none()).map(str::to_owned)
    };
    let by_word = |is_meant: &dyn Fn(&str) -> bool| find(&|long| !CAREFUL.contains(&long) && is_meant(long));
    let words = |text: &str| text.split('-').map(str::to_owned).collect::<Vec<_>>();
    let short = options().find(|argument| argument.get_short().is_some_and(|short| name == short.to_string()));
    if let Some(argument) = short {
        return argument.get_long().map(str::to_owned);
    }
    let known = OPTIONS.iter().find(|(other, _)| *other == name).map(|(_, here)| *here);
    known
        .filter(|here| find(&|long| Some(long) == here.split(' ').next()).is_some())
        .map(str::to_owned)
        .or_else(|| by_word(&|long| words(long).iter().any(|word| word == name)))
        .or_else(|| by_word(&|long| words(long).iter().all(|word| words(name).contains(word))))
        .or_else(|| find(&|long| strsim::damerau_levenshtein(long, name) <= MAX_MISTAKES.min(name.len() / 3)))
}

/// The same without an option that names an argument, such as `--prompt`.
fn argument(command: &Command, unknown: &str, words: &[OsString]) -> Option<String> {
    let name = unknown.split('=').next().unwrap_or_default().trim_start_matches('-');
    let is_meant = |id: &str| id == name || name.len() == 1 && id.starts_with(name);
    let id = command.get_positionals().map(|argument| argument.get_id().as_str()).find(|id| is_meant(id))?;
    let at = words.iter().position(|word| word.to_string_lossy().split('=').next() == unknown.split('=').next())?;
    let value = words[at].to_string_lossy().split_once('=').map(|(_, value)| OsString::from(value));
    let line = executable::command_line_from(at, value.into_iter().chain(words[at + 1..].iter().cloned()));
    Some(format!("the {id} stands without an option: {line}"))
}

/// What to do with an option of a batch that is a property of its rows.
fn column(command: &Command, name: &str) -> Option<String> {
    let name = name.split('=').next()?;
    let known = OPTIONS.iter().find(|(other, _)| *other == name).map_or(name, |(_, here)| here);
    let property = known.replace('-', "_");
    let is_property = operations::ALL.iter().any(|operation| {
        operation.images != ImageCount::Fixed(0)
            && (operation.inputs.iter().any(|input| input.name == property)
                || legacy_properties(operation).iter().any(|other| other.name == property))
    });
    (command.get_name() == "batch" && is_property)
        .then(|| format!("`{property}` is a property of each row: add a column `{property}` to the file"))
}

/// The value after an option, if there is one.
fn value_of(option: &str, words: &[OsString]) -> Option<String> {
    let at = words.iter().position(|word| word.to_string_lossy().split('=').next() == Some(option))?;
    let word = words[at].to_string_lossy().into_owned();
    match word.split_once('=') {
        Some((_, value)) => Some(value.to_owned()),
        None => words.get(at + 1).map(|next| next.to_string_lossy().into_owned()).filter(|next| !next.starts_with('-')),
    }
}

/// Whether an option takes the value of the one that it is suggested for: one of its values, or an address.
fn accepts(command: &Command, option: &str, value: Option<&str>) -> bool {
    // One that comes with its value has another name, and is not found.
    let argument = command.get_arguments().find(|argument| argument.get_long() == Some(option));
    let argument = argument.filter(|argument| argument.get_action().takes_values());
    let (Some(argument), Some(value)) = (argument, value) else { return true };
    if option.ends_with("-urls") {
        return value.contains("://");
    }
    let possible: Vec<String> =
        argument.get_possible_values().iter().map(|possible| possible.get_name().to_owned()).collect();
    possible.is_empty() || values::find(&possible, value).is_some()
}

/// How to name a file that begins with a hyphen, if one of the words does.
fn hyphenated_file(words: &[OsString]) -> Option<String> {
    let is_file = |word: &&OsString| word.to_string_lossy().starts_with('-') && Path::new(word).is_file();
    let at = words.iter().position(|word| is_file(&word))?;
    let named = Path::new(".").join(&words[at]).into_os_string();
    let rest = [named].into_iter().chain(words[at + 1..].iter().cloned());
    Some(format!("if it is a file: {}", executable::command_line_from(at, rest)))
}

/// The mask as an option, if the word behind the image is a file.
fn mask(command: &Command, words: &[OsString], at: usize) -> Option<String> {
    let has = |option: &str| command.get_arguments().any(|argument| argument.get_long() == Some(option));
    command.get_positionals().find(|argument| argument.get_id() == "image").filter(|_| has("mask"))?;
    let at = at + 2;
    let file = words.get(at).filter(|word| Path::new(word).is_file())?;
    let rest = [OsString::from("--mask"), file.clone()].into_iter().chain(words[at + 1..].iter().cloned());
    Some(format!("if it is the mask: {}", executable::command_line_from(at, rest)))
}

/// The words of a prompt in quotes, if the command takes a prompt.
fn quoted_prompt(command: &Command, words: &[OsString], at: usize) -> Option<String> {
    let is_prompt = |argument: &clap::Arg| ["prompt", "idea"].contains(&argument.get_id().as_str());
    // An image comes first.
    let at = at + command.get_positionals().position(is_prompt)?;
    let rest = words.get(at + 1..)?;
    let prompt: Vec<_> =
        rest.iter().map(|word| word.to_string_lossy()).take_while(|word| !word.starts_with('-')).collect();
    let advice = "put a prompt of several words in quotes";
    if prompt.len() < 2 {
        return Some(advice.to_owned());
    }
    // Options stay: without `--mock` or `--dry-run` it would be another command.
    let after = rest[prompt.len()..].iter().cloned();
    let line = executable::command_line_from(at + 1, std::iter::once(prompt.join(" ").into()).chain(after));
    Some(format!("{advice}: {line}"))
}

/// How to call a command for several images, if it takes one.
fn one_image(command: &Command, words: &[OsString], at: usize) -> Option<String> {
    command.get_positionals().find(|argument| argument.get_id() == "image")?;
    let name = words.get(at)?.to_str()?;
    // A size, an aspect ratio or a factor without its option.
    let has = |option: &str| command.get_arguments().any(|argument| argument.get_long() == Some(option));
    let bare = words.iter().enumerate().skip(at + 2).find_map(|(index, word)| {
        let word =
            word.to_str().filter(|_| words[index - 1].to_str().is_some_and(|before| !before.starts_with("--")))?;
        let option = match size::sides(word) {
            Some(_) if word.contains([':', '/']) => "aspect-ratio",
            Some((width, _)) if width < 100.0 => "aspect-ratio",
            Some(_) => "resolution",
            None if word.trim_matches(['x', 'X']).parse::<u8>().is_ok() => "upscale-factor",
            None => return None,
        };
        Some((index, option)).filter(|(_, option)| has(option))
    });
    if let Some((index, option)) = bare {
        let rest = [OsString::from(format!("--{option}"))].into_iter().chain(words[index..].iter().cloned());
        return Some(format!("use --{option}: {}", executable::command_line_from(index, rest)));
    }
    Some(format!("it takes one image; for several: for image in *.png; do ideogram {name} \"$image\"; done"))
}

/// The subcommand of another command with this name.
fn nested(root: &Command, name: &str) -> Option<String> {
    let has = |parent: &&Command| parent.get_subcommands().any(|command| command.get_name() == name);
    let parents: Vec<&str> = root.get_subcommands().filter(has).map(Command::get_name).collect();
    let commands: Vec<String> = parents.iter().map(|parent| format!("`ideogram {parent} {name}`")).collect();
    (!commands.is_empty()).then(|| format!("there is {}", commands.join(" and ")))
}
