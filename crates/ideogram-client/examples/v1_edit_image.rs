//! Changes pictures as a text says, without a mask.
//!
//! `cargo run -p ideogram-client --example v1_edit_image -- --mock`
//!
//! A picture of an earlier answer needs no file: `.image_urls([link])`.

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::{Picture as _, PictureOutcome};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let answer = client
        .v1_edit_image()
        .images([setup::picture()])
        .prompt("Let the lantern float on a lake")
        .num_images(2)
        .send()
        .await?;

    for picture in &answer.data {
        match picture.outcome() {
            PictureOutcome::Available(link) => println!("{}: {link}", picture.resolution),
            PictureOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
            _ => println!("billed, but without a link"),
        }
    }
    Ok(())
}
