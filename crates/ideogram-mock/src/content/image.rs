//! Measures JPEG, PNG and WebP images, and checks that they are complete.
//!
//! The structure of the file is followed from its first to its last byte, which detects truncated downloads and wrong
//! extensions. Pixels are not decoded.

use crate::size::Size;

/// Returns the size of an image that is complete, not empty, and of a format that the service takes.
pub(super) fn measure(bytes: &[u8]) -> Option<Size> {
    let size = if let Some(chunks) = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n") {
        png(chunks)
    } else if let Some(segments) = bytes.strip_prefix(b"\xff\xd8") {
        jpeg(segments)
    } else {
        webp(bytes.strip_prefix(b"RIFF")?)
    };
    size.filter(|size| size.width > 0 && size.height > 0)
}

fn png(mut rest: &[u8]) -> Option<Size> {
    let mut size = None;
    loop {
        // A chunk: length, type, data, checksum.
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let data = after.get(..length)?;
        rest = after.get(length.saturating_add(4)..)?;
        match (kind, data) {
            (b"IHDR", header) if header.len() == 13 => {
                size = Some(Size { width: big_endian(&header[..4]), height: big_endian(&header[4..8]) });
            }
            (b"IEND", _) => return size,
            _ if size.is_none() => return None,
            _ => {}
        }
    }
}

fn jpeg(mut rest: &[u8]) -> Option<Size> {
    let mut size = None;
    loop {
        let [0xff, marker, segment @ ..] = rest else { return None };
        // Markers may be preceded by any number of fill bytes.
        if *marker == 0xff {
            rest = &rest[1..];
            continue;
        }
        let (length, _) = segment.split_first_chunk::<2>()?;
        let data = segment.get(..usize::from(u16::from_be_bytes(*length)))?;
        match (marker, data) {
            // Start of frame: length, precision, height, width. A height of 0 (set later) is not supported.
            (0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf, frame) if frame.len() >= 7 => {
                size = Some(Size { width: big_endian(&frame[5..7]), height: big_endian(&frame[3..5]) });
            }
            // Start of scan: the entropy-coded data runs to the end-of-image marker, which some cameras pad.
            (0xda, _) => return size.filter(|_| segment.windows(2).any(|pair| pair == b"\xff\xd9")),
            (_, [] | [_]) => return None,
            _ => {}
        }
        rest = &segment[data.len()..];
    }
}

fn webp(file: &[u8]) -> Option<Size> {
    let (length, rest) = file.split_first_chunk::<4>()?;
    let chunk = rest.get(..u32::from_le_bytes(*length) as usize)?.strip_prefix(b"WEBP")?;
    // A chunk has a type, a length, and a small header of its own.
    let (kind, header) = (chunk.get(..4)?, chunk.get(8..)?);
    let (width, height) = match kind {
        b"VP8 " if header.get(3..6)? == b"\x9d\x01\x2a" => {
            (little_endian(header.get(6..8)?) & SIDE, little_endian(header.get(8..10)?) & SIDE)
        }
        b"VP8L" if header.starts_with(b"\x2f") => {
            let both = little_endian(header.get(1..5)?);
            ((both & SIDE) + 1, (both >> 14 & SIDE) + 1)
        }
        b"VP8X" => (little_endian(header.get(4..7)?) + 1, little_endian(header.get(7..10)?) + 1),
        _ => return None,
    };
    Some(Size { width, height })
}

/// The 14 bits that a side has in WebP.
const SIDE: u32 = 0x3fff;

fn big_endian(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn little_endian(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png_of(width: u8) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        bytes.extend(b"\0\0\0\x0dIHDR\0\0\0");
        bytes.push(width);
        bytes.extend(b"\0\0\0\x01\x08\x02\0\0\0\0\0\0\0");
        bytes.extend(b"\0\0\0\x02IDATxx\0\0\0\0\0\0\0\0IEND\0\0\0\0");
        bytes
    }

    const JPEG: &[u8] =
        b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc0\0\x0b\x08\0\x01\0\x02\x01\x01\x11\0\xff\xda\0\x02data\xff\xd9";
    const WEBP: &[u8] = b"RIFF\x12\0\0\0WEBPVP8L\x06\0\0\0\x2f\0\0\0\0\0";

    #[test]
    fn images_of_all_formats_are_measured() {
        let size = |width, height| Some(Size { width, height });

        assert_eq!(measure(&png_of(3)), size(3, 1));
        assert_eq!(measure(JPEG), size(2, 1));
        assert_eq!(measure(WEBP), size(1, 1));
        assert_eq!(measure(b"RIFF\x16\0\0\0WEBPVP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\x03\x40\x02\0"), size(3, 2));
        assert_eq!(measure(b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x03\0\0\0\x01\0"), size(4, 257));
    }

    #[test]
    fn a_truncated_image_is_refused() {
        // A PNG decoder does not need the last checksum, but a file without it is truncated.
        for image in [&png_of(1)[..], JPEG, WEBP] {
            for end in 0..image.len() {
                assert!(measure(&image[..end]).is_none(), "{end} bytes of {image:?}");
            }
        }
    }

    #[test]
    fn an_image_without_area_is_refused() {
        assert!(measure(&png_of(0)).is_none());
    }
}
