//! Decompression of downloads.
//!
//! Object stores send files with the content coding that they were stored with, whatever the request accepts, and the
//! header may be wrong or missing. So the bytes decide: a coding is decoded if the result is an image or another coding.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek as _, Write as _},
};

use tempfile::NamedTempFile;

use super::complete::is_complete;
use crate::{
    net::coding::{Coding, GZIP, ZSTD},
    values::file_type::{SIGNATURE_BYTES, image_type},
};

/// The maximum number of nested codings that are decoded.
const MAX_CODINGS: u32 = 4;

/// A decoded download.
pub(super) struct Unpacked {
    pub(super) part: NamedTempFile,
    pub(super) size_bytes: u64,
    /// Its first bytes.
    pub(super) head: Vec<u8>,
    /// Whether the image is complete, as far as its format says where it ends.
    pub(super) is_complete: bool,
}

/// Returns whether a file with these first bytes and this `Content-Encoding` may be compressed.
pub(super) fn may_be_packed(head: &[u8], label: &[u8]) -> bool {
    let label = label.trim_ascii();
    is_marked(head) || is_zlib(head) || (!label.is_empty() && !label.eq_ignore_ascii_case(b"identity"))
}

/// Decodes all codings, into files of `new_part`. Returns `None` if the result is larger than `limit` bytes.
pub(super) fn unpack(
    mut part: NamedTempFile,
    limit: u64,
    new_part: impl Fn() -> io::Result<NamedTempFile>,
) -> io::Result<Option<Unpacked>> {
    let mut is_whole = true;
    for _ in 0..MAX_CODINGS {
        let Some(coding) = coding_of(part.as_file())? else { break };
        let unpacked = new_part()?;
        let mut packed = part.reopen()?;
        packed.rewind()?;
        let mut reader = coding.reader(BufReader::new(packed))?.take(limit.saturating_add(1));
        let mut writer = BufWriter::new(unpacked.as_file());
        let mut buffer = [0; 16 * 1024];
        // If the coding is damaged, the result so far is the beginning of the image.
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => writer.write_all(&buffer[..read])?,
                Err(_) => {
                    is_whole = false;
                    break;
                }
            }
        }
        writer.flush()?;
        drop(writer);
        if reader.limit() == 0 {
            return Ok(None);
        }
        part = unpacked;
    }
    let head = head_of(part.as_file())?;
    let mut file = part.as_file();
    file.rewind()?;
    // The coding may be damaged after the end of the image.
    let is_complete = is_complete(file)? && (is_whole || image_type(&head).is_some());
    let size_bytes = part.as_file().metadata()?.len();
    Ok(Some(Unpacked { part, size_bytes, head, is_complete }))
}

/// Returns the coding whose result is an image or has the signature of another coding.
fn coding_of(file: &File) -> io::Result<Option<Coding>> {
    if image_type(&head_of(file)?).is_some() {
        return Ok(None);
    }
    for coding in [Coding::Gzip, Coding::Zstd, Coding::Zlib, Coding::Deflate, Coding::Brotli] {
        let mut packed = file.try_clone()?;
        packed.rewind()?;
        let mut head = Vec::with_capacity(SIGNATURE_BYTES);
        if let Ok(reader) = coding.reader(BufReader::new(packed)) {
            // A partial result counts.
            let _ = reader.take(SIGNATURE_BYTES as u64).read_to_end(&mut head);
        }
        if image_type(&head).is_some() || is_marked(&head) {
            return Ok(Some(coding));
        }
    }
    Ok(None)
}

fn head_of(mut file: &File) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(SIGNATURE_BYTES);
    file.rewind()?;
    file.take(SIGNATURE_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Returns whether bytes have the signature of gzip or Zstandard.
fn is_marked(head: &[u8]) -> bool {
    head.starts_with(&GZIP) || head.starts_with(&ZSTD)
}

fn is_zlib(head: &[u8]) -> bool {
    matches!(head, [method, flags, ..] if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31))
}
