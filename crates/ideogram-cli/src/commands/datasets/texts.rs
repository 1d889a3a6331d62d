//! Texts for files, sizes and notes.

use std::path::Path;

use ideogram_client::dataset::{FileState, LocalFile, Note};

use crate::output::units;

/// A path relative to the folder.
pub(super) fn relative(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

/// Whether the dataset has a file, as far as the service says.
pub(super) fn is_there(state: &FileState) -> bool {
    matches!(state, FileState::Present | FileState::PresentUnverified)
}

/// `12 files, 3.4 MiB`.
pub(super) fn amount<'f>(files: impl IntoIterator<Item = &'f LocalFile>) -> String {
    let (mut number, mut bytes) = (0_u64, 0_u64);
    for file in files {
        number += 1;
        bytes = bytes.saturating_add(file.size_bytes);
    }
    if number == 0 { "nothing".to_owned() } else { format!("{}, {}", units::count(number, "file"), units::size(bytes)) }
}

/// How many names [`names`] lists.
const MAX_NAMES: usize = 5;

/// `a.png, b.png`, or the first names `and 12 more`.
pub(super) fn names(names: &[impl AsRef<str>]) -> String {
    let listed = names.iter().take(MAX_NAMES).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if names.len() > MAX_NAMES { format!("{listed} and {} more", names.len() - MAX_NAMES) } else { listed }
}

/// Sizes of files in the dataset: `64 B`, `64 B and 70 B`, `a size that the service does not report`.
pub(super) fn sizes(sizes: impl IntoIterator<Item = Option<u64>>) -> String {
    let texts = sizes
        .into_iter()
        .map(|size| size.map_or_else(|| "a size that the service does not report".to_owned(), units::size));
    texts.collect::<Vec<_>>().join(" and ")
}

/// A note on a file.
pub(super) fn note(note: &Note) -> &'static str {
    match note {
        Note::Large => "larger than 25 MB, the limit elsewhere in the API",
        Note::OtherFormat => "of another format than its name says",
        Note::SharedCaption => "a caption of several images",
        Note::ByteOrderMark => "begins with a byte order mark, which becomes part of the caption",
        _ => "with a note that this version does not know",
    }
}
