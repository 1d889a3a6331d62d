//! Draws a new image from an existing one with a legacy model.
//!
//! `cargo run -p ideogram-client --example remix_image -- --mock`
//!
//! For new work, use `remix_image_v3` or `remix_image_v4`.

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::{
    save::{Image as _, ImageOutcome},
    types::InitialImageRequest,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let request = InitialImageRequest::builder().prompt("A lantern of blue glass").model("V_2").image_weight(40);
    let response = client.remix_image().image_file(setup::image()).image_request(request).send().await?;

    for image in &response.data {
        match image.outcome() {
            ImageOutcome::Available(link) => println!("{}: {link}", image.resolution),
            ImageOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
            _ => println!("billed, but without a link"),
        }
    }
    Ok(())
}
