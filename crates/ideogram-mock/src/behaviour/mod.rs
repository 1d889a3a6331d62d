//! What the operations do: the only place that knows their names.
//!
//! A behaviour gets a call that is already valid against the document, and answers with the result or a refusal.

mod datasets;
mod models;
mod uploads;

use std::time::Duration;

use serde_json::Value;

use crate::{answers::Answer, request::Call, scenario::Stage, world::World};

/// What behaviours work with.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) world: World,
    pub(crate) stage: Stage,
    /// How long a training takes, in service time.
    pub(crate) training_time: Duration,
}

/// The behaviour of one operation.
pub(crate) type Behaviour = fn(&Service, &Call) -> Result<Value, Answer>;

/// The behaviour of the operation `id`, if it has one yet.
pub(crate) fn of(id: &str) -> Option<Behaviour> {
    Some(match id {
        "list_datasets" => datasets::list,
        "create_dataset" => datasets::create,
        "get_dataset" => datasets::get,
        "upload_dataset_assets" => uploads::upload,
        "train_model_v3" => models::train,
        "list_custom_models" => models::list,
        "get_custom_model" => models::get,
        _ => return None,
    })
}
