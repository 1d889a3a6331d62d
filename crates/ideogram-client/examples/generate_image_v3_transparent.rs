//! Draws a logo on transparent ground, and enlarges it in the same call.
//!
//! `cargo run -p ideogram-client --example generate_image_v3_transparent -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::save::{Image as _, ImageOutcome};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let response =
        client.generate_image_v3_transparent().prompt("A logo for a lantern maker").upscale_factor("X2").send().await?;
    for image in &response.data {
        let size = image.upscaled_resolution.as_deref().unwrap_or(image.resolution.as_str());
        match image.outcome() {
            ImageOutcome::Available(link) => println!("{size}: {link}"),
            ImageOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
            _ => println!("billed, but without a link"),
        }
    }
    Ok(())
}
