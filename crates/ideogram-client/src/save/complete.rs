//! Checks whether an image is complete.
//!
//! A cache that broke off while it was filled sends a part of an image, with the size of the part. Every format here
//! says where it ends, so the structure is read without decoding a pixel, with a few bytes of memory. Bytes after the
//! end are ignored.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use crate::values::file_type::SIGNATURE_BYTES;

/// Boxes at the top level of a file.
const BOXES: [&[u8; 4]; 10] =
    [b"mdat", b"meta", b"moov", b"moof", b"mfra", b"free", b"skip", b"uuid", b"sidx", b"styp"];

/// Returns whether an image is complete. A file of another format counts as complete.
pub(super) fn is_complete(file: impl Read + Seek) -> io::Result<bool> {
    let mut image = Walk { file: BufReader::new(file) };
    let length = image.file.seek(SeekFrom::End(0))?;
    image.file.rewind()?;
    let mut head = Vec::with_capacity(SIGNATURE_BYTES);
    image.file.by_ref().take(SIGNATURE_BYTES as u64).read_to_end(&mut head)?;
    let walked = match &*head {
        [0x89, b'P', b'N', b'G', ..] => image.png(),
        [0xff, 0xd8, 0xff, ..] => image.jpeg(),
        [b'G', b'I', b'F', b'8', ..] => image.gif(),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => image.webp(length),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => image.boxes(length),
        _ => return Ok(true),
    };
    match walked {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Reads the structure of a file. Each method returns without an error at the end of the image.
struct Walk<F> {
    file: BufReader<F>,
}

fn broken<T>() -> io::Result<T> {
    Err(io::ErrorKind::InvalidData.into())
}

impl<F: Read + Seek> Walk<F> {
    /// Chunks (length, type, data, checksum) up to `IEND`.
    fn png(&mut self) -> io::Result<()> {
        self.go_to(8)?;
        loop {
            let [a, b, c, d, name @ ..] = self.take::<8>()?;
            self.skip(u64::from(u32::from_be_bytes([a, b, c, d])))?;
            self.take::<4>()?;
            match &name {
                b"IEND" => return Ok(()),
                _ if name.iter().all(u8::is_ascii_alphabetic) => {}
                _ => return broken(),
            }
        }
    }

    /// Segments up to the end-of-image marker, which must follow a scan.
    fn jpeg(&mut self) -> io::Result<()> {
        self.go_to(2)?;
        let mut has_scan = false;
        loop {
            // Only between segments can other bytes be the data of a scan.
            let marker = self.marker(has_scan)?;
            match marker {
                0xd9 if has_scan => return Ok(()),
                // Restarts, and markers without a length.
                0x01 | 0xd0..=0xd7 => {}
                0x00 | 0xd8 | 0xd9 => return broken(),
                _ => {
                    let length = u64::from(u16::from_be_bytes(self.take::<2>()?));
                    let Some(rest) = length.checked_sub(2) else { return broken() };
                    self.skip(rest)?;
                    has_scan |= marker == 0xda;
                }
            }
        }
    }

    /// The next marker of a JPEG. In the data of a scan, `ff 00` is a byte of it.
    fn marker(&mut self, in_scan: bool) -> io::Result<u8> {
        loop {
            // At the end of the file, the next read fails.
            let skipped = self.file.skip_until(0xff)?;
            if skipped > 1 && !in_scan {
                return broken();
            }
            let mut byte = 0xff;
            while byte == 0xff {
                [byte] = self.take::<1>()?;
            }
            if byte != 0 || !in_scan {
                return Ok(byte);
            }
        }
    }

    /// Blocks up to the trailer.
    fn gif(&mut self) -> io::Result<()> {
        self.go_to(10)?;
        let [flags, _, _] = self.take::<3>()?;
        self.skip(color_table_bytes(flags))?;
        loop {
            match self.take::<1>()? {
                [b';'] => return Ok(()),
                [b','] => {
                    let [.., flags] = self.take::<9>()?;
                    self.skip(color_table_bytes(flags) + 1)?;
                }
                [b'!'] => self.skip(1)?,
                _ => return broken(),
            }
            // Blocks of data with their length, up to an empty one.
            loop {
                match self.take::<1>()? {
                    [0] => break,
                    [length] => self.skip(length.into())?,
                }
            }
        }
    }

    /// The total length, and chunks that fill it.
    fn webp(&mut self, length: u64) -> io::Result<()> {
        self.go_to(4)?;
        let end = u64::from(u32::from_le_bytes(self.take::<4>()?)) + 8;
        if end > length {
            return broken();
        }
        let mut at = 12;
        self.go_to(at)?;
        while at < end {
            let [_, _, _, _, a, b, c, d] = self.take::<8>()?;
            let size = u64::from(u32::from_le_bytes([a, b, c, d]));
            // Some writers omit the padding of the last chunk.
            at += 8 + size;
            if at > end {
                return broken();
            }
            at += size % 2;
            self.go_to(at)?;
        }
        if at > 12 { Ok(()) } else { broken() }
    }

    /// AVIF and HEIF: boxes up to the end of the last one that holds data of the image.
    fn boxes(&mut self, length: u64) -> io::Result<()> {
        let (mut at, mut has_meta, mut has_data) = (0, false, false);
        while at < length {
            self.go_to(at)?;
            // Fewer bytes than a box: they follow the image.
            let next = if length - at < 8 { None } else { self.box_at(at, length)? };
            match next {
                // Text after the image looks like a box.
                Some((name, _)) if has_meta && has_data && !BOXES.contains(&&name) => break,
                Some((_, end)) if end > length => return broken(),
                Some((name, end)) => {
                    has_data |= &name == b"mdat";
                    if matches!(&name, b"meta" | b"moov") {
                        has_meta = true;
                        has_data |= self.has_inner_data(end)?;
                    }
                    at = end;
                }
                None => break,
            }
        }
        if has_meta && has_data { Ok(()) } else { broken() }
    }

    /// Returns the name and the end of a box; `None` if there is none.
    fn box_at(&mut self, at: u64, length: u64) -> io::Result<Option<([u8; 4], u64)>> {
        let [a, b, c, d, name @ ..] = self.take::<8>()?;
        if !name.iter().all(|letter| (b' '..=b'~').contains(letter)) {
            return Ok(None);
        }
        let end = match u32::from_be_bytes([a, b, c, d]) {
            // To the end of the file.
            0 => length,
            1 => {
                let size = u64::from_be_bytes(self.take::<8>()?);
                if size < 16 {
                    return Ok(None);
                }
                at.saturating_add(size)
            }
            size @ 8.. => at + u64::from(size),
            _ => return Ok(None),
        };
        Ok(Some((name, end)))
    }

    /// Returns whether a `meta` box contains the data of the image, in `idat`.
    fn has_inner_data(&mut self, end: u64) -> io::Result<bool> {
        // After its version and flags.
        let mut at = self.file.stream_position()? + 4;
        while at + 8 <= end {
            self.go_to(at)?;
            match self.box_at(at, end)? {
                Some((name, _)) if &name == b"idat" => return Ok(true),
                Some((_, next)) if next <= end => at = next,
                _ => break,
            }
        }
        Ok(false)
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn go_to(&mut self, at: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at)).map(drop)
    }

    /// Skips bytes. If the file ends before, the next read fails.
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        self.file.seek_relative(i64::try_from(bytes).or(broken())?)
    }
}

/// Returns the size of a table of colors, by the flags before it.
fn color_table_bytes(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn chunk(name: &[u8], data: &[u8]) -> Vec<u8> {
        [&u32::try_from(data.len()).unwrap().to_be_bytes(), name, data, &[1, 2, 3, 4]].concat()
    }

    fn png() -> Vec<u8> {
        let parts = [chunk(b"IHDR", &[0; 13]), chunk(b"tEXt", b"IEND"), chunk(b"IDAT", &[7; 40]), chunk(b"IEND", b"")];
        [b"\x89PNG\r\n\x1a\n".to_vec(), parts.concat()].concat()
    }

    fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker], length.as_slice(), data].concat()
    }

    /// With a thumbnail inside, two scans, a stuffed byte, a restart and a fill byte.
    fn jpeg() -> Vec<u8> {
        let scan = segment(0xda, &[1, 1, 0, 0, 63, 0]);
        [
            vec![0xff, 0xd8],
            segment(0xe0, b"JFIF\0\xff\xd8\xff\xd9"),
            segment(0xc2, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]),
            scan.clone(),
            b"data\xff\0more\xff\xd0data".to_vec(),
            segment(0xc4, &[0; 17]),
            scan,
            b"\x12\xff\0".to_vec(),
            vec![0xff, 0xff, 0xd9],
        ]
        .concat()
    }

    /// With tables of colors of both kinds, an extension, and a `;` in its data.
    fn gif() -> Vec<u8> {
        [
            b"GIF89a\x01\0\x01\0\x80\0\0".as_slice(),
            b"abcdef",
            b"!\xf9\x04\0\0\0\0\0",
            b",\0\0\0\0\x01\0\x01\0\x80abcdef\x02\x03;;;\0",
            b";",
        ]
        .concat()
    }

    fn webp() -> Vec<u8> {
        let chunk = |name: &[u8], data: &[u8]| {
            let length = u32::try_from(data.len()).unwrap().to_le_bytes();
            [name, &length, data, &vec![0; data.len() % 2]].concat()
        };
        let chunks = [chunk(b"VP8X", &[0; 10]), chunk(b"ALPH", b"odd"), chunk(b"VP8 ", &[9; 20])].concat();
        let length = u32::try_from(chunks.len() + 4).unwrap().to_le_bytes();
        [b"RIFF".as_slice(), &length, b"WEBP", &chunks].concat()
    }

    fn boxed(name: &[u8], data: &[u8]) -> Vec<u8> {
        [&u32::try_from(data.len() + 8).unwrap().to_be_bytes(), name, data].concat()
    }

    fn avif() -> Vec<u8> {
        let meta = [b"\0\0\0\0".to_vec(), boxed(b"hdlr", &[0; 24]), boxed(b"iloc", &[0; 12])].concat();
        [boxed(b"ftyp", b"avif\0\0\0\0avifmif1"), boxed(b"meta", &meta), boxed(b"mdat", &[5; 30])].concat()
    }

    /// With its data inside `meta`, and a length of 64 bits.
    fn heic() -> Vec<u8> {
        let meta = [b"\0\0\0\0".to_vec(), boxed(b"hdlr", &[0; 24]), boxed(b"idat", &[5; 30])].concat();
        let length = u64::try_from(meta.len() + 16).unwrap().to_be_bytes();
        let meta = [b"\0\0\0\x01meta".as_slice(), &length, &meta].concat();
        [boxed(b"ftyp", b"heic\0\0\0\0mif1heic"), meta].concat()
    }

    fn checked(bytes: &[u8]) -> bool {
        is_complete(Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn an_image_cut_at_any_byte_is_not_complete_and_bytes_after_its_end_are_ignored() {
        let samples =
            [("png", png()), ("jpeg", jpeg()), ("gif", gif()), ("webp", webp()), ("avif", avif()), ("heic", heic())];
        for (format, image) in samples {
            assert!(checked(&image), "{format}");
            // Shorter files are not recognized as images.
            for cut in SIGNATURE_BYTES..image.len() {
                assert!(!checked(&image[..cut]), "{format} cut at {cut} of {}", image.len());
            }
            for rest in [b"\0".as_slice(), b"\n", b"<!-- cached -->", &[0; 100]] {
                assert!(checked(&[&image, rest].concat()), "{format} {rest:?}");
            }
        }
    }

    #[test]
    fn no_damaged_byte_causes_a_panic() {
        for image in [png(), jpeg(), gif(), webp(), avif(), heic()] {
            for position in 0..image.len() {
                for value in [0, 1, 0x7f, 0x80, 0xd9, 0xff] {
                    let mut damaged = image.clone();
                    damaged[position] = value;
                    let _ = checked(&damaged);
                }
            }
        }
    }

    #[test]
    fn other_formats_count_as_complete() {
        for bytes in [b"<svg>".as_slice(), b"BM", b"", b"II*\0"] {
            assert!(checked(bytes));
        }
    }
}
