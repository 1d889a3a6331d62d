//! What every example needs before its call: a client, and something to send.
//!
//! With `IDEOGRAM_API_KEY` set, the examples call the service, or what `IDEOGRAM_BASE_URL` names, and paid calls are
//! billed. Without a key, or with the argument `--mock`, they call a mock server that they start themselves.

#![allow(dead_code, reason = "no example needs all of it")]

use std::{env, error::Error};

use ideogram_client::{Client, File, reqwest::ClientBuilder};
use ideogram_mock::MockServer;

/// A client, and the mock server that it calls, if it calls one: that runs until it is dropped.
pub(crate) async fn client() -> Result<(Client, Option<MockServer>), Box<dyn Error>> {
    match env::var("IDEOGRAM_API_KEY") {
        Ok(key) if !env::args().any(|argument| argument == "--mock") => {
            let mut builder = Client::builder().api_key(key);
            if let Ok(url) = env::var("IDEOGRAM_BASE_URL") {
                builder = builder.base_url(url);
            }
            Ok((builder.build()?, None))
        }
        _ => {
            let server = MockServer::start().await?;
            let builder = Client::builder().api_key(server.api_key()).base_url(server.url());
            // A proxy that the surroundings ask for cannot reach this machine's own server.
            let client = builder.configure_http(ClientBuilder::no_proxy).build()?;
            Ok((client, Some(server)))
        }
    }
}

/// The first argument that is no option, such as an id.
pub(crate) fn argument() -> Option<String> {
    env::args().skip(1).find(|argument| !argument.starts_with('-'))
}

/// An image of a paper lantern. `File::from_path("lantern.png")`, or just `"lantern.png"`, reads one from disk.
pub(crate) fn image() -> File {
    File::from_bytes("lantern.png", include_bytes!("lantern.png").as_slice())
}

/// Where the image may be repainted: black is the lantern, white the night around it.
pub(crate) fn mask() -> File {
    File::from_bytes("mask.png", include_bytes!("mask.png").as_slice())
}
