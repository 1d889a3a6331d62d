//! Whether a set of pictures can be trained, in words.

use ideogram_client::dataset::{FEWEST_PICTURES, MOST_PICTURES, Trainable, Verdict};

use crate::units;

/// `yes: 16 pictures`, `no: 4 pictures, 11 too few for a training (15 to 100)`.
pub(super) fn told(trainable: Trainable) -> String {
    let verdict = match trainable.verdict {
        Verdict::Yes => "yes",
        Verdict::TooFew { .. } | Verdict::TooMany { .. } => "no",
        _ => "cannot be told",
    };
    format!("{verdict}: {}", why(trainable))
}

/// The same without the verdict.
pub(super) fn why(trainable: Trainable) -> String {
    let mut pictures = units::count(trainable.pictures, "picture");
    if trainable.perhaps > 0 {
        pictures = format!("{pictures} by name, and {} that may be some", units::count(trainable.perhaps, "file"));
    }
    let range = format!("for a training ({FEWEST_PICTURES} to {MOST_PICTURES})");
    match trainable.verdict {
        Verdict::Yes => pictures,
        Verdict::TooFew { missing } => format!("{pictures}, {missing} too few {range}"),
        Verdict::TooMany { surplus } => format!("{pictures}, {surplus} too many {range}"),
        _ => format!("{pictures}; {FEWEST_PICTURES} to {MOST_PICTURES} are needed"),
    }
}
