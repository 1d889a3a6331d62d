//! What a command prints on standard output: data. What it says beside that is [`Messages`].
//!
//! Text that came from elsewhere never reaches the terminal with its control characters.

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
    /// Whether what is printed may be paid for.
    has_paid: AtomicBool,
}

impl Output {
    pub(crate) fn new(format: Format, quiet: bool, color: color::When) -> Self {
        let messages = Messages::new(format, quiet, color);
        Self {
            format,
            filter: None,
            color,
            messages,
            has_lost_reader: AtomicBool::new(false),
            has_paid: AtomicBool::new(false),
        }
    }

    /// Sends all JSON of standard output through an expression first.
    pub(crate) fn filtered(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Prints a response of the service: what it means, or as JSON all that it holds.
    pub(crate) fn response<T: ToLayout>(&self, response: &Response<T>) -> Result<(), Failure> {
        self.response_as(response, &response.value().layout(), T::ROWS)
    }

    /// Prints a response of the service as JSON, and for people as this layout.
    pub(crate) fn response_as<T>(
        &self,
        response: &Response<T>,
        layout: &Layout,
        rows: Option<&'static str>,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.layout(layout),
            Format::Json => self.json(response.body()),
            Format::Jsonl => match rows.and_then(|member| elements(response.body(), member)) {
                Some(elements) => elements.iter().try_for_each(|element| self.json(element.get().as_bytes())),
                None => self.json(response.body()),
            },
        }
    }

    /// Prints a response of the service as JSON, also where text is wanted.
    pub(crate) fn json_response<T>(&self, response: &Response<T>) -> Result<(), Failure> {
        self.json(response.body())
    }

    /// Prints what is no response of the service: JSON, or a layout.
    pub(crate) fn result(&self, value: &impl Serialize, layout: &Layout) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.layout(layout),
            Format::Json | Format::Jsonl => self.json(&encoded(value)?),
        }
    }

    /// Prints a list that is no response of the service: as JSON under the name of its member, line by line with
    /// `jsonl`.
    pub(crate) fn list<T: Serialize>(
        &self,
        member: &'static str,
        values: &[T],
        layout: &Layout,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.layout(layout),
            Format::Json => self.json(&encoded(&json!({ member: values }))?),
            Format::Jsonl => values.iter().try_for_each(|value| self.json(&encoded(value)?)),
        }
    }

    /// Begins a list whose elements are printed one by one.
    pub(crate) fn stream(&self, member: &'static str) -> ResultStream<'_> {
        ResultStream { output: self, member, values: Vec::new() }
    }

    /// Prints text as it is, such as a script: neither JSON nor cleaned.
    pub(crate) fn verbatim(&self, text: &[u8]) -> Result<(), Failure> {
        self.print(text)
    }

    /// The side of it that talks to people.
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

    /// Prints JSON, or what the expression of `--jq` picks from it.
    fn json(&self, json: &[u8]) -> Result<(), Failure> {
        let Some(filter) = &self.filter else {
            return self.print_json(json);
        };
        let printed = filter.run(json, |picked| match picked {
            Picked::Json(json) => self.print_json(json.as_bytes()),
            Picked::Text(mut text) => {
                text.push(b'\n');
                if io::stdout().is_terminal() {
                    return self.print(harmless(&String::from_utf8_lossy(&text)).as_bytes());
                }
                self.print(&text)
            }
        });
        // Nothing else has the response of a paid call any more.
        printed.map_err(|failure| match failure.exit() {
            Exit::Internal if self.has_paid.load(Ordering::Relaxed) => {
                failure.cause(format!("the response was: {}", String::from_utf8_lossy(json)))
            }
            _ => failure,
        })
    }

    /// Lays JSON out while it is written: a deep value on many lines is much longer than it came.
    fn print_json(&self, json: &[u8]) -> Result<(), Failure> {
        let json = self.messages.secret().removed_from(json);
        let json = String::from_utf8_lossy(&json);
        self.print_with(|stdout| match self.format {
            Format::Jsonl => json::write_compact(&json, stdout),
            _ => json::write_indented(&json, stdout),
        })
    }

    /// Refuses to go on with what is paid for if nobody would read its result. A single call whose result is files on
    /// disk does not ask.
    ///
    /// # Errors
    ///
    /// [`Exit::ReaderGone`] if standard output is a pipe whose reader has closed it.
    pub(crate) fn expect_reader(&self) -> Result<(), Failure> {
        self.has_paid.store(true, Ordering::Relaxed);
        if !self.has_lost_reader.load(Ordering::Relaxed) && !is_reader_gone() {
            return Ok(());
        }
        Err(Failure::new(Exit::ReaderGone, "nobody reads standard output any more, so no more paid calls are made"))
    }

    fn print(&self, bytes: &[u8]) -> Result<(), Failure> {
        let bytes = self.messages.secret().removed_from(bytes);
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
            // Whoever reads has seen enough, as `head` does. What is free goes on to its end and keeps its exit code;
            // what costs is kept back by `expect_reader`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.has_lost_reader.store(true, Ordering::Relaxed);
                Ok(())
            }
            written => written.map_err(|error| Failure::local_io("cannot write to standard output").because(&error)),
        }
    }
}

/// A result that comes piece by piece: printed at once as text and with `jsonl`, at the end with `json`.
#[derive(Debug)]
pub(crate) struct ResultStream<'a> {
    output: &'a Output,
    member: &'static str,
    values: Vec<Box<RawValue>>,
}

impl ResultStream<'_> {
    /// One more piece, and the line that people see of it.
    pub(crate) fn push(&mut self, value: &impl Serialize, line: &str) -> Result<(), Failure> {
        match self.output.format {
            Format::Text => self.output.layout(&Layout::new().line(line)),
            Format::Jsonl => self.output.json(&encoded(value)?),
            Format::Json => {
                self.values.push(to_raw_value(value).map_err(|error| cannot_encode(&error))?);
                Ok(())
            }
        }
    }

    /// Ends the result. `rest` stands beside the list with `--output json`, and nowhere else.
    pub(crate) fn finish(self, rest: Map<String, Value>) -> Result<(), Failure> {
        if self.output.format != Format::Json {
            return Ok(());
        }
        self.output.json(&encoded(&Whole { member: self.member, values: self.values, rest })?)
    }
}

/// A list as it came, and what stands beside it.
struct Whole {
    member: &'static str,
    values: Vec<Box<RawValue>>,
    rest: Map<String, Value>,
}

impl Serialize for Whole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(self.member, &self.values)?;
        for (name, value) in &self.rest {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Prints help, or what is wrong with the arguments.
pub(crate) fn help_or_usage(error: &clap::Error, output: &Output) -> Exit {
    let rendered = error.render();
    if !error.use_stderr() {
        let text = if output.color.on_stdout() { rendered.ansi().to_string() } else { rendered.to_string() };
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

/// Whether standard output is a pipe or a socket without a reader.
#[cfg(unix)]
fn is_reader_gone() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdout = io::stdout();
    // A terminal that was closed hangs up too; the images of a command that outlives it are wanted all the same.
    if stdout.is_terminal() {
        return false;
    }
    let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
    let ready = poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    ready.is_ok() && polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

/// Elsewhere only printing shows it.
#[cfg(not(unix))]
fn is_reader_gone() -> bool {
    false
}

/// The elements of a list in a response, as they came.
fn elements<'a>(body: &'a [u8], member: &str) -> Option<Vec<&'a RawValue>> {
    let members: std::collections::HashMap<&str, &RawValue> = serde_json::from_slice(body).ok()?;
    serde_json::from_str(members.get(member)?.get()).ok()
}

fn encoded(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|error| cannot_encode(&error))
}

fn cannot_encode(error: &serde_json::Error) -> Failure {
    Failure::internal("the result cannot be written as JSON").because(error)
}

/// Text of several lines for a terminal.
fn harmless(text: &str) -> String {
    let is_obeyed = |character| is_unprintable(character) && !matches!(character, '\n' | '\t');
    text.chars().map(|character| if is_obeyed(character) { '\u{fffd}' } else { character }).collect()
}
