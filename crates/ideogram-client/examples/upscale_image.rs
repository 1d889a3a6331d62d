//! Enlarges an image.
//!
//! `cargo run -p ideogram-client --example upscale_image -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::{
    save::{Image as _, ImageOutcome},
    types::UpscaleInitialImageRequest,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let options = UpscaleInitialImageRequest::builder().resemblance(70).detail(60);
    let response = client.upscale_image().image_file(setup::image()).image_request(options).send().await?;

    for image in &response.data {
        let size = image.upscaled_resolution.as_deref().unwrap_or(&image.resolution);
        match image.outcome() {
            ImageOutcome::Available(link) => println!("{size}: {link}"),
            ImageOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
            _ => println!("billed, but without a link"),
        }
    }
    Ok(())
}
