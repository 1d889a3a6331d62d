//! Whether a set of images can be trained.

use serde::Serialize;

use super::{listing::Listing, name};
use crate::types::GetDatasetResponse;

/// The minimum number of images for a training.
pub const MIN_IMAGES: u64 = 15;
/// The maximum number of images in a dataset.
pub const MAX_IMAGES: u64 = 100;

/// Whether a set of images can be trained, and the reason if not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Trainability {
    /// The number of files that are certainly images: those with a name.
    pub images: u64,
    /// The number of other files that may be or contain images: those without a name, and archives.
    pub uncertain: u64,
    /// Whether the dataset can be trained, as far as these numbers tell.
    pub status: TrainabilityStatus,
}

/// Whether there are enough images and not too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TrainabilityStatus {
    /// It can be trained.
    Yes,
    /// There are too few images.
    TooFew {
        /// The number of missing images.
        missing: u64,
    },
    /// There are too many images.
    TooMany {
        /// The number of images above the maximum.
        surplus: u64,
    },
    /// It depends on files that may be images.
    Unknown,
}

impl Trainability {
    /// Judges the dataset in a response of [`get_dataset`](crate::Client::get_dataset).
    pub fn of(dataset: &GetDatasetResponse) -> Self {
        Self::of_listing(&Listing::of(dataset))
    }

    pub(super) fn of_listing(listing: &Listing) -> Self {
        let (mut images, mut uncertain) = (0, listing.nameless.len() as u64);
        for (name, sizes) in listing.names() {
            match name::extension(name).as_str() {
                "txt" => {}
                "zip" => uncertain += sizes.len() as u64,
                _ => images += sizes.len() as u64,
            }
        }
        Self::new(images, uncertain)
    }

    pub(super) fn new(images: u64, uncertain: u64) -> Self {
        let status = if images > MAX_IMAGES {
            TrainabilityStatus::TooMany { surplus: images - MAX_IMAGES }
        } else if images + uncertain < MIN_IMAGES {
            TrainabilityStatus::TooFew { missing: MIN_IMAGES - images - uncertain }
        } else if images >= MIN_IMAGES && images + uncertain <= MAX_IMAGES {
            TrainabilityStatus::Yes
        } else {
            TrainabilityStatus::Unknown
        };
        Self { images, uncertain, status }
    }

    /// Whether the dataset can certainly be trained.
    pub fn is_certain(&self) -> bool {
        self.status == TrainabilityStatus::Yes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_to_a_hundred_images_can_be_trained() {
        for (images, uncertain, status) in [
            (0, 0, TrainabilityStatus::TooFew { missing: 15 }),
            (14, 0, TrainabilityStatus::TooFew { missing: 1 }),
            (15, 0, TrainabilityStatus::Yes),
            (100, 0, TrainabilityStatus::Yes),
            (101, 0, TrainabilityStatus::TooMany { surplus: 1 }),
            (10, 4, TrainabilityStatus::TooFew { missing: 1 }),
            (10, 5, TrainabilityStatus::Unknown),
            (15, 85, TrainabilityStatus::Yes),
            (15, 86, TrainabilityStatus::Unknown),
            (101, 5, TrainabilityStatus::TooMany { surplus: 1 }),
        ] {
            assert_eq!(Trainability::new(images, uncertain).status, status, "{images} {uncertain}");
        }
    }
}
