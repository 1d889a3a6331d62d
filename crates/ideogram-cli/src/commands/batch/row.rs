//! A row that can be sent: its request and its key.
//!
//! The key of a row identifies what is sent for it, with files by their content: a row is the same when its files have
//! moved or its cells are spelled differently, and a row that sends something else is a new row.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ideogram_client::{
    File,
    request::{PartContent, Request},
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{canonical, digest::hex, properties::JSON_PROMPT};
use crate::{images::source::MAX_BYTES, text_input};

/// The maximum length of a name from a prompt, without its unique end.
const MAX_SLUG_CHARS: usize = 40;

/// A row that can be sent.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Its first line in the file.
    pub(super) line: u64,
    /// Identifies what is sent for it, among all batches.
    pub(super) key: String,
    /// The stem of the names of its files.
    pub(super) name: String,
    pub(super) prompt: String,
    pub(super) request: Request,
    /// The number of images that it requests.
    pub(super) images: u32,
    /// The digests from which the key was computed, by the paths of the files.
    pub(super) files: BTreeMap<PathBuf, String>,
}

impl Row {
    /// The digest of a file of the request.
    pub(super) fn digest_of(&self, path: &Path) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The key without its number (`-2`, `-3`): equal for all rows with the same request.
    pub(super) fn request_key(&self) -> &str {
        self.key.split_once('-').map_or(&self.key, |(request, _)| request)
    }

    /// Whether an earlier row requests the same.
    pub(super) fn is_repeated(&self) -> bool {
        self.request_key() != self.key
    }

    /// Returns the request with its files read into memory.
    ///
    /// # Errors
    ///
    /// The text names a file that cannot be read, or has changed since the key was computed.
    pub(super) async fn sealed_request(&self) -> Result<Request, String> {
        if self.files.is_empty() {
            return Ok(self.request.clone());
        }
        let (request, files) = (self.request.clone(), self.files.clone());
        let sealed = tokio::task::spawn_blocking(move || {
            request.try_map_files(|file| {
                let Some(path) = file.path() else { return Ok(file.clone()) };
                let name = path.display();
                let bytes =
                    text_input::read_file(path, MAX_BYTES).map_err(|_| format!("\"{name}\" can no longer be read"))?;
                if files.get(path).is_none_or(|digest| *digest != hex(&Sha256::digest(&bytes))) {
                    return Err(format!("\"{name}\" has changed since the rows were read"));
                }
                Ok(File::from_bytes(file.name(), bytes))
            })
        });
        sealed.await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

impl Row {
    /// The names of the request's properties, and their values in one form. Those of an object in a JSON body stand beside
    /// the others: legacy operations have most properties in one.
    pub(super) fn properties(&self) -> Vec<(String, String)> {
        let mut properties = Vec::new();
        for part in self.request.parts() {
            let text = match &part.content {
                PartContent::Text(text) => text.clone(),
                PartContent::Json { text, .. } => canonical::json(text, canonical::Order::Sorted),
                PartContent::File(file) => {
                    file.path().and_then(|path| self.digest_of(path)).unwrap_or_default().to_owned()
                }
                _ => continue,
            };
            properties.push((part.name.to_string(), text));
        }
        let text = |value: Value| match value {
            Value::String(text) => text,
            value => canonical::json(&value.to_string(), canonical::Order::Sorted),
        };
        let body = self.request.json_body().and_then(|body| serde_json::from_slice::<Map<String, Value>>(body).ok());
        for (name, value) in body.into_iter().flatten() {
            match value {
                Value::Object(nested) => properties.extend(nested.into_iter().map(|(name, value)| (name, text(value)))),
                value => properties.push((name, text(value))),
            }
        }
        properties
    }
}

/// The key of a request: a digest of the operation and the body, independent of how they are written.
pub(super) fn key(request: &Request, files: &BTreeMap<PathBuf, String>) -> String {
    let mut identity = Sha256::new();
    // Without lengths, the end of one text could be the beginning of the next.
    let mut add = |text: &str| {
        identity.update((text.len() as u64).to_le_bytes());
        identity.update(text);
    };
    add(request.operation().id);
    if let Some(json) = request.json_body() {
        add(&canonical::json(&String::from_utf8_lossy(json), canonical::Order::Sorted));
    }
    for part in request.parts() {
        add(&part.name);
        match &part.content {
            PartContent::Text(text) => add(text),
            PartContent::Json { text, .. } => {
                // The order of the properties in a structured prompt matters to the model.
                let is_prompt = part.name == JSON_PROMPT;
                let order = if is_prompt { canonical::Order::AsWritten } else { canonical::Order::Sorted };
                add(&canonical::json(text, order));
            }
            PartContent::File(file) => add(file.path().and_then(|path| files.get(path)).map_or("", String::as_str)),
            _ => {}
        }
    }
    hex(&identity.finalize())[..32].to_owned()
}

/// The first words of a prompt for a file name, or `row-`.
pub(super) fn slug(prompt: &str) -> String {
    let mut slug = String::new();
    for word in prompt.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if slug.len() + word.len() > MAX_SLUG_CHARS {
            break;
        }
        slug.push_str(&word.to_ascii_lowercase());
        slug.push('-');
    }
    if slug.is_empty() { "row-".to_owned() } else { slug }
}

/// A fingerprint of all rows together.
pub(super) fn hash(rows: &[Row]) -> String {
    let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    hex(&Sha256::digest(keys.join("\n")))
}
