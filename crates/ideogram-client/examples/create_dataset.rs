//! Makes a dataset, but not two of them.
//!
//! `cargo run -p ideogram-client --example create_dataset -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::Outcome;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    match client.create_dataset().name("Paper lanterns").send().await {
        Ok(dataset) => println!("upload to {}", dataset.dataset_id),
        // Nothing deletes a dataset, so look at the list before trying again.
        Err(error) if matches!(error.outcome(), Outcome::Unknown | Outcome::Completed) => {
            println!("there may be a new dataset: {error}");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
