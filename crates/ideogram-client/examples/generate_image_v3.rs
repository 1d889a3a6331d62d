//! Draws several images with Ideogram 3.0, in colors of your choice.
//!
//! `cargo run -p ideogram-client --example generate_image_v3 -- --mock`
//!
//! For a model that you trained, add `.custom_model_uri(...)` with the URI from `get_custom_model`.

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::save::{Image as _, ImageOutcome};
use ideogram_client::types::{AspectRatioV3, ColorPaletteMember, ColorPaletteWithMembers};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let colors = ["#D65428", "#101838"].map(|color| ColorPaletteMember::builder().color_hex(color));
    let response = client
        .generate_image_v3()
        .prompt("Paper lanterns over a river at night")
        .num_images(4)
        .aspect_ratio(AspectRatioV3::W16H9)
        .color_palette(ColorPaletteWithMembers::builder().members(colors))
        .send()
        .await?;

    for image in &response.data {
        match image.outcome() {
            ImageOutcome::Available(link) => println!("seed {}: {link}", image.seed),
            ImageOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
            _ => println!("billed, but without a link"),
        }
    }
    Ok(())
}
