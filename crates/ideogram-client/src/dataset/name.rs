//! Comparison of file names.
//!
//! Files are sent by their base name, and the service pairs and lists them by it. Names are compared in one Unicode form
//! (NFC), because some file systems change the form, and otherwise exactly. Whether the service distinguishes `Cat.png`
//! from `cat.png` is not known, so names that differ in case only are neither the same nor different.

use unicode_normalization::UnicodeNormalization as _;

/// Returns the base name of a file in NFC, which is sent and compared.
///
/// The service lists the files of an archive with their folders, which are ignored.
pub(crate) fn base_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    base.nfc().collect()
}

/// Returns the same text for all names that differ in case only.
pub(crate) fn case_folded(name: &str) -> String {
    name.to_lowercase().nfc().collect()
}

/// Returns the stem of a name, which a caption shares with its image.
pub(crate) fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

/// Returns the extension in lower case; empty if there is none.
pub(crate) fn extension(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => extension.to_ascii_lowercase(),
        _ => String::new(),
    }
}

/// Returns whether a file of this name is a caption.
pub(crate) fn is_caption(name: &str) -> bool {
    extension(name) == "txt"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_unicode_forms_of_a_name_are_equal() {
        assert_eq!(base_name("Gr\u{f6}\u{df}e.png"), base_name("Gro\u{308}\u{df}e.png"));
        assert_ne!(base_name("Cat.png"), base_name("cat.png"));
    }

    #[test]
    fn folders_are_ignored() {
        for name in ["a.png", "lanterns/a.png", "lanterns\\a.png", "/x/y/a.png"] {
            assert_eq!(base_name(name), "a.png", "{name}");
        }
    }

    #[test]
    fn case_is_folded_beyond_ascii() {
        assert_eq!(case_folded("\u{d6}L.PNG"), case_folded("\u{f6}l.png"));
        assert_eq!(case_folded("O\u{308}l.png"), case_folded("\u{f6}l.png"));
    }

    #[test]
    fn a_stem_ends_at_the_last_dot() {
        assert_eq!((stem("a.b.png"), extension("a.b.PNG").as_str()), ("a.b", "png"));
        assert_eq!((stem("noext"), extension("noext").as_str()), ("noext", ""));
        assert_eq!((stem(".txt"), extension(".txt").as_str()), (".txt", ""));
        assert!(is_caption("a.TXT") && !is_caption("txt"));
    }
}
