//! Draws with Ideogram 4.5, starts a new background and waits for it, and shows what was spent: the second API version.
//!
//! `cargo run -p ideogram-client --example second_version -- --mock`

#![allow(clippy::print_stdout, reason = "an example shows what came back")]

mod setup;

use std::{error::Error, time::Duration};

use ideogram_client::types::GenerationStatus;

/// How often the service is asked for the state of a generation.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, mock) = setup::client().await?;

    let drawn = client.generate_image_v2_ideogram45().prompt("A paper lantern").quality("low").send().await?;
    for image in &drawn.data {
        println!("drawn: {}", image.url.as_deref().unwrap_or("withheld"));
    }

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
    Ok(())
}
