//! Keeps the subject of an image, and draws another background.
//!
//! `cargo run -p ideogram-client --example replace_background_v3 -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::save::{Image as _, ImageOutcome};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let response =
        client.replace_background_v3().image(setup::image()).prompt("A forest in the morning").send().await?;

    for image in &response.data {
        match image.outcome() {
            ImageOutcome::Available(link) => println!("{}: {link}", image.resolution),
            ImageOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
            _ => println!("billed, but without a link"),
        }
    }
    Ok(())
}
