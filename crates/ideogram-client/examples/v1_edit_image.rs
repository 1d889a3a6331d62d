//! Changes images as a text says, without a mask.
//!
//! `cargo run -p ideogram-client --example v1_edit_image -- --mock`
//!
//! An image of an earlier response needs no file: `.image_urls([link])`.

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::save::{Image as _, ImageOutcome};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let response = client
        .v1_edit_image()
        .images([setup::image()])
        .prompt("Let the lantern float on a lake")
        .num_images(2)
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
