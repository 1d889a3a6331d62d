//! Repaints the black parts of a mask. The mask has the size of its image.
//!
//! `cargo run -p ideogram-client --example inpaint_image_v3 -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::save::{Image as _, ImageOutcome};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let response = client
        .inpaint_image_v3()
        .image(setup::image())
        .mask(setup::mask())
        .prompt("A full moon")
        .rendering_speed("TURBO")
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
