//! Waits until a model is trained, and prints every state that it observes.
//!
//! `cargo run -p ideogram-client --example wait_until_trained -- --mock`
//!
//! The id of a model may follow. On the mock server, half an hour passes with every poll.

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::{error::Error, pin::pin, time::Duration};

use futures_util::TryStreamExt as _;
use ideogram_client::types::ModelStatus;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, mock) = setup::client().await?;

    // Without an id, a model that is in training.
    let id = match setup::argument() {
        Some(id) => id.into(),
        None => {
            let training = client.list_custom_models().status([ModelStatus::Training]).scope("owned").send().await?;
            training.models.into_iter().next().ok_or("no model is in training")?.model_id
        }
    };
    let mut wait = client.wait_until_trained(&id).deadline(Duration::from_secs(24 * 3600));
    if mock.is_some() {
        wait = wait.poll_every(Duration::from_millis(100));
    }

    // `wait.await` returns the model only.
    let mut states = pin!(wait.states());
    while let Some(progress) = states.try_next().await? {
        println!("{:>6.1} s  {}", progress.elapsed.as_secs_f64(), progress.state);
        if let Some(trained) = progress.trained() {
            println!("draw with {}", trained.custom_model_uri);
        }
        if let Some(mock) = &mock {
            mock.advance(Duration::from_secs(30 * 60));
        }
    }
    Ok(())
}
