//! What is known of a row at the end of a run. How its state is presented: [`state`](super::state).

use super::{
    journal::{Failed, Image},
    state::{ImageResult, RowState},
};
use crate::{exit::Exit, output::units};

/// What is known of a row.
#[derive(Clone, Debug)]
pub(super) enum Status {
    NotRun,
    /// An earlier run sent it, and no response shows how it ended.
    Unknown,
    Failed(Box<Failed>),
    /// It has a response.
    Finished(Vec<Image>),
}

impl Status {
    pub(super) fn state(&self) -> RowState {
        let all = |result| self.images().iter().all(|image| image.result == result);
        match self {
            Self::NotRun => RowState::NotRun,
            Self::Unknown => RowState::Unknown,
            Self::Failed(failed) => failed.state,
            Self::Finished(images) if images.is_empty() => RowState::NoImages,
            Self::Finished(_) if all(ImageResult::Saved) => RowState::Saved,
            Self::Finished(_) if all(ImageResult::Withheld) => RowState::Withheld,
            Self::Finished(_) => RowState::Partial,
        }
    }

    /// The images of its response.
    pub(super) fn images(&self) -> &[Image] {
        if let Self::Finished(images) = self { images } else { &[] }
    }

    /// The exit code of a batch in which every row ended like this one.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Failed(failed) if failed.state == RowState::Declined && failed.kind == "safety" => Exit::Safety,
            _ => self.state().info().exit,
        }
    }

    /// Why the row has no images; empty if it has some.
    pub(super) fn why(&self) -> &str {
        match self {
            Self::NotRun => "run the same command again to continue",
            Self::Unknown => "it was in flight when the command ended",
            Self::Failed(failed) => &failed.message,
            Self::Finished(images) if images.is_empty() => "the response contains none",
            Self::Finished(_) => "",
        }
    }

    /// Explains a row that was sent and does not have all its images.
    pub(super) fn reason(&self) -> Option<String> {
        let info = self.state().info();
        match self {
            Self::NotRun => None,
            Self::Finished(images) if !images.is_empty() => missing(images),
            _ => Some(format!("{}, {}: {}", info.title, info.billing, self.why())),
        }
    }
}

fn missing(images: &[Image]) -> Option<String> {
    let mut parts = Vec::new();
    for result in ImageResult::ALL.into_iter().filter(|result| *result != ImageResult::Saved) {
        let number = images.iter().filter(|image| image.result == result).count() as u64;
        if number > 0 {
            parts.push(format!("{} {}", units::count(number, "image"), result.info().reason));
        }
    }
    parts.extend(images.iter().find_map(|image| image.error.clone()));
    (!parts.is_empty()).then(|| parts.join(": "))
}
