//! What every example needs before its call: a client, and something to send.
//!
//! With `IDEOGRAM_API_KEY` set, the examples call the service, or the address in `IDEOGRAM_BASE_URL`, and paid calls are
//! billed. Without a key, or with the argument `--mock`, they start a mock server and call that.

#![allow(dead_code, reason = "no example needs all of it")]

use std::{env, error::Error};

use ideogram_client::{Client, File, reqwest::ClientBuilder};
use ideogram_mock::MockServer;

/// Returns a client, and the mock server if the client calls one: the server runs until it is dropped.
pub(crate) async fn client() -> Result<(Client, Option<MockServer>), Box<dyn Error>> {
    if env::var_os("IDEOGRAM_API_KEY").is_none() || env::args().any(|argument| argument == "--mock") {
        let server = MockServer::start().await?;
        let builder = Client::builder().api_key(server.api_key()).base_url(server.url());
        // A proxy of the environment cannot reach a server on this machine.
        let client = builder.configure_http(ClientBuilder::no_proxy).build()?;
        return Ok((client, Some(server)));
    }
    let client = match env::var("IDEOGRAM_BASE_URL") {
        Ok(url) => Client::builder().api_key_from_env().base_url(url).build()?,
        Err(_) => Client::from_env()?,
    };
    Ok((client, None))
}

/// Returns the first argument that is not an option, such as an id.
pub(crate) fn argument() -> Option<String> {
    env::args().skip(1).find(|argument| !argument.starts_with('-'))
}

/// An image of a paper lantern. `File::from_path("lantern.png")`, or just `"lantern.png"`, reads one from disk.
pub(crate) fn image() -> File {
    File::from_bytes("lantern.png", include_bytes!("lantern.png").as_slice())
}

/// A mask for that image: the lantern is black, the night around it white. Black is repainted.
pub(crate) fn mask() -> File {
    File::from_bytes("mask.png", include_bytes!("mask.png").as_slice())
}
