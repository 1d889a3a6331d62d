//! Draws with each model of the second API version.
//!
//! `cargo run -p ideogram-client --example generate_images_v2 -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::types::GenerationResponseV2;

const PROMPT: &str = "A paper lantern over a canal at dusk";
const CUSTOM_MODEL: &str = "model/paper-lanterns/version/1";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    // Without images it draws; with images it edits the first of them.
    show("4.5", &client.generate_image_v2_ideogram45().prompt(PROMPT).quality("low").send().await?);
    show("4.0", &client.generate_image_v2_ideogram_v4().prompt(PROMPT).num_images(2).seed(7).send().await?);
    let transparent = client.generate_image_v2_ideogram_v4_transparent().prompt(PROMPT).aspect_ratio("1x1");
    show("4.0, transparent", &transparent.send().await?);
    let custom = client.generate_image_v2_ideogram_v4_custom_model().prompt(PROMPT).custom_model_uri(CUSTOM_MODEL);
    show("4.0, custom", &custom.send().await?);
    show("3.0", &client.generate_image_v2_ideogram_v3().prompt(PROMPT).style_preset("watercolor").send().await?);
    let custom = client.generate_image_v2_ideogram_v3_custom_model().prompt(PROMPT).custom_model_uri(CUSTOM_MODEL);
    show("3.0, custom", &custom.send().await?);
    Ok(())
}

fn show(model: &str, generation: &GenerationResponseV2) {
    for image in &generation.data {
        println!("{model}: {}", image.url.as_deref().unwrap_or("withheld, billed all the same"));
    }
}
