//! Shows the state of a model.
//!
//! `cargo run -p ideogram-client --example get_custom_model -- --mock`
//!
//! The id of a model may follow.

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::types::ModelStatus;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    // Without an id, the last model of the list.
    let id = match setup::argument() {
        Some(id) => id.into(),
        None => client.list_custom_models().send().await?.models.pop().ok_or("there is no model")?.model_id,
    };
    let model = client.get_custom_model().model_id(&id).send().await?.model;
    match model.status {
        ModelStatus::Completed if model.is_available_for_generation => {
            println!("draw with {}", model.custom_model_uri.as_deref().unwrap_or("it as soon as it has a name"));
        }
        ModelStatus::Completed | ModelStatus::Creating | ModelStatus::Draft | ModelStatus::Training => {
            println!("not ready yet: {}", model.status);
        }
        // `ERRORED` is final. A state that this version does not know means neither success nor failure.
        status => println!("{status}"),
    }
    Ok(())
}
