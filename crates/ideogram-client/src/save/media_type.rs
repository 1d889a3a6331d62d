//! The type of a download, by its first bytes.
//!
//! The extension of a link may be wrong, and an error page may have the status 200. So the bytes decide; the
//! `Content-Type` counts only for unknown bytes that do not look like text.

use std::borrow::Cow;

use crate::values::file_type::ImageType;

/// A media type of images, with its extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MediaType {
    pub(super) name: Cow<'static, str>,
    pub(super) extension: Cow<'static, str>,
}

/// Returns whether an extension is one of an image, so that it is replaced if it is wrong.
pub fn is_image_extension(extension: &str) -> bool {
    ImageType::by_extension(extension).is_some()
}

impl MediaType {
    /// Returns the type of a download that begins with `head`, up to
    /// [`SIGNATURE_BYTES`](crate::values::file_type::SIGNATURE_BYTES) long. If it is not an image, the error says what it
    /// is.
    pub(super) fn of(head: &[u8], content_type: Option<&str>) -> Result<Self, String> {
        if let Some(known) = ImageType::by_signature(head) {
            return Ok(Self::known(known));
        }
        if head.is_empty() {
            return Err("the response is empty".to_owned());
        }
        let declared = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
        let declared = declared.trim().to_ascii_lowercase();
        let subtype = declared.strip_prefix("image/").unwrap_or_default();
        if subtype.is_empty() {
            return Err(if declared.is_empty() {
                "neither its bytes nor a media type say so".to_owned()
            } else {
                declared
            });
        }
        let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
        if subtype != "svg+xml" && first.is_some_and(|first| b"<{[".contains(first)) {
            return Err(format!("a text that is declared as {declared}"));
        }
        if let Some(known) = ImageType::by_media_type(&declared) {
            return Ok(Self::known(known));
        }
        let extension: String = subtype.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
        let extension = if extension.is_empty() { "image".to_owned() } else { extension };
        Ok(Self { name: Cow::Owned(declared), extension: Cow::Owned(extension) })
    }

    fn known(known: &'static ImageType) -> Self {
        Self { name: Cow::Borrowed(known.media_type), extension: Cow::Borrowed(known.extensions[0]) }
    }

    /// Returns whether an extension fits this type.
    pub(super) fn has_extension(&self, extension: &str) -> bool {
        extension.eq_ignore_ascii_case(&self.extension)
            || ImageType::by_extension(&self.extension).is_some_and(|known| known.has_extension(extension))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_decide_and_not_the_content_type() {
        for (head, extension) in [
            (b"\x89PNG\r\n\x1a\n".as_slice(), "png"),
            (b"\xff\xd8\xff\xe0....JFIF", "jpg"),
            (b"GIF87a..", "gif"),
            (b"GIF89a..", "gif"),
            (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
            (b"\x00\x00\x00\x20ftypavif", "avif"),
            (b"\x00\x00\x00\x20ftypavis", "avif"),
        ] {
            for declared in [None, Some("text/html"), Some("image/png"), Some("application/octet-stream")] {
                assert_eq!(MediaType::of(head, declared).unwrap().extension, extension, "{declared:?}");
            }
        }
    }

    #[test]
    fn the_content_type_decides_without_a_known_signature() {
        for (declared, name, extension) in [
            ("image/png", "image/png", "png"),
            ("Image/JPEG; q=1", "image/jpeg", "jpg"),
            ("image/vnd.../../x", "image/vnd.../../x", "vndx"),
            ("image/...", "image/...", "image"),
        ] {
            let media_type = MediaType::of(b"\x00\x01\x02", Some(declared)).unwrap();

            assert_eq!((&*media_type.name, &*media_type.extension), (name, extension));
        }
        assert_eq!(MediaType::of(b"<svg>", Some("image/svg+xml")).unwrap().extension, "svg");
    }

    #[test]
    fn pages_json_and_empty_bodies_are_not_images() {
        for (head, declared) in [
            (b"<!DOCTYPE html>".as_slice(), Some("text/html")),
            (b"<html>", Some("image/png")),
            (b" \r\n<html>", Some("image/png")),
            (b"{\"error\":", Some("application/json")),
            (b"{\"error\":", Some("image/png")),
            (b"", Some("image/png")),
            (b"", None),
            (b"\x00\x01", None),
            (b"\x00\x01", Some("application/octet-stream")),
            (b"\x00\x01", Some("image/")),
            (b"RIFF\x00\x00\x00\x00WAVE", None),
            (b"\x1f\x8b\x08", Some("application/gzip")),
        ] {
            assert!(MediaType::of(head, declared).is_err(), "{head:?} {declared:?}");
        }
    }

    #[test]
    fn an_equivalent_extension_fits() {
        let jpeg = MediaType::of(b"\xff\xd8\xff", None).unwrap();

        assert!(jpeg.has_extension("jpg") && jpeg.has_extension("JPEG") && !jpeg.has_extension("png"));
        assert!(is_image_extension("JPEG") && is_image_extension("webp") && !is_image_extension("v2"));
    }
}
