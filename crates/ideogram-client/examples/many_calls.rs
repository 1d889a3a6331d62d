//! Starts 50 calls at once: the client sends as many as the service allows in flight, and the others wait.
//!
//! `cargo run -p ideogram-client --example many_calls -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::error::Error;

use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, mock) = setup::client().await?;
    // Each call is billed.
    let count = if mock.is_some() { 50 } else { 2 };

    let mut calls = JoinSet::new();
    for seed in 0..count {
        // A builder has its own clone of the client, so the task owns all it needs.
        calls.spawn(client.generate_image_v3().prompt("A paper lantern").seed(seed).send());
    }
    let mut images = 0;
    let mut most_in_flight = 0;
    while let Some(call) = calls.join_next().await {
        images += call??.data.len();
        most_in_flight = most_in_flight.max(client.images_in_flight());
    }
    println!("{images} images, at most {most_in_flight} in flight");
    Ok(())
}
