//! What became of a row: the one table of the words that programs, people and the contact sheet read.

use super::journal::{Failed, Image, ImageResult, RowState};
use crate::output::units;

/// What is known of a row at the end.
#[derive(Clone, Debug)]
pub(super) enum Status {
    /// It was not its turn.
    NotRun,
    /// It was begun by an earlier run, and no response shows what became of it.
    Unknown,
    Failed(Failed),
    Finished(Vec<Image>),
}

/// How a state is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// For programs.
    pub(super) name: &'static str,
    /// The class on the contact sheet.
    pub(super) class: &'static str,
    /// For people; empty if there is nothing to say.
    pub(super) title: &'static str,
    /// Whether it is billed, for people.
    pub(super) billing: &'static str,
}

impl Status {
    pub(super) fn words(&self) -> Words {
        let words = |name, class, title, billing| Words { name, class, title, billing };
        match self {
            Self::NotRun => words("not_run", "waiting", "not run", ""),
            Self::Unknown => words("unknown", "bad", "outcome unknown", "it may have been billed"),
            Self::Failed(failed) => match failed.state {
                RowState::NotRun => words("failed", "waiting", "failed", "not billed"),
                RowState::Declined => words("declined", "bad", "declined", "not billed"),
                RowState::Unknown => words("unknown", "bad", "outcome unknown", "it may have been billed"),
                RowState::Unreadable => words("unreadable", "bad", "unreadable response", "billed"),
            },
            Self::Finished(images) => {
                let all = |result| images.iter().all(|image| image.result == result);
                match images.as_slice() {
                    [] => words("unreadable", "bad", "no images", "billed"),
                    _ if all(ImageResult::Saved) => words("saved", "good", "", ""),
                    _ if all(ImageResult::Withheld) => words("withheld", "bad", "", ""),
                    _ => words("partial", "good", "", ""),
                }
            }
        }
    }

    /// Why a row has no images.
    pub(super) fn why(&self) -> &str {
        match self {
            Self::NotRun => "yet: running the same command again goes on here",
            Self::Unknown => "it was in flight when the command ended",
            Self::Failed(failed) => &failed.message,
            Self::Finished(images) if images.is_empty() => "the response holds none",
            Self::Finished(_) => "",
        }
    }

    /// What is to be said of a row that did not come to all its images.
    pub(super) fn reason(&self) -> Option<String> {
        let Words { title, billing, .. } = self.words();
        match self {
            Self::NotRun => None,
            Self::Finished(images) if !images.is_empty() => missing(images),
            _ => Some(format!("{title}, {billing}: {}", self.why())),
        }
    }
}

fn missing(images: &[Image]) -> Option<String> {
    let number = |result| images.iter().filter(|image| image.result == result).count() as u64;
    let words = [
        (ImageResult::Withheld, "withheld by the safety check, billed all the same"),
        (ImageResult::Lost, "lost"),
        (ImageResult::NotSaved, "not saved"),
    ];
    let mut parts: Vec<String> = words
        .into_iter()
        .filter(|(result, _)| number(*result) > 0)
        .map(|(result, word)| format!("{} {word}", units::count(number(result), "image")))
        .collect();
    parts.extend(images.iter().find_map(|image| image.error.clone()));
    (!parts.is_empty()).then(|| parts.join(": "))
}
