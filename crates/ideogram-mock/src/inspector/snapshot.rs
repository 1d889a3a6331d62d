//! The state of the server at one moment, in JSON. All lists are bounded: the page reads it every second.

use serde_json::{Value, json};

use super::{exchange, redaction::Redaction, scenarios};
use crate::{
    clock::wire,
    concurrency::MAX_IMAGES_IN_FLIGHT,
    document::Document,
    handlers::{generations, models},
    service::Shared,
    state::{Dataset, Generation},
    webhook::Delivery,
};

/// The maximum number of requests, datasets, models and jobs in the output; the latest ones.
const MAX_ENTRIES: usize = 200;

/// The maximum number of files of a dataset in the output.
const MAX_FILES: usize = 200;

/// The current service time, as responses have it.
pub(super) fn time(shared: &Shared) -> String {
    wire(shared.service.now())
}

/// The state, with the requests whose number is above `after`.
pub(super) fn take(shared: &Shared, after: u64) -> Value {
    let exchanges = shared.recorder.exchanges(MAX_ENTRIES, after);
    let headers = exchanges.iter().map(|exchange| &exchange.request.headers);
    let redaction = Redaction::new(&shared.service.settings.api_key, Document::embedded().key_header(), headers);
    let requests: Vec<_> = exchanges.iter().map(|exchange| exchange::to_json(exchange, &redaction)).collect();
    let (count, recorded) = shared.recorder.counts();
    let now = shared.service.now();
    let mut state = shared.service.store.read(|state| {
        json!({
            "datasets": last(&state.datasets, dataset_json),
            "dataset_count": state.datasets.len(),
            "models": last(&state.models, |model| models::to_json(model, now)),
            "model_count": state.models.len(),
            "jobs": last(&state.generations, |generation| job_json(generation, generations::status(generation, now))),
            "job_count": state.generations.len(),
        })
    });
    state["started"] = json!(shared.started.to_string());
    state["time"] = json!(wire(now));
    state["scenario"] = json!(scenarios::Named(shared.service.scenario.get()));
    state["images_in_flight"] = json!(shared.service.limiter.in_flight());
    state["max_images_in_flight"] = json!(MAX_IMAGES_IN_FLIGHT);
    state["requests"] = json!(requests);
    state["request_count"] = json!(count);
    state["recorded_requests"] = json!(recorded.min(MAX_ENTRIES));
    state["webhooks"] = shared.deliveries.all().iter().map(delivery_json).collect();
    redaction.value(&mut state);
    state
}

/// The last entries of a list in JSON, oldest first.
fn last<T>(entries: &[T], to_json: impl Fn(&T) -> Value) -> Value {
    entries[entries.len().saturating_sub(MAX_ENTRIES)..].iter().map(to_json).collect()
}

fn dataset_json(dataset: &Dataset) -> Value {
    let files = dataset.files.iter().take(MAX_FILES);
    let files = files.map(|file| json!({"file_name": file.name, "file_size_bytes": file.size}));
    json!({
        "dataset_id": dataset.id,
        "name": dataset.name,
        "creation_time": wire(dataset.created),
        "file_count": dataset.files.len(),
        "image_count": dataset.images(),
        "files": files.collect::<Vec<_>>(),
    })
}

fn job_json(generation: &Generation, status: &str) -> Value {
    json!({
        "generation_id": generation.id,
        "status": status,
        "created": wire(generation.created),
        "image_count": generation.data.as_array().map_or(0, Vec::len),
    })
}

fn delivery_json(delivery: &Delivery) -> Value {
    json!({
        "time": delivery.time.to_string(),
        "generation_id": delivery.generation_id,
        "address": delivery.address,
        "attempt": delivery.attempt,
        "status": delivery.result.as_ref().ok(),
        "error": delivery.result.as_ref().err(),
    })
}
