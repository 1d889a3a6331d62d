//! Lists your models that are trained or in training.
//!
//! `cargo run -p ideogram-client --example list_custom_models -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::types::ModelStatus;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let response = client.list_custom_models().scope("owned").status(["TRAINING", "COMPLETED"]).send().await?;
    for model in &response.models {
        match (&model.status, &model.custom_model_uri) {
            (ModelStatus::Completed, Some(uri)) => println!("{}: draw with {uri}", model.name),
            (status, _) => println!("{}: {status}", model.name),
        }
    }
    Ok(())
}
