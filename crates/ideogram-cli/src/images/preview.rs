//! Images in the terminal, by the protocols of kitty and iTerm2.

use std::{
    env,
    fmt::Write as _,
    io::{self, IsTerminal as _, Write as _},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use clap::ValueEnum;
use ideogram_client::internal;

/// The width of an image, in columns.
const WIDTH: u32 = 40;
/// Larger images are not shown: terminals store them in memory.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// The maximum length of a chunk for kitty, in characters.
const CHUNK: usize = 4096;

/// When to show images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal that is known to support it
    #[default]
    Auto,
    /// In any case, on standard error
    Always,
    /// Not at all
    Never,
}

/// The protocol of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// PNG only.
    Kitty,
    Iterm2,
}

impl When {
    /// The protocol for standard error, if images are shown.
    pub(crate) fn protocol(self) -> Option<Protocol> {
        let known = known(|name| env::var(name).ok());
        match self {
            Self::Never => None,
            Self::Always => Some(known.unwrap_or(Protocol::Iterm2)),
            Self::Auto => known.filter(|_| io::stderr().is_terminal()),
        }
    }
}

/// Detects the terminal by its environment variables.
fn known(variable: impl Fn(&str) -> Option<String>) -> Option<Protocol> {
    // Neither passes images through by default.
    if variable("TMUX").is_some() || variable("STY").is_some() {
        return None;
    }
    let term = variable("TERM").unwrap_or_default();
    let program = variable("TERM_PROGRAM").unwrap_or_default();
    let is_kitty = variable("KITTY_WINDOW_ID").is_some() || term == "xterm-kitty" || term == "xterm-ghostty";
    if is_kitty || program == "ghostty" {
        return Some(Protocol::Kitty);
    }
    ["iTerm.app", "WezTerm", "mintty"].contains(&program.as_str()).then_some(Protocol::Iterm2)
}

/// Writes an image to standard error. An image that cannot be shown is skipped, since it is saved.
pub(crate) fn show(protocol: Protocol, image: &[u8]) {
    if let Some(text) = encode(protocol, image) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

fn encode(protocol: Protocol, image: &[u8]) -> Option<String> {
    if image.len() > MAX_BYTES {
        return None;
    }
    match protocol {
        Protocol::Kitty if internal::image_type(image) != Some("image/png") => None,
        Protocol::Kitty => Some(kitty(&BASE64_STANDARD.encode(image))),
        Protocol::Iterm2 => Some(iterm2(&BASE64_STANDARD.encode(image), image.len())),
    }
}

fn kitty(data: &str) -> String {
    let mut text = String::with_capacity(data.len() + data.len() / CHUNK * 16 + 64);
    let mut chunks = data.as_bytes().chunks(CHUNK).peekable();
    let mut first = format!("a=T,f=100,q=2,c={WIDTH},");
    while let Some(chunk) = chunks.next() {
        let more = u8::from(chunks.peek().is_some());
        let chunk = std::str::from_utf8(chunk).expect("base64 is ASCII");
        let _ = write!(text, "\x1b_G{first}m={more};{chunk}\x1b\\");
        first.clear();
    }
    text.push('\n');
    text
}

fn iterm2(data: &str, size: usize) -> String {
    format!("\x1b]1337;File=inline=1;size={size};width={WIDTH};preserveAspectRatio=1:{data}\x07\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kitty_gets_chunks_and_only_png() {
        let text = encode(Protocol::Kitty, &[b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 4000]].concat()).unwrap();

        let chunks: Vec<&str> = text.trim_end().split_terminator("\x1b\\").collect();
        assert_eq!(chunks.len(), 2);
        assert!(chunks[0].starts_with("\x1b_Ga=T,f=100,q=2,c=40,m=1;iVBORw"), "{}", &chunks[0][..40]);
        assert!(chunks[1].starts_with("\x1b_Gm=0;"), "{}", chunks[1]);
        assert!(chunks.iter().all(|chunk| chunk.split_once(';').unwrap().1.len() <= CHUNK));
        assert_eq!(encode(Protocol::Kitty, b"\xff\xd8\xff"), None);
    }

    #[test]
    fn iterm2_gets_one_sequence() {
        let expected = "\x1b]1337;File=inline=1;size=3;width=40;preserveAspectRatio=1:/9j/\x07\n";
        assert_eq!(encode(Protocol::Iterm2, b"\xff\xd8\xff").as_deref(), Some(expected));
    }

    #[test]
    fn terminals_are_detected_by_their_variables() {
        let detected = |variables: &'static [(&str, &str)]| {
            known(move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };

        assert_eq!(detected(&[("TERM", "xterm-kitty")]), Some(Protocol::Kitty));
        assert_eq!(detected(&[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "1")]), Some(Protocol::Kitty));
        assert_eq!(detected(&[("TERM_PROGRAM", "iTerm.app")]), Some(Protocol::Iterm2));
        assert_eq!(detected(&[("TERM_PROGRAM", "WezTerm"), ("TMUX", "/tmp/x")]), None);
        assert_eq!(detected(&[("TERM", "xterm-256color")]), None);
    }
}
