//! Shows what a dataset holds, and the models that were trained from it.
//!
//! `cargo run -p ideogram-client --example get_dataset -- --mock`
//!
//! An id may follow: `-- --mock demo`.

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use ideogram_client::ErrorKind;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _mock) = setup::client().await?;

    let id = setup::argument().unwrap_or_else(|| "demo".to_owned());
    match client.get_dataset().dataset_id(&id).send().await {
        Ok(response) => {
            println!("{}: {} files", response.dataset.name, response.file_count);
            for file in &response.files {
                println!("  {}", file.file_name.as_deref().unwrap_or("a file without a name"));
            }
            println!("models trained from it: {}", response.custom_model_ids.join(", "));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => println!("there is no dataset `{id}`"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
