//! Deterministic pseudo-random numbers, and their notation.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

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
    // 21 characters of 6 bits, and the last 2 bits padded with zeros.
    let sextets = (0..21).map(|index| bits >> (122 - 6 * index)).chain([bits << 4]);
    sextets.map(|bits| char::from(ALPHABET[usize::try_from(bits & 63).expect("six bits")])).collect()
}

/// Reads the output of [`base64url`].
pub(crate) fn from_base64url(text: &str) -> Option<u128> {
    let mut bits = 0;
    for (index, byte) in text.bytes().enumerate() {
        let sextet = ALPHABET.iter().position(|known| *known == byte)? as u128;
        bits = if index < 21 { bits << 6 | sextet } else { bits << 2 | sextet >> 4 };
    }
    // Encoding it again detects other lengths and bits in the padding.
    (base64url(bits) == text).then_some(bits)
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
