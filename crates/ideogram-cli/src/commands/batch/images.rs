//! Saves the images of a stored response. This is free, and can be done again.

use std::{
    error::Error as StdError,
    fs, io,
    path::{Path, PathBuf},
};

use ideogram_client::{
    Client, Error, ErrorKind, StoredResponse,
    operation::Operation,
    save::{HasImages, IfExists, Image as _, ImageOutcome, ImageRef, Provenance, SaveOutcome},
};
use serde_json::json;

use super::{
    RESPONSES,
    disk::{blocking, names_in},
    journal::{End, History, Image, RawBody, now},
    row::Row,
    state::ImageResult,
};
use crate::failure::Failure;

/// The largest number that is appended to a name that is taken.
const MAX_NUMBER: u32 = 10_000;

/// A stored response.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) at: StoredAt,
    /// The results of its images in an earlier run.
    pub(super) before: Vec<Image>,
}

#[derive(Clone, Debug)]
pub(super) enum StoredAt {
    File(PathBuf),
    /// In the journal, with its status, since it could not be stored as a file.
    Journal(u16, RawBody),
}

/// One image of a response, with the call that it comes from.
struct One {
    image: ImageRef,
    origin: Provenance,
}

impl HasImages for One {
    fn images(&self) -> Vec<ImageRef> {
        vec![self.image.clone()]
    }

    fn origin(&self) -> Provenance {
        self.origin.clone()
    }
}

impl Stored {
    pub(super) fn file(path: PathBuf) -> Self {
        Self { at: StoredAt::File(path), before: Vec::new() }
    }

    pub(super) async fn read(&self, row: &Row) -> Result<StoredResponse, Failure> {
        let cannot =
            |error: &dyn StdError| Failure::local_io("a stored response cannot be read").cause(error.to_string());
        match &self.at {
            StoredAt::File(path) => StoredResponse::read(path).await.map_err(|error| cannot(&error)),
            StoredAt::Journal(status, body) => from_journal(row, *status, body).map_err(|error| cannot(&error)),
        }
    }
}

fn from_journal(row: &Row, status: u16, body: &RawBody) -> serde_json::Result<StoredResponse> {
    // The three forms of a body in the file of a stored response.
    let (form, body) = match body {
        RawBody::Text(text) => match serde_json::from_str(text) {
            Ok(json) => ("response", json),
            Err(_) => ("response_text", json!(text)),
        },
        RawBody::Base64(text) => ("response_base64", json!(text)),
    };
    let operation = row.request.operation().id;
    let received = now();
    let stored = json!({"operation": operation, "request": null, "status": status, "received": received, form: body});
    serde_json::from_str(&stored.to_string())
}

/// Whether a response has an image, or is complete and has none. One with the status of a failure is neither.
pub(super) fn is_usable(response: &StoredResponse, operation: &Operation) -> bool {
    let json = response.response();
    let failure = operation.status_property.and_then(|property| json?.get(property)?.as_u64());
    failure.is_none_or(|status| status < 300) && (!response.images().is_empty() || json.is_some())
}

/// What the disk has of a row that was sent.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The newest usable response.
    pub(super) response: Option<Stored>,
    /// The newest job whose response is not stored.
    pub(super) job: Option<SentJob>,
}

/// A job that was sent, and whose end is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SentJob {
    /// The stored response with its id.
    Stored(PathBuf),
    /// Its id, from the journal.
    Id(String),
}

/// Finds the stored response to a row, or the job that it runs as. `has_folder` avoids a directory read for rows that were
/// never sent.
pub(super) async fn stored(folder: &Path, row: &Row, has_folder: bool, history: &History) -> Result<Found, Failure> {
    let before = match history.end(&row.key) {
        Some(End::Finished(finished)) => finished.images.clone(),
        _ => Vec::new(),
    };
    let files = if has_folder { files_in(folder.join(RESPONSES).join(&row.key)).await? } else { Vec::new() };
    let mut candidates: Vec<_> = files.into_iter().map(StoredAt::File).collect();
    if let Some(End::Finished(finished)) = history.end(&row.key) {
        candidates.push(StoredAt::File(folder.join(&finished.stored)));
    }
    candidates.extend(history.body(&row.key).map(|(status, body)| StoredAt::Journal(*status, body.clone())));
    let (mut without_images, mut job) = (None, None);
    for at in candidates {
        let stored = Stored { at, before: before.clone() };
        let Ok(response) = stored.read(row).await else { continue };
        if !(200..300).contains(&response.status()) {
            continue;
        }
        if !response.images().is_empty() {
            return Ok(Found { response: Some(stored), job: None });
        }
        if let Some(id) = response.job_id() {
            job = job.or(match stored.at {
                StoredAt::File(path) => Some(SentJob::Stored(path)),
                StoredAt::Journal(..) => Some(SentJob::Id(id.to_owned())),
            });
            continue;
        }
        if is_usable(&response, row.request.operation()) {
            without_images = without_images.or(Some(stored));
        }
    }
    let job = job.or_else(|| history.job(&row.key).map(|id| SentJob::Id(id.to_owned())));
    Ok(Found { response: without_images, job })
}

/// Writes the id of a job as the response that it came with, and returns the path.
pub(super) async fn store_id(row: &Row, id: &str, folder: PathBuf) -> Result<PathBuf, Failure> {
    let operation = row.request.operation();
    let property = operation.job.as_ref().map_or("", |job| job.id);
    let stored = json!({
        "operation": operation.id, "request": null, "status": 200, "received": now(), "response": {property: id},
    });
    blocking(move || {
        let path = folder.join(format!("{}-from-the-journal.json", now().replace(['-', ':', '.'], "")));
        let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, stored.to_string()));
        written.map_err(|error| Failure::local_io(format!("cannot write \"{}\"", path.display())).because(&error))?;
        Ok(path)
    })
    .await
}

/// The stored responses in a folder, the newest first.
async fn files_in(folder: PathBuf) -> Result<Vec<PathBuf>, Failure> {
    let mut names = names_in(folder.clone()).await?;
    // An incomplete response has another extension.
    names.retain(|name| Path::new(name).extension().is_some_and(|extension| extension == "json"));
    // Names begin with the time.
    names.sort_unstable_by(|one, other| other.cmp(one));
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Whether the file of an image exists and is not empty.
pub(super) fn exists(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
}

/// Marks images whose file is missing as lost, since no stored response has their link.
pub(super) fn without_lost_files(mut images: Vec<Image>, folder: &Path) -> Vec<Image> {
    for image in &mut images {
        if image.file.as_ref().is_some_and(|file| !exists(&folder.join(file))) {
            image.result = ImageResult::Lost;
            let file = image.file.take().unwrap_or_default();
            image.error = Some(format!("{file} is missing, and no stored response has its link"));
        }
    }
    images
}

/// Saves the images of a response that are not saved yet.
pub(super) async fn save(
    client: &Client,
    response: &StoredResponse,
    folder: &Path,
    row: &Row,
    before: &[Image],
) -> Vec<Image> {
    let images = response.images();
    let count = images.len();
    let mut results = Vec::with_capacity(count);
    for (index, image) in images.into_iter().enumerate() {
        let mut result = Image {
            result: ImageResult::Saved,
            file: None,
            seed: image.seed(),
            prompt: image.prompt().filter(|prompt| *prompt != row.prompt).map(str::to_owned),
            error: None,
        };
        match image.outcome() {
            ImageOutcome::Available(_) => {
                let file = before.get(index).and_then(|image| image.file.clone());
                let saved = match file.filter(|file| exists(&folder.join(file))) {
                    Some(file) => Ok(file),
                    None => {
                        let stem = match image.role() {
                            _ if count == 1 => row.name.clone(),
                            Some(role) => format!("{}-{role}", row.name),
                            None => format!("{}-{}", row.name, image.number()),
                        };
                        save_one(client, response, image, folder, &stem).await
                    }
                };
                match saved {
                    Ok(file) => result.file = Some(file),
                    Err((lost, why)) => (result.result, result.error) = (lost, Some(why)),
                }
            }
            ImageOutcome::Withheld => result.result = ImageResult::Withheld,
            _ => {
                result.result = ImageResult::Lost;
                result.error = Some("the response has no link to it".to_owned());
            }
        }
        results.push(result);
    }
    if response.response().is_none() {
        // It is incomplete: the images that it lacks are billed too.
        let lost = (row.images as usize).saturating_sub(count);
        let error = Some("the response ended before its link".to_owned());
        results.extend((0..lost).map(|_| Image {
            result: ImageResult::Lost,
            file: None,
            seed: None,
            prompt: None,
            error: error.clone(),
        }));
    }
    results
}

/// Saves one image and returns the name of its file, or its result and the reason.
///
/// If the name belongs to another image or a file of the user, appends the next number, until the name is free or
/// belongs to this image, saved before the journal could record it.
async fn save_one(
    client: &Client,
    response: &StoredResponse,
    image: ImageRef,
    folder: &Path,
    stem: &str,
) -> Result<String, (ImageResult, String)> {
    let one = One { image, origin: response.origin() };
    for number in 1..=MAX_NUMBER {
        let stem = if number == 1 { stem.to_owned() } else { format!("{stem}-{number}") };
        // Only a sidecar shows whether a file is this image.
        let has_sidecar = folder.join(format!("{stem}.json")).is_file();
        let if_exists = if has_sidecar { IfExists::Skip } else { IfExists::Fail };
        let saving = client.save_all(&one, folder).stem(stem).if_exists(if_exists);
        let outcomes = saving.outcomes().await.map_err(|error| (ImageResult::NotSaved, error.to_string()))?;
        let path = match outcomes.into_iter().next() {
            Some(SaveOutcome::Saved(saved)) => saved.path,
            Some(SaveOutcome::AlreadyThere { path }) => path,
            Some(SaveOutcome::Failed(error)) if is_taken(&error) => continue,
            Some(SaveOutcome::Failed(error)) => {
                let is_lost = error.kind() == ErrorKind::LinkExpired;
                let result = if is_lost { ImageResult::Lost } else { ImageResult::NotSaved };
                return Err((result, error.to_string()));
            }
            _ => return Err((ImageResult::Lost, "the response has no link to it".to_owned())),
        };
        return Ok(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
    }
    Err((ImageResult::NotSaved, "no name is free for it".to_owned()))
}

fn is_taken(error: &Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::AlreadyExists)
}
