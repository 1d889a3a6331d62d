//! Describes an image in words.
//!
//! `cargo run -p ideogram-client --example describe -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let response = client.describe().image_file(setup::image()).describe_model_version("V_3").send().await?;
    for description in &response.descriptions {
        println!("{}", description.text.as_deref().unwrap_or("no text"));
    }
    Ok(())
}
