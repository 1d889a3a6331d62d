//! Widens a square picture to another size.
//!
//! `cargo run -p ideogram-client --example reframe_image_v3 -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::{Picture as _, PictureOutcome};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let answer = client.reframe_image_v3().image(setup::picture()).resolution("1280x800").send().await?;

    for picture in &answer.data {
        match picture.outcome() {
            PictureOutcome::Available(link) => println!("{}: {link}", picture.resolution),
            PictureOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
            _ => println!("billed, but without a link"),
        }
    }
    Ok(())
}
