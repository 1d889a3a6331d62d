//! Finds out from the list of files in a dataset whether uploads with an unknown outcome arrived.
//!
//! Pure functions: the caller requests the list, and waits between requests.

use std::time::{Duration, SystemTime};

use super::{
    journal::{History, LastSeen, UploadOutcome},
    listing::Listing,
    name,
};

/// Whether the dataset lists a file that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// It is listed.
    Found,
    /// It is not listed, and would be listed if it were stored.
    Absent,
    /// It may be stored without a name, or be a caption where captions are not listed.
    Uncertain,
}

/// Looks for a file in the list.
///
/// The dataset had no file of that name before the upload, so a file of that name is this one. If there are new files
/// without a name, it may be one of them. Whether the service lists captions is not certain: a caption that is not
/// listed is absent only if other captions are listed, or if no file of its chunk is.
pub(crate) fn find(name: &str, known: &LastSeen, listing: &Listing) -> Lookup {
    if listing.has(name) {
        return Lookup::Found;
    }
    if listing.nameless.len() > known.nameless {
        return Lookup::Uncertain;
    }
    if name::is_caption(name) && !listing.has_captions() {
        let mut companions = known.companions.iter().filter(|companion| !name::is_caption(companion)).peekable();
        let chunk_is_absent = companions.peek().is_some() && !companions.any(|companion| listing.has(companion));
        if !chunk_is_absent {
            return Lookup::Uncertain;
        }
    }
    Lookup::Absent
}

/// Returns whether every file that may have been stored is listed.
pub(crate) fn is_reconciled(history: &History, listing: &Listing) -> bool {
    let mut open = history.files.iter().filter(|(_, known)| {
        matches!(known.outcome, UploadOutcome::InFlight | UploadOutcome::Accepted | UploadOutcome::Confirmed)
    });
    open.all(|(name, known)| find(name, known, listing) == Lookup::Found)
}

/// Returns whether the service has certainly stored a file. The response reports it as stored; or it is a caption whose
/// image the response reports as stored and the dataset does not list, since the service may use other names.
pub(crate) fn is_taken(name: &str, known: &LastSeen, history: &History, listing: &Listing) -> bool {
    let is_hidden_image = |companion: &String| {
        !name::is_caption(companion)
            && name::stem(companion) == name::stem(name)
            && !listing.has(companion)
            && history.files.get(companion).is_some_and(|image| image.outcome == UploadOutcome::Confirmed)
    };
    match known.outcome {
        UploadOutcome::Confirmed => true,
        UploadOutcome::Accepted => name::is_caption(name) && known.companions.iter().any(is_hidden_image),
        _ => false,
    }
}

/// Returns how much longer the service may take to store a file that was last in flight at `under_way`.
///
/// If the clock was set back, that time may be in the future. If it is further away than `processing_timeout`, it is
/// meaningless, and this returns `None`.
pub(crate) fn time_left(under_way: SystemTime, now: SystemTime, processing_timeout: Duration) -> Option<Duration> {
    match now.duration_since(under_way) {
        Ok(age) => Some(processing_timeout.saturating_sub(age)),
        Err(ahead) if ahead.duration() <= processing_timeout => Some(processing_timeout),
        Err(_) => None,
    }
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

    fn known(nameless: usize, companions: &[&str]) -> LastSeen {
        let companions = companions.iter().map(|name| (*name).to_owned()).collect();
        LastSeen { size_bytes: 7, nameless, time: SystemTime::UNIX_EPOCH, companions, outcome: UploadOutcome::InFlight }
    }

    #[test]
    fn a_listed_name_is_found_and_another_is_absent() {
        let known = known(0, &["a.png", "b.png"]);

        assert_eq!(find("a.png", &known, &listing(&[Some("a.png")])), Lookup::Found);
        assert_eq!(find("b.png", &known, &listing(&[Some("a.png")])), Lookup::Absent);
    }

    #[test]
    fn new_files_without_a_name_make_it_uncertain() {
        let files = listing(&[None, None, Some("a.png")]);

        assert_eq!(find("b.png", &known(1, &["b.png"]), &files), Lookup::Uncertain);
        assert_eq!(find("b.png", &known(2, &["b.png"]), &files), Lookup::Absent);
        assert_eq!(find("a.png", &known(1, &["a.png"]), &files), Lookup::Found);
    }

    #[test]
    fn a_caption_is_absent_only_if_captions_are_listed_or_its_chunk_is_not() {
        let chunk = known(0, &["a.png", "a.txt"]);

        assert_eq!(find("a.txt", &chunk, &listing(&[])), Lookup::Absent);
        assert_eq!(find("a.txt", &chunk, &listing(&[Some("a.png")])), Lookup::Uncertain);
        assert_eq!(find("a.txt", &chunk, &listing(&[Some("a.png"), Some("b.txt")])), Lookup::Absent);
        assert_eq!(find("a.txt", &known(0, &["a.txt"]), &listing(&[Some("a.png")])), Lookup::Uncertain);
    }

    #[test]
    fn the_time_left_follows_the_clock_unless_it_was_set_back() {
        let processing_timeout = Duration::from_secs(300);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let seconds = Duration::from_secs;

        assert_eq!(time_left(now, now, processing_timeout), Some(processing_timeout));
        assert_eq!(time_left(now - seconds(100), now, processing_timeout), Some(seconds(200)));
        assert_eq!(time_left(now - seconds(86_400), now, processing_timeout), Some(Duration::ZERO));
        assert_eq!(time_left(now + seconds(2), now, processing_timeout), Some(processing_timeout));
        assert_eq!(time_left(now + seconds(86_400), now, processing_timeout), None);
    }
}
