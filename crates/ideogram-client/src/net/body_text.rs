//! The text of a response body in any form.
//!
//! No request accepts content codings, but gateways compress nevertheless, declare a wrong coding or none, and files
//! pass through programs that change their encoding. So the bytes decide, not the headers. Start at [`text_of`].

use std::{borrow::Cow, io::Read};

use serde::de::IgnoredAny;

use super::coding::{Coding, GZIP, ZSTD};

/// The maximum text of a compressed body. Few responses have a hundredth of it.
pub(crate) const MAX_TEXT_BYTES: usize = 4 * 1024 * 1024;
/// The maximum number of nested codings that are decoded.
const MAX_CODINGS: usize = 4;
/// The size of the sample that decides whether a body is text.
const SAMPLE_BYTES: usize = 2048;
/// A decoder that fails loses its output since the last read. So a decoder that fails early runs again in small steps,
/// which take much longer.
const STEP_BYTES: usize = 8192;
const SMALL_STEP_BYTES: usize = 64;
const MAX_SMALL_STEPS_BYTES: usize = 64 * 1024;
/// Shorter partial output may be text by accident.
const MIN_PARTIAL_BYTES: usize = 16;

/// The text of a body.
#[derive(Debug)]
pub(crate) struct Text<'b> {
    pub(crate) text: Cow<'b, str>,
    /// Whether no character was guessed or replaced.
    pub(crate) is_exact: bool,
}

/// Decodes content codings and text encodings. Of a damaged body, it returns as much as can be decoded; bytes that no
/// coding explains count as text. Decompresses at most `max_bytes` in total.
pub(crate) fn text_of(body: &[u8], max_bytes: usize) -> Text<'_> {
    if let Ok(text) = std::str::from_utf8(body)
        && is_json(body)
    {
        return Text { text: Cow::Borrowed(text), is_exact: true };
    }
    let mut budget = max_bytes;
    match without_codings(body, MAX_CODINGS, &mut budget) {
        Some(bytes) => {
            let Text { text, is_exact } = decoded(&bytes);
            Text { text: Cow::Owned(text.into_owned()), is_exact }
        }
        None => decoded(body),
    }
}

pub(crate) fn is_json(bytes: &[u8]) -> bool {
    // Skipping takes neither memory nor stack.
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Returns the decoded bytes; `None` if there is no coding.
fn without_codings(bytes: &[u8], codings: usize, budget: &mut usize) -> Option<Vec<u8>> {
    if bytes.is_empty() || codings == 0 || *budget == 0 {
        return None;
    }
    let is_text = reads_as_text(bytes) && !bytes.starts_with(&GZIP[..2]) && !bytes.starts_with(&ZSTD);
    for (coding, encoded) in candidates(bytes) {
        let (output, is_whole) = decode(coding, encoded, budget);
        let inner = without_codings(&output, codings - 1, budget).or_else(|| {
            let is_decoded = if is_text {
                // Text can look like the beginning of compressed data.
                is_whole && is_json(&output)
            } else {
                (is_whole || output.len() >= MIN_PARTIAL_BYTES) && reads_as_text(&output)
            };
            (is_decoded && !output.is_empty()).then_some(output)
        });
        if inner.is_some() {
            return inner;
        }
    }
    None
}

/// Returns possible codings and where their data begins, the most likely first. Brotli and deflate have no signature;
/// deflate may follow a header of zlib or of damaged gzip.
fn candidates(bytes: &[u8]) -> impl Iterator<Item = (Coding, &[u8])> {
    let gzip = bytes.starts_with(&GZIP[..2]).then_some((Coding::Gzip, 0));
    let zstd = bytes.starts_with(&ZSTD).then_some((Coding::Zstd, 0));
    let others = [(Coding::Deflate, 2), (Coding::Brotli, 0), (Coding::Deflate, 0), (Coding::Deflate, 10)];
    let all = gzip.into_iter().chain(zstd).chain(others);
    all.map(|(coding, start)| (coding, bytes.get(start..).unwrap_or_default()))
}

/// Returns the output of a decoder, and whether it is complete.
fn decode(coding: Coding, bytes: &[u8], budget: &mut usize) -> (Vec<u8>, bool) {
    let run = |step_bytes, max_bytes| match coding.reader(bytes) {
        Ok(mut reader) => drain(&mut *reader, step_bytes, max_bytes),
        Err(_) => (Vec::new(), false),
    };
    let (mut output, is_whole) = run(STEP_BYTES, *budget);
    if !is_whole && output.len() < MAX_SMALL_STEPS_BYTES.min(*budget) {
        output = run(SMALL_STEP_BYTES, MAX_SMALL_STEPS_BYTES.min(*budget)).0;
    }
    *budget -= output.len();
    (output, is_whole)
}

/// Reads to the end, an error or the limit, and returns whether it was the end.
fn drain(decoder: &mut dyn Read, step_bytes: usize, max_bytes: usize) -> (Vec<u8>, bool) {
    let mut output = Vec::new();
    let mut step = vec![0; step_bytes];
    loop {
        let wanted = step_bytes.min(max_bytes - output.len());
        match decoder.read(&mut step[..wanted]) {
            Ok(0) => return (output, wanted > 0),
            Ok(read) => output.extend_from_slice(&step[..read]),
            Err(_) => return (output, false),
        }
    }
}

/// Returns whether bytes look like text: at most a quarter of them are control characters or not UTF-8. Of compressed
/// bytes, it is more than half.
fn reads_as_text(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    if utf16(sample).is_some() {
        return true;
    }
    let is_odd = |byte: &&u8| (**byte < 0x20 && !b"\t\n\r".contains(byte)) || **byte == 0x7f;
    let odd = sample.iter().filter(is_odd).count();
    let invalid: usize = sample.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
    (odd + invalid) * 4 <= sample.len()
}

/// Returns the byte order of UTF-16, by its mark or its zero bytes.
fn utf16(bytes: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    match bytes {
        [0xff, 0xfe, ..] => return Some(u16::from_le_bytes),
        [0xfe, 0xff, ..] => return Some(u16::from_be_bytes),
        _ => {}
    }
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let zeros = |start: usize| sample.iter().skip(start).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), sample.len() / 2);
    match () {
        () if pairs > 0 && odd * 2 > pairs && even * 8 < pairs => Some(u16::from_le_bytes),
        () if pairs > 0 && even * 2 > pairs && odd * 8 < pairs => Some(u16::from_be_bytes),
        () => None,
    }
}

/// Decodes the text encoding.
fn decoded(bytes: &[u8]) -> Text<'_> {
    if let Some(order) = utf16(bytes) {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<_> = pairs.iter().map(|pair| order(*pair)).collect();
        let (text, is_exact) = match String::from_utf16(&units) {
            Ok(text) => (text, rest.is_empty()),
            Err(_) => (String::from_utf16_lossy(&units), false),
        };
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        return Text { text: Cow::Owned(text), is_exact };
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Text { text: Cow::Borrowed(text), is_exact: true };
    }
    // If no character beyond ASCII is valid UTF-8, the text is Latin-1.
    let is_latin1 = bytes.utf8_chunks().all(|chunk| chunk.valid().is_ascii());
    let text = if is_latin1 {
        Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect())
    } else {
        String::from_utf8_lossy(bytes)
    };
    Text { text, is_exact: false }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use flate2::Compression;

    use super::*;

    const LIMIT: usize = 1 << 20;
    const JSON: &str = r#"{"created":"2026-07-02T09:07:13Z","data":[{"prompt":"a café, a café, a café","seed":12,"is_image_safe":true,"url":"https://a.test/api/images/1.png?exp=1&sig=abcdef0123456789"}]}"#;
    /// `JSON` compressed by another implementation of Brotli.
    const BROTLI: &str = "G7MAQBwF7p4QLiiWTH2M8WE2cBtpT38i0ewjJRzk4sjHg6VPHgQcdrVIDMxWnRzpwfi7fUnzIE4kAM0xb7BxbMOAXfGiEsJoniUiEWHtKeokNc5hWbzFED9Ny9hPG4QYSOPi/wyghVtztRGLq9eWMYzAEInCvnTL26eKj00UFU+1HWRsuFr5NRmFbV0ak6RZXtCxHC+IkqxA3w8=";

    fn read_all(mut reader: impl Read) -> Vec<u8> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        read_all(flate2::read::DeflateEncoder::new(bytes, Compression::default()))
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        read_all(flate2::read::ZlibEncoder::new(bytes, Compression::default()))
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        read_all(flate2::read::GzEncoder::new(bytes, Compression::default()))
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn brotli() -> Vec<u8> {
        BASE64_STANDARD.decode(BROTLI).unwrap()
    }

    fn utf16_of(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    fn read(bytes: &[u8]) -> String {
        text_of(bytes, LIMIT).text.into_owned()
    }

    type Coding = fn(&[u8]) -> Vec<u8>;
    const CODINGS: [Coding; 4] = [gzip, zlib, deflate, zstd];

    #[test]
    fn every_coding_alone_and_nested_is_decoded() {
        let plain: Coding = <[u8]>::to_vec;
        for (outer, outer_name) in CODINGS.iter().zip(["gzip", "zlib", "deflate", "zstd"]) {
            for (inner, inner_name) in CODINGS.iter().chain([&plain]).zip(["gzip", "zlib", "deflate", "zstd", "plain"])
            {
                let coded = outer(&inner(JSON.as_bytes()));
                assert_eq!(read(&coded), JSON, "{outer_name} of {inner_name}");
            }
            assert_eq!(read(&outer(&brotli())), JSON, "{outer_name} of brotli");
        }
        assert_eq!(read(&brotli()), JSON);
    }

    #[test]
    fn every_encoding_is_decoded_compressed_or_not() {
        let marked = format!("\u{feff}{JSON}");
        let latin1: Vec<u8> = JSON.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
        for (name, bytes) in [
            ("UTF-8", JSON.as_bytes().to_vec()),
            ("UTF-8 with mark", marked.clone().into_bytes()),
            ("UTF-16 LE", utf16_of(JSON, u16::to_le_bytes)),
            ("UTF-16 BE", utf16_of(JSON, u16::to_be_bytes)),
            ("UTF-16 LE with mark", utf16_of(&marked, u16::to_le_bytes)),
            ("UTF-16 BE with mark", utf16_of(&marked, u16::to_be_bytes)),
            ("Latin-1", latin1),
        ] {
            assert_eq!(read(&bytes), JSON, "{name}");
            for coding in CODINGS {
                assert_eq!(read(&coding(&bytes)), JSON, "{name}");
            }
        }
    }

    #[test]
    fn text_that_is_not_json_does_not_change() {
        for text in ["", "{", "x", "xy", "502 Bad Gateway", "<html>é</html>", "{\"data\": [NaN]} é", "\u{1}\u{2}{}"] {
            assert_eq!(read(text.as_bytes()), text);
        }
    }

    #[test]
    fn a_cut_body_is_decoded_up_to_the_cut() {
        let long = JSON.repeat(20);
        // Not Zstandard: it loses its last block.
        for coding in [gzip, zlib, deflate] {
            let coded = coding(long.as_bytes());
            let whole = read(&coded[..coded.len() - 1]);

            assert!(long.starts_with(&whole), "{whole}");
        }
        let cut = gzip(long.as_bytes());
        assert!(read(&cut[..cut.len() - 4]).len() + 2 * SMALL_STEP_BYTES > long.len());
    }

    #[test]
    fn the_decompressed_size_is_limited() {
        let zeros = gzip(&gzip(&vec![b' '; 16 << 20]));

        assert!(text_of(&zeros, LIMIT).text.len() <= LIMIT);
    }

    #[test]
    fn no_damaged_byte_causes_a_panic() {
        let mut random = fastrand::Rng::with_seed(7);
        for coding in CODINGS {
            let coded = coding(JSON.as_bytes());
            for _ in 0..500 {
                let mut damaged = coded.clone();
                let position = random.usize(..damaged.len());
                damaged[position] = random.u8(..);
                damaged.truncate(random.usize(..=damaged.len()));
                let _ = text_of(&damaged, LIMIT);
            }
        }
    }
}
