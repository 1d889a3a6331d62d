//! Starts the training of a model from a dataset.
//!
//! `cargo run -p ideogram-client --example train_model_v3 -- --mock`
//!
//! The id of a dataset may follow: `-- --mock demo`. It needs 15 to 100 images.

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::Outcome;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let id = setup::argument().unwrap_or_else(|| "demo".to_owned());
    let call = client.train_model_v3().dataset_id(&id).model_name("paper-lanterns");
    match call.send().await {
        // Training takes hours: poll `get_custom_model` about once a minute, or await `wait_until_trained`.
        Ok(training) => println!("{}: {}", training.model_id, training.training_status),
        Err(error) if error.outcome() == Outcome::Declined => println!("not started and not billed: {error}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
