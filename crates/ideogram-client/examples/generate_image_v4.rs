//! Draws an image with Ideogram 4.0, and explains a failure.
//!
//! `cargo run -p ideogram-client --example generate_image_v4 -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::{
    ErrorKind, Outcome,
    save::{Image as _, ImageOutcome},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let call =
        client.generate_image_v4().text_prompt("A ginger cat asleep on a sunlit windowsill").resolution("2048x2048");
    match call.send().await {
        Ok(response) => {
            for image in &response.data {
                match image.outcome() {
                    // The link works for about 24 hours, and without the key.
                    ImageOutcome::Available(link) => println!("seed {}: {link}", image.seed),
                    ImageOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
                    _ => println!("billed, but without a link"),
                }
            }
        }
        Err(error) if error.kind() == ErrorKind::Safety => println!("not billed, change the prompt: {error}"),
        Err(error) if error.outcome() == Outcome::Unknown => println!("may have run and been billed: {error}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
