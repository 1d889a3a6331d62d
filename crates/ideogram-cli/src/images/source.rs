//! An image that is sent: from a path, from standard input (`-`), or from a link (`https://...`).
//!
//! Files are checked by their first bytes, not by their names: other formats and masks that do not fit are refused before
//! the call.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, Read as _},
    path::Path,
};

use ideogram_client::{
    Error, ErrorKind, File,
    internal::{ForeignLink, SIGNATURE_BYTES, image_type},
    reqwest::Url,
};

use super::{content::Content, mask, prompt::Stdin};
use crate::{exit::Exit, failure::Failure, output::progress::Counted, session::context::Context};

/// The maximum size of an image from a file of rows, standard input or a link: the highest limit of any operation.
pub(crate) const MAX_BYTES: u64 = 50 * 1024 * 1024;

/// What the service takes, for messages.
const TAKEN: &str = "JPEG, PNG and WebP are taken";

/// Reads images for one command.
#[derive(Debug)]
pub(crate) struct SourceImages<'a> {
    context: &'a Context<'a>,
    stdin: &'a Stdin,
}

impl<'a> SourceImages<'a> {
    pub(crate) fn new(context: &'a Context<'a>, stdin: &'a Stdin) -> Self {
        Self { context, stdin }
    }

    /// Reads all images, ready to be sent.
    pub(crate) async fn all(&self, sources: &[OsString]) -> Result<Vec<File>, Failure> {
        let mut files = Vec::new();
        for source in sources {
            files.push(self.read(source).await?.into_file());
        }
        Ok(files)
    }

    /// Reads one image.
    pub(crate) async fn read(&self, source: &OsStr) -> Result<Content, Failure> {
        match source.to_str() {
            Some("-") => {
                let bytes = self.stdin.read("an image", MAX_BYTES).await?;
                let media_type = check_head(&bytes)
                    .map_err(|looks| Failure::usage(format!("standard input holds no image: {TAKEN}")).cause(looks))?;
                Ok(Content::Bytes { name: format!("stdin.{}", extension(media_type)), bytes: bytes.into() })
            }
            Some(text) if is_link(text) => self.fetch(text).await,
            _ => from_path(Path::new(source)).await,
        }
    }

    /// Fetches an image from the web; with `--dry-run` the link is not followed.
    async fn fetch(&self, text: &str) -> Result<Content, Failure> {
        let link = ForeignLink::new(self.context.client(), text).map_err(|error| not_fetched(&error))?;
        if self.context.is_dry_run() {
            return Ok(Content::NotFetched { name: name_of(link.url(), "png") });
        }
        let host = link.url().host_str().unwrap_or_default();
        let progress = self.context.progress(format!("fetching from {host}"), Counted::Bytes, None);
        let fetched = link.fetch(MAX_BYTES, |received, total| {
            if let Some(total) = total {
                progress.set_total(total);
            }
            progress.set(received);
        });
        let bytes = fetched.await.map_err(|error| not_fetched(&error))?;
        let media_type = check_head(&bytes).map_err(|looks| {
            Failure::usage(format!("what {host} sent is not an image: {TAKEN}"))
                .cause(looks)
                .hint("nothing was sent to the service")
        })?;
        Ok(Content::Bytes { name: name_of(link.url(), extension(media_type)), bytes: bytes.into() })
    }
}

fn not_fetched(error: &Error) -> Failure {
    // What another link, or a file, would mend; the rest may be over by the next time.
    let exit = match error.kind() {
        ErrorKind::InvalidArgument | ErrorKind::UndocumentedResponse => Exit::Usage,
        _ => Exit::Unavailable,
    };
    Failure::new(exit, "cannot fetch the image")
        .because(error)
        .hint("nothing was sent to the service; to send such an image, save it and give its path")
}

/// A name for the file, from the path of its link.
fn name_of(url: &Url, extension: &str) -> String {
    let last = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let is_file_name_letter = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let stem: String = stem.chars().filter(is_file_name_letter).take(80).collect();
    if stem.is_empty() { format!("image.{extension}") } else { format!("{stem}.{extension}") }
}

/// Whether the text is a web link.
pub(crate) fn is_link(text: &str) -> bool {
    let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    begins("https://") || begins("http://")
}

async fn from_path(path: &Path) -> Result<Content, Failure> {
    let content = Content::of_path(path);
    let (name, file) = (path.display(), File::from_path(path).with_name("image"));
    let cannot =
        |error: &io::Error| Failure::local_io(format!("nothing was sent: \"{name}\" cannot be sent")).because(error);
    file.inspect().await.map_err(|error| cannot(&error))?;
    let from = path.to_owned();
    let head = tokio::task::spawn_blocking(move || head_of(&from)).await.map_err(io::Error::other);
    let head = head.and_then(|head| head).map_err(|error| cannot(&error))?;
    match check_head(&head) {
        Ok(_) => Ok(content),
        Err(looks) => {
            Err(Failure::usage(format!("nothing was sent: \"{name}\" is not an image that the service takes"))
                .cause(looks)
                .hint(TAKEN))
        }
    }
}

/// The first bytes of a file, as many as [`check_head`] needs.
pub(crate) fn head_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(SIGNATURE_BYTES);
    fs::File::open(path)?.take(SIGNATURE_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// The media type of an image that the service takes, by its first bytes.
///
/// # Errors
///
/// A description of the format, if the service does not accept it.
pub(crate) fn check_head(head: &[u8]) -> Result<&'static str, String> {
    let looks = match image_type(head) {
        Some(media_type @ ("image/jpeg" | "image/png" | "image/webp")) => return Ok(media_type),
        Some("image/gif") => "a GIF",
        Some("image/avif") => "an AVIF image",
        _ => match head {
            [] => "nothing: it is empty",
            [_, _, _, _, b'f', b't', b'y', b'p', b'h' | b'm', ..] => "HEIC, the photos of phones",
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => "a video",
            [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => "a TIFF image",
            [b'B', b'M', ..] => "a BMP image",
            [b'%', b'P', b'D', b'F', ..] => "a PDF document",
            [b'P', b'K', 3, 4, ..] => "a ZIP archive",
            [b'8', b'B', b'P', b'S', ..] => "a Photoshop document",
            _ => match head.iter().find(|byte| !byte.is_ascii_whitespace()) {
                Some(b'<') => "a web page or SVG",
                _ if head.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) => "text",
                _ => "something else",
            },
        },
    };
    Err(format!("it looks like {looks}"))
}

/// The extension that goes with what [`check_head`] says.
pub(crate) fn extension(media_type: &str) -> &'static str {
    match media_type {
        "image/jpeg" => "jpg",
        "image/webp" => "webp",
        _ => "png",
    }
}

/// Checks that a mask fits its image. `source` names the mask.
pub(crate) async fn check_mask(
    kind: mask::MaskUse,
    image: Content,
    mask: Content,
    source: &OsStr,
) -> Result<(), Failure> {
    // Decoding takes its time; Ctrl-C is heard meanwhile.
    let looked = tokio::task::spawn_blocking(move || mask::check(kind, &image, &mask)).await;
    let looked = looked.map_err(|error| Failure::internal("cannot look at the mask").because(&error))?;
    looked.map_err(|problem| {
        Failure::usage(format!("nothing was sent: the mask \"{}\" {problem}", Path::new(source).display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_recognized() {
        for link in ["https://a.test/x.png", "HTTPS://a.test", "http://127.0.0.1/x"] {
            assert!(is_link(link), "{link}");
        }
        for path in ["https", "a/https://b", "紙灯籠.png", "ht", "-", "", "file:///x"] {
            assert!(!is_link(path), "{path}");
        }
    }

    #[test]
    fn files_are_named_after_the_link_and_their_content() {
        let name = |link| name_of(&Url::parse(link).unwrap(), "png");

        assert_eq!(name("https://a.test/x/lantern.jpg?sig=1"), "lantern.png");
        assert_eq!(name("https://a.test/%0d%0ax.png"), "0d0ax.png");
        assert_eq!(name("https://a.test"), "image.png");
    }

    #[test]
    fn only_what_the_service_takes_is_an_image_whatever_it_is_called() {
        for (head, media_type, ends) in [
            (b"\x89PNG\r\n\x1a\n...".as_slice(), "image/png", "png"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp", "webp"),
            (b"\xff\xd8\xff\xe0", "image/jpeg", "jpg"),
        ] {
            assert_eq!(check_head(head), Ok(media_type));
            assert_eq!(extension(media_type), ends);
        }
        for (head, looks) in [
            (b"".as_slice(), "nothing"),
            (b"<!DOCTYPE html>", "a web page"),
            (b"\n <svg/>", "a web page or SVG"),
            (b"GIF89a....", "a GIF"),
            (b"\0\0\0\x18ftypheic\0\0", "HEIC"),
            (b"\0\0\0\x18ftypmif1\0\0", "HEIC"),
            (b"\0\0\0\x20ftypavif", "an AVIF"),
            (b"\0\0\0\x20ftypisom", "a video"),
            (b"II*\0....", "a TIFF"),
            (b"BM....", "a BMP"),
            (b"%PDF-1.7", "a PDF"),
            (b"PK\x03\x04..", "a ZIP"),
            (b"8BPS..", "a Photoshop"),
            (b"RIFF\0\0\0\0WAVE", "something else"),
            (b"\x89PNG..", "something else"),
            (b"hello", "text"),
        ] {
            let problem = check_head(head).unwrap_err();
            assert!(problem.starts_with(&format!("it looks like {looks}")), "{problem}");
        }
    }
}
