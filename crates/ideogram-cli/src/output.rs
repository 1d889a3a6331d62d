//! The only place that prints: answers to standard output, everything else to standard error.
//!
//! Text that came from elsewhere never reaches the terminal with its control characters.

use std::io::{self, BufWriter, Write};

use ideogram_client::Response;

use crate::{
    arguments::Format,
    exit::Exit,
    failure::Failure,
    json,
    page::{Page, View},
    printable::printable,
};

/// How to print.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
}

impl Output {
    pub(crate) fn new(format: Format, quiet: bool) -> Self {
        Self { format, quiet }
    }

    /// Prints an answer of the service: what it means, or as JSON all that it holds.
    pub(crate) fn answer<T: View>(&self, response: &Response<T>) -> Result<(), Failure> {
        match self.format {
            Format::Json => print(&json::indented(&String::from_utf8_lossy(response.body()))),
            Format::Text => print_page(&response.value().page()),
        }
    }

    /// Prints what is no answer of the service: JSON text, or a page.
    pub(crate) fn result(&self, json_text: &str, page: &Page) -> Result<(), Failure> {
        match self.format {
            Format::Json => print(&json::indented(json_text)),
            Format::Text => print_page(page),
        }
    }

    /// Says something on the side, unless it was asked not to.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            say(text);
        }
    }
}

/// Prints what went wrong, why, and what to do next.
pub(crate) fn failure(failure: &Failure) {
    let mut lines = vec![format!("error: {}", printable(failure.what()))];
    lines.extend(failure.causes().iter().map(|cause| format!("  caused by: {}", printable(cause))));
    lines.extend(failure.hints().iter().map(|hint| format!("hint: {}", printable(hint))));
    say_verbatim(&lines.join("\n"));
}

/// Prints the help that was asked for, or what is wrong with the arguments.
pub(crate) fn help_or_usage(error: &clap::Error) -> Exit {
    // Nothing better can be done when printing fails, and a closed pipe is not an error.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Success }
}

fn print_page(page: &Page) -> Result<(), Failure> {
    let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    print(&page.render(width))
}

fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = BufWriter::new(io::stdout().lock());
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match written {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::new("cannot write to standard output").because(&error)),
    }
}

fn say(text: &str) {
    let lines: Vec<_> = text.lines().map(printable).collect();
    say_verbatim(&lines.join("\n"));
}

fn say_verbatim(text: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
