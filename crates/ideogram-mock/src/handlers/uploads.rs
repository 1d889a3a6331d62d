//! The handler that stores files in a dataset. It checks and reports each file separately.

use serde_json::{Value, json};

use crate::{
    content::{Content, FileType},
    reply::Reply,
    request::{Call, ReceivedFile},
    service::Service,
    state::StoredFile,
};

/// The maximum number of images in a dataset; captions do not count.
pub(super) const MAX_IMAGES: usize = 100;

pub(super) fn upload(service: &Service, call: &Call) -> Result<Value, Reply> {
    let dataset_id = call.variable("dataset_id");
    let (stored, failed) = service.store.change(|state| {
        state.dataset(dataset_id)?;
        let (mut stored, mut failed) = (Vec::new(), Vec::new());
        for (name, size, content) in call.files.iter().flat_map(|file| files_in(service, file)) {
            if let Some(reason) = failure(service, name, content, state.dataset(dataset_id)?.images()) {
                failed.push(json!({"file_name": name, "failure_reason": reason}));
                continue;
            }
            let is_image = matches!(content, Content::Image(_));
            let id = is_image.then(|| state.new_id());
            let dataset = state.dataset_mut(dataset_id)?;
            dataset.files.push(StoredFile { name: name.to_owned(), size, is_image });
            // The response does not list stored captions.
            if let Some(id) = id {
                let identifier = json!({"asset_type": "UPLOAD", "asset_id": id});
                stored.push(json!({"asset_identifier": identifier, "file_name": name}));
                dataset.cover.get_or_insert(id);
            }
        }
        Ok((stored, failed))
    })?;
    Ok(json!({
        "total_count": stored.len() + failed.len(),
        "success_count": stored.len(),
        "failure_count": failed.len(),
        "successful_assets": stored,
        "failed_assets": failed,
    }))
}

/// Returns name, size and content of a file, or of those in an archive.
fn files_in<'f>(service: &Service, file: &'f ReceivedFile) -> Vec<(&'f str, u64, &'f Content)> {
    match &file.content {
        Content::Archive(entries) if !service.scenario.fails(&file.file_name) => {
            entries.iter().map(|entry| (entry.name.as_str(), entry.size, &entry.content)).collect()
        }
        content => vec![(&file.file_name, file.size, content)],
    }
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
