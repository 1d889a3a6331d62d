//! The type of a file in a training set, by its first bytes, then by its name.
//!
//! Pure functions of a name and bytes. A name may be wrong: phones save HEIC images as `photo.jpg`, which the service
//! refuses.

use std::io;

use super::{
    local_file::{Fault, FileKind, MAX_CAPTION_BYTES, SkipReason},
    name,
};
use crate::values::file_type::{ImageType, is_zip};

/// Extensions of images that are not in the table of [`ImageType`].
const OTHER_IMAGE_EXTENSIONS: [&str; 18] = [
    "arw", "cr2", "cr3", "dng", "exr", "heic", "heif", "ico", "jfif", "jp2", "jxl", "nef", "orf", "psd", "raf", "raw",
    "rw2", "tga",
];
const ARCHIVE_EXTENSIONS: [&str; 9] = ["7z", "bz2", "gz", "rar", "tar", "tgz", "xz", "zip", "zst"];
/// Extensions that training tools give to captions.
const CAPTION_EXTENSIONS: [&str; 7] = ["cap", "caption", "captions", "prompt", "prompts", "tag", "tags"];
/// Extensions of files that are captions if an image has the same stem, or if the name says so.
const PERHAPS_CAPTION_EXTENSIONS: [&str; 10] =
    ["csv", "json", "jsonl", "md", "parquet", "text", "tsv", "xml", "yaml", "yml"];
/// Names of files with the captions of all images.
const CAPTION_TABLES: [&str; 6] = ["caption", "captions", "dataset", "labels", "metadata", "prompts"];

/// A file of the training set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) kind: FileKind,
    pub(crate) fault: Option<Fault>,
    /// Whether it is a caption that begins with a byte order mark.
    pub(crate) has_byte_order_mark: bool,
}

/// Judges a file by its name, its first bytes and its size. For a caption, `head` is the whole text, up to one byte more
/// than [`MAX_CAPTION_BYTES`].
///
/// # Errors
///
/// The reason why it is not part of the training set.
pub(crate) fn judge(name: &str, head: &[u8], size_bytes: u64) -> Result<Content, SkipReason> {
    let file = |kind, fault| Ok(Content { kind, fault, has_byte_order_mark: false });
    if name::is_caption(name) {
        let has_byte_order_mark = head.starts_with(UTF_8_MARK);
        return Ok(Content { kind: FileKind::Caption, fault: caption_fault(head), has_byte_order_mark });
    }
    if let Some(kind) = ImageType::by_signature(head).and_then(accepted) {
        return file(kind, None);
    }
    let extension = name::extension(name);
    let extension = extension.as_str();
    let format = other_format(head);
    if kind_by_name(name).is_some() {
        let fault = match format {
            Some(format) => Fault::OtherImage(format.to_owned()),
            None if size_bytes == 0 => Fault::Empty,
            None => Fault::NotAImage,
        };
        return file(FileKind::NoImage, Some(fault));
    }
    Err(match format {
        Some(format) => SkipReason::OtherImage(format.to_owned()),
        None if ImageType::by_extension(extension).is_some() || OTHER_IMAGE_EXTENSIONS.contains(&extension) => {
            SkipReason::OtherImage(extension.to_ascii_uppercase())
        }
        None if is_zip(head) || extension == "zip" => SkipReason::Archive,
        None if is_other_archive(head) || ARCHIVE_EXTENSIONS.contains(&extension) => SkipReason::OtherArchive,
        None if CAPTION_EXTENSIONS.contains(&extension) => SkipReason::OtherCaption { rename_to: None },
        None if is_caption_table(name) => SkipReason::OtherCaption { rename_to: None },
        None => SkipReason::OtherType,
    })
}

/// Judges a file that cannot be read, by its name.
pub(crate) fn unreadable(name: &str, error: &io::Error) -> Result<Content, SkipReason> {
    let why = error.to_string();
    let kind = if name::is_caption(name) {
        FileKind::Caption
    } else if kind_by_name(name).is_some() {
        FileKind::NoImage
    } else {
        return Err(SkipReason::Unreadable(why));
    };
    Ok(Content { kind, fault: Some(Fault::Unreadable(why)), has_byte_order_mark: false })
}

/// Returns whether a file of this name may be the caption of an image with the same stem.
pub(crate) fn may_be_caption(name: &str) -> bool {
    let extension = name::extension(name);
    CAPTION_EXTENSIONS.contains(&extension.as_str()) || PERHAPS_CAPTION_EXTENSIONS.contains(&extension.as_str())
}

fn is_caption_table(name: &str) -> bool {
    let is_named_like_one = CAPTION_TABLES.contains(&name::stem(name).to_ascii_lowercase().as_str());
    is_named_like_one && PERHAPS_CAPTION_EXTENSIONS.contains(&name::extension(name).as_str())
}

/// Returns the kind of an image that the service accepts, by the extension of its name.
pub(crate) fn kind_by_name(name: &str) -> Option<FileKind> {
    ImageType::by_extension(&name::extension(name)).and_then(accepted)
}

/// Returns the kind of an image that the service accepts.
fn accepted(image: &ImageType) -> Option<FileKind> {
    match image.media_type {
        "image/jpeg" => Some(FileKind::Jpeg),
        "image/png" => Some(FileKind::Png),
        "image/webp" => Some(FileKind::WebP),
        _ => None,
    }
}

/// Returns the format of an image that the service does not accept.
fn other_format(head: &[u8]) -> Option<&'static str> {
    if let Some(known) = ImageType::by_signature(head) {
        return Some(known.name);
    }
    match head {
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.get(..4)? {
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" | b"mif1" | b"msf1" => {
                Some("HEIC")
            }
            b"crx " => Some("raw camera"),
            _ => None,
        },
        // Most raw formats of cameras are TIFF files, too.
        [b'I', b'I', b'*' | b'+', 0, ..] | [b'M', b'M', 0, b'*' | b'+', ..] => Some("TIFF"),
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Some("BMP"),
        [b'8', b'B', b'P', b'S', ..] => Some("PSD"),
        [0xff, 0x0a, ..] | [0, 0, 0, 0x0c, b'J', b'X', b'L', b' ', ..] => Some("JPEG XL"),
        [0, 0, 0, 0x0c, b'j', b'P', b' ', b' ', ..] => Some("JPEG 2000"),
        [0, 0, 1, 0, count, 0, ..] if *count > 0 => Some("ICO"),
        _ => None,
    }
}

fn is_other_archive(head: &[u8]) -> bool {
    let signatures: [&[u8]; 6] =
        [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x1f\x8b", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd"];
    signatures.iter().any(|signature| head.starts_with(signature))
}

const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns why a caption cannot be sent. It is not converted, since that would change its size, which is compared with the
/// dataset.
fn caption_fault(text: &[u8]) -> Option<Fault> {
    if text.len() as u64 > MAX_CAPTION_BYTES {
        return Some(Fault::TooLarge);
    }
    if let Some(encoding) = other_encoding(text) {
        return Some(Fault::OtherEncoding(encoding.to_owned()));
    }
    let Ok(text) = std::str::from_utf8(text) else { return Some(Fault::NotText) };
    if text.contains('\0') {
        return Some(Fault::NotText);
    }
    text.trim_start_matches('\u{feff}').trim().is_empty().then_some(Fault::Empty)
}

/// The encoding of a text that is not UTF-8, as far as its bytes say it.
fn other_encoding(text: &[u8]) -> Option<&'static str> {
    match text {
        // Before the marks of UTF-16, which begin alike.
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        // Without a mark: every other byte of Latin letters in UTF-16 is zero.
        [first, 0, third, 0, ..] | [0, first, 0, third, ..] if *first != 0 && *third != 0 => Some("UTF-16"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(name: &str, head: &[u8]) -> Option<SkipReason> {
        judge(name, head, head.len() as u64).err()
    }

    fn fault(name: &str, head: &[u8]) -> Option<Fault> {
        judge(name, head, head.len() as u64).unwrap().fault
    }

    #[test]
    fn an_image_of_another_format_has_the_name_of_its_format() {
        for (head, format) in [
            (&b"\0\0\0\x18ftypheic\0\0\0\0"[..], "HEIC"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0", "HEIC"),
            (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
            (b"II*\0\x08\0\0\0", "TIFF"),
            (b"MM\0*\0\0\0\x08", "TIFF"),
            (b"GIF89a\x01\0\x01\0", "GIF"),
            (b"BM\x46\0\0\0\0\0\0\0\x36\0", "BMP"),
            (b"8BPS\0\x01", "PSD"),
            (b"\xff\x0a\xfa\x1f", "JPEG XL"),
            (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
            (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
            (b"\0\0\x01\0\x01\0\x10\x10", "ICO"),
        ] {
            for name in ["photo", "photo.dat", "photo.heic"] {
                assert_eq!(skip(name, head), Some(SkipReason::OtherImage(format.to_owned())), "{name} {head:?}");
            }
            assert_eq!(fault("photo.jpg", head), Some(Fault::OtherImage(format.to_owned())), "{head:?}");
        }
        assert_eq!(skip("photo.HEIC", b"?"), Some(SkipReason::OtherImage("HEIC".to_owned())));
        assert_eq!(skip("photo.svg", b"<svg>"), Some(SkipReason::OtherImage("SVG".to_owned())));
    }

    #[test]
    fn other_files_have_a_reason() {
        let caption = SkipReason::OtherCaption { rename_to: None };
        for (name, head, expected) in [
            ("all.zip", &b""[..], SkipReason::Archive),
            ("all", b"PK\x03\x04", SkipReason::Archive),
            ("all", b"PK\x05\x06", SkipReason::Archive),
            ("all.7z", b"", SkipReason::OtherArchive),
            ("all.tar.gz", b"\x1f\x8b\x08", SkipReason::OtherArchive),
            ("all", b"Rar!\x1a\x07\x01", SkipReason::OtherArchive),
            ("a.caption", b"a lantern", caption.clone()),
            ("a.TAGS", b"", caption.clone()),
            ("metadata.jsonl", b"{}", caption.clone()),
            ("Captions.csv", b"", caption),
            ("a.json", b"{}", SkipReason::OtherType),
            ("notes.md", b"#", SkipReason::OtherType),
            ("clip.mp4", b"\0\0\0\x18ftypisom", SkipReason::OtherType),
            ("BMW.doc", b"BM", SkipReason::OtherType),
        ] {
            assert_eq!(skip(name, head), Some(expected), "{name}");
        }
    }

    #[test]
    fn captions_are_utf_8_and_not_empty() {
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let utf_16_big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        let encoding = |name: &str| Some(Fault::OtherEncoding(name.to_owned()));
        for (text, expected) in [
            ("größer".as_bytes().to_vec(), None),
            (b"\xef\xbb\xbfa lantern".to_vec(), None),
            (b" \r\n\t".to_vec(), Some(Fault::Empty)),
            (b"\xef\xbb\xbf \n".to_vec(), Some(Fault::Empty)),
            (b"".to_vec(), Some(Fault::Empty)),
            (utf_16("\u{feff}a lantern"), encoding("UTF-16")),
            (utf_16_big("\u{feff}a lantern"), encoding("UTF-16")),
            (utf_16("a lantern"), encoding("UTF-16")),
            (utf_16_big("a lantern"), encoding("UTF-16")),
            (b"\xff\xfe\0\0a\0\0\0".to_vec(), encoding("UTF-32")),
            (b"gr\xf6\xdfer".to_vec(), Some(Fault::NotText)),
            (b"a lantern\xc3".to_vec(), Some(Fault::NotText)),
            (b"a lantern\0".to_vec(), Some(Fault::NotText)),
        ] {
            assert_eq!(fault("a.txt", &text), expected, "{text:?}");
        }
    }
}
