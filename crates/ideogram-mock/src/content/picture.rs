//! Whether bytes are a whole JPEG, PNG or WebP picture.
//!
//! The frame of the file is followed from its first to its last byte, which finds the pictures that a broken download or
//! a wrong extension leaves behind. Pixels are not decoded.

/// Whether `bytes` are a picture of a format that the service takes, complete and with an area.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    is_png(bytes).or_else(|| is_jpeg(bytes)).or_else(|| is_webp(bytes)).unwrap_or(false)
}

/// `None` if the bytes are something else than PNG.
fn is_png(bytes: &[u8]) -> Option<bool> {
    let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let mut has_area = false;
    let whole = loop {
        // A chunk: length, type, data, checksum.
        let Some((length, after)) = rest.split_first_chunk::<4>() else { break false };
        let length = u32::from_be_bytes(*length) as usize;
        let Some((kind, after)) = after.split_first_chunk::<4>() else { break false };
        let Some(data) = after.get(..length) else { break false };
        let Some(after) = after.get(length.saturating_add(4)..) else { break false };
        match kind {
            b"IHDR" => has_area = data.len() == 13 && data[..4] != [0; 4] && data[4..8] != [0; 4],
            b"IEND" => break has_area,
            _ if !has_area => break false,
            _ => {}
        }
        rest = after;
    };
    Some(whole)
}

/// `None` if the bytes are something else than JPEG.
fn is_jpeg(bytes: &[u8]) -> Option<bool> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    let mut has_area = false;
    let whole = loop {
        let [0xff, marker, after @ ..] = rest else { break false };
        let segment = match marker {
            // Markers may be preceded by any number of fill bytes.
            0xff => {
                rest = &rest[1..];
                continue;
            }
            _ => after,
        };
        let Some((length, _)) = segment.split_first_chunk::<2>() else { break false };
        let Some(data) = segment.get(..usize::from(u16::from_be_bytes(*length))) else { break false };
        match marker {
            // Start of frame: length, precision, height, width. A height of 0 would come later; nobody writes that.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                has_area = data.len() >= 7 && data[3..5] != [0; 2] && data[5..7] != [0; 2];
            }
            // Start of scan: the entropy-coded data runs to the end-of-image marker, which some cameras pad.
            0xda => break has_area && segment.windows(2).any(|pair| pair == b"\xff\xd9"),
            _ => {}
        }
        rest = &segment[data.len()..];
        if data.len() < 2 {
            break false;
        }
    };
    Some(whole)
}

/// `None` if the bytes are something else than WebP.
fn is_webp(bytes: &[u8]) -> Option<bool> {
    let (length, rest) = bytes.strip_prefix(b"RIFF")?.split_first_chunk::<4>()?;
    let chunk = rest.strip_prefix(b"WEBP")?;
    let is_complete = rest.len() >= u32::from_le_bytes(*length) as usize;
    let kinds: [&[u8]; 3] = [b"VP8 ", b"VP8L", b"VP8X"];
    // A chunk has a type, a length, and at least its own small header.
    Some(is_complete && chunk.len() > 8 && kinds.iter().any(|kind| chunk.starts_with(kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u8) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        bytes.extend(b"\0\0\0\x0dIHDR\0\0\0");
        bytes.push(width);
        bytes.extend(b"\0\0\0\x01\x08\x02\0\0\0\0\0\0\0");
        bytes.extend(b"\0\0\0\x02IDATxx\0\0\0\0\0\0\0\0IEND\0\0\0\0");
        bytes
    }

    const JPEG: &[u8] =
        b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc0\0\x0b\x08\0\x01\0\x01\x01\x01\x11\0\xff\xda\0\x02data\xff\xd9";
    const WEBP: &[u8] = b"RIFF\x12\0\0\0WEBPVP8L\x06\0\0\0\x2f\0\0\0\0\0";

    #[test]
    fn pictures_of_all_three_formats_are_whole() {
        assert!(is_whole(&png(1)));
        assert!(is_whole(JPEG));
        assert!(is_whole(WEBP));
    }

    #[test]
    fn a_picture_cut_anywhere_is_not_whole() {
        // The last checksum of a PNG file is not part of what a decoder needs, but it belongs to the file.
        for picture in [&png(1)[..], JPEG, WEBP] {
            for end in 0..picture.len() {
                assert!(!is_whole(&picture[..end]), "{end} bytes of {picture:?}");
            }
        }
    }

    #[test]
    fn a_picture_without_area_is_not_whole() {
        assert!(!is_whole(&png(0)));
    }

    #[test]
    fn other_content_is_no_picture() {
        assert!(!is_whole(b"GIF89a"));
        assert!(!is_whole(b""));
    }
}
