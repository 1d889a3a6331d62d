//! Extends a square image to another size with a 2.0 model.
//!
//! `cargo run -p ideogram-client --example reframe_image -- --mock`
//!
//! For new work, use `reframe_image_v3`.

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::save::{Image as _, ImageOutcome};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let response =
        client.reframe_image().image_file(setup::image()).resolution("RESOLUTION_1280_800").model("V_2").send().await?;

    for image in &response.data {
        match image.outcome() {
            ImageOutcome::Available(link) => println!("{}: {link}", image.resolution),
            ImageOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
            _ => println!("billed, but without a link"),
        }
    }
    Ok(())
}
