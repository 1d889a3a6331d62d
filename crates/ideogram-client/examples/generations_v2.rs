//! Starts a new background, waits for it, and shows what was spent.
//!
//! `cargo run -p ideogram-client --example generations_v2 -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::{error::Error, time::Duration};

use ideogram_client::types::GenerationStatus;

/// The time between two polls of a generation.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, mock) = setup::client().await?;

    let call = client.replace_background_ideogram_v3().image(setup::image()).prompt("A city at night");
    // The id is all that the response has: store it before anything else.
    let id = call.send().await?.generation_id;
    println!("started: {id}");
    let generation = loop {
        if let Some(server) = &mock {
            // Time stands still in the mock server.
            server.advance(POLL_INTERVAL);
        } else {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        let generation = client.get_generation_v2().generation_id(&id).send().await?;
        if generation.status != GenerationStatus::Pending {
            break generation;
        }
    };
    match &generation.failure_reason {
        Some(reason) => println!("failed, not billed: {reason}"),
        None => println!("finished: {} images", generation.data.len()),
    }

    let usage = client.get_account_usage_v2().start_time(generation.created.to_string()).send().await?;
    for item in usage.buckets.iter().flat_map(|bucket| &bucket.line_items) {
        println!("{} {}: {}", item.cost_total, item.currency_code, item.endpoint);
    }
    let keys = client.get_webhook_signing_jwks().send().await?;
    println!("webhooks are signed with one of {} keys", keys.keys.len());
    Ok(())
}
