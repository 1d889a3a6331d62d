//! Messages on standard error: errors, warnings, notes.
//!
//! With `--output json` and `jsonl` this is JSON too, one object a line: `{"error": {..}}`, `{"warning": ".."}`,
//! `{"note": ".."}`. Control characters of foreign text never reach the terminal.

use std::io::{self, Write as _};

use anstyle::Style;
use clap::builder::StyledStr;
use indicatif::MultiProgress;
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    options::Format,
    output::color::{self, styled},
    output::json as json_text,
    output::printable::printable,
    session::redactor::Redactor,
};

/// Prints messages on standard error. Cheap to clone, also into other threads.
#[derive(Clone, Debug)]
pub(crate) struct Messages {
    format: Format,
    quiet: bool,
    is_debug: bool,
    color: color::When,
    bars: MultiProgress,
    redactor: Redactor,
}

impl Messages {
    /// `format` is that of messages; with `is_debug`, errors have the causes of their causes.
    pub(crate) fn new(format: Format, quiet: bool, is_debug: bool, color: color::When) -> Self {
        Self { format, quiet, is_debug, color, bars: MultiProgress::new(), redactor: Redactor::default() }
    }

    /// Removes the key from everything that is printed.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints a note, unless `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.message("note", text, &lines(text));
        }
    }

    /// Prints a warning, also with `--quiet`.
    pub(crate) fn warning(&self, text: &str) {
        let label = self.label("warning:", color::WARNING);
        self.message("warning", text, &format!("{label} {}", lines(text)));
    }

    /// A line of `--debug`.
    pub(crate) fn debug(&self, text: &str) {
        self.message("debug", text, &format!("debug: {}", printable(text)));
    }

    /// Prints a message: this line as text, or its property in JSON.
    fn message(&self, property: &str, text: &str, line: &str) {
        match self.format {
            Format::Text => self.say(line),
            Format::Json | Format::Jsonl => self.say_json(&json!({ property: text })),
        }
    }

    /// Prints a failure with its causes and hints.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.format != Format::Text {
            return self.say_json(&failure.to_json());
        }
        let mut lines = vec![format!("{} {}", self.label("error:", color::ERROR), printable(failure.what()))];
        lines.extend(failure.lines(self.is_debug));
        let hint = self.label("hint:", color::HINT);
        lines.extend(failure.hints().iter().map(|text| format!("{hint} {}", printable(text))));
        self.say(&lines.join("\n"));
    }

    /// Prints an error of clap in its own layout.
    pub(crate) fn usage(&self, rendered: &StyledStr) {
        let text = if self.color.on_stderr() { rendered.ansi().to_string() } else { rendered.to_string() };
        self.say(text.trim_end_matches('\n'));
    }

    /// The progress bars; text that is printed while they are suspended goes above them.
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    fn label(&self, text: &str, style: Style) -> String {
        styled(text, style, self.color.on_stderr())
    }

    fn say_json(&self, value: &Value) {
        self.say(json_text::compact(&value.to_string()).trim_end());
    }

    fn say(&self, text: &str) {
        self.bars.suspend(|| {
            let text = format!("{text}\n");
            // An error of standard error cannot be reported.
            let _ = io::stderr().lock().write_all(&self.redactor.removed_from(text.as_bytes()));
        });
    }
}

/// Makes each line printable.
fn lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(printable).collect();
    lines.join("\n")
}
