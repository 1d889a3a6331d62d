//! The state of the service: datasets, models, and the ids it has issued.
//!
//! [`Store`](crate::store::Store) shares it between requests and writes it to disk.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    clock::{DEFAULT_START, later},
    content::FileType,
    reply::Reply,
    token::{base64url, scramble},
};

/// The account of every key.
pub(crate) const USER_ID: &str = "kX0p3rZcSLi4mB2vD7qNfw";

/// The state of the service at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    /// Service time when the state was stored: time does not run backwards across a restart.
    pub(crate) now: Option<Timestamp>,
    ids: u64,
    pub(crate) datasets: Vec<Dataset>,
    pub(crate) models: Vec<Model>,
    #[serde(default)]
    // A change copies the state, so what grows with each call is shared.
    pub(crate) generations: Vec<Arc<Generation>>,
    #[serde(default)]
    pub(crate) charges: Vec<Arc<Charge>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dataset {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    /// The id of the first image.
    pub(crate) cover: Option<String>,
    pub(crate) files: Vec<StoredFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredFile {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) is_image: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `None` for a model of another user.
    pub(crate) dataset_id: Option<String>,
    pub(crate) created: Timestamp,
    /// When the training ends, in success or failure.
    pub(crate) ends: Timestamp,
    pub(crate) fails: bool,
    /// Selects the model in a request for images, once the training has succeeded.
    pub(crate) uri: String,
}

/// A call of the second API version that creates images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Generation {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    /// When it ends at the earliest, in success or failure.
    pub(crate) ends: Timestamp,
    /// Whether its images are still being made, in real time.
    #[serde(skip)]
    pub(crate) is_in_flight: bool,
    pub(crate) fails: bool,
    /// Its images.
    pub(crate) data: Value,
}

/// What one call costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Charge {
    pub(crate) time: Timestamp,
    /// The path of the operation.
    pub(crate) endpoint: String,
    /// The number of units.
    pub(crate) count: u64,
    /// The price of a unit, in millionths of a US dollar.
    pub(crate) price: u64,
}

impl Model {
    pub(crate) fn is_owned(&self) -> bool {
        self.dataset_id.is_some()
    }
}

impl Dataset {
    pub(crate) fn images(&self) -> usize {
        self.files.iter().filter(|file| file.is_image).count()
    }
}

impl State {
    /// Returns the state that every server starts with, read from the samples of the document, and as long ago as in
    /// them.
    pub(crate) fn demo(training_time: Duration, start: Timestamp) -> Self {
        let later = start.duration_since(DEFAULT_START);
        let sample = |text: &str| serde_json::from_str::<Value>(text).expect("samples are JSON");
        let dataset = sample(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/",
            env!("OPENAPI"),
            "/examples/get_dataset/demo.json"
        )));
        let models = sample(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/",
            env!("OPENAPI"),
            "/examples/list_custom_models/demo.json"
        )));
        let models = models["models"].as_array().expect("the sample lists models");
        Self {
            now: None,
            ids: 0,
            datasets: vec![demo_dataset(&dataset, later)],
            models: models.iter().map(|model| demo_model(model, training_time, later)).collect(),
            generations: Vec::new(),
            charges: Vec::new(),
        }
    }

    /// Returns a new id: 22 characters, the length of a UUID in base64url.
    pub(crate) fn new_id(&mut self) -> String {
        self.ids += 1;
        base64url(u128::from(scramble(2 * self.ids)) << 64 | u128::from(scramble(2 * self.ids + 1)))
    }

    pub(crate) fn dataset(&self, id: &str) -> Result<&Dataset, Reply> {
        self.datasets.iter().find(|dataset| dataset.id == id).ok_or_else(no_dataset)
    }

    pub(crate) fn dataset_mut(&mut self, id: &str) -> Result<&mut Dataset, Reply> {
        self.datasets.iter_mut().find(|dataset| dataset.id == id).ok_or_else(no_dataset)
    }
}

fn no_dataset() -> Reply {
    Reply::not_found("Dataset not found.")
}

fn demo_dataset(sample: &Value, later: SignedDuration) -> Dataset {
    let file = |file: &Value| {
        let name = text(&file["file_name"]);
        let is_image = FileType::of(&name) == FileType::Image;
        StoredFile { name, size: file["file_size_bytes"].as_u64().expect("the sample has sizes"), is_image }
    };
    Dataset {
        id: text(&sample["dataset"]["dataset_id"]),
        name: text(&sample["dataset"]["name"]),
        created: shifted(time(&sample["dataset"]["creation_time"]), later),
        cover: Some(text(&sample["dataset"]["cover_asset_identifier"]["asset_id"])),
        files: sample["files"].as_array().expect("the sample lists files").iter().map(file).collect(),
    }
}

fn demo_model(sample: &Value, training_time: Duration, shift: SignedDuration) -> Model {
    let created = shifted(time(&sample["creation_time"]), shift);
    let is_completed = sample["status"] == "COMPLETED";
    let uri = &sample["custom_model_uri"];
    Model {
        id: text(&sample["model_id"]),
        name: text(&sample["name"]),
        dataset_id: sample["dataset_id"].as_str().map(str::to_owned),
        created,
        ends: match &sample["last_update_time"] {
            last if is_completed && last.is_string() => shifted(time(last), shift),
            _ if is_completed => created,
            _ => later(created, training_time),
        },
        fails: false,
        uri: uri.as_str().map_or_else(|| new_uri(sample["name"].as_str().unwrap_or_default()), str::to_owned),
    }
}

/// A time beyond the calendar stays as it is.
fn shifted(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(time)
}

/// Returns the address of a model's only version. Callers must not construct it, so it differs from the name.
pub(crate) fn new_uri(model_name: &str) -> String {
    format!("model/{}/version/1", model_name.to_ascii_lowercase().replace(' ', "-"))
}

fn text(value: &Value) -> String {
    value.as_str().expect("the sample has a string here").to_owned()
}

fn time(value: &Value) -> Timestamp {
    text(value).parse().expect("the sample has a time here")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_new_and_of_22_characters() {
        let mut state = State::demo(Duration::ZERO, DEFAULT_START);

        let ids: HashSet<_> = (0..1000).map(|_| state.new_id()).collect();

        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 22));
    }
}
