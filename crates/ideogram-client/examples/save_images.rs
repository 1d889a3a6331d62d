//! Draws images and saves them, each with a sidecar that says how it was made: links expire after about 24 hours.
//!
//! `cargo run -p ideogram-client --example save_images -- --mock lanterns`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::{env, error::Error};

use ideogram_client::{ErrorKind, save::SaveOutcome};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;
    let folder = setup::argument().map_or_else(|| env::temp_dir().join("ideogram-images"), Into::into);

    let call = client.generate_image_v3().prompt("A paper lantern over a dark lake").num_images(3);
    // Not `send()`: the full response also contains the request, which is written into each sidecar.
    let response = call.response().await?;

    for outcome in client.save_all(&response, &folder).await? {
        match outcome {
            SaveOutcome::Saved(saved) => {
                println!("{} ({}, {} bytes)", saved.path.display(), saved.media_type, saved.size_bytes);
            }
            SaveOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
            SaveOutcome::Failed(error) if error.kind() == ErrorKind::LinkExpired => println!("expired: {error}"),
            SaveOutcome::Failed(error) => println!("still at its link, save it again: {error}"),
            other => println!("nothing to save: {other:?}"),
        }
    }
    Ok(())
}
