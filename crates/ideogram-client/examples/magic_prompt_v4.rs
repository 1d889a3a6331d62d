//! Expands a short text into a structured prompt, and prepares a request for an image with it.
//!
//! `cargo run -p ideogram-client --example magic_prompt_v4 -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let response = client.magic_prompt_v4().text_prompt("a paper lantern").aspect_ratio("16x9").send().await?;
    println!("{}", response.json_prompt.high_level_description);
    println!("in front of {}", response.json_prompt.compositional_deconstruction.background);

    // `send()` instead of `prepare()` draws the image.
    let request = client.generate_image_v4().json_prompt(response.json_prompt).prepare()?;
    println!("{request}");
    Ok(())
}
