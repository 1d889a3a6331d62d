//! Links in the form of the service: `/api/images/ephemeral/<22 characters>.png?exp=<unix seconds>&sig=<64 digits>`.

use std::sync::atomic::{AtomicU32, Ordering};

use http::StatusCode;
use jiff::Timestamp;

use super::{Background, ImageSpec};
use crate::{
    reply::Reply,
    size::Size,
    token::{base64url, from_base64url, scramble},
};

/// The folder of all images.
const FOLDER: &str = "/api/images/ephemeral/";

/// How long a link works, in seconds of service time; measured.
const LIFETIME: i64 = 24 * 60 * 60;

/// Bits of a side in a link.
const SIDE_BITS: u32 = 14;

/// Issues links and checks them.
#[derive(Debug)]
pub(crate) struct Links {
    /// The base URL of the server.
    url: String,
    issued: AtomicU32,
}

impl Links {
    pub(crate) fn new(url: String) -> Self {
        Self { url, issued: AtomicU32::new(0) }
    }

    /// How many links have been issued.
    pub(crate) fn issued(&self) -> u32 {
        self.issued.load(Ordering::Relaxed)
    }

    /// Returns a new, unique link to an image.
    pub(crate) fn issue(&self, image: ImageSpec, now: Timestamp) -> String {
        let id = pack(image, self.issued.fetch_add(1, Ordering::Relaxed));
        let expiry = now.as_second().saturating_add(LIFETIME);
        format!("{}{FOLDER}{}.png?exp={expiry}&sig={}", self.url, base64url(id), signature(id, expiry))
    }

    /// Returns whether a request may contain this link: a working link of this server, or any link of the service.
    pub(crate) fn accepts(&self, link: &str, now: Timestamp) -> bool {
        let own = link.strip_prefix(&self.url).and_then(image_name).map(|name| {
            let (name, query) = name.split_once('?').unwrap_or((name, ""));
            open(name, query, now).is_ok()
        });
        own.unwrap_or_else(|| link.starts_with("https://ideogram.ai/"))
    }
}

/// Returns the part of the path after the folder of all images.
pub(crate) fn image_name(path: &str) -> Option<&str> {
    path.strip_prefix(FOLDER)
}

/// Decodes a link.
///
/// Unknown names are 404, wrong or missing signatures 403, expired links 410.
pub(super) fn open(name: &str, query: &str, now: Timestamp) -> Result<ImageSpec, Reply> {
    let no_image = || Reply::not_found("There is no such image.");
    let id = name.strip_suffix(".png").and_then(from_base64url).ok_or_else(no_image)?;
    let value = |key: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(name, value)| (name == key).then_some(value))
    };
    let expiry = value("exp").and_then(|expiry| expiry.parse::<i64>().ok());
    let signed = expiry.filter(|expiry| value("sig") == Some(&signature(id, *expiry)));
    let expiry = signed.ok_or_else(|| Reply::error(StatusCode::FORBIDDEN, "The link is not signed."))?;
    if now.as_second() >= expiry {
        return Err(Reply::error(StatusCode::GONE, "The link has expired."));
    }
    unpack(id).ok_or_else(no_image)
}

/// Packs prompt hash and seed into 63 bits and the rest into 61 bits, scrambled so that ids look random.
fn pack(image: ImageSpec, serial: u32) -> u128 {
    let content = u64::from(image.prompt_hash) << 31 | u64::from(image.seed);
    let background = u64::from(image.background == Background::Transparent);
    let Size { width, height } = image.size;
    let rest = ((u64::from(serial) << 1 | background) << SIDE_BITS | u64::from(width)) << SIDE_BITS | u64::from(height);
    u128::from(content ^ scramble(rest)) << 64 | u128::from(rest ^ KEY)
}

fn unpack(id: u128) -> Option<ImageSpec> {
    let side = |bits: u64| u32::try_from(bits & ((1 << SIDE_BITS) - 1)).ok().filter(|side| *side > 0);
    let rest = u64::try_from(id & u128::from(u64::MAX)).ok()? ^ KEY;
    let content = u64::try_from(id >> 64).ok()? ^ scramble(rest);
    let background = if rest >> (2 * SIDE_BITS) & 1 == 1 { Background::Transparent } else { Background::Sky };
    Some(ImageSpec {
        prompt_hash: u32::try_from(content >> 31).ok()?,
        seed: u32::try_from(content & 0x7fff_ffff).ok()?,
        size: Size { width: side(rest >> SIDE_BITS)?, height: side(rest)? },
        background,
    })
}

/// Scrambles small numbers.
const KEY: u64 = 0x6a09_e667_f3bc_c908;

/// Returns 64 hexadecimal digits. They do not prevent forgery; they detect clients that change a link.
fn signature(id: u128, expiry: i64) -> String {
    let halves = [(id >> 64) & u128::from(u64::MAX), id & u128::from(u64::MAX)];
    let [high, low] = halves.map(|half| u64::try_from(half).expect("64 bits"));
    let sum = scramble(high ^ scramble(low ^ scramble(expiry.cast_unsigned())));
    (0..4).map(|lane| format!("{:016x}", scramble(sum ^ lane))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: ImageSpec = ImageSpec {
        prompt_hash: u32::MAX,
        seed: 0x7fff_ffff,
        size: Size { width: 8192, height: 1 },
        background: Background::Transparent,
    };

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_link_decodes_to_its_image() {
        let link = Links::new(String::new()).issue(IMAGE, time(1000));

        let (name, query) = image_name(&link).unwrap().split_once('?').unwrap();
        assert_eq!(open(name, query, time(1000)).unwrap(), IMAGE);
    }

    #[test]
    fn two_links_to_one_image_differ() {
        let links = Links::new(String::new());

        assert_ne!(links.issue(IMAGE, time(0)), links.issue(IMAGE, time(0)));
    }
}
