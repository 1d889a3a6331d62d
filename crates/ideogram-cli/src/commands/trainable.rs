//! Texts about whether a dataset can be trained.

use ideogram_client::dataset::{MAX_IMAGES, MIN_IMAGES, Trainability, TrainabilityStatus};

use crate::output::units;

/// `yes: 16 images`, `no: 4 images, 11 too few for a training (15 to 100)`.
pub(super) fn describe(trainable: Trainability) -> String {
    let word = match trainable.status {
        TrainabilityStatus::Yes => "yes",
        TrainabilityStatus::TooFew { .. } | TrainabilityStatus::TooMany { .. } => "no",
        _ => "unknown",
    };
    format!("{word}: {}", why(trainable))
}

/// Only the counts.
pub(super) fn why(trainable: Trainability) -> String {
    let mut images = units::count(trainable.images, "image");
    if trainable.uncertain > 0 {
        images = format!("{images} by name, and {} that may be images", units::count(trainable.uncertain, "file"));
    }
    let range = format!("for a training ({MIN_IMAGES} to {MAX_IMAGES})");
    match trainable.status {
        TrainabilityStatus::Yes => images,
        TrainabilityStatus::TooFew { missing } => format!("{images}, {missing} too few {range}"),
        TrainabilityStatus::TooMany { surplus } => format!("{images}, {surplus} too many {range}"),
        _ => format!("{images}; {MIN_IMAGES} to {MAX_IMAGES} are required"),
    }
}
