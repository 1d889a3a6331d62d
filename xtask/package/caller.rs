//! Calls the mock server, both from their packages; `cargo xtask package --test` builds and runs it.

use ideogram_client::{Client, reqwest::ClientBuilder};
use ideogram_mock::MockServer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    rustls::crypto::ring::default_provider().install_default().expect("this is the first provider");
    let server = MockServer::start().await?;
    let builder = Client::builder().api_key(server.api_key()).base_url(server.url());
    // A proxy of the environment cannot reach a server on this machine.
    let client = builder.configure_http(ClientBuilder::no_proxy).build()?;

    let dataset = client.get_dataset().dataset_id("demo").send().await?;
    println!("{} files", dataset.file_count);

    let images = client.generate_image_v3().prompt("A paper lantern").send().await?;
    println!("{} image", images.data.len());
    assert_eq!(server.requests().len(), 2);
    Ok(())
}
