//! Splits an image into its text and the rest.
//!
//! `cargo run -p ideogram-client --example layerize_text_v3 -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let response = client.layerize_text_v3().image(setup::image()).send().await?;
    println!("without its text: {}", response.base_image_url);
    for block in &response.text_blocks {
        let role = block.role.as_ref().map_or("text", |role| role.as_str());
        println!("{role} at {}, {} ({} x {} pixels): {:?}", block.x, block.y, block.width, block.height, block.text);
    }
    Ok(())
}
