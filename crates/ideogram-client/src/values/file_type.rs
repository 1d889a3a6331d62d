//! The types of files: one table of images with media types, extensions and signatures.
//!
//! Start at [`image_type`]. Names and headers can be wrong, so the first bytes of a file decide if they are known.

/// The number of bytes that the signatures need.
pub const SIGNATURE_BYTES: usize = 16;

/// A type of image.
#[derive(Debug)]
pub(crate) struct ImageType {
    pub(crate) name: &'static str,
    pub(crate) media_type: &'static str,
    /// In lower case; the first one is for new files.
    pub(crate) extensions: &'static [&'static str],
    has_signature: fn(&[u8]) -> bool,
}

/// The known types. Those without a signature are recognized by names and headers only.
pub(crate) static IMAGE_TYPES: [ImageType; 8] = [
    ImageType {
        name: "PNG",
        media_type: "image/png",
        extensions: &["png"],
        has_signature: |head| head.starts_with(b"\x89PNG\r\n\x1a\n"),
    },
    ImageType {
        name: "JPEG",
        media_type: "image/jpeg",
        extensions: &["jpg", "jpeg"],
        has_signature: |head| head.starts_with(b"\xff\xd8\xff"),
    },
    ImageType {
        name: "WebP",
        media_type: "image/webp",
        extensions: &["webp"],
        has_signature: |head| matches!(head, [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..]),
    },
    ImageType {
        name: "GIF",
        media_type: "image/gif",
        extensions: &["gif"],
        has_signature: |head| matches!(head, [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..]),
    },
    ImageType {
        name: "AVIF",
        media_type: "image/avif",
        extensions: &["avif"],
        has_signature: |head| matches!(head, [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', b'f' | b's', ..]),
    },
    ImageType { name: "SVG", media_type: "image/svg+xml", extensions: &["svg"], has_signature: |_| false },
    ImageType { name: "TIFF", media_type: "image/tiff", extensions: &["tif", "tiff"], has_signature: |_| false },
    ImageType { name: "BMP", media_type: "image/bmp", extensions: &["bmp"], has_signature: |_| false },
];

impl ImageType {
    /// Returns the type of an image that begins with `head`; `None` for other types and other files.
    pub(crate) fn by_signature(head: &[u8]) -> Option<&'static Self> {
        IMAGE_TYPES.iter().find(|known| (known.has_signature)(head))
    }

    pub(crate) fn by_media_type(media_type: &str) -> Option<&'static Self> {
        IMAGE_TYPES.iter().find(|known| known.media_type == media_type)
    }

    /// Returns the type of an extension, in upper or lower case.
    pub(crate) fn by_extension(extension: &str) -> Option<&'static Self> {
        IMAGE_TYPES.iter().find(|known| known.has_extension(extension))
    }

    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        self.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension))
    }
}

/// Returns the media type of an image that begins with `head`; `None` for other types and other files.
pub fn image_type(head: &[u8]) -> Option<&'static str> {
    ImageType::by_signature(head).map(|known| known.media_type)
}

/// Returns whether a file that begins with `head` is a ZIP archive. An empty archive has another signature.
pub(crate) fn is_zip(head: &[u8]) -> bool {
    matches!(head, [b'P', b'K', 3 | 5, 4 | 6, ..])
}
