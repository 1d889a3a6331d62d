//! Whether a set of images can be trained.

use serde::Serialize;

use super::{listing::Listing, name};
use crate::types::GetDatasetResponse;

/// How many images a training needs.
pub const MIN_IMAGES: u64 = 15;
/// How many images a dataset holds at most.
pub const MAX_IMAGES: u64 = 100;

/// Whether a set of images can be trained, and what is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Trainability {
    /// How many images there are at least: those with a name.
    pub images: u64,
    /// How many files there are beside that may be images: those without a name, and archives.
    pub perhaps: u64,
    /// What follows.
    pub verdict: Verdict,
}

/// Whether there are enough images and not too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// It can be trained.
    Yes,
    /// Images are missing.
    TooFew {
        /// How many.
        missing: u64,
    },
    /// There are more images than a dataset holds.
    TooMany {
        /// How many more.
        surplus: u64,
    },
    /// That depends on files that have no name.
    Unknown,
}

impl Trainability {
    /// Judges what [`get_dataset`](crate::Client::get_dataset) answers.
    pub fn of(dataset: &GetDatasetResponse) -> Self {
        Images::of(&Listing::of(dataset)).trainable()
    }

    /// Whether it can be trained for all that is known.
    pub fn is_certain(&self) -> bool {
        self.verdict == Verdict::Yes
    }
}

/// How many images there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Images {
    certain: u64,
    perhaps: u64,
}

impl Images {
    pub(crate) fn of(listing: &Listing) -> Self {
        let mut images = Self { certain: 0, perhaps: listing.nameless.len() as u64 };
        for (name, sizes) in listing.names() {
            match name::extension(name).as_str() {
                "txt" => {}
                "zip" => images.perhaps += sizes.len() as u64,
                _ => images.certain += sizes.len() as u64,
            }
        }
        images
    }

    /// With so many more.
    pub(crate) fn and(self, new: u64) -> Self {
        Self { certain: self.certain + new, ..self }
    }

    pub(crate) fn trainable(self) -> Trainability {
        let Self { certain, perhaps } = self;
        let verdict = if certain > MAX_IMAGES {
            Verdict::TooMany { surplus: certain - MAX_IMAGES }
        } else if certain + perhaps < MIN_IMAGES {
            Verdict::TooFew { missing: MIN_IMAGES - certain - perhaps }
        } else if certain >= MIN_IMAGES && certain + perhaps <= MAX_IMAGES {
            Verdict::Yes
        } else {
            Verdict::Unknown
        };
        Trainability { images: certain, perhaps, verdict }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_to_a_hundred_images_can_be_trained() {
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
            assert_eq!(Images { certain, perhaps }.trainable().verdict, verdict, "{certain} {perhaps}");
        }
    }
}
