//! Describes an image as a structured prompt for Ideogram 4.0.
//!
//! `cargo run -p ideogram-client --example describe_v4 -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::types::V4PromptElement;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let response = client.describe_v4().image_file(setup::image()).include_bbox(true).send().await?;
    println!("{}", response.json_prompt.high_level_description);
    for element in &response.json_prompt.compositional_deconstruction.elements {
        match element {
            V4PromptElement::Obj(thing) => println!("thing at {:?}: {}", thing.bbox, thing.desc),
            V4PromptElement::Text(text) => println!("text at {:?}: \"{}\", {}", text.bbox, text.text, text.desc),
            // A kind of element that this version does not know, as JSON.
            other => println!("{other:?}"),
        }
    }
    Ok(())
}
