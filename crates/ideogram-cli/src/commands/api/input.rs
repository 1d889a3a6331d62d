//! From parsed options to the fields and files of a call.

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgMatches, error::ErrorKind};
use ideogram_client::{
    Client, DynamicCall, Error, File, Validation,
    operation::{Input, InputKind, Operation},
};
use serde_json::Value;

use super::grammar;
use crate::{
    commands::values::{is_set, many},
    failure::Failure,
    text_input::{self, Stdin, is_standard_input},
};

/// The maximum size of JSON.
const MAX_JSON_BYTES: u64 = 16 * 1024 * 1024;
/// The maximum size of a file from standard input, which is read into memory.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// A call, parsed from arguments.
#[derive(Debug)]
pub(super) struct ParsedInput {
    pub(super) operation: &'static Operation,
    inputs: Vec<(String, Content)>,
    body: Option<PathBuf>,
    /// Whether properties that are not in the document are sent.
    unchecked: bool,
    pub(super) mode: Mode,
}

/// What the response of a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Its result.
    Call,
    /// The id of a job.
    Job,
    /// The price.
    Quote,
}

/// The content of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Text(String),
    /// JSON text in a file.
    JsonFile(PathBuf),
    File(PathBuf),
}

/// The content of files and standard input.
#[derive(Debug)]
pub(super) struct Read {
    body: Option<Value>,
    inputs: Vec<(String, Ready)>,
}

#[derive(Debug)]
enum Ready {
    Text(String),
    File(File),
}

impl Read {
    /// Whether an input is set.
    fn has(&self, name: &str) -> bool {
        let is_in_body = self.body.as_ref().and_then(|body| body.get(name)).is_some_and(|value| !value.is_null());
        is_in_body || self.inputs.iter().any(|(set, _)| set == name)
    }
}

impl ParsedInput {
    /// Parses the options; reads no files yet.
    pub(super) fn read(operation: &'static Operation, matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut inputs = Vec::new();
        for input in operation.inputs {
            let id = grammar::id(input);
            if input.kind() == InputKind::File {
                inputs.extend(
                    many(matches, &id).map(|path: &PathBuf| (input.name.to_owned(), Content::File(path.clone()))),
                );
            } else {
                inputs.extend(many::<String>(matches, &id).map(|text| (input.name.to_owned(), content(input, text))));
            }
        }
        for text in many::<String>(matches, grammar::FIELD) {
            let (name, value) = text.split_once('=').ok_or_else(|| refused("--field", text, "NAME=VALUE"))?;
            let input = operation.inputs.iter().find(|input| input.name == name);
            inputs
                .push((name.to_owned(), input.map_or(Content::Text(value.to_owned()), |input| content(input, value))));
        }
        for text in many::<OsString>(matches, grammar::FILE) {
            let (name, path) =
                split_path(text).ok_or_else(|| refused("--file", &text.to_string_lossy(), "NAME=PATH"))?;
            inputs.push((name, Content::File(path)));
        }
        let body = matches.try_get_one::<PathBuf>(grammar::BODY).ok().flatten().cloned();
        let mode = match (is_set(matches, grammar::JOB), is_set(matches, grammar::QUOTE)) {
            (true, _) => Mode::Job,
            (_, true) => Mode::Quote,
            _ => Mode::Call,
        };
        let input = Self { operation, inputs, body, unchecked: is_set(matches, grammar::UNCHECKED), mode };
        if input.readers_of_standard_input() > 1 {
            let text = "standard input can be read only once, and several options use it";
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, format!("{text}\n")));
        }
        Ok(input)
    }

    fn readers_of_standard_input(&self) -> usize {
        let paths = self.inputs.iter().filter_map(|(_, content)| match content {
            Content::Text(_) => None,
            Content::JsonFile(path) | Content::File(path) => Some(path),
        });
        paths.chain(&self.body).filter(|path| is_standard_input(path)).count()
    }

    /// Reads JSON files and standard input. Other files to upload are read when they are sent.
    pub(super) async fn read_body(&self) -> Result<Read, Failure> {
        let stdin = Stdin::default();
        let body = match &self.body {
            Some(path) => {
                let text = text_input::read_text(path, &stdin, "the JSON body", MAX_JSON_BYTES).await?;
                let what = || format!("--json-body {} is not JSON", path.display());
                Some(serde_json::from_str(&text).map_err(|error| Failure::usage(what()).because(&error))?)
            }
            None => None,
        };
        let mut inputs = Vec::new();
        for (name, content) in &self.inputs {
            let ready = match content {
                Content::Text(text) => Ready::Text(text.clone()),
                Content::JsonFile(path) => {
                    let what = format!("the JSON of `{name}`");
                    Ready::Text(text_input::read_text(path, &stdin, &what, MAX_JSON_BYTES).await?)
                }
                Content::File(path) if is_standard_input(path) => {
                    Ready::File(File::from_bytes(name, stdin.read("a file", MAX_FILE_BYTES).await?))
                }
                Content::File(path) => Ready::File(File::from_path(path)),
            };
            inputs.push((name.clone(), ready));
        }
        Ok(Read { body, inputs })
    }

    /// Refuses an option that the operation does not have, and inputs that change what the response is.
    pub(super) fn check_mode(&self, read: &Read) -> Result<(), Failure> {
        let operation = self.operation;
        let lacks = |option: &str, what: &str, property: &str| {
            let all = format!("ideogram operations --jq '.operations[] | select(.{property}) | .id'");
            let hint = format!("`{all}` lists the operations with this option");
            Err(Failure::usage(format!("{option}: {operation} {what}: nothing was sent")).hint(hint))
        };
        match self.mode {
            Mode::Job if operation.job.is_none() => return lacks("--job", "does not run as a job", "job"),
            Mode::Quote if operation.quote.is_none() => return lacks("--quote", "has no price to ask for", "quote"),
            _ => {}
        }
        let job = operation.job.as_ref().filter(|job| job.property.is_some());
        let switches = [
            (job.and_then(|job| job.property), "--job", false),
            (operation.quote.as_ref().map(|quote| quote.parameter), "--quote", false),
            (job.and_then(|job| job.webhook), "--job", self.mode != Mode::Call),
        ];
        for (name, option, is_allowed) in switches {
            if let Some(name) = name.filter(|name| !is_allowed && read.has(name)) {
                let what = format!("`{name}` changes what the response is: use {option}; nothing was sent");
                return Err(Failure::usage(what));
            }
        }
        Ok(())
    }

    pub(super) fn call<'c>(&self, client: &'c Client, read: Read) -> Result<DynamicCall<'c>, Error> {
        let mut call = client.call(self.operation.id)?;
        if self.unchecked {
            call = call.validation(Validation::Off);
        }
        let is_unknown = |name: &str| self.unchecked && self.operation.inputs.iter().all(|input| input.name != name);
        if let Some(mut body) = read.body {
            if let Some(properties) = body.as_object_mut() {
                let names: Vec<String> = properties.keys().filter(|name| is_unknown(name)).cloned().collect();
                for name in names {
                    call = call.unchecked_field(name.as_str(), &properties.shift_remove(&name));
                }
            }
            call = call.json(body);
        }
        for (name, ready) in read.inputs {
            call = match ready {
                // Its type is unknown: JSON if it parses, otherwise text.
                Ready::Text(text) if is_unknown(&name) => {
                    let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
                    call.unchecked_field(name, &value)
                }
                Ready::Text(text) => call.field(name, text),
                Ready::File(file) => call.file(name, file),
            };
        }
        Ok(call)
    }
}

/// `@PATH` is JSON from a file: no JSON begins with `@`.
fn content(input: &Input, text: &str) -> Content {
    match text.strip_prefix('@') {
        Some(path) if input.kind() == InputKind::Json => Content::JsonFile(PathBuf::from(path)),
        // `$(cat prompt.txt)` keeps the byte order mark of the file.
        _ => Content::Text(text_input::without_mark(text).to_owned()),
    }
}

fn refused(option: &str, text: &str, form: &str) -> clap::Error {
    clap::Error::raw(ErrorKind::ValueValidation, format!("{option} takes {form}, not `{text}`\n"))
}

/// `NAME=PATH`; a path need not be Unicode.
fn split_path(text: &OsString) -> Option<(String, PathBuf)> {
    let bytes = text.as_encoded_bytes();
    let at = bytes.iter().position(|byte| *byte == b'=')?;
    let name = std::str::from_utf8(&bytes[..at]).ok()?.to_owned();
    #[cfg(unix)]
    let path = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&bytes[at + 1..]).to_owned();
    #[cfg(not(unix))]
    let path = OsString::from(text.to_str()?.split_once('=')?.1);
    Some((name, PathBuf::from(path)))
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;

    fn parsed(words: &[&str]) -> Result<ParsedInput, clap::Error> {
        let command = grammar::augment(Command::new("api"));
        let matches = command.try_get_matches_from([&["api"], words].concat())?;
        let (id, matches) = matches.subcommand().unwrap();
        let operation = ideogram_client::operations::ALL.iter().find(|operation| operation.id == id).unwrap();
        ParsedInput::read(operation, matches)
    }

    #[test]
    fn options_fields_and_files_have_the_names_of_their_inputs() {
        let text = |name: &str, text: &str| (name.to_owned(), Content::Text(text.to_owned()));
        let file = |name: &str, path: &str| (name.to_owned(), Content::File(PathBuf::from(path)));
        let generate = vec![text("prompt", "a=b"), text("num_images", "2")];
        for (words, inputs) in [
            (vec!["post_generate_image_v3", "--prompt", "a=b", "--num-images=2"], generate.clone()),
            (vec!["post_generate_image_v3", "--field", "prompt=a=b", "--field", "num_images=2"], generate),
            // A value that is not in the document is accepted.
            (
                vec!["list_custom_models", "--status", "A", "--status", "B"],
                vec![text("status", "A"), text("status", "B")],
            ),
            (
                vec!["upload_dataset_assets", "--files", "a.png", "--file", "files=b=c.png"],
                vec![file("files", "a.png"), file("files", "b=c.png")],
            ),
        ] {
            assert_eq!(parsed(&words).unwrap().inputs, inputs, "{words:?}");
        }
        for words in [
            vec!["get_dataset", "--field", "dataset_id"],
            vec!["upload_dataset_assets", "--file", "a.png"],
            vec!["get_webhook_signing_jwks", "--field", "a=b"],
            vec!["get_dataset", "--json-body", "-"],
            // Standard input is read once.
            vec!["upload_dataset_assets", "--files=-", "--json-body=-"],
        ] {
            assert!(parsed(&words).is_err(), "{words:?}");
        }
    }
}
