//! Changes an image with each operation of the second API version that does, and describes it.
//!
//! `cargo run -p ideogram-client --example edit_images_v2 -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::types::GeneratedImageV2;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;
    let image = setup::image;

    let edited = client.precise_edit_image_v2_ideogram45().image(image()).prompt("Make the lantern red").send().await?;
    show("edited", &edited.data);
    let inpainted = client.inpaint_image_v2_ideogram_v3().image(image()).mask(setup::mask()).prompt("A moon");
    show("repainted", &inpainted.send().await?.data);
    let remixed = client.remix_image_v2_ideogram_v4().image(image()).prompt("A watercolor").image_weight(30);
    show("remixed", &remixed.send().await?.data);
    show("reframed", &client.reframe_image_v2_ideogram_v3().image(image()).resolution("1536x512").send().await?.data);
    show("enlarged", &client.upscale().image(image()).upscale_factor("x4").send().await?.data);

    let cut_out = client.remove_background_v2().image(image()).private(true).send().await?;
    match cut_out.error {
        // It comes with status 200, after the response has begun.
        Some(error) => println!("not cut out: {error}"),
        None => show("cut out", &cut_out.data),
    }

    let description = client.describe_image_ideogram_v4().image(image()).send().await?;
    println!("described: {}", description.json_prompt.high_level_description);
    Ok(())
}

fn show(what: &str, images: &[GeneratedImageV2]) {
    for image in images {
        println!("{what}: {}", image.url.as_deref().unwrap_or("withheld, billed all the same"));
    }
}
