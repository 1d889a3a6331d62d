//! Storing files in a dataset: each file is judged for itself, and the response tells of each.

use serde_json::{Value, json};

use super::Service;
use crate::{
    content::{Content, Fault},
    reply::Reply,
    request::Call,
    world::{State, StoredFile},
};

/// How many images a dataset holds at most; captions do not count.
pub(super) const MAX_IMAGES: usize = 100;

/// What has become of the files of one upload.
#[derive(Debug, Default)]
struct Report {
    stored: Vec<Value>,
    failed: Vec<Value>,
}

pub(super) fn upload(service: &Service, call: &Call) -> Result<Value, Reply> {
    let dataset_id = call.variable("dataset_id");
    let report = service.world.change(|state| {
        state.dataset(dataset_id)?;
        let mut report = Report::default();
        for file in &call.files {
            match &file.content {
                Content::Archive(entries) if !service.stage.fails(&file.file_name) => {
                    for entry in entries {
                        add(service, state, dataset_id, (&entry.name, entry.size, &entry.content), &mut report)?;
                    }
                }
                content => add(service, state, dataset_id, (&file.file_name, file.size, content), &mut report)?,
            }
        }
        Ok(report)
    })?;
    Ok(json!({
        "total_count": report.stored.len() + report.failed.len(),
        "success_count": report.stored.len(),
        "failure_count": report.failed.len(),
        "successful_assets": report.stored,
        "failed_assets": report.failed,
    }))
}

/// Stores one file (name, size, content), or reports why not. A stored caption is in no list.
fn add(
    service: &Service,
    state: &mut State,
    dataset_id: &str,
    (name, size, content): (&str, u64, &Content),
    report: &mut Report,
) -> Result<(), Reply> {
    if let Some(reason) = failure(service, name, content, state.dataset(dataset_id)?.images()) {
        report.failed.push(json!({"file_name": name, "failure_reason": reason}));
        return Ok(());
    }
    let is_image = matches!(content, Content::Image(_));
    let id = is_image.then(|| state.new_id());
    let dataset = state.dataset_mut(dataset_id)?;
    dataset.files.push(StoredFile { name: name.to_owned(), size, is_image });
    if let Some(id) = id {
        report.stored.push(json!({"asset_identifier": {"asset_type": "UPLOAD", "asset_id": id}, "file_name": name}));
        dataset.cover.get_or_insert(id);
    }
    Ok(())
}

/// Why a file cannot be stored beside `images` others.
fn failure(service: &Service, name: &str, content: &Content, images: usize) -> Option<&'static str> {
    match content {
        _ if service.stage.fails(name) => Some("INTERNAL_ERROR"),
        Content::Faulty(Fault::TooLarge) => Some("FILE_TOO_LARGE"),
        Content::Faulty(Fault::NoImage) => Some("INVALID_IMAGE"),
        Content::Faulty(Fault::NoCaption) => Some("INVALID_CAPTION"),
        Content::Faulty(Fault::NoArchive) | Content::Archive(_) => Some("INVALID_ZIP"),
        _ if name.to_ascii_lowercase().contains("unsafe") => Some("FAILED_SAFETY_CHECK"),
        Content::Image(_) if images >= MAX_IMAGES => Some("TOO_MANY_IMAGES"),
        Content::Image(_) | Content::Caption => None,
    }
}
