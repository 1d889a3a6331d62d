//! Images are saved completely or not at all, under unique names, and downloads contain nothing of the caller.

mod again;
#[cfg(feature = "blocking")]
mod blocking;
mod cut_responses;
mod faults;
mod files;
mod host;
mod links;
mod processes;
mod responses;
mod sidecars;

use std::{fs, path::Path, time::Duration};

use ideogram_client::{CallOptions, Client, ClientBuilder};
use ideogram_mock::MockServer;

/// A key that is easy to find where it must not be.
const KEY: &str = "secret-key-0123456789";

/// A client of a service on this machine, without a backoff.
fn builder(url: &str) -> ClientBuilder {
    let options = CallOptions::new().initial_backoff(Duration::ZERO).max_backoff(Duration::from_secs(60));
    Client::builder().api_key(KEY).base_url(url).options(options)
}

fn client(url: &str) -> Client {
    builder(url).build().unwrap()
}

/// A mock server and a client of it.
async fn mock() -> (MockServer, Client) {
    let server = MockServer::start().await.unwrap();
    let client = builder(server.url()).api_key(server.api_key()).build().unwrap();
    (server, client)
}

/// Bytes with the structure of a PNG of this size, which differ by `motif`.
fn png(size_bytes: usize, motif: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let end = b"\0\0\0\0IEND\xae\x42\x60\x82";
    let chunk = size_bytes.checked_sub(bytes.len() + 8 + end.len()).unwrap();
    // The checksum of a chunk follows its data.
    bytes.extend(u32::try_from(chunk - 4).unwrap().to_be_bytes());
    bytes.extend(b"IDAT");
    bytes.extend((0..chunk).map(|index| motif.wrapping_add(u8::try_from(index % 251).unwrap())));
    bytes.extend_from_slice(end);
    bytes
}

/// The names in a folder, including hidden ones, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = entries.collect();
    names.sort();
    names
}

/// Whether a name is that of a temporary file.
fn is_part(name: &str) -> bool {
    name.strip_prefix(".ideogram-").and_then(|name| name.strip_suffix(".part")).is_some()
}
