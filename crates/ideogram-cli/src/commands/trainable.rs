//! Whether a set of pictures can be trained, in words.

use ideogram_client::dataset::{FEWEST_PICTURES, MOST_PICTURES, Trainable, Verdict};

use crate::units;

/// `yes: 16 pictures`, `no: 4 pictures, 11 too few for a training (15 to 100)`.
pub(super) fn told(trainable: Trainable) -> String {
    let pictures = units::count(trainable.pictures, "picture");
    let range = format!("for a training ({FEWEST_PICTURES} to {MOST_PICTURES})");
    match trainable.verdict {
        Verdict::Yes => format!("yes: {pictures}"),
        Verdict::TooFew { missing } => format!("no: {pictures}, {missing} too few {range}"),
        Verdict::TooMany { surplus } => format!("no: {pictures}, {surplus} too many {range}"),
        _ => format!(
            "cannot be told: {pictures} by name, and {} that may be pictures {range}",
            units::count(trainable.perhaps, "file")
        ),
    }
}
