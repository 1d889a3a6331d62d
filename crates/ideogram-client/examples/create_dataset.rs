//! Creates a dataset, and not a second one after a failure.
//!
//! `cargo run -p ideogram-client --example create_dataset -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    match client.create_dataset().name("Paper lanterns").send().await {
        Ok(dataset) => println!("upload to {}", dataset.dataset_id),
        // A dataset cannot be deleted, so check the list before calling again.
        Err(error) if error.may_have_run() => {
            println!("there may be a new dataset: {error}");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
