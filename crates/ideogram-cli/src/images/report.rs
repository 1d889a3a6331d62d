//! What became of the images of a response, and the exit code that it deserves.

use std::path::{Path, PathBuf};

use ideogram_client::{
    ErrorKind,
    save::{Image as _, ImageRef, SaveOutcome},
};
use serde_json::{Map, Value, json};

use crate::{exit::Exit, failure::Failure, options::Format, output::Output, output::units};

/// How much of a response without images is shown, in characters.
const MAX_RESPONSE_CHARS: usize = 200;

/// What became of the images of a response.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    /// As it came.
    pub(crate) response: Value,
    pub(crate) images: Vec<ImageRef>,
    /// One for each image.
    pub(crate) outcomes: Vec<SaveOutcome>,
    /// How many images were requested, if that is known.
    pub(crate) requested: Option<u32>,
    pub(crate) stored_at: Option<&'a Path>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    /// On disk, now or before.
    saved: u64,
    withheld: u64,
    failed: u64,
    /// Of those that failed, how many are gone for good.
    gone: u64,
}

impl Report<'_> {
    /// Paths as text; as JSON all that is known.
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

    /// What was saved.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.outcomes.iter().filter_map(|outcome| outcome.saved().map(|saved| saved.path.clone())).collect()
    }

    /// What is worth a word though nothing is wrong.
    pub(crate) fn remark(&self) -> Option<String> {
        let requested = usize::try_from(self.requested?).ok()?;
        let blocks = self.response.get("text_blocks").and_then(Value::as_array).map(Vec::len);
        if let Some(blocks) = blocks {
            let blocks = units::count(blocks as u64, "block");
            return Some(format!("{blocks} of text found: --output json and the files beside the images show them"));
        }
        let came = self.images.len();
        (came != requested && came > 0)
            .then(|| format!("{} requested, {came} in the response", units::count(requested as u64, "image")))
    }

    /// How the command ends, unless all is well.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let counts = self.counts();
        let count = |number, what| format!("{} {what}", units::count(number, "image"));
        let exit = match counts {
            Counts { saved: 0, withheld: 0, failed: 0, .. } => {
                let response: String = self.response.to_string().chars().take(MAX_RESPONSE_CHARS).collect();
                return Some(
                    Failure::new(Exit::NotStored, "the response holds no images")
                        .cause(format!("the response was: {response}"))
                        .hint("it was billed all the same"),
                );
            }
            Counts { withheld: 0, failed: 0, .. } => return None,
            Counts { saved: 0, failed: 0, .. } => Exit::Safety,
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
                    failure = failure.cause(format!("image {}: {error}", image.number()));
                }
                SaveOutcome::LinkMissing => {
                    failure = failure.cause(format!("image {}: the response has no link to it", image.number()));
                }
                _ => {}
            }
        }
        if counts.withheld > 0 {
            failure = failure.hint("withheld images were made and billed, and cannot be fetched");
        }
        Some(failure)
    }

    /// Whether there are images still at their links.
    pub(crate) fn can_be_fetched_later(&self) -> bool {
        let counts = self.counts();
        counts.failed > counts.gone
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for outcome in &self.outcomes {
            match outcome {
                SaveOutcome::Withheld => counts.withheld += 1,
                SaveOutcome::LinkMissing => (counts.failed, counts.gone) = (counts.failed + 1, counts.gone + 1),
                SaveOutcome::Saved(_) | SaveOutcome::AlreadyThere { .. } => counts.saved += 1,
                SaveOutcome::Failed(error) if error.kind() == ErrorKind::LinkExpired => {
                    (counts.failed, counts.gone) = (counts.failed + 1, counts.gone + 1);
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
        // `ideogram save` takes it.
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
