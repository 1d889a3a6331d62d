//! Cuts the subject of a picture out.
//!
//! `cargo run -p ideogram-client --example remove_background -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::{Picture as _, PictureOutcome};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let answer = client.remove_background().image(setup::picture()).send().await?;
    for picture in &answer.data {
        match picture.outcome() {
            PictureOutcome::Available(link) => println!("{link}"),
            PictureOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
            _ => println!("billed, but without a link"),
        }
    }
    Ok(())
}
