//! Draws a new image from an existing one with Ideogram 4.0.
//!
//! `cargo run -p ideogram-client --example remix_image_v4 -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::save::{Image as _, ImageOutcome};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let response = client
        .remix_image_v4()
        .image(setup::image())
        .text_prompt("The same lantern as a watercolor")
        .image_weight(60)
        .send()
        .await?;

    for image in &response.data {
        match image.outcome() {
            ImageOutcome::Available(link) => println!("{}: {link}", image.resolution),
            ImageOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
            _ => println!("billed, but without a link"),
        }
    }
    Ok(())
}
