//! From a kept answer to pictures on disk. It costs nothing, and can be done again.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ideogram_client::{
    Client, ErrorKind, HasPictures, IfExists, KeptAnswer, Origin, Picture as _, PictureOutcome, PictureRef, SaveOutcome,
};
use serde_json::Value;

use super::journal::{Picture, PictureResult};
use crate::failure::Failure;

/// One picture of an answer, with what is known of the call that made it.
struct One {
    picture: PictureRef,
    origin: Origin,
}

impl HasPictures for One {
    fn pictures(&self) -> Vec<PictureRef> {
        vec![self.picture.clone()]
    }

    fn origin(&self) -> Origin {
        self.origin.clone()
    }
}

/// The newest answer in a folder of kept answers, those that can be read first.
pub(super) async fn kept_in(folder: &Path) -> Result<Option<(PathBuf, KeptAnswer)>, Failure> {
    let cannot = |error: &io::Error| {
        Failure::local_io(format!("cannot look for kept answers in \"{}\"", folder.display())).because(error)
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(&error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| cannot(&error))?.path();
        // Half an answer has another name until it is whole.
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    // Their names begin with the time.
    paths.sort_unstable();
    let mut newest = None;
    for path in paths.into_iter().rev() {
        let Ok(answer) = KeptAnswer::read(&path).await else { continue };
        if answer.answer().is_some() {
            return Ok(Some((path, answer)));
        }
        newest = newest.or(Some((path, answer)));
    }
    Ok(newest)
}

/// Saves every picture of an answer that is not saved yet.
pub(super) async fn save(
    client: &Client,
    answer: &KeptAnswer,
    folder: &Path,
    name: &str,
    prompt: &str,
) -> Vec<Picture> {
    let pictures = answer.pictures();
    let count = pictures.len();
    let mut results = Vec::with_capacity(count);
    for picture in pictures {
        let mut result = Picture {
            result: PictureResult::Saved,
            file: None,
            seed: picture.seed(),
            prompt: picture.prompt().filter(|made_of| *made_of != prompt).map(str::to_owned),
            error: None,
        };
        match picture.outcome() {
            PictureOutcome::Available(_) => {}
            PictureOutcome::Withheld => result.result = PictureResult::Withheld,
            _ => {
                result.result = PictureResult::Lost;
                result.error = Some("the answer has no link to it".to_owned());
            }
        }
        if result.result == PictureResult::Saved {
            let stem = match picture.role() {
                _ if count == 1 => name.to_owned(),
                Some(role) => format!("{name}-{role}"),
                None => format!("{name}-{}", picture.number()),
            };
            match save_one(client, answer, picture, folder, &stem).await {
                Ok(file) => result.file = Some(file),
                Err((lost, why)) => {
                    result.result = if lost { PictureResult::Lost } else { PictureResult::NotSaved };
                    result.error = Some(why);
                }
            }
        }
        results.push(result);
    }
    results
}

/// Saves one picture and returns the name of its file; otherwise whether it is lost, and why.
async fn save_one(
    client: &Client,
    answer: &KeptAnswer,
    picture: PictureRef,
    folder: &Path,
    stem: &str,
) -> Result<String, (bool, String)> {
    if let Some(file) = saved_before(folder, stem, picture.item()) {
        return Ok(file);
    }
    let one = One { picture, origin: answer.origin() };
    let saving = client.save_all(&one, folder).stem(stem).if_exists(IfExists::Number);
    let outcomes = saving.await.map_err(|error| (false, error.to_string()))?;
    match outcomes.into_iter().next() {
        Some(SaveOutcome::Saved(saved)) => {
            Ok(saved.path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        }
        Some(SaveOutcome::Failed(error)) => Err((error.kind() == ErrorKind::LinkExpired, error.to_string())),
        _ => Err((true, "the answer has no link to it".to_owned())),
    }
}

/// The file of a picture that was saved before a journal could tell of it: the file beside it holds the same item.
fn saved_before(folder: &Path, stem: &str, item: &Value) -> Option<String> {
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let is_candidate = name.to_str().is_some_and(|name| name.starts_with(stem) && name.ends_with(".json"));
        let Some(beside) = is_candidate.then(|| fs::read(&path).ok()).flatten() else { continue };
        let Ok(beside) = serde_json::from_slice::<Value>(&beside) else { continue };
        let Some(file) = beside.get("file").and_then(Value::as_str) else { continue };
        if beside.get("item") != Some(item) || Path::new(file).components().count() != 1 {
            continue;
        }
        if folder.join(file).is_file() {
            return Some(file.to_owned());
        }
        // What is written beside a picture comes first; its picture never came, so it describes nothing.
        let _ = fs::remove_file(&path);
    }
    None
}
