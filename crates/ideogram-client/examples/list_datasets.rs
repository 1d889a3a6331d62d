//! Lists the datasets of an account.
//!
//! `cargo run -p ideogram-client --example list_datasets -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let response = client.list_datasets().send().await?;
    println!("{} datasets", response.datasets.len());
    for dataset in &response.datasets {
        println!("{}: \"{}\", created {}", dataset.dataset_id, dataset.name, dataset.creation_time);
    }
    Ok(())
}
