//! Repaints the black parts of a mask, under the old name of `inpaint_image_v3`.
//!
//! `cargo run -p ideogram-client --example edit_image_v3 -- --mock`
//!
//! The service will remove this operation: call `inpaint_image_v3`.

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::save::{Image as _, ImageOutcome};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    #[expect(deprecated, reason = "this is the example of the operation that the service will remove")]
    let call = client.edit_image_v3();
    let response = call.image(setup::image()).mask(setup::mask()).prompt("A full moon").send().await?;

    for image in &response.data {
        match image.outcome() {
            ImageOutcome::Available(link) => println!("{}: {link}", image.resolution),
            ImageOutcome::Withheld => println!("withheld by the safety check, billed all the same"),
            _ => println!("billed, but without a link"),
        }
    }
    Ok(())
}
