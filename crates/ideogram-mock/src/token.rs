//! Deterministic pseudo-random numbers, and their notation.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

/// Scrambles a number with the bijective mixer of `SplitMix64`.
pub(crate) fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Returns a hash of a text.
pub(crate) fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(1, |sum, byte| scramble(sum ^ u64::from(byte)))
}

/// Returns 22 characters, the form in which the service writes a UUID.
pub(crate) fn base64url(bits: u128) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bits.to_be_bytes())
}

/// Reads the output of [`base64url`].
pub(crate) fn from_base64url(text: &str) -> Option<u128> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    bytes.try_into().ok().map(u128::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_agrees_with_a_known_value() {
        assert_eq!(base64url(0), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(base64url(u128::MAX), "_____________________w");
    }

    #[test]
    fn only_the_output_of_base64url_is_read_back() {
        for bits in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            assert_eq!(from_base64url(&base64url(bits)), Some(bits));
        }
        for text in ["", "A", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "ä"] {
            assert_eq!(from_base64url(text), None, "{text}");
        }
    }

    #[test]
    fn fingerprints_depend_on_every_letter() {
        assert_ne!(fingerprint("a cat"), fingerprint("a cap"));
        assert_ne!(fingerprint("ab"), fingerprint("ba"));
    }
}
