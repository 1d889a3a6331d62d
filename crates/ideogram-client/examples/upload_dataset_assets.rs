//! Uploads an image and its caption, and prints which files were not stored.
//!
//! `cargo run -p ideogram-client --example upload_dataset_assets -- --mock`
//!
//! The id of a dataset may follow: `-- --mock demo`. Files on disk are given by their paths: `.files(["a.png", "a.txt"])`.

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::File;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let id = setup::argument().unwrap_or_else(|| "demo".to_owned());
    let caption = File::from_bytes("lantern.txt", "a paper lantern at night");
    let broken = File::from_bytes("broken.png", "no image at all");
    let files = [setup::image(), caption, broken];
    let response = client.upload_dataset_assets().dataset_id(&id).files(files).send().await?;
    println!("{} images stored", response.success_count);

    // The call succeeds even if single files fail.
    for failed in &response.failed_assets {
        println!("{}: {}", failed.file_name.as_deref().unwrap_or("?"), failed.failure_reason);
    }
    Ok(())
}
