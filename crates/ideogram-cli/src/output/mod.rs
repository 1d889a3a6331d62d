//! Prints the data of a command on standard output. [`Messages`] go to standard error.
//!
//! Control characters of foreign text never reach the terminal.

pub(crate) mod color;
pub(crate) mod jq;
pub(crate) mod json;
pub(crate) mod layout;
pub(crate) mod messages;
pub(crate) mod printable;
pub(crate) mod progress;
pub(crate) mod units;

use std::{
    io::{self, BufWriter, IsTerminal as _, StdoutLock, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

use ideogram_client::Response;
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};

use crate::{
    exit::Exit,
    failure::Failure,
    options::Format,
    output::jq::{Filter, Picked},
    output::layout::{Layout, Screen, ToLayout},
    output::messages::Messages,
    output::printable::is_unprintable,
};

/// How to print.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    filter: Option<Filter>,
    color: color::When,
    messages: Messages,
    /// Whether a reader that went away was noticed while printing.
    has_lost_reader: AtomicBool,
    /// Whether the command makes calls that are billed.
    has_paid: AtomicBool,
}

impl Output {
    /// `filter` is that of all JSON.
    pub(crate) fn new(format: Format, filter: Option<Filter>, color: color::When, messages: Messages) -> Self {
        Self {
            format,
            filter,
            color,
            messages,
            has_lost_reader: AtomicBool::new(false),
            has_paid: AtomicBool::new(false),
        }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Prints a response of the service, as its layout or as JSON.
    pub(crate) fn response<T: ToLayout>(&self, response: &Response<T>) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.layout(&response.value().layout()),
            Format::Json => self.json(response.body()),
            Format::Jsonl => match T::ROWS.and_then(|name| elements(response.body(), name)) {
                Some(elements) => elements.iter().try_for_each(|element| self.json(element.get().as_bytes())),
                None => self.json(response.body()),
            },
        }
    }

    /// Prints a response of the service as JSON in every format.
    pub(crate) fn json_response<T>(&self, response: &Response<T>) -> Result<(), Failure> {
        self.json(response.body())
    }

    /// Prints a result of the command, as this layout or as JSON.
    pub(crate) fn result(&self, value: &impl Serialize, layout: &Layout) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.layout(layout),
            Format::Json | Format::Jsonl => self.json(&encoded(value)?),
        }
    }

    /// Prints a list of the command: as JSON in the property `name`, or line by line with `jsonl`.
    pub(crate) fn list<T: Serialize>(&self, name: &'static str, values: &[T], layout: &Layout) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.layout(layout),
            Format::Json => self.json(&encoded(&json!({ name: values }))?),
            Format::Jsonl => values.iter().try_for_each(|value| self.json(&encoded(value)?)),
        }
    }

    /// Begins a list whose elements are printed one by one.
    pub(crate) fn stream(&self, name: &'static str) -> ResultStream<'_> {
        ResultStream { output: self, name, values: Vec::new() }
    }

    pub(crate) fn messages(&self) -> &Messages {
        &self.messages
    }

    /// [`Messages::note`].
    pub(crate) fn note(&self, text: &str) {
        self.messages.note(text);
    }

    /// [`Messages::warning`].
    pub(crate) fn warning(&self, text: &str) {
        self.messages.warning(text);
    }

    /// [`Messages::failure`].
    pub(crate) fn failure(&self, failure: &Failure) {
        self.messages.failure(failure);
    }

    fn layout(&self, layout: &Layout) -> Result<(), Failure> {
        let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
        self.print(layout.render(Screen { width, color: self.color.on_stdout() }).as_bytes())
    }

    /// Prints JSON, or what the expression of `--jq` selects.
    fn json(&self, json: &[u8]) -> Result<(), Failure> {
        let Some(filter) = &self.filter else {
            return self.print_json(json);
        };
        let (mut found, mut is_null) = (false, false);
        let printed = filter.run(json, |picked| match picked {
            Picked::Json(json) => {
                is_null |= json.trim() == "null";
                found |= json.trim() != "null";
                self.print_json(json.as_bytes())
            }
            Picked::Text(mut text) => {
                found = true;
                text.push(b'\n');
                if io::stdout().is_terminal() {
                    return self.print(replace_control_characters(&String::from_utf8_lossy(&text)).as_bytes());
                }
                self.print(&text)
            }
        });
        if !found && printed.is_ok() {
            let text = format!("--jq found nothing in the result, which has {}", properties(json));
            if self.has_paid.load(Ordering::Relaxed) {
                self.messages.warning(&text);
            } else if is_null && self.format == Format::Json {
                self.messages.note(&text);
            }
        }
        // This may be the only copy of the response of a paid call.
        printed.map_err(|failure| match failure.exit() {
            Exit::Partial if self.has_paid.load(Ordering::Relaxed) => failure
                .fact(format!("the response was: {}", String::from_utf8_lossy(json)))
                .hint("the command has made its calls; running it again may be billed again"),
            _ => failure,
        })
    }

    /// Indents JSON while it is written: indentation makes a deep value much longer.
    fn print_json(&self, json: &[u8]) -> Result<(), Failure> {
        let json = self.messages.redactor().removed_from(json);
        let json = String::from_utf8_lossy(&json);
        self.print_with(|stdout| match self.format {
            Format::Jsonl => json::write_compact(&json, stdout),
            _ => json::write_indented(&json, stdout),
        })
    }

    /// Notes that what is printed next was paid for.
    pub(crate) fn mark_paid(&self) {
        self.has_paid.store(true, Ordering::Relaxed);
    }

    /// Fails if no one reads standard output any more, to be called before a billed call whose result is printed.
    ///
    /// # Errors
    ///
    /// [`Exit::ReaderGone`] if standard output is a pipe whose reader has closed it.
    pub(crate) fn expect_reader(&self) -> Result<(), Failure> {
        self.mark_paid();
        if !self.has_lost_reader.load(Ordering::Relaxed) && !is_reader_gone() {
            return Ok(());
        }
        Err(Failure::new(Exit::ReaderGone, "standard output was closed, so no more paid calls are made"))
    }

    /// Prints text unchanged, such as a script.
    pub(crate) fn print(&self, bytes: &[u8]) -> Result<(), Failure> {
        let bytes = self.messages.redactor().removed_from(bytes);
        self.print_with(|stdout| stdout.write_all(&bytes))
    }

    fn print_with(
        &self,
        write: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let written = self.messages.bars().suspend(|| {
            let mut stdout = BufWriter::new(io::stdout().lock());
            write(&mut stdout).and_then(|()| stdout.flush())
        });
        match written {
            // The reader has enough, like `head`. Free work continues and keeps its exit code; `expect_reader` stops
            // paid calls.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.has_lost_reader.store(true, Ordering::Relaxed);
                Ok(())
            }
            written => written.map_err(|error| Failure::local_io("cannot write to standard output").because(&error)),
        }
    }
}

/// A list whose elements are printed at once as text and `jsonl`, and at the end as `json`.
#[derive(Debug)]
pub(crate) struct ResultStream<'a> {
    output: &'a Output,
    name: &'static str,
    values: Vec<Box<RawValue>>,
}

impl ResultStream<'_> {
    /// Adds an element, and its line of text.
    pub(crate) fn push(&mut self, value: &impl Serialize, line: &str) -> Result<(), Failure> {
        self.push_laid_out(value, &Layout::new().line(line))
    }

    /// Adds an element, and its text.
    pub(crate) fn push_laid_out(&mut self, value: &impl Serialize, text: &Layout) -> Result<(), Failure> {
        match self.output.format {
            Format::Text => self.output.layout(text),
            Format::Jsonl => self.output.json(&encoded(value)?),
            Format::Json => {
                self.values.push(to_raw_value(value).map_err(|error| cannot_encode(&error))?);
                Ok(())
            }
        }
    }

    /// Ends the list. With `--output json`, `others` are further properties of the result.
    pub(crate) fn finish(self, others: Map<String, Value>) -> Result<(), Failure> {
        if self.output.format != Format::Json {
            return Ok(());
        }
        self.output.json(&encoded(&ListResult { name: self.name, values: self.values, others })?)
    }
}

/// A list with further properties.
struct ListResult {
    name: &'static str,
    values: Vec<Box<RawValue>>,
    others: Map<String, Value>,
}

impl Serialize for ListResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(self.name, &self.values)?;
        for (name, value) in &self.others {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Prints help, or an error in the arguments.
pub(crate) fn help_or_usage(error: &clap::Error, output: &Output) -> Exit {
    let rendered = error.render();
    if !error.use_stderr() {
        let text = if output.color.on_stdout() { rendered.ansi().to_string() } else { rendered.to_string() };
        let text = without_gaps(&text);
        return match output.print(text.as_bytes()) {
            Ok(()) => Exit::Success,
            Err(failure) => {
                output.failure(&failure);
                failure.exit()
            }
        };
    }
    if output.format == Format::Text {
        output.messages.usage(&rendered);
        return Exit::Usage;
    }
    let text = rendered.to_string();
    let mut paragraphs = text.trim().split("\n\n");
    let what = paragraphs.next().unwrap_or_default();
    let mut failure = Failure::usage(what.strip_prefix("error: ").unwrap_or(what));
    for paragraph in paragraphs {
        failure = failure.hint(paragraph.trim());
    }
    output.failure(&failure);
    Exit::Usage
}

/// Help without the empty lines between options and inside them.
fn without_gaps(help: &str) -> String {
    let mut lines = help.lines().peekable();
    let (mut kept, mut is_inside) = (String::new(), false);
    while let Some(line) = lines.next() {
        let text = unstyled(line);
        let indent = text.len() - text.trim_start().len();
        if text.trim().is_empty() {
            let next = lines.peek().map(|next| unstyled(next)).unwrap_or_default();
            let next_indent = next.len() - next.trim_start().len();
            let is_option = matches!(next_indent, 2 | 6) && next.trim_start().starts_with(['-', '<', '[']);
            if is_inside && (is_option || next_indent >= 10 || next.trim().is_empty()) {
                continue;
            }
        }
        is_inside = indent >= 2;
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

/// A line without its escape sequences.
fn unstyled(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// Whether standard output is a pipe or a socket without a reader.
#[cfg(unix)]
fn is_reader_gone() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdout = io::stdout();
    // A command may outlive its terminal, and its images are still wanted.
    if stdout.is_terminal() {
        return false;
    }
    let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
    let ready = poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    ready.is_ok() && polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

/// Other systems only report it when something is printed.
#[cfg(not(unix))]
fn is_reader_gone() -> bool {
    false
}

/// The names of the properties of JSON text, for a message.
fn properties(json: &[u8]) -> String {
    match serde_json::from_slice(json) {
        Ok(Value::Object(properties)) => {
            properties.keys().map(|name| format!(".{name}")).collect::<Vec<_>>().join(", ")
        }
        Ok(Value::Array(elements)) => format!("{} elements", elements.len()),
        _ => "no properties".to_owned(),
    }
}

/// The elements of a list in a response, unchanged.
fn elements<'a>(body: &'a [u8], name: &str) -> Option<Vec<&'a RawValue>> {
    let properties: std::collections::HashMap<&str, &RawValue> = serde_json::from_slice(body).ok()?;
    serde_json::from_str(properties.get(name)?.get()).ok()
}

fn encoded(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|error| cannot_encode(&error))
}

fn cannot_encode(error: &serde_json::Error) -> Failure {
    Failure::internal("the result cannot be written as JSON").because(error)
}

/// Replaces control characters in text of several lines.
fn replace_control_characters(text: &str) -> String {
    let is_obeyed = |character| is_unprintable(character) && !matches!(character, '\n' | '\t');
    text.chars().map(|character| if is_obeyed(character) { '\u{fffd}' } else { character }).collect()
}
