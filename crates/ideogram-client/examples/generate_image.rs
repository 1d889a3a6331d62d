//! Draws an image with a legacy model.
//!
//! `cargo run -p ideogram-client --example generate_image -- --mock`
//!
//! For new work, use `generate_image_v3` or `generate_image_v4`.

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::{
    save::{Image as _, ImageOutcome},
    types::ImageRequest,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let request = ImageRequest::builder().prompt("A serene tropical beach").model("V_2").aspect_ratio("ASPECT_16_10");
    let response = client.generate_image().image_request(request).send().await?;

    for image in &response.data {
        match image.outcome() {
            ImageOutcome::Available(link) => println!("{}: {link}", image.resolution),
            ImageOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
            _ => println!("billed, but without a link"),
        }
    }
    Ok(())
}
