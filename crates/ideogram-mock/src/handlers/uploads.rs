//! The handler that stores files in a dataset. It checks and reports each file separately.

use serde_json::{Value, json};

use super::Service;
use crate::{
    content::{Content, FileType},
    reply::Reply,
    request::Call,
    state::{State, StoredFile},
};

/// Most images in a dataset; captions do not count.
pub(super) const MAX_IMAGES: usize = 100;

/// The results of one upload.
#[derive(Debug, Default)]
struct Report {
    stored: Vec<Value>,
    failed: Vec<Value>,
}

pub(super) fn upload(service: &Service, call: &Call) -> Result<Value, Reply> {
    let dataset_id = call.variable("dataset_id");
    let report = service.store.change(|state| {
        state.dataset(dataset_id)?;
        let mut report = Report::default();
        for file in &call.files {
            match &file.content {
                Content::Archive(entries) if !service.scenario.fails(&file.file_name) => {
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

/// Stores one file (name, size, content), or reports why not. The report does not list stored captions.
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

/// Returns why a file cannot be added to a dataset of `images` images.
fn failure(service: &Service, name: &str, content: &Content, images: usize) -> Option<&'static str> {
    match content {
        _ if service.scenario.fails(name) => Some("INTERNAL_ERROR"),
        Content::TooLarge => Some("FILE_TOO_LARGE"),
        Content::Invalid(FileType::Image) => Some("INVALID_IMAGE"),
        Content::Invalid(FileType::Caption) => Some("INVALID_CAPTION"),
        Content::Invalid(FileType::Archive) | Content::Archive(_) => Some("INVALID_ZIP"),
        _ if name.to_ascii_lowercase().contains("unsafe") => Some("FAILED_SAFETY_CHECK"),
        Content::Image(_) if images >= MAX_IMAGES => Some("TOO_MANY_IMAGES"),
        Content::Image(_) | Content::Caption => None,
    }
}
