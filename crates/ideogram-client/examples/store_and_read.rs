//! Keeps ids, times and responses in types of a program, as JSON, and reads them back.
//!
//! `cargo run -p ideogram-client --example store_and_read -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::{cmp::Reverse, error::Error};

use ideogram_client::{
    CallBuilder, Timestamp,
    types::{DatasetId, GetDatasetResponse},
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Entry {
    dataset_id: DatasetId,
    created: Timestamp,
}

/// Sends any call, and reports how it ended.
async fn logged<B: CallBuilder>(call: B) -> Result<B::Output, ideogram_client::Error> {
    let operation = call.operation();
    let result = call.send().await;
    println!("{operation}: {}", result.as_ref().map_or_else(ToString::to_string, |_| "ok".to_owned()));
    result
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let mut datasets = logged(client.list_datasets()).await?.datasets;
    datasets.sort_by_key(|dataset| Reverse(dataset.creation_time.clone()));
    let newest = datasets.into_iter().next().ok_or("there is no dataset")?;
    let entry = Entry { dataset_id: newest.dataset_id, created: newest.creation_time };
    let stored = serde_json::to_string(&entry)?;
    println!("{stored}");

    let entry: Entry = serde_json::from_str(&stored)?;
    let dataset = logged(client.get_dataset().dataset_id(&entry.dataset_id)).await?;
    let again: GetDatasetResponse = serde_json::from_str(&serde_json::to_string(&dataset)?)?;
    println!("the same after a detour through JSON: {}", again == dataset);
    Ok(())
}
