//! The result of saving the images of a response, and its exit code.

use std::path::{Path, PathBuf};

use ideogram_client::{
    ErrorKind,
    save::{Image as _, ImageRef, SaveOutcome},
};
use serde_json::{Map, Value, json};

use crate::{exit::Exit, failure::Failure, options::Format, output::Output, output::units};

/// How many characters of a response without images are printed.
const MAX_RESPONSE_CHARS: usize = 200;

/// The result of saving the images of a response.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) response: Value,
    pub(crate) images: Vec<ImageRef>,
    /// One for each image.
    pub(crate) outcomes: Vec<SaveOutcome>,
    /// The number of requested images, if it is known.
    pub(crate) requested: Option<u32>,
    pub(crate) stored_at: Option<&'a Path>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    /// Saved, now or before.
    saved: u64,
    withheld: u64,
    failed: u64,
    /// How many of the failed ones can no longer be fetched.
    unavailable: u64,
}

impl Report<'_> {
    /// Prints the paths as text, or everything as JSON.
    pub(crate) fn print(&self, output: &Output) -> Result<(), Failure> {
        let mut stream = output.stream("images");
        for (image, outcome) in self.images.iter().zip(&self.outcomes) {
            let path = outcome.saved().map(|saved| saved.path.display().to_string());
            if output.format() == Format::Text && path.is_none() {
                continue;
            }
            stream.push(&described(image, outcome), &path.unwrap_or_default())?;
        }
        let stored_at = self.stored_at.map(|path| path.display().to_string());
        stream.finish(Map::from_iter([
            ("response".to_owned(), self.response.clone()),
            ("stored_at".to_owned(), json!(stored_at)),
        ]))
    }

    /// The paths of saved images.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.outcomes.iter().filter_map(|outcome| outcome.saved().map(|saved| saved.path.clone())).collect()
    }

    /// A note about a response without failures.
    pub(crate) fn note(&self) -> Option<String> {
        let requested = usize::try_from(self.requested?).ok()?;
        let blocks = self.response.get("text_blocks").and_then(Value::as_array).map(Vec::len);
        if let Some(blocks) = blocks {
            let blocks = units::count(blocks as u64, "block");
            return Some(format!("{blocks} of text: see the sidecars, or use --output json"));
        }
        let came = self.images.len();
        (came != requested && came > 0)
            .then(|| format!("{} requested, {came} in the response", units::count(requested as u64, "image")))
    }

    /// The failure of the command, unless all images are saved.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let counts = self.counts();
        let count = |number, what| format!("{} {what}", units::count(number, "image"));
        let exit = match counts {
            Counts { saved: 0, withheld: 0, failed: 0, .. } => {
                let response: String = self.response.to_string().chars().take(MAX_RESPONSE_CHARS).collect();
                return Some(
                    Failure::new(Exit::NotStored, "the response has no images")
                        .fact(format!("the response was: {response}"))
                        .hint("the call was billed"),
                );
            }
            Counts { withheld: 0, failed: 0, .. } => return None,
            Counts { saved: 0, failed: 0, .. } => Exit::Withheld,
            Counts { saved: 0, .. } => Exit::NotStored,
            _ => Exit::Partial,
        };
        let mut parts = Vec::new();
        if counts.withheld > 0 {
            parts.push(count(counts.withheld, "withheld by the safety check"));
        }
        if counts.failed > 0 {
            parts.push(count(counts.failed, "not saved"));
        }
        let mut failure = Failure::new(exit, parts.join(", "))
            .detail("saved", counts.saved)
            .detail("withheld", counts.withheld)
            .detail("failed", counts.failed);
        for (image, outcome) in self.images.iter().zip(&self.outcomes) {
            match outcome {
                SaveOutcome::Failed(error) => {
                    failure = failure.fact(format!("image {}: {error}", image.number()));
                }
                SaveOutcome::LinkMissing => {
                    failure = failure.fact(format!("image {}: the response has no link to it", image.number()));
                }
                _ => {}
            }
        }
        if counts.withheld > 0 {
            failure = failure.hint("withheld images were generated and billed, and cannot be fetched");
        }
        Some(failure)
    }

    /// Whether some images can still be fetched.
    pub(crate) fn can_be_fetched_later(&self) -> bool {
        let counts = self.counts();
        counts.failed > counts.unavailable
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for outcome in &self.outcomes {
            match outcome {
                SaveOutcome::Withheld => counts.withheld += 1,
                SaveOutcome::LinkMissing => {
                    (counts.failed, counts.unavailable) = (counts.failed + 1, counts.unavailable + 1);
                }
                SaveOutcome::Saved(_) | SaveOutcome::AlreadyThere { .. } => counts.saved += 1,
                SaveOutcome::Failed(error) if error.kind() == ErrorKind::LinkExpired => {
                    (counts.failed, counts.unavailable) = (counts.failed + 1, counts.unavailable + 1);
                }
                _ => counts.failed += 1,
            }
        }
        counts
    }
}

fn described(image: &ImageRef, outcome: &SaveOutcome) -> Value {
    let mut described = json!({"image": image.number()});
    if let Some(role) = image.role() {
        described["role"] = json!(role);
    }
    if let Some(seed) = image.seed() {
        described["seed"] = json!(seed);
    }
    if let Some(link) = image.link() {
        // For `ideogram save`.
        described["url"] = json!(link);
    }
    let word = match outcome {
        SaveOutcome::Saved(saved) => {
            described["path"] = json!(saved.path.display().to_string());
            described["sidecar"] = json!(saved.sidecar.as_ref().map(|path| path.display().to_string()));
            described["media_type"] = json!(saved.media_type);
            described["size_bytes"] = json!(saved.size_bytes);
            "saved"
        }
        SaveOutcome::Withheld => "withheld",
        SaveOutcome::LinkMissing => "link_missing",
        SaveOutcome::Failed(error) => {
            described["error"] = json!(error.to_string());
            "failed"
        }
        SaveOutcome::AlreadyThere { path } => {
            described["path"] = json!(path.display().to_string());
            "already_there"
        }
        _ => "unknown",
    };
    described["outcome"] = json!(word);
    described
}
