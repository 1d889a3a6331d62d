//! Handlers that train, list and return models.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::uploads::MAX_IMAGES;
use crate::{
    clock::{later, wire},
    reply::Reply,
    request::Call,
    service::Service,
    state::{Model, new_uri},
};

/// The minimum number of images for a training.
const MIN_IMAGES: usize = 15;

pub(super) fn train(service: &Service, call: &Call) -> Result<Value, Reply> {
    let created = service.now();
    service.store.change(|state| {
        let dataset_id = call.text("dataset_id").to_owned();
        let images = state.dataset(&dataset_id)?.images();
        check_images(images)?;
        let name = call.text("model_name").to_owned();
        let model = Model {
            id: state.new_id(),
            dataset_id: Some(dataset_id),
            created,
            ends: later(created, service.settings.training_time),
            fails: name.to_ascii_lowercase().contains("errored"),
            uri: new_uri(&name),
            name,
        };
        let response = json!({
            "model_id": model.id,
            "dataset_id": model.dataset_id,
            "training_status": status(&model, created),
            "model_name": model.name,
        });
        state.models.push(model);
        Ok(response)
    })
}

pub(super) fn list(service: &Service, call: &Call) -> Result<Value, Reply> {
    let now = service.now();
    let scope = call.query.get("scope").and_then(Value::as_str);
    let states = call.query.get("status").and_then(Value::as_array);
    let is_selected = |model: &&Model| match scope {
        Some("owned") if !model.is_owned() => false,
        Some("shared") if model.is_owned() => false,
        // The filter by state is for own models only.
        _ => !model.is_owned() || states.is_none_or(|states| states.iter().any(|state| state == status(model, now))),
    };
    service.store.read(|state| {
        let models: Vec<_> = state.models.iter().filter(is_selected).map(|model| to_json(model, now)).collect();
        Ok(json!({"models": models}))
    })
}

pub(super) fn get(service: &Service, call: &Call) -> Result<Value, Reply> {
    let now = service.now();
    let id = call.variable("model_id");
    service.store.read(|state| {
        let model = state.models.iter().find(|model| model.id == id);
        let model = model.ok_or_else(|| Reply::not_found("Model not found."))?;
        Ok(json!({"model": to_json(model, now)}))
    })
}

/// Returns whether the model that `uri` names can generate images.
pub(super) fn is_ready(service: &Service, uri: &str) -> bool {
    let now = service.now();
    service.store.read(|state| state.models.iter().any(|model| model.uri == uri && status(model, now) == "COMPLETED"))
}

fn check_images(count: usize) -> Result<(), Reply> {
    let text = if count < MIN_IMAGES {
        format!("Dataset requires at least {MIN_IMAGES} images for training, but only {count} were provided.")
    } else if count > MAX_IMAGES {
        format!("Dataset can have at most {MAX_IMAGES} images for training, but {count} were provided.")
    } else {
        return Ok(());
    };
    Err(Reply::error(StatusCode::BAD_REQUEST, &text))
}

/// Returns the state of a model: `CREATING` for the first tenth of the training, then `TRAINING`, then its end state.
fn status(model: &Model, now: Timestamp) -> &'static str {
    if now >= model.ends {
        return if model.fails { "ERRORED" } else { "COMPLETED" };
    }
    let trained = now.duration_since(model.created);
    if trained * 10 < model.ends.duration_since(model.created) { "CREATING" } else { "TRAINING" }
}

/// A model as a response has it.
pub(crate) fn to_json(model: &Model, now: Timestamp) -> Value {
    let status = status(model, now);
    let is_completed = status == "COMPLETED";
    // Observed: `last_update_time` does not change before the training ends.
    let updated = if now >= model.ends { model.ends } else { model.created };
    json!({
        "model_id": model.id,
        "name": model.name,
        "status": status,
        "creation_time": wire(model.created),
        "is_available_for_generation": is_completed,
        "is_owned": model.is_owned(),
        "custom_model_uri": is_completed.then_some(&model.uri),
        "dataset_id": model.dataset_id,
        "last_update_time": wire(updated),
    })
}
