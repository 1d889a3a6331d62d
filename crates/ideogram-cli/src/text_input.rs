//! Text from files and standard input, as the programs of all systems save it.
//!
//! [`read`] reads bytes up to a limit, [`decode`] converts them to text. Text is UTF-8, with or without a byte order
//! mark, or UTF-16 with one. Other encodings are refused by name: a wrong guess would change the prompt of an image that
//! is billed.

use std::{
    cell::Cell,
    fmt, fs,
    io::{self, Read as _},
    path::Path,
};

use crate::{failure::Failure, output::units};

/// The byte order mark: editors on Windows begin files with it.
const MARK: char = '\u{feff}';
/// Stands for standard input where a path is expected.
const STANDARD_INPUT: &str = "-";

/// Why text cannot be read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    Io(io::Error),
    TooLarge { limit: u64 },
    Encoding(Encoding),
}

/// An encoding that is not supported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// An encoding by its name.
    Named(&'static str),
    /// UTF-16 that is incomplete or invalid.
    BrokenUtf16,
    /// A byte that is not valid in UTF-8, and its line, from 1.
    CodePage { byte: u8, line: usize },
    /// Not text.
    Binary(&'static str),
    /// A spreadsheet, or an archive that looks like one.
    Spreadsheet(&'static str),
}

impl Unreadable {
    /// The failure of the command. `what` is the input, such as `the configuration file "a.toml"`.
    pub(crate) fn failure(&self, what: &str) -> Failure {
        match self {
            Self::Io(error) => Failure::local_io(format!("cannot read {what}")).because(error),
            Self::TooLarge { limit } => {
                Failure::usage(format!("{what} is too large: the limit is {}", units::size(*limit)))
            }
            Self::Encoding(encoding) => Failure::usage(format!("{what} cannot be read as text"))
                .cause(encoding.to_string())
                .hint(encoding.next_step()),
        }
    }
}

impl Encoding {
    fn next_step(&self) -> &'static str {
        match self {
            Self::Binary(_) | Self::Spreadsheet(_) => "use a text file in UTF-8",
            _ => {
                "save it as UTF-8: in Notepad choose the encoding UTF-8, in Excel \"CSV UTF-8\", in PowerShell add \
                 -Encoding utf8"
            }
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(formatter, "its encoding is {name}, not UTF-8"),
            Self::BrokenUtf16 => formatter.write_str("its encoding is UTF-16, and it is damaged or cut off"),
            Self::CodePage { byte, line } => write!(
                formatter,
                "it is not UTF-8: line {line} has the byte 0x{byte:02x}; its encoding is probably Windows-1252 \
                 (\"ANSI\") or another code page"
            ),
            Self::Binary(what) | Self::Spreadsheet(what) => write!(formatter, "it is {what}, not text"),
        }
    }
}

/// Standard input, which can be read once.
#[derive(Debug, Default)]
pub(crate) struct Stdin(Cell<bool>);

impl Stdin {
    /// Reads all of it, up to `limit` bytes. `what` is the input that it is used for.
    pub(crate) async fn read(&self, what: &str, limit: u64) -> Result<Vec<u8>, Failure> {
        if self.0.replace(true) {
            return Err(Failure::usage(format!("standard input is used twice: it cannot also be {what}")));
        }
        // Ctrl-C must work meanwhile.
        let read = tokio::task::spawn_blocking(move || read_limited(io::stdin().lock(), limit)).await;
        let read = read.unwrap_or_else(|error| Err(Unreadable::Io(io::Error::other(error))));
        read.map_err(|error| error.failure(&format!("{what} from standard input")))
    }
}

/// Reads a file, or standard input for `-`, up to `limit` bytes. `what` is the input in messages.
pub(crate) async fn read(path: &Path, stdin: &Stdin, what: &str, limit: u64) -> Result<Vec<u8>, Failure> {
    if is_standard_input(path) {
        return stdin.read(what, limit).await;
    }
    // A pipe or a network drive may be slow: Ctrl-C must work meanwhile.
    let file = path.to_owned();
    let read = tokio::task::spawn_blocking(move || read_file(&file, limit)).await;
    let read = read.unwrap_or_else(|error| Err(Unreadable::Io(io::Error::other(error))));
    read.map_err(|error| error.failure(&format!("{what} \"{}\"", path.display())))
}

/// Reads text from a file, or from standard input for `-`.
pub(crate) async fn read_text(path: &Path, stdin: &Stdin, what: &str, limit: u64) -> Result<String, Failure> {
    let bytes = read(path, stdin, what, limit).await?;
    decode(&bytes).map_err(|encoding| {
        let name = if is_standard_input(path) {
            format!("{what} from standard input")
        } else {
            format!("{what} \"{}\"", path.display())
        };
        Unreadable::Encoding(encoding).failure(&name)
    })
}

/// Reads a file up to `limit` bytes. Blocks.
pub(crate) fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, Unreadable> {
    let file = fs::File::open(path).map_err(Unreadable::Io)?;
    read_limited(file, limit)
}

/// Reads text from a file. Blocks.
pub(crate) fn read_text_file(path: &Path, limit: u64) -> Result<String, Unreadable> {
    decode(&read_file(path, limit)?).map_err(Unreadable::Encoding)
}

/// Reads all of a reader, unless it has more than `limit` bytes.
pub(crate) fn read_limited(reader: impl io::Read, limit: u64) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes).map_err(Unreadable::Io)?;
    if bytes.len() as u64 > limit { Err(Unreadable::TooLarge { limit }) } else { Ok(bytes) }
}

/// Whether a path stands for standard input.
pub(crate) fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == STANDARD_INPUT
}

/// The text without byte order marks at its beginning.
pub(crate) fn without_mark(text: &str) -> &str {
    text.trim_start_matches(MARK)
}

/// Converts bytes to text, without a byte order mark.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, Encoding> {
    // The mark of UTF-32 begins with that of UTF-16.
    if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
        return Err(Encoding::Named("UTF-32"));
    }
    if let Some(units) = bytes.strip_prefix(b"\xff\xfe") {
        return utf16(units, u16::from_le_bytes);
    }
    if let Some(units) = bytes.strip_prefix(b"\xfe\xff") {
        return utf16(units, u16::from_be_bytes);
    }
    if bytes.starts_with(b"\x84\x31\x95\x33") {
        return Err(Encoding::Named("GB18030"));
    }
    if let Some(encoding) = binary(bytes) {
        return Err(encoding);
    }
    if bytes.contains(&0) {
        return Err(encoding_with_nul(bytes));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(without_mark(text).to_owned()),
        Err(error) => {
            let at = error.valid_up_to();
            let line = bytes[..at].split(|byte| *byte == b'\n').count();
            Err(Encoding::CodePage { byte: bytes[at], line })
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Encoding> {
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(Encoding::BrokenUtf16);
    }
    let units = pairs.map(|pair| unit([pair[0], pair[1]]));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    match text {
        Ok(text) if text.contains('\0') => Err(Encoding::Binary("binary data")),
        Ok(text) => Ok(without_mark(&text).to_owned()),
        Err(_) => Err(Encoding::BrokenUtf16),
    }
}

/// The encoding of bytes with zeros: wide encodings of Latin letters have them at the same offsets of every unit.
fn encoding_with_nul(bytes: &[u8]) -> Encoding {
    let mut zeros = [0_usize; 4];
    for (index, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == 0) {
        zeros[index % 4] += 1;
    }
    let length = bytes.len();
    match zeros {
        [first, second, third, _]
            if length.is_multiple_of(4) && first == length / 4 && second == first && third > 0 =>
        {
            Encoding::Named("UTF-32 without a byte order mark")
        }
        [_, second, third, last] if length.is_multiple_of(4) && last == length / 4 && third == last && second > 0 => {
            Encoding::Named("UTF-32 without a byte order mark")
        }
        [0, _, 0, _] | [_, 0, _, 0] if length.is_multiple_of(2) => Encoding::Named("UTF-16 without a byte order mark"),
        _ => Encoding::Binary("binary data"),
    }
}

/// Recognizes common files that are not text, by their first bytes.
fn binary(bytes: &[u8]) -> Option<Encoding> {
    let what = match bytes {
        [b'P', b'K', 3, 4, ..] => {
            return Some(Encoding::Spreadsheet("a ZIP archive or a document in one (.xlsx, .ods, .numbers, .docx)"));
        }
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            return Some(Encoding::Spreadsheet("a document of an old Office program (.xls, .doc)"));
        }
        [0x1f, 0x8b, ..] => "compressed (gzip)",
        [b'%', b'P', b'D', b'F', b'-', ..] => "a PDF document",
        [b'P', b'A', b'R', b'1', ..] => "a Parquet file",
        [0x89, b'P', b'N', b'G', ..]
        | [0xff, 0xd8, 0xff, ..]
        | [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "an image",
        _ => return None,
    };
    Some(Encoding::Binary(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a lantern, \"lit\" – 紙灯籠 🏮\r\nnext";

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    fn utf32(text: &str, bytes: fn(u32) -> [u8; 4]) -> Vec<u8> {
        text.chars().flat_map(|letter| bytes(u32::from(letter))).collect()
    }

    #[test]
    fn text_of_windows_is_the_same_text() {
        let marked = format!("\u{feff}{TEXT}");
        let forms = [
            TEXT.as_bytes().to_vec(),
            marked.as_bytes().to_vec(),
            format!("\u{feff}{marked}").into_bytes(),
            utf16(&marked, u16::to_le_bytes),
            utf16(&marked, u16::to_be_bytes),
            utf16(&format!("\u{feff}{marked}"), u16::to_le_bytes),
        ];
        for form in forms {
            assert_eq!(decode(&form).as_deref(), Ok(TEXT), "{form:x?}");
        }
        for nothing in [&b""[..], b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"] {
            assert_eq!(decode(nothing).as_deref(), Ok(""), "{nothing:x?}");
        }
    }

    #[test]
    fn other_encodings_are_refused_by_their_names() {
        let latin = "prompt,id\r\na lantern,1\r\n";
        let without_mark = Encoding::Named("UTF-16 without a byte order mark");
        let wide_without_mark = Encoding::Named("UTF-32 without a byte order mark");
        let cases = [
            (utf16(latin, u16::to_le_bytes), without_mark.clone()),
            (utf16(latin, u16::to_be_bytes), without_mark.clone()),
            (utf16("x", u16::to_le_bytes), without_mark),
            (utf32(latin, u32::to_le_bytes), wide_without_mark.clone()),
            (utf32(latin, u32::to_be_bytes), wide_without_mark),
            (utf32(&format!("\u{feff}{latin}"), u32::to_le_bytes), Encoding::Named("UTF-32")),
            (utf32(&format!("\u{feff}{latin}"), u32::to_be_bytes), Encoding::Named("UTF-32")),
            (b"a\ncaf\xe9".to_vec(), Encoding::CodePage { byte: 0xe9, line: 2 }),
            (b"\xef\xbb\xbfcaf\xe9".to_vec(), Encoding::CodePage { byte: 0xe9, line: 1 }),
            (b"\x84\x31\x95\x33a".to_vec(), Encoding::Named("GB18030")),
            (b"\xff\xfea\0b".to_vec(), Encoding::BrokenUtf16),
            (b"\xff\xfe\x00\xd8".to_vec(), Encoding::BrokenUtf16),
            (b"a\0\0b c".to_vec(), Encoding::Binary("binary data")),
            (b"\x89PNG\r\n\x1a\n".to_vec(), Encoding::Binary("an image")),
            (
                b"PK\x03\x04..".to_vec(),
                Encoding::Spreadsheet("a ZIP archive or a document in one (.xlsx, .ods, .numbers, .docx)"),
            ),
        ];
        for (bytes, encoding) in cases {
            assert_eq!(decode(&bytes), Err(encoding), "{bytes:x?}");
        }
    }

    #[test]
    fn any_bytes_are_text_or_a_reason() {
        let mut random = fastrand::Rng::with_seed(4);
        for _ in 0..20_000 {
            let length = random.usize(..40);
            let few = random.bool();
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    if few {
                        random.choice([0, b'a', 0xff, 0xfe, 0xef, 0xbb, 0xbf, b'\n']).unwrap()
                    } else {
                        random.u8(..)
                    }
                })
                .collect();
            if let Ok(text) = decode(&bytes) {
                assert!(!text.starts_with(MARK) && !text.contains('\0'), "{bytes:x?}");
            }
        }
    }

    #[test]
    fn what_is_too_large_is_not_read_whole() {
        let read = |limit| read_limited(io::repeat(b'a').take(1 << 40), limit);

        assert!(matches!(read(1000), Err(Unreadable::TooLarge { limit: 1000 })));
        assert_eq!(read_limited(&b"abc"[..], 3).unwrap(), b"abc");
        assert!(read_limited(&b"abc"[..], 2).is_err());
    }
}
