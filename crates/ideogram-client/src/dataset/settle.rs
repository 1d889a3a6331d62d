//! What became of files whose upload has no certain end, by what the dataset shows.
//!
//! Pure: the waits between looks are the caller's business.

use super::{
    journal::{Fate, Known, Past},
    listing::Listing,
    name,
};

/// What the dataset tells of a file that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// It is there.
    There,
    /// It is not there.
    Absent,
    /// That cannot be told: it may be there under no name, or be a caption where captions are not listed.
    Unknowable,
}

/// Looks for a file.
///
/// It was not there by name when it was sent, so a file of that name is this one. If files without a name have come since,
/// it may be one of them. Whether the service lists captions is not certain: one that is not listed is absent only if
/// other captions are, or nothing of its batch has arrived.
pub(crate) fn find(name: &str, known: &Known, listing: &Listing) -> Finding {
    if listing.has(name) {
        return Finding::There;
    }
    if listing.nameless.len() > known.nameless {
        return Finding::Unknowable;
    }
    if name::is_caption(name) && !listing.has_captions() {
        let mut companions = known.companions.iter().filter(|companion| !name::is_caption(companion)).peekable();
        let batch_is_absent = companions.peek().is_some() && !companions.any(|companion| listing.has(companion));
        if !batch_is_absent {
            return Finding::Unknowable;
        }
    }
    Finding::Absent
}

/// Whether every file that may have been stored is there: then nobody needs to look again.
pub(crate) fn is_settled(past: &Past, listing: &Listing) -> bool {
    let mut open = past.files.iter().filter(|(_, known)| matches!(known.fate, Fate::InFlight | Fate::Accepted));
    open.all(|(name, known)| find(name, known, listing) == Finding::There)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn listing(names: &[Option<&str>]) -> Listing {
        let files: Vec<Value> = names.iter().map(|name| json!({"file_name": name})).collect();
        let dataset = json!({
            "dataset": {"dataset_id": "d", "name": "n", "user_id": "u", "creation_time": "2026-07-01T09:00:00Z"},
            "file_count": names.len(), "files": files,
        });
        Listing::of(&serde_json::from_value(dataset).unwrap())
    }

    fn known(nameless: usize, companions: &[&str]) -> Known {
        let companions = companions.iter().map(|name| (*name).to_owned()).collect();
        Known { size_bytes: 7, nameless, companions, fate: Fate::InFlight }
    }

    #[test]
    fn a_name_that_shows_is_there_and_one_that_does_not_is_absent() {
        let known = known(0, &["a.png", "b.png"]);

        assert_eq!(find("a.png", &known, &listing(&[Some("a.png")])), Finding::There);
        assert_eq!(find("b.png", &known, &listing(&[Some("a.png")])), Finding::Absent);
    }

    #[test]
    fn new_files_without_a_name_leave_it_open() {
        let files = listing(&[None, None, Some("a.png")]);

        assert_eq!(find("b.png", &known(1, &["b.png"]), &files), Finding::Unknowable);
        assert_eq!(find("b.png", &known(2, &["b.png"]), &files), Finding::Absent);
        assert_eq!(find("a.png", &known(1, &["a.png"]), &files), Finding::There);
    }

    #[test]
    fn a_caption_is_absent_only_where_captions_show_or_its_batch_does_not() {
        let batch = known(0, &["a.png", "a.txt"]);

        assert_eq!(find("a.txt", &batch, &listing(&[])), Finding::Absent);
        assert_eq!(find("a.txt", &batch, &listing(&[Some("a.png")])), Finding::Unknowable);
        assert_eq!(find("a.txt", &batch, &listing(&[Some("a.png"), Some("b.txt")])), Finding::Absent);
        assert_eq!(find("a.txt", &known(0, &["a.txt"]), &listing(&[Some("a.png")])), Finding::Unknowable);
    }
}
