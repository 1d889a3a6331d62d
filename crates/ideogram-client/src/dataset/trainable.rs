//! Whether a set of pictures can be trained.

use serde::Serialize;

use super::{listing::Listing, name};
use crate::types::GetDatasetResponse;

/// How many pictures a training needs.
pub const FEWEST_PICTURES: u64 = 15;
/// How many pictures a dataset holds at most.
pub const MOST_PICTURES: u64 = 100;

/// Whether a set of pictures can be trained, and what is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Trainable {
    /// How many pictures there are at least: those with a name.
    pub pictures: u64,
    /// How many files there are beside that may be pictures: those without a name, and archives.
    pub perhaps: u64,
    /// What follows.
    pub verdict: Verdict,
}

/// Whether there are enough pictures and not too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// It can be trained.
    Yes,
    /// Pictures are missing.
    TooFew {
        /// How many.
        missing: u64,
    },
    /// There are more pictures than a dataset holds.
    TooMany {
        /// How many more.
        surplus: u64,
    },
    /// That depends on files that have no name.
    Unknown,
}

impl Trainable {
    /// Judges what [`get_dataset`](crate::Client::get_dataset) answers.
    pub fn of(dataset: &GetDatasetResponse) -> Self {
        Pictures::of(&Listing::of(dataset)).trainable()
    }

    /// Whether it can be trained for all that is known.
    pub fn is_certain(&self) -> bool {
        self.verdict == Verdict::Yes
    }
}

/// How many pictures there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pictures {
    certain: u64,
    perhaps: u64,
}

impl Pictures {
    pub(crate) fn of(listing: &Listing) -> Self {
        let mut pictures = Self { certain: 0, perhaps: listing.nameless.len() as u64 };
        for (name, sizes) in listing.names() {
            match name::extension(name).as_str() {
                "txt" => {}
                "zip" => pictures.perhaps += sizes.len() as u64,
                _ => pictures.certain += sizes.len() as u64,
            }
        }
        pictures
    }

    /// With so many more.
    pub(crate) fn and(self, new: u64) -> Self {
        Self { certain: self.certain + new, ..self }
    }

    pub(crate) fn trainable(self) -> Trainable {
        let Self { certain, perhaps } = self;
        let verdict = if certain > MOST_PICTURES {
            Verdict::TooMany { surplus: certain - MOST_PICTURES }
        } else if certain + perhaps < FEWEST_PICTURES {
            Verdict::TooFew { missing: FEWEST_PICTURES - certain - perhaps }
        } else if certain >= FEWEST_PICTURES && certain + perhaps <= MOST_PICTURES {
            Verdict::Yes
        } else {
            Verdict::Unknown
        };
        Trainable { pictures: certain, perhaps, verdict }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_to_a_hundred_pictures_can_be_trained() {
        for (certain, perhaps, verdict) in [
            (0, 0, Verdict::TooFew { missing: 15 }),
            (14, 0, Verdict::TooFew { missing: 1 }),
            (15, 0, Verdict::Yes),
            (100, 0, Verdict::Yes),
            (101, 0, Verdict::TooMany { surplus: 1 }),
            (10, 4, Verdict::TooFew { missing: 1 }),
            (10, 5, Verdict::Unknown),
            (15, 85, Verdict::Yes),
            (15, 86, Verdict::Unknown),
            (101, 5, Verdict::TooMany { surplus: 1 }),
        ] {
            assert_eq!(Pictures { certain, perhaps }.trainable().verdict, verdict, "{certain} {perhaps}");
        }
    }
}
