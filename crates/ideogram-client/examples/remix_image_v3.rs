//! Draws a new image from an existing one with Ideogram 3.0.
//!
//! `cargo run -p ideogram-client --example remix_image_v3 -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::{
    save::{Image as _, ImageOutcome},
    types::StylePresetV3,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let response = client
        .remix_image_v3()
        .image(setup::image())
        .prompt("A lantern of blue glass")
        .image_weight(40)
        .style_preset(StylePresetV3::Watercolor)
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
