//! Decoders of content codings.

use std::io::{self, BufRead, Read};

/// The first bytes of gzip and Zstandard.
pub(crate) const GZIP: [u8; 3] = [0x1f, 0x8b, 8];
pub(crate) const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A content coding.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Coding {
    Gzip,
    Zlib,
    /// Deflate without a header.
    Deflate,
    Zstd,
    Brotli,
}

impl Coding {
    /// Returns the decoded bytes of `encoded`.
    pub(crate) fn reader<'r>(self, encoded: impl BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
        Ok(match self {
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(encoded)),
            Self::Zlib => Box::new(flate2::bufread::ZlibDecoder::new(encoded)),
            Self::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(encoded)),
            Self::Zstd => Box::new(ruzstd::decoding::StreamingDecoder::new(encoded).map_err(io::Error::other)?),
            Self::Brotli => Box::new(brotli_decompressor::Decompressor::new(encoded, 4096)),
        })
    }
}
