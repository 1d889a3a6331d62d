//! A picture that is sent: from a path, from standard input (`-`), or from a link (`https://...`).

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use ideogram_client::File;

use super::{link, prompt::Stdin};
use crate::{context::Context, failure::Failure};

/// What is taken from standard input and from links, in bytes: the most that the service has ever said to take.
pub(crate) const LARGEST: u64 = 25 * 1024 * 1024;

/// Reads pictures for one command.
#[derive(Debug)]
pub(crate) struct Images<'a> {
    context: &'a Context<'a>,
    stdin: &'a Stdin,
}

impl<'a> Images<'a> {
    pub(crate) fn new(context: &'a Context<'a>, stdin: &'a Stdin) -> Self {
        Self { context, stdin }
    }

    /// One picture, ready to be sent.
    pub(crate) async fn one(&self, source: &OsStr) -> Result<File, Failure> {
        match source.to_str() {
            Some("-") => {
                let bytes = self.stdin.read("a picture", LARGEST).await?;
                let Some(extension) = extension_of(&bytes) else {
                    return Err(Failure::usage("standard input holds no picture: JPEG, PNG and WebP are taken"));
                };
                Ok(File::from_bytes(format!("stdin.{extension}"), bytes))
            }
            Some(text) if is_link(text) => link::fetch(self.context, text, LARGEST).await,
            _ => from_path(Path::new(source)).await,
        }
    }

    /// All of them; `None` if there are none.
    pub(crate) async fn all(&self, sources: &[OsString]) -> Result<Option<Vec<File>>, Failure> {
        let mut files = Vec::new();
        for source in sources {
            files.push(self.one(source).await?);
        }
        Ok(Some(files).filter(|files| !files.is_empty()))
    }
}

/// Whether it is meant to be fetched: no file is called like that.
pub(crate) fn is_link(text: &str) -> bool {
    let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    begins("https://") || begins("http://")
}

async fn from_path(path: &Path) -> Result<File, Failure> {
    let file = File::from_path(path);
    let name = file.name().into_owned();
    // A name on disk may hold what no header of a request may.
    let file = if name.chars().any(char::is_control) {
        let harmless: String = name.chars().map(|letter| if letter.is_control() { '_' } else { letter }).collect();
        file.with_name(harmless)
    } else {
        file
    };
    let shown = path.display();
    let info = file
        .inspect()
        .await
        .map_err(|error| Failure::local_io(format!("nothing was sent: \"{shown}\" cannot be sent")).because(&error))?;
    if !info.media_type.starts_with("image/") {
        let what = format!("nothing was sent: \"{shown}\" is no picture that the service takes");
        return Err(Failure::usage(what)
            .cause(format!("it looks like {}", info.media_type))
            .hint("JPEG, PNG and WebP are taken"));
    }
    Ok(file)
}

/// The extension of a picture that the service takes, by its first bytes.
pub(crate) fn extension_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("jpg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("png"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_told_from_paths() {
        for link in ["https://a.test/x.png", "HTTPS://a.test", "http://127.0.0.1/x"] {
            assert!(is_link(link), "{link}");
        }
        for path in ["https", "a/https://b", "紙灯籠.png", "ht", "-", "", "file:///x"] {
            assert!(!is_link(path), "{path}");
        }
    }

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        assert_eq!(extension_of(b"\x89PNG\r\n\x1a\n..."), Some("png"));
        assert_eq!(extension_of(b"RIFF\0\0\0\0WEBPVP8 "), Some("webp"));
        assert_eq!(extension_of(b"\xff\xd8\xff\xe0"), Some("jpg"));
        assert_eq!(extension_of(b"<html>"), None);
        assert_eq!(extension_of(b""), None);
    }
}
