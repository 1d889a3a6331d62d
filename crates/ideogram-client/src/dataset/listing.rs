//! The files of a dataset, as the service lists them.

use std::collections::{BTreeMap, BTreeSet};

use super::name;
use crate::types::GetDatasetResponse;

/// The names of the files of a dataset, without folders and in Unicode normal form NFC, as [`LocalFile::name`] has them.
/// Files that the service lists without a name are left out.
///
/// [`LocalFile::name`]: super::LocalFile::name
pub fn file_names(dataset: &GetDatasetResponse) -> BTreeSet<String> {
    Listing::of(dataset).sizes.into_keys().collect()
}

/// The files of a dataset by their base names in NFC.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    /// The sizes of the files of each name, as far as the service reports them.
    sizes: BTreeMap<String, Vec<Option<u64>>>,
    /// The sizes of the files without a name, as far as the service reports them.
    pub(crate) nameless: Vec<Option<u64>>,
}

impl Listing {
    pub(crate) fn of(dataset: &GetDatasetResponse) -> Self {
        let mut listing = Self { sizes: BTreeMap::new(), nameless: Vec::new() };
        for file in &dataset.files {
            let size = file.file_size_bytes.and_then(|size| u64::try_from(size).ok());
            match file.file_name.as_deref().map(name::base_name).filter(|name| !name.is_empty()) {
                Some(name) => listing.sizes.entry(name).or_default().push(size),
                None => listing.nameless.push(size),
            }
        }
        // Files that are counted but not listed are files without a name.
        let counted = usize::try_from(dataset.file_count).unwrap_or_default();
        let unlisted = counted.saturating_sub(dataset.files.len());
        listing.nameless.extend(std::iter::repeat_n(None, unlisted));
        listing
    }

    /// Returns the sizes of the files of this name.
    pub(crate) fn sizes(&self, name: &str) -> &[Option<u64>] {
        self.sizes.get(name).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.sizes.contains_key(name)
    }

    /// Returns the names in order, each with its sizes.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, &[Option<u64>])> {
        self.sizes.iter().map(|(name, sizes)| (name.as_str(), sizes.as_slice()))
    }

    pub(crate) fn has_captions(&self) -> bool {
        self.sizes.keys().any(|name| name::is_caption(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counted_files_that_are_not_listed_have_no_name() {
        let dataset = json!({
            "dataset": {"dataset_id": "d", "name": "n", "user_id": "u", "creation_time": "2026-07-01T09:00:00Z"},
            "file_count": 6,
            "files": [
                {"file_name": "a.png", "file_size_bytes": 1}, {"file_name": "x/a.png", "file_size_bytes": null},
                {"file_name": null, "file_size_bytes": 7}, {"file_name": "", "file_size_bytes": -1},
            ],
        });

        let dataset = serde_json::from_value(dataset).unwrap();
        let listing = Listing::of(&dataset);

        assert_eq!(listing.sizes("a.png"), [Some(1), None]);
        assert_eq!(listing.nameless, [Some(7), None, None, None]);
        assert!(listing.has("a.png") && !listing.has("b.png"));
        assert_eq!(file_names(&dataset), BTreeSet::from(["a.png".to_owned()]));
    }
}
