//! Handlers that list, create and return datasets.

use serde_json::{Value, json};

use crate::{
    clock::wire,
    reply::Reply,
    request::Call,
    service::Service,
    state::{Dataset, StoredFile, USER_ID},
};

/// Lists datasets; a search ignores case, which the service does not document.
pub(super) fn list(service: &Service, call: &Call) -> Result<Value, Reply> {
    let search = call.query.get("search").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    service.store.read(|state| {
        let is_wanted = |dataset: &&Dataset| dataset.name.to_lowercase().contains(&search);
        let datasets: Vec<_> = state.datasets.iter().filter(is_wanted).map(to_json).collect();
        Ok(json!({"datasets": datasets}))
    })
}

pub(super) fn create(service: &Service, call: &Call) -> Result<Value, Reply> {
    let created = service.now();
    service.store.change(|state| {
        let name = call.text("name").to_owned();
        let dataset = Dataset { id: state.new_id(), name, created, cover: None, files: Vec::new() };
        let response = to_json(&dataset);
        state.datasets.push(dataset);
        Ok(response)
    })
}

pub(super) fn get(service: &Service, call: &Call) -> Result<Value, Reply> {
    service.store.read(|state| {
        let dataset = state.dataset(call.variable("dataset_id"))?;
        let trained = state.models.iter().filter(|model| model.dataset_id.as_ref() == Some(&dataset.id));
        let model_ids: Vec<_> = trained.map(|model| model.id.as_str()).collect();
        let name = |file: &StoredFile| service.settings.shows_file_names.then(|| file.name.clone());
        let file = dataset.files.iter().map(|file| json!({"file_name": name(file), "file_size_bytes": file.size}));
        Ok(json!({
            "dataset": to_json(dataset),
            "file_count": dataset.files.len(),
            "files": file.collect::<Vec<_>>(),
            "custom_model_ids": model_ids,
        }))
    })
}

fn to_json(dataset: &Dataset) -> Value {
    let mut json = json!({
        "dataset_id": dataset.id,
        "name": dataset.name,
        "user_id": USER_ID,
        "creation_time": wire(dataset.created),
    });
    if let Some(id) = &dataset.cover {
        json["cover_asset_identifier"] = json!({"asset_type": "UPLOAD", "asset_id": id});
    }
    json
}
